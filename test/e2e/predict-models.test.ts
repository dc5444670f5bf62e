/**
 * Models as they come: with categories of pandas, and while their files change under the daemon.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import { runCaptured } from '../support/captured-io.js'
import { type E2eDaemon, freshTiers, startDaemon } from '../support/e2e-daemon.js'
import { createModelsFolder, putModel, putModelYaml, sumModel } from '../support/e2e-models.js'

const bids = (value: number) => column.fromValues('bid', 'float64', [value])

describe('categories', () => {
  const fixture = 'test/fixtures/lightgbm/categories-pandas'
  const recorded = readCategoriesFixture(fixture)
  let daemon: E2eDaemon
  let folder: string

  beforeAll(async () => {
    folder = createModelsFolder()
    putModel(folder, 'weather', 1, readFileSync(`${fixture}.txt`, 'utf8'))
    putModelYaml(
      folder,
      'weather',
      `
kind: lightgbm
request_values:
  - { name: word, type: categorical }
  - { name: plain, type: float64 }
  - { name: number, type: int32 }
  - { name: flag, type: bool }
  - { name: xy, type: float64 }
  - { name: last, type: float64 }
inputs: { "x=y": xy }
categorical: [word, number, flag]
`,
    )
    const tiers = await freshTiers('embedded')
    daemon = await startDaemon({ tiers, modelsFolder: folder })
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true })
  })

  const { word, number, flag, plain, xy, last } = recorded
  const columns = () => [
    column.fromValues('word', 'categorical', word),
    column.fromValues('number', 'int32', number),
    column.fromValues('flag', 'bool', flag),
    column.float64('plain', plain),
    column.float64('xy', xy),
    column.float64('last', last),
  ]

  test('strings, integers and bools become the codes of pandas: LightGBM’s own scores', async () => {
    const { predictions } = await daemon.client.predict({
      models: ['weather'],
      features: columns(),
      raw: true,
    })
    expect(word.filter((cell) => cell !== null).length).toBeGreaterThan(10)
    expect(bitsOf(predictions[0]?.scores)).toEqual(bitsOf(recorded.raw))
  })

  test('they score as `larder model score` scores the same text', async () => {
    const lines = Array.from({ length: recorded.rowCount }, (_, row) =>
      [word[row], plain[row], number[row], flag[row], xy[row], last[row]].join(','),
    )
    const csvPath = join(folder, 'rows.csv')
    writeFileSync(csvPath, `word,plain,number,flag,x=y,last\n${lines.join('\n')}\n`)
    const command = ['model', 'score', `${fixture}.txt`, '--input', csvPath, '--raw']
    const { stdout, exitCode } = await runCaptured(command)
    expect(exitCode).toBe(0)
    const scores = Float64Array.from(stdout.trimEnd().split('\n'), Number)
    expect(bitsOf(scores)).toEqual(bitsOf(recorded.raw))
  })

  test('a category that the model never saw is missing', async () => {
    const scoreWith = async (cell: string | null) => {
      const features = [column.fromValues('word', 'categorical', [cell]), ...columns().slice(1)]
      const { predictions } = await daemon.client.predict({ models: ['weather'], features })
      return bitsOf(predictions[0]?.scores)
    }
    expect(await scoreWith('hail')).toEqual(await scoreWith(null))
    expect(await scoreWith('hail')).not.toEqual(await scoreWith('sun'))
  })
})

describe('hot reload', () => {
  let daemon: E2eDaemon
  let folder: string

  beforeAll(async () => {
    folder = createModelsFolder()
    putModel(folder, 'only', 1, sumModel({ bid: 1 }, 1))
    putModelYaml(folder, 'only', 'kind: lightgbm\nrequest_values: [{ name: bid, type: float64 }]\n')
    daemon = await startDaemon({ tiers: await freshTiers('embedded'), modelsFolder: folder })
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true })
  })

  const scoreOfBid = async () => {
    const { predictions } = await daemon.client.predict({ models: ['only'], features: [bids(10)] })
    return predictions[0]?.scores[0]
  }
  const stateOf = async (version: string) =>
    (await daemon.client.models()).models.find((model) => model.version === version)
  const patient = { timeout: 10_000 }

  // Each step starts from the folder that the one before it left.
  test('a new version serves once it is there', async () => {
    expect(await scoreOfBid()).toBe(11)
    putModel(folder, 'only', 2, sumModel({ bid: 1 }, 2))
    await expect.poll(scoreOfBid, patient).toBe(12)
  })

  test('a changed file replaces the model of its version', async () => {
    putModel(folder, 'only', 2, sumModel({ bid: 1 }, 2.5))
    await expect.poll(scoreOfBid, patient).toBe(12.5)
  })

  test('a broken file never replaces a good model, and its state says so', async () => {
    putModel(folder, 'only', 2, sumModel({ bid: 1 }, 3).slice(0, 150))
    await expect
      .poll(async () => (await stateOf('2'))?.state, patient)
      .toMatch(/^ready; newer files: .*byte/)
    expect(await scoreOfBid()).toBe(12.5)
    expect(await stateOf('2')).toMatchObject({ ready: true })
  })

  test('a version that never loaded is not served by the bare name', async () => {
    putModel(folder, 'only', 3, 'not a model')
    await expect.poll(async () => (await stateOf('3'))?.ready, patient).toBe(false)
    expect(await scoreOfBid()).toBe(12.5)
    const failing = daemon.client.predict({ models: ['only@3'], features: [bids(10)] })
    await expect(failing).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  test('a repaired file serves again', async () => {
    putModel(folder, 'only', 3, sumModel({ bid: 1 }, 4))
    await expect.poll(scoreOfBid, patient).toBe(14)
  })
})

/**
 * The fixture's rows with categories in place of their codes. LightGBM cuts a code to a whole number,
 * and takes one that it does not know as it takes a missing one.
 */
function readCategoriesFixture(path: string) {
  const words = ['a=b', 'größer', 'rain', 'snow', 'sun']
  const numbers = [3, 5, 8]
  const flags = [false, true]
  const [rowCount, inputCount] = [96, 6]
  const bytes = Uint8Array.from(readFileSync(`${path}.bin`))
  const all = new Float64Array(bytes.slice(0, rowCount * (inputCount + 1) * 8).buffer)
  const inputAt = (input: number) => all.slice(input * rowCount, (input + 1) * rowCount)
  const categoriesAt = <T>(input: number, categories: readonly T[]) =>
    Array.from(inputAt(input), (code) => categories[Math.trunc(code)] ?? null)
  return {
    rowCount,
    word: categoriesAt(0, words),
    plain: inputAt(1),
    number: categoriesAt(2, numbers),
    flag: categoriesAt(3, flags),
    xy: inputAt(4),
    last: inputAt(5),
    raw: inputAt(inputCount),
  }
}

function bitsOf(scores: Float64Array | undefined): BigUint64Array {
  return new BigUint64Array(Float64Array.from(scores ?? []).buffer)
}
