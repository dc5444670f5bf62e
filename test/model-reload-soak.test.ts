/**
 * A model is replaced again and again while requests use it: every answer is that of the version which
 * the request found, every replaced model is closed, and memory does not grow.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.js'
import type { Model } from '../src/predict/model.js'
import { ModelRepository } from '../src/predict/model-repository.js'
import { emptySnapshot } from '../src/registry/snapshot.js'

const reloadCount = 200
/** After these the heap, malloc's arenas and the threads' stacks are as large as they get. */
const warmUpCount = 50
const requestsAtOnce = 4
const treeCount = 200
const leafCount = 255
const inputNames = ['a', 'b', 'c', 'd']
const mebi = 1024 * 1024
/** A sixth of what is lost where models are not freed (348 MiB); readings differ by up to 20 MiB. */
const growthBytesMax = 60 * mebi

const treesText = Array.from({ length: treeCount }, (_, index) => treeText(index)).join('\n')

/** A comb of `leafCount` leaves; two trees one after the other add up to nothing. */
function treeText(index: number): string {
  const nodes = Array.from({ length: leafCount - 1 }, (_, node) => node)
  return [
    `Tree=${index}`,
    `num_leaves=${leafCount}`,
    'num_cat=0',
    `split_feature=${nodes.map((node) => (node + index) % inputNames.length).join(' ')}`,
    `threshold=${nodes.map((node) => node / 7 + index).join(' ')}`,
    `decision_type=${nodes.map(() => 2).join(' ')}`,
    `left_child=${nodes.map((node) => -node - 1).join(' ')}`,
    `right_child=${nodes.map((node) => (node === leafCount - 2 ? -leafCount : node + 1)).join(' ')}`,
    `leaf_value=${Array.from({ length: leafCount }, () => (index % 2 === 0 ? 0.5 : -0.5)).join(' ')}`,
    'is_linear=0',
    'shrinkage=1',
    '',
  ].join('\n')
}

/** A model that scores `answer` for every row. */
function modelText(answer: number): string {
  return [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${inputNames.length - 1}`,
    'objective=regression',
    `feature_names=${inputNames.join(' ')}`,
    `feature_infos=${inputNames.map(() => 'none').join(' ')}`,
    '',
    treesText,
    `Tree=${treeCount}`,
    'num_leaves=1',
    'num_cat=0',
    'split_feature=',
    'threshold=',
    'decision_type=',
    'left_child=',
    'right_child=',
    `leaf_value=${answer}`,
    'is_linear=0',
    'shrinkage=1',
    '',
    'end of trees',
    '',
  ].join('\n')
}

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

function residentBytes(): number {
  if (typeof collect === 'function') collect()
  return process.memoryUsage.rss()
}

async function predictOnce(model: Model): Promise<number | undefined> {
  const output = new Float64Array(1)
  const columns = inputNames.map((_, index) => Float64Array.of(index * 3))
  await model.predict(columns, 1, output, { raw: true })
  return output[0]
}

test(`${reloadCount} reloads under load leave nothing behind`, { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-soak-'))
  const version = join(folder, 'sums/1')
  mkdirSync(version, { recursive: true })
  const values = inputNames.map((name) => `{ name: ${name}, type: float64 }`).join(', ')
  writeFileSync(join(folder, 'sums/model.yaml'), `kind: lightgbm\nrequest_values: [${values}]\n`)
  const put = (answer: number) => {
    writeFileSync(join(version, 'model.txt.new'), modelText(answer))
    renameSync(join(version, 'model.txt.new'), join(version, 'model.txt'))
  }
  const clock = systemClock
  const models = new ModelRepository({ folder, clock, kernel: 'auto', quietMs: 0 })

  put(0)
  await models.load()
  // The old objects stay within reach: what frees their memory is that they are closed.
  const replaced: Model[] = []
  const answerOf = new Map<Model, number>([[models.find('sums').model, 0]])
  const wrong: unknown[] = []
  let answerCount = 0
  let isOver = false
  const request = () =>
    models.whileInUse(async () => {
      const { model } = models.bind('sums', emptySnapshot)
      // As a request that waits for a tier: the model may be replaced meanwhile.
      await clock.sleep(answerCount % 5)
      const got = await predictOnce(model)
      answerCount++
      // A model that was just swapped in may not be listed yet; then it is the next one.
      const expected = answerOf.get(model) ?? replaced.length + 1
      if (got !== expected) wrong.push({ got, expected })
    })
  const clients = Array.from({ length: requestsAtOnce }, async () => {
    while (!isOver) await request()
  })

  let settledBytes = 0
  for (let round = 1; round <= reloadCount; round++) {
    const old = models.find('sums').model
    put(round)
    await models.load()
    answerOf.set(models.find('sums').model, round)
    replaced.push(old)
    if (round === warmUpCount) settledBytes = residentBytes()
  }
  isOver = true
  await Promise.all(clients)
  const grownBytes = residentBytes() - settledBytes
  const modelBytes = replaced[0]?.modelBytes ?? 0

  expect(wrong).toEqual([])
  expect(answerCount).toBeGreaterThan(reloadCount)
  expect(modelBytes).toBeGreaterThan(2 * mebi)
  expect((reloadCount - warmUpCount) * modelBytes).toBeGreaterThan(6 * growthBytesMax)
  expect(grownBytes).toBeLessThan(growthBytesMax)
  const closed = await Promise.allSettled(replaced.map(predictOnce))
  expect(closed.filter(({ status }) => status === 'fulfilled')).toEqual([])
  await models.close()
  rmSync(folder, { recursive: true })
})
