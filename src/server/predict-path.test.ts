import { beforeAll, describe, expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import { printReadPlan } from '../../test/support/print-plan.js'
import { type TestModelWords, testModel } from '../../test/support/test-models.js'
import { f32, f64, i64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { cellStatus, type FeatureColumn, type WireColumn } from '../column.js'
import { requestModelsMax } from '../limits.js'
import { bindModel } from '../predict/bind-model.js'
import { parseModelYaml } from '../predict/model-yaml.js'
import type { Snapshot } from '../registry/snapshot.js'
import { type ModelInUse, type PredictPlan, planPredict, scoreModels } from './predict-path.js'
import type { ReadResult } from './read-path.js'

const definitions = `
entities:
  - { name: shop, keys: { shop: string } }
  - { name: user, keys: { user: int64 } }
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32, default: 100 }, { name: total, type: float64 }]
  - name: clicks
    entity: user
    latency_class: standard
    ttl: 1h
    retention: 1d
    on_stale: default
    features: [{ name: mean, type: float64 }]
feature_services:
  - { name: shops, views: [{ view: sales, as: near }, { view: sales, as: far, keys: { shop: far_shop } }] }
  - { name: users, views: [{ view: clicks, as: near }] }
`

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

const neverLoaded = { isPending: false, vectorCount: 0, loadedAtMs: undefined, loadMs: undefined }

function use(name: string, words: TestModelWords, yamlText = ''): ModelInUse {
  const yaml = parseModelYaml({ path: 'model.yaml', text: `kind: lightgbm\n${yamlText}` })
  const model = testModel(words)
  const entry = { name, version: '1', labels: [], yaml, model, problem: undefined, ...neverLoaded }
  return { ...bindModel(model, yaml, snapshot), entry }
}

function plan(
  models: readonly ModelInUse[],
  keys: readonly WireColumn[],
  features: readonly WireColumn[] = [],
): PredictPlan {
  return planPredict(models, { keys, features, rowsMax: 1000 })
}

/** What reading `predictPlan` gave: these values by column name, all else not found. */
function readOf(
  predictPlan: PredictPlan,
  values: Readonly<Record<string, readonly number[]>>,
  statusCode: number = cellStatus.present,
): ReadResult {
  const { read, rowCount } = predictPlan
  const columns = (read?.features ?? []).map(({ name, feature }): FeatureColumn => {
    const known = values[name]
    return {
      name,
      type: feature.type,
      values: { class: 'f64', values: Float64Array.from(known ?? Array(rowCount).fill(0)) },
      status: new Uint8Array(rowCount).fill(known === undefined ? cellStatus.notFound : statusCode),
    }
  })
  const roles = (read?.roles ?? []).map(({ role, view }) => ({
    role,
    view: view.name,
    eventTimesUs: new BigInt64Array(rowCount),
    tiers: new Uint8Array(rowCount),
  }))
  return { columns, roles, unknownLayouts: [] }
}

const options = { raw: false, signal: new AbortController().signal }
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
    ['no model', () => [], [], [], 'invalid_argument', 'the request names no model'],
    [
      'too many models',
      () => Array.from({ length: requestModelsMax + 1 }, one),
      [],
      [],
      'resource_exhausted',
      `${requestModelsMax + 1} models in one request, at most ${requestModelsMax} are allowed`,
    ],
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

  test('a request value of two types that is not given takes the default of each', async () => {
    const models = [
      use('one', { featureNames: ['hour'] }, hourYaml('int8')),
      use('two', { featureNames: ['hour'] }, hourYaml('float64')),
    ]
    const results = await scoreModels(plan(models, []), undefined, options)
    expect(results.map(({ scores }) => [...scores])).toEqual([[1], [1]])
  })
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
    const results = await scoreModels(planned, read, options)
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
    const [first] = await scoreModels(planned, read, options)
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
    const results = await scoreModels(planned, read, options)
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
    const [result] = await scoreModels(planned, read, options)
    expect([...(result?.scores ?? [])]).toEqual(scores)
    expect(result?.defaults.missing).toBe(missing)
  })

  test('defaults are counted by where they came from, unavailable ones also by that', async () => {
    const names = ['near.mean', 'near.total', 'far.mean', 'hour']
    const model = use('one', { featureNames: names }, `service: shops\n${hourYaml('int8')}`)
    const planned = plan([model], [shop, wireColumn('far_shop', texts('c'))])
    const gone = readOf(planned, { 'far.mean': [0, 0] }, cellStatus.unavailable)
    const [result] = await scoreModels(planned, gone, options)
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
    await expect(scoreModels(planned, undefined, { raw: false, signal })).rejects.toThrow('gone')
  })
})

function mustRead({ read }: PredictPlan) {
  if (read === undefined) throw new Error('the plan reads nothing')
  return read
}
