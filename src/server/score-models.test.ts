import { beforeAll, describe, expect, test } from 'vitest'
import { readOf, scoresOnly, shopsAndUsers, useModel } from '../../test/support/models-in-use.js'
import type { TestModelWords } from '../../test/support/test-models.js'
import { f32, f64, i64, listsOf, texts, wireColumn } from '../../test/support/wire-columns.js'
import { nextTurn } from '../clock.js'
import { cellStatus, type WireColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { modelsAtOnceMax } from '../limits.js'
import type { Model, ModelInput } from '../predict/model.js'
import type { Snapshot } from '../registry/snapshot.js'
import { type ModelInUse, type PredictPlan, planPredict } from './predict-path.js'
import type { ReadResult } from './read-path.js'
import { type ModelResult, type ScoreOptions, scoreModels } from './score-models.js'

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await shopsAndUsers()
})

function use(name: string, words: TestModelWords, yamlText = ''): ModelInUse {
  return useModel(snapshot, name, { ...words, yamlText })
}

function plan(
  models: readonly ModelInUse[],
  keys: readonly WireColumn[],
  features: readonly WireColumn[] = [],
): PredictPlan {
  return planPredict(models, { ...scoresOnly, keys, features })
}

const options: ScoreOptions = {
  raw: false,
  explain: false,
  contributions: false,
  keepsGoing: false,
  signal: new AbortController().signal,
}

/** The results of models that all answer. */
async function resultsOf(
  planned: PredictPlan,
  read: ReadResult | undefined,
  asked: Partial<ScoreOptions> = {},
): Promise<readonly ModelResult[]> {
  const outcomes = await scoreModels(planned, read, { ...options, ...asked })
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error
    return outcome
  })
}

const shop = wireColumn('shop', texts('a', 'b'))
const user = wireColumn('user', i64(5n))
const hourYaml = (type: string) => `request_values: [{ name: hour, type: ${type}, default: 1 }]`

test('a request value of two types that is not given takes the default of each', async () => {
  const models = [
    use('one', { featureNames: ['hour'] }, hourYaml('int8')),
    use('two', { featureNames: ['hour'] }, hourYaml('float64')),
  ]
  const results = await resultsOf(plan(models, []), undefined)
  expect(results.map(({ scores }) => [...scores])).toEqual([[1], [1]])
})

describe('scoring', () => {
  test('each model sees its own inputs, given before stored, one value for all rows', async () => {
    const models = [
      use('sum', { featureNames: ['near.mean', 'hour'] }, `service: shops\n${hourYaml('int8')}`),
      use('total', { featureNames: ['near.total'] }, 'service: shops'),
    ]
    const planned = plan(
      models,
      [shop],
      [wireColumn('hour', f32(5)), wireColumn('near.mean', f32(7, 0), [1, cellStatus.notFound])],
    )
    const read = readOf(planned, { 'near.mean': [20, 30], 'near.total': [2, 3] })
    const results = await resultsOf(planned, read)
    expect(results.map(({ scores }) => [...scores])).toEqual([
      [12, 35],
      [2, 3],
    ])
  })

  test('a model of request values alone does not hide what another one reads', async () => {
    const models = [
      use('reads', { featureNames: ['near.mean'] }, 'service: shops'),
      use('alone', { featureNames: ['hour'] }, hourYaml('int8')),
    ]
    const planned = plan(models, [shop])
    const read = readOf(planned, { 'near.mean': [20, 30] })
    const [first] = await resultsOf(planned, read, { explain: true })
    expect([...(first?.scores ?? [])]).toEqual([20, 30])
    expect(first?.inputs[0]?.rows).toMatchObject({ role: 'near', view: 'sales' })
  })

  test('two services with one role name: each model sees its own', async () => {
    const models = [
      use('one', { featureNames: ['near.mean'] }, 'service: shops'),
      use('two', { featureNames: ['near.mean'] }, 'service: users'),
    ]
    const planned = plan(models, [shop, user])
    const read = readOf(planned, { 'shops/near.mean': [1, 2], 'users/near.mean': [8, 9] })
    const results = await resultsOf(planned, read)
    expect(results.map(({ scores }) => [...scores])).toEqual([
      [1, 2],
      [8, 9],
    ])
  })

  test.each([
    ['sales', 'shops', [1, 2], 0],
    ['clicks', 'users', [Number.NaN, Number.NaN], 2],
  ])('older than max age, %s: by its on_stale', async (_view, service, scores, missing) => {
    const planned = plan(
      [use('one', { featureNames: ['near.mean'] }, `service: ${service}`)],
      [service === 'shops' ? shop : wireColumn('user', i64(5n, 6n))],
    )
    const read = readOf(planned, { 'near.mean': [1, 2] }, cellStatus.outsideMaxAge)
    const [result] = await resultsOf(planned, read)
    expect([...(result?.scores ?? [])]).toEqual(scores)
    expect(result?.defaults.missing).toBe(missing)
  })

  test('defaults are counted by where they came from, unavailable ones also by that', async () => {
    const names = ['near.mean', 'near.total', 'far.mean', 'hour']
    const model = use('one', { featureNames: names }, `service: shops\n${hourYaml('int8')}`)
    const planned = plan([model], [shop, wireColumn('far_shop', texts('c'))])
    const gone = readOf(planned, { 'far.mean': [0, 0] }, cellStatus.unavailable)
    const [result] = await resultsOf(planned, gone)
    expect(result?.defaults).toEqual({
      modelDefault: 2,
      viewDefault: 4,
      missing: 2,
      unavailable: 2,
    })
  })

  test('the caller going away ends it', async () => {
    const planned = plan([use('one', { featureNames: ['hour'] }, hourYaml('int8'))], [])
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(scoreModels(planned, undefined, { ...options, signal })).rejects.toThrow('gone')
  })
})

describe('several models', () => {
  const failing = (message: string) => ({
    featureNames: ['hour'],
    score: () => {
      throw new LarderError('invalid_argument', message)
    },
  })
  const fine = () => use('fine', { featureNames: ['hour'] }, hourYaml('int8'))
  const bad = () => use('bad', failing('too odd'), hourYaml('int8'))

  test('one that fails ends the request, or only itself', async () => {
    const planned = plan([bad(), fine()], [])
    await expect(scoreModels(planned, undefined, options)).rejects.toThrow('too odd')
    const outcomes = await scoreModels(planned, undefined, { ...options, keepsGoing: true })
    expect(outcomes).toMatchObject([
      {
        model: { entry: { name: 'bad' } },
        error: { code: 'invalid_argument', message: 'too odd' },
      },
      { model: { entry: { name: 'fine' } }, scores: Float64Array.of(1) },
    ])
  })

  test('a value that one cannot take leaves the others to answer', async () => {
    const listYaml = 'request_values: [{ name: ids, type: list<int64>, default: [7] }]'
    const short = use('short', { kind: 'composite', inputs: [listOf('ids', 1)] }, listYaml)
    const long = use('long', { kind: 'composite', inputs: [listOf('ids', 3)] }, listYaml)
    const given = wireColumn('ids', listsOf([2], i64(3n, 4n)))
    const planned = plan([short, long], [], [given])
    const outcomes = await scoreModels(planned, undefined, { ...options, keepsGoing: true })
    expect(outcomes).toMatchObject([
      { error: { message: "feature 'ids', row 0: 2 elements, but input 'ids' takes at most 1" } },
      { scores: Float64Array.of(7) },
    ])
  })

  test('the caller going away ends them all, whatever is to keep going', async () => {
    const planned = plan([fine(), bad()], [])
    const signal = AbortSignal.abort(new Error('gone'))
    const asked = { ...options, keepsGoing: true, signal }
    await expect(scoreModels(planned, undefined, asked)).rejects.toThrow('gone')
  })

  test('no more than a few run at once, and outcomes stand in the order of the models', async () => {
    const running = { count: 0, countMax: 0 }
    const models = Array.from({ length: 9 }, (_, index) => {
      const model = use(`m${index}`, { featureNames: ['hour'] }, hourYaml('int8'))
      return { ...model, model: slowed(model.model, { turns: 9 - index, running, score: index }) }
    })
    const results = await resultsOf(plan(models, []), undefined)
    expect(results.map(({ scores }) => scores[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(running.countMax).toBe(modelsAtOnceMax)
  })

  test('after the first failure no further model is begun', async () => {
    const seen: string[] = []
    const models = Array.from({ length: 8 }, (_, index) =>
      use(
        `m${index}`,
        { featureNames: ['hour'], score: () => seen.push(`m${index}`) },
        hourYaml('int8'),
      ),
    )
    const planned = plan([bad(), ...models], [])
    await expect(scoreModels(planned, undefined, options)).rejects.toThrow('too odd')
    expect(seen.length).toBeLessThan(models.length)
  })

  test('the event loop gets turns where many cells are resolved', async () => {
    const featureNames = Array.from({ length: 600 }, (_, index) => `n${index}`)
    const values = featureNames.map((name) => `{ name: ${name}, type: float32 }`).join(', ')
    const models = Array.from({ length: 6 }, (_, index) => {
      const model = use(`m${index}`, { featureNames }, `request_values: [${values}]`)
      const atOnce = { turns: 0, running: { count: 0, countMax: 0 }, score: 1 }
      return { ...model, model: slowed(model.model, atOnce) }
    })
    const thousand = wireColumn('n0', { class: 'f32', bytes: new Uint8Array(4000) })
    const planned = plan(models, [], [thousand])
    const turns = { count: 0, isOver: false }
    const countTurns = async () => {
      while (!turns.isOver) {
        await nextTurn()
        turns.count++
      }
    }
    const counting = countTurns()
    await resultsOf(planned, undefined)
    turns.isOver = true
    await counting
    // 600,000 cells each: a turn before every model but the first.
    expect(turns.count).toBeGreaterThanOrEqual(models.length - 1)
  })
})

describe('what is told beside scores', () => {
  const yaml = `
request_values:
  - { name: hour, type: float64, default: 1 }
  - { name: ids, type: list<int64>, default: [7] }
  - { name: words, type: list<string> }
  - { name: more, type: list<categorical>, default: [b] }
`
  const inputs = [listOf('ids', 9), listOf('words', 9, 'text'), listOf('more', 9, 'text')]
  const words = { featureNames: ['hour'], inputs, tellsContributions: true } as const
  const given = [
    wireColumn('hour', f64(0.5, 2)),
    wireColumn('ids', listsOf([2, 0], i64(3n, 4n))),
    wireColumn('words', listsOf([1, 2], texts('a', 'b', 'a'))),
  ]

  test('contributions add up to the raw score', async () => {
    const model = use('tells', { kind: 'composite', ...words }, yaml)
    const [result] = await resultsOf(plan([model], [], given), undefined, { contributions: true })
    expect([...(result?.contributions ?? [])]).toEqual([0.5, 7, 0, 1, 0, 2, 0, 1, 1, 0])
    expect([...(result?.scores ?? [])]).toEqual([8.5, 4])
    expect(result?.inputs).toEqual([])
  })

  test('explained lists, with the texts that their numbers stand for', async () => {
    const model = use('tells', { kind: 'composite', ...words }, yaml)
    const [result] = await resultsOf(plan([model], [], given), undefined, { explain: true })
    expect(result?.contributions).toBeUndefined()
    expect(result?.texts).toEqual(['a', 'b'])
    expect(result?.inputs.map(({ resolved }) => resolved.column)).toEqual([
      Float64Array.of(0.5, 2),
      { values: Float64Array.of(3, 4), lengths: Uint32Array.of(2, 0) },
      { values: Float64Array.of(0, 1, 0), lengths: Uint32Array.of(1, 2) },
      { values: Float64Array.of(1), lengths: Uint32Array.of(1) },
    ])
  })
})

function listOf(name: string, itemsMax: number, items: 'number' | 'text' = 'number'): ModelInput {
  return { name, form: { kind: 'list', items, itemsMax }, defaultValue: undefined }
}

/** The model with a score of its own, after some turns of the event loop. */
function slowed(
  model: Model,
  {
    turns,
    running,
    score,
  }: { turns: number; running: { count: number; countMax: number }; score: number },
): Model {
  return {
    ...model,
    async predict(_columns, _rowCount, output) {
      running.count++
      running.countMax = Math.max(running.countMax, running.count)
      for (let turn = 0; turn < turns; turn++) await nextTurn()
      output.fill(score)
      running.count--
    },
  }
}

describe('a model whose score is the index of a class', () => {
  function softmax(): ModelInUse {
    const used = use('one', { featureNames: ['hour'] }, hourYaml('float64'))
    const model: Model = {
      ...used.model,
      rawOutputCount: 3,
      predict: async (_columns, _rowCount, output, { raw }) => void output.fill(raw ? 0.5 : 2),
      contributions: async (_columns, _rowCount, output) => void output.fill(0.25),
    }
    return { ...used, model }
  }
  const hours = [wireColumn('hour', f64(1, 2))]

  test.each([
    { raw: false, outputCount: 1, scores: [2, 2] },
    { raw: true, outputCount: 3, scores: Array(6).fill(0.5) },
  ])('has scores of its own width, raw $raw', async ({ raw, outputCount, scores }) => {
    const [result] = await resultsOf(plan([softmax()], [], hours), undefined, { raw })
    expect(result).toMatchObject({ outputCount, scores: Float64Array.from(scores) })
  })

  test('has contributions to its raw scores only', async () => {
    const asked = { contributions: true, raw: true }
    const [result] = await resultsOf(plan([softmax()], [], hours), undefined, asked)
    expect(result?.contributions).toHaveLength(2 * 3 * 2)
    const planned = (raw: boolean) =>
      planPredict([softmax()], { ...scoresOnly, features: hours, contributions: true, raw })
    expect(() => planned(false)).toThrow(
      "model 'one@1' answers the index of a class, and contributions add up to its 3 raw scores: ask for raw scores with them",
    )
    expect(planned(true).models).toHaveLength(1)
  })
})
