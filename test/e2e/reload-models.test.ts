/**
 * Models are reloaded on demand, and what is wrong with them shows wherever an operator may look.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { column } from '../../src/client/index.js'
import { runCaptured } from '../support/captured-io.js'
import { type E2eDaemon, freshTiers, startDaemon } from '../support/e2e-daemon.js'
import { createModelsFolder, putModel, putModelYaml, sumModel } from '../support/e2e-models.js'

let daemon: E2eDaemon
let folder: string

beforeAll(async () => {
  folder = createModelsFolder()
  putModel(folder, 'sums', 1, sumModel({ bid: 1 }, 1))
  const yaml = 'kind: lightgbm\nrequest_values: [{ name: bid, type: float64 }]\n'
  putModelYaml(folder, 'sums', yaml)
  daemon = await startDaemon({ tiers: await freshTiers('embedded'), modelsFolder: folder })
})
afterAll(async () => {
  await daemon.stop()
  rmSync(folder, { recursive: true })
})

const scoreOfBid = async (model = 'sums') => {
  const features = [column.fromValues('bid', 'float64', [10])]
  const { predictions } = await daemon.client.predict({ models: [model], features })
  return predictions[0]?.scores[0]
}
const larder = (...argv: string[]) =>
  runCaptured([...argv, '--address', daemon.running.grpcAddress])
const readyz = async () => JSON.parse((await daemon.fetchHttp('/readyz')).text)
const metric = async (name: string) => {
  const { text } = await daemon.fetchHttp('/metrics')
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
}

// Each test starts from the folder that the one before it left.
test('a daemon is ready with its models loaded', async () => {
  expect(await scoreOfBid()).toBe(11)
  expect(await readyz()).toEqual({ status: 'ready' })
  const { models } = await daemon.client.models()
  expect(models).toMatchObject([{ name: 'sums', ready: true, pending: false, vectorCount: 0 }])
  expect(models[0]?.kernel).not.toBe('')
  expect(models[0]?.loadedAtUs).toBeGreaterThan(0n)
  expect(models[0]?.loadMs).toBeGreaterThan(0)
  expect(await metric('larder_models_loaded')).toBe(1)
  expect(await metric('larder_model_bytes')).toBe(Number(models[0]?.modelBytes))
})

test('a reload takes up a new version before it answers, and says so', async () => {
  mkdirSync(join(folder, 'sums/2'))
  writeFileSync(
    join(folder, 'sums/2/test_vectors.json'),
    '{"rows": [{"inputs": {"bid": 10}, "raw": 12}, {"inputs": {}, "raw": -1}]}',
  )
  putModel(folder, 'sums', 2, sumModel({ bid: 1 }, 2))
  const { stdout, exitCode } = await larder('models', '--reload', '--json')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    models: [
      { version: '1', state: 'ready', problem: '', vector_count: 0 },
      { version: '2', state: 'ready', problem: '', vector_count: 2, pending: false },
    ],
  })
  expect(await scoreOfBid()).toBe(12)
})

test('a version that fails its test vectors is refused, and told everywhere', async () => {
  mkdirSync(join(folder, 'sums/3'))
  writeFileSync(
    join(folder, 'sums/3/test_vectors.yaml'),
    'rows: [{ inputs: { bid: 10 }, raw: 14 }]',
  )
  putModel(folder, 'sums', 3, sumModel({ bid: 1 }, 3))
  const { changes } = await daemon.client.reloadModels()
  const problem =
    `test vector ${folder}/sums/3/test_vectors.yaml:1:8: expected raw 14, got 13 ` +
    '(tolerance 0) for "bid: 10"'
  // The poll may have been faster than the reload.
  const told = z.array(z.object({ what: z.literal('refused'), version: z.literal('3') }))
  expect(told.safeParse(changes).success).toBe(true)
  expect(await scoreOfBid()).toBe(12)
  const finding = `model 'sums@3' cannot be used: ${problem}`
  expect(await readyz()).toEqual({ status: 'ready', findings: [finding] })
  expect((await daemon.client.status()).findings).toEqual([finding])
  expect(await metric('larder_models_broken')).toBe(1)
  expect(await metric('larder_model_load_failures_total')).toBe(1)
  const { stdout } = await larder('models')
  expect(stdout).toMatch(/sums +3 +lightgbm +0 +0 +cannot be used\n/)
  expect(stdout).toContain(`problem sums@3: model 'sums@3' cannot be used: ${problem}\n`)
  const doctor = await larder('doctor')
  expect(doctor.stdout).toContain(`warning daemon: ${finding}\n`)
  await expect(scoreOfBid('sums@3')).rejects.toMatchObject({ code: 'failed_precondition' })
})

test('a removed version is told, and gone', async () => {
  rmSync(join(folder, 'sums/3'), { recursive: true })
  rmSync(join(folder, 'sums/2'), { recursive: true })
  const { stdout } = await larder('models', '--reload')
  expect(stdout).toMatch(/^model +version +labels +kind +service +inputs +trees +state +kernel/m)
  expect(stdout).not.toContain('cannot be used')
  expect(await scoreOfBid()).toBe(11)
  expect(await readyz()).toEqual({ status: 'ready' })
})

test('reloads at the same time wait for each other', async () => {
  putModel(folder, 'sums', 4, sumModel({ bid: 1 }, 4))
  const replies = await Promise.all([daemon.client.reloadModels(), daemon.client.reloadModels()])
  expect(replies.map(({ models }) => models.map(({ version }) => version))).toEqual([
    ['1', '4'],
    ['1', '4'],
  ])
  expect(await metric('larder_model_load_seconds_count')).toBe(3)
  expect(await scoreOfBid()).toBe(14)
})
