import { beforeAll, describe, expect, test } from 'vitest'
import { scoresOnly, shopsAndUsers, useModel } from '../../test/support/models-in-use.js'
import { printReadPlan } from '../../test/support/print-plan.js'
import type { TestModelWords } from '../../test/support/test-models.js'
import { f32, f64, i64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { cellStatus, type WireColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { replyValuesMax, requestModelsMax } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import {
  bindModels,
  type ModelInUse,
  type PredictInput,
  type PredictPlan,
  planPredict,
  type RequestedModel,
} from './predict-path.js'

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

const shop = wireColumn('shop', texts('a', 'b'))
const user = wireColumn('user', i64(5n))
const hourYaml = (type: string) => `request_values: [{ name: hour, type: ${type}, default: 1 }]`

describe('planning', () => {
  test('reads the features of all models once, and no others', async () => {
    const models = [
      use('one', { featureNames: ['near.mean'] }, 'service: shops'),
      use('two', { featureNames: ['near.mean', 'near.total'] }, 'service: shops'),
    ]
    await expect(printReadPlan(mustRead(plan(models, [shop])))).toMatchFileSnapshot(
      '../../test/golden/plans/predict-one-service.txt',
    )
  })

  test('two services that use one role name are told apart', async () => {
    const models = [
      use('one', { featureNames: ['near.mean'] }, 'service: shops'),
      use('two', { featureNames: ['near.mean'] }, 'service: users'),
    ]
    await expect(printReadPlan(mustRead(plan(models, [shop, user])))).toMatchFileSnapshot(
      '../../test/golden/plans/predict-two-services.txt',
    )
  })

  test.each([
    ['for every row', undefined, []],
    ['as null', [cellStatus.nullValue, cellStatus.present], []],
    ['for some rows', [cellStatus.notFound, cellStatus.present], ['near.mean']],
  ])('a feature that is given %s', (_case, status, names) => {
    const models = [use('one', { featureNames: ['near.mean'] }, 'service: shops')]
    const given = wireColumn('near.mean', f32(1, 2), status)
    const planned = plan(models, names.length === 0 ? [] : [shop], [given])
    expect(planned.read?.features.map(({ name }) => name) ?? []).toEqual(names)
  })

  test('a given feature of the service that no model reads is let pass', () => {
    const models = [use('one', { featureNames: ['near.mean'] }, 'service: shops')]
    expect(plan(models, [shop], [wireColumn('near.total', f64(1))]).given.size).toBe(0)
  })

  test('without keys or given values one row is planned', () => {
    const models = [use('one', { featureNames: ['hour'] }, hourYaml('int8'))]
    expect(plan(models, [])).toMatchObject({ rowCount: 1, read: undefined })
  })

  const one = () =>
    use('one', { featureNames: ['near.mean', 'hour'] }, `service: shops\n${hourYaml('int8')}`)

  test.each([
    [
      'an unknown value',
      () => [one()],
      [shop],
      [wireColumn('houre', f32(1))],
      'invalid_argument',
      'no model of the request reads a feature or request value \'houre\': did you mean "hour"?',
    ],
    [
      'a value twice',
      () => [one()],
      [shop],
      [wireColumn('hour', f32(1)), wireColumn('hour', f32(1))],
      'invalid_argument',
      "feature column 'hour' is there twice",
    ],
    [
      'an unknown key',
      () => [one()],
      [shop, wireColumn('shoop', texts('a'))],
      [],
      'invalid_argument',
      'no model of the request has a key column \'shoop\': did you mean "shop"?',
    ],
    [
      'a missing key',
      () => [one()],
      [],
      [],
      'invalid_argument',
      "key column 'shop' (string) is missing: it is the join key 'shop' of view 'sales' in role 'near'",
    ],
    [
      'values that do not fit the keys',
      () => [one()],
      [shop],
      [wireColumn('hour', f32(1, 2, 3))],
      'invalid_argument',
      "ragged columns: 'shop' has 2 rows, 'hour' has 3; each must have the same number or 1",
    ],
    [
      'a value out of range',
      () => [one()],
      [shop],
      [wireColumn('hour', f32(1, 128))],
      'invalid_argument',
      "column 'hour', row 1: 128 is not a int8 (a whole number from -128 to 127)",
    ],
    [
      'a request value of two types',
      () => [one(), use('two', { featureNames: ['hour'] }, hourYaml('float64'))],
      [shop],
      [wireColumn('hour', f32(1.5))],
      'invalid_argument',
      "'hour' is int8 in model 'one@1' and float64 in model 'two@1': one request cannot give it " +
        'to both, ask for them one by one',
    ],
    [
      'a feature name of two services with two types',
      () => [one(), use('two', { featureNames: ['near.mean'] }, 'service: users')],
      [shop, user],
      [wireColumn('near.mean', f32(1))],
      'invalid_argument',
      "'near.mean' is float32 in model 'one@1' and float64 in model 'two@1': one request cannot " +
        'give it to both, ask for them one by one',
    ],
  ] as const)('%s is refused', (_case, models, keys, features, code, message) => {
    expect(() => plan(models(), keys, features)).toThrow(expect.objectContaining({ code, message }))
  })
})

describe('models that cannot be used', () => {
  const gone = (name: string) => new LarderError('not_found', `no model '${name}'`)
  const bind = (name: string) => {
    if (name.startsWith('gone')) throw gone(name)
    return use(name, { featureNames: ['near.mean'] }, 'service: shops')
  }
  const unusable = { name: 'gone', version: '', error: gone('gone') }
  const keepsGoing = { keepsGoing: true }

  test.each([
    [0, 'invalid_argument', 'the request names no model'],
    [
      requestModelsMax + 1,
      'resource_exhausted',
      `${requestModelsMax + 1} models in one request, at most ${requestModelsMax} are allowed`,
    ],
  ])('%d models are refused, whatever the caller wants', (count, code, message) => {
    const references = new Array<string>(count).fill('gone')
    for (const wanted of [true, false]) {
      expect(() => bindModels(references, { bind, keepsGoing: wanted })).toThrow(
        expect.objectContaining({ code, message }),
      )
    }
  })

  test('fail the request, or stand in their place among the others', () => {
    expect(() => bindModels(['one', 'gone'], { bind, keepsGoing: false })).toThrow(
      "no model 'gone'",
    )
    const bound = bindModels(['gone', 'one'], { bind, keepsGoing: true })
    expect(bound).toMatchObject([unusable, { entry: { name: 'one' } }])
  })

  test('what no other model knows may be meant for them', () => {
    const mayBe = { ...keepsGoing, keys: [shop, wireColumn('else', texts('x'))] }
    const features = [wireColumn('unknown', f32(1, 2)), wireColumn('near.mean', f32(7))]
    const planned = planWith([unusable, bind('one')], { ...mayBe, features })
    expect([...planned.given.keys()]).toEqual(['near.mean'])
    expect(planned).toMatchObject({ rowCount: 2, requested: [unusable, {}], models: [{}] })
    expect(() => planWith([bind('one')], { ...mayBe, features: [] })).toThrow("key column 'else'")
  })

  test('what is wrong with the request itself still fails it', () => {
    const planned = (request: Partial<PredictInput>) => () =>
      planWith([unusable, bind('one')], { ...keepsGoing, keys: [shop], ...request })
    expect(planned({ keys: [] })).toThrow("key column 'shop' (string) is missing")
    expect(planned({ features: [wireColumn('x', f32(1, 2, 3))] })).toThrow('ragged columns')
    expect(planned({ features: [wireColumn('near.mean', i64(1n))] })).toThrow('came as i64')
    expect(planned({ rowsMax: 1 })).toThrow('at most 1 are allowed in a request')
  })

  test('a request of them alone reads nothing', () => {
    const planned = planWith([unusable], { ...keepsGoing, keys: [shop] })
    expect(planned).toMatchObject({ rowCount: 2, models: [], read: undefined })
  })
})

test('a version that is asked for twice is planned once', () => {
  const one = use('one', { featureNames: ['near.mean'] }, 'service: shops')
  const planned = plan([one, { ...one }], [shop])
  expect(planned.models).toEqual([one])
  expect(planned.requested.map((model) => model === one)).toEqual([true, true])
})

describe('more than scores', () => {
  const wordy = { featureNames: ['near.mean', 'near.total'] }
  const tells = () => use('tells', { ...wordy, tellsContributions: true }, 'service: shops')
  const silent = () => use('silent', wordy, 'service: shops')
  const contributions = true

  test('a model that cannot tell contributions fails, or is left out', () => {
    const request = { contributions, keys: [shop] }
    const message =
      "model 'silent@1' cannot tell contributions: models of kind lightgbm give scores only"
    expect(() => planWith([tells(), silent()], request)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message }),
    )
    const planned = planWith([tells(), silent()], { ...request, keepsGoing: true })
    expect(planned.requested).toMatchObject([
      { entry: { name: 'tells' } },
      { name: 'silent', version: '1', error: { message } },
    ])
    expect(planned.models).toHaveLength(1)
  })

  test('a model that knows why it cannot tell says so', () => {
    const used = silent()
    const contributionRefusal = 'tree 3 has no counts'
    const model = { ...used.model, contributionRefusal }
    expect(() => planWith([{ ...used, model }], { contributions, keys: [shop] })).toThrow(
      "model 'silent@1' cannot tell contributions: tree 3 has no counts",
    )
  })

  // Two inputs and the expected value; two explained inputs.
  test.each([
    ['contributions', 3, { contributions }],
    ['explained values', 2, { explain: true }],
    ['scores', 1, {}],
  ])('%s beyond what a reply may hold are refused before any work', (what, width, asked) => {
    const rowsMax = 2_000_000
    const rowCount = Math.floor(replyValuesMax / width)
    const planned = (count: number) => () =>
      planWith([tells()], {
        ...asked,
        rowsMax,
        features: [wireColumn('near.mean', zeros(count))],
        keys: [wireColumn('shop', texts('a'))],
      })
    expect(planned(rowCount)).not.toThrow()
    expect(planned(rowCount + 1)).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message: `${(rowCount + 1) * width} ${what}, at most ${replyValuesMax} are allowed in a reply: ask for fewer rows or models`,
      }),
    )
  })
})

/** As `plan`, with whatever else the caller asks for. */
function planWith(models: readonly RequestedModel[], request: Partial<PredictInput>): PredictPlan {
  return planPredict(models, { ...scoresOnly, ...request })
}

function zeros(count: number): WireColumn['values'] {
  return { class: 'f32', bytes: new Uint8Array(4 * count) }
}

function mustRead({ read }: PredictPlan) {
  if (read === undefined) throw new Error('the plan reads nothing')
  return read
}
