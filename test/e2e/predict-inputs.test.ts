/**
 * Where the values that a model sees come from: given, stored, defaults, missing; and what is refused.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import type { PredictOptions } from '../../src/client/start-call.js'
import { describeOnBothKinds, predictRecorded } from '../support/e2e-both-kinds.js'
import {
  type E2eDaemon,
  freshTiers,
  hourUs,
  nowUs,
  startDaemon,
  type TierKind,
} from '../support/e2e-daemon.js'
import {
  createModelsFolder,
  missingScore,
  putModel,
  putModelYaml,
  sumModel,
} from '../support/e2e-models.js'

const definitions = `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: profile
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 2d
    features:
      - { name: age, type: int16, default: 30 }
      - { name: income, type: float32 }
      - { name: clicks, type: int64, default: 5 }
  - name: heat
    entity: user
    latency_class: relaxed
    ttl: 1h
    retention: 2d
    on_stale: default
    features: [{ name: now, type: float32, default: 9 }]
feature_services:
  - { name: scoring, views: [{ view: profile }, { view: heat }] }
  - { name: pairs, views: [{ view: profile, as: profile, keys: { user: buyer } }] }
`

/** Each input in decimal places of its own, so that a score spells out what the model saw. */
const digits = { 'profile.age': 1, 'profile.clicks': 1000, 'heat.now': 1e6, bid: 1e9 }
const scoreOf = (seen: { age: number; clicks: number; now: number; bid: number }) =>
  seen.age + seen.clicks * 1000 + seen.now * 1e6 + seen.bid * 1e9

function fillModels(folder: string): void {
  putModel(folder, 'spell', 1, sumModel(digits))
  putModel(folder, 'spell', 2, sumModel(digits, 0.5))
  putModelYaml(
    folder,
    'spell',
    `
kind: lightgbm
service: scoring
request_values: [{ name: bid, type: float64, default: 2 }]
inputs: { profile.age: { feature: profile.age, default: 40 } }
labels: { stable: 1, canary: 2 }
`,
  )
  // Bound by its names alone, without defaults of its own.
  putModel(folder, 'plain', 1, sumModel({ 'profile.income': 1, 'heat.now': 1000 }))
  putModel(folder, 'buyers', 1, sumModel({ 'profile.clicks': 1 }))
  putModelYaml(folder, 'buyers', 'kind: lightgbm\nservice: pairs\n')
  putModel(folder, 'unfit', 1, sumModel({ 'profile.aeg': 1 }))
  putModelYaml(folder, 'unfit', 'kind: lightgbm\nservice: scoring\n')
  putModel(folder, 'torn', 1, sumModel({ 'profile.age': 1 }).slice(0, 200))
}

const users = (...names: readonly string[]) => column.strings('user', names)
const bids = (...values: readonly (number | null | undefined)[]) =>
  column.fromValues('bid', 'float64', values)

async function writeRows(daemon: E2eDaemon): Promise<void> {
  const writer = daemon.client.openWriter()
  const acks = await Promise.all([
    writer.write({
      batchId: 'profiles',
      view: 'profile',
      schemaVersion: 1,
      keys: [users('full', 'stale', 'nulls', 'huge')],
      features: [
        column.fromValues('age', 'int16', [21, 22, null, 24]),
        column.fromValues('income', 'float32', [1.5, 2.5, null, 3.5]),
        column.fromValues('clicks', 'int64', [11n, 12n, null, 2n ** 53n + 1n]),
      ],
      eventTimesUs: BigInt64Array.of(nowUs, nowUs - 2n * hourUs, nowUs, nowUs),
    }),
    writer.write({
      batchId: 'heats',
      view: 'heat',
      schemaVersion: 1,
      keys: [users('full', 'stale', 'nulls', 'huge')],
      features: [column.fromValues('now', 'float32', [3, 4, null, 5])],
      eventTimesUs: BigInt64Array.of(nowUs, nowUs - 2n * hourUs, nowUs, nowUs),
    }),
  ])
  await writer.close()
  expect(acks.map(({ durable, visible }) => durable && visible)).toEqual([true, true])
}

async function startScoring(kind: TierKind, modelsFolder: string): Promise<E2eDaemon> {
  const daemon = await startDaemon({ tiers: await freshTiers(kind), definitions, modelsFolder })
  await writeRows(daemon)
  return daemon
}

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon
  let folder: string

  beforeAll(async () => {
    folder = createModelsFolder()
    fillModels(folder)
    daemon = await startScoring(recorder.kind, folder)
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true })
  })

  async function scores(label: string, options: PredictOptions) {
    const { predictions } = await predictRecorded(recorder, daemon, label, options)
    return predictions.map((prediction) => [...prediction.scores])
  }

  const everyUser = users('full', 'stale', 'nulls', 'nobody')

  test('the model’s default comes before the view’s; stale values are used where the view says so', async () => {
    const request = { models: ['spell'], keys: [everyUser], features: [bids(1)] }
    expect(await scores('defaults', request)).toEqual([
      [
        scoreOf({ age: 21, clicks: 11, now: 3, bid: 1 }),
        scoreOf({ age: 22, clicks: 12, now: 9, bid: 1 }),
        scoreOf({ age: 40, clicks: 5, now: 9, bid: 1 }),
        scoreOf({ age: 40, clicks: 5, now: 9, bid: 1 }),
      ],
    ])
  })

  test('explain tells each value, its origin, status, tier and event time', async () => {
    const features = [bids(1, null, 3, undefined), column.int16('profile.age', [50])]
    const { predictions } = await predictRecorded(recorder, daemon, 'explain', {
      models: ['spell'],
      keys: [everyUser],
      features,
      explain: true,
    })
    const inputs = predictions[0]?.inputs ?? []
    const told = inputs.map((input) => ({
      name: input.feature,
      values: [...input.values],
      sources: [0, 1, 2, 3].map((row) => input.sourceAt(row)),
      statuses: [0, 1, 2, 3].map((row) => input.statusAt(row)),
      tiers: [0, 1, 2, 3].map((row) => input.tierAt(row)),
      ages: [...input.eventTimesUs].map((timeUs) => (timeUs === 0n ? undefined : nowUs - timeUs)),
    }))
    const none = [undefined, undefined, undefined, undefined]
    expect(told).toEqual([
      {
        name: 'profile.age',
        values: [50, 50, 50, 50],
        sources: ['given', 'given', 'given', 'given'],
        statuses: none,
        tiers: none,
        ages: none,
      },
      {
        name: 'profile.clicks',
        values: [11, 12, 5, 5],
        sources: ['stored', 'stored', 'viewDefault', 'viewDefault'],
        statuses: ['present', 'outsideMaxAge', 'nullValue', 'notFound'],
        tiers: ['hot', 'hot', 'hot', undefined],
        ages: [0n, 2n * hourUs, 0n, undefined],
      },
      {
        name: 'heat.now',
        values: [3, 9, 9, 9],
        sources: ['stored', 'viewDefault', 'viewDefault', 'viewDefault'],
        statuses: ['present', 'outsideMaxAge', 'nullValue', 'notFound'],
        tiers: ['warm', 'warm', 'warm', undefined],
        ages: [0n, 2n * hourUs, 0n, undefined],
      },
      {
        name: 'bid',
        values: [1, 2, 3, 2],
        sources: ['given', 'modelDefault', 'given', 'modelDefault'],
        statuses: none,
        tiers: none,
        ages: none,
      },
    ])
    expect(predictions[0]?.defaults).toEqual({
      modelDefaultCount: 2,
      viewDefaultCount: 5,
      missingCount: 0,
      unavailableCount: 0,
    })
  })

  test('given beats stored, a given null means no value, not given means the store', async () => {
    const request = {
      models: ['spell'],
      keys: [users('full', 'full', 'full')],
      features: [bids(1), column.fromValues('profile.age', 'int16', [99, null, undefined])],
    }
    const rest = { clicks: 11, now: 3, bid: 1 }
    expect(await scores('given', request)).toEqual([
      [scoreOf({ age: 99, ...rest }), scoreOf({ age: 40, ...rest }), scoreOf({ age: 21, ...rest })],
    ])
  })

  test('without any default a missing value reaches the model as missing', async () => {
    const { predictions } = await predictRecorded(recorder, daemon, 'missing', {
      models: ['plain'],
      keys: [users('full', 'nulls', 'nobody')],
    })
    expect([...(predictions[0]?.scores ?? [])]).toEqual([3001.5, missingScore, missingScore])
    expect(predictions[0]?.defaults).toMatchObject({ missingCount: 2, viewDefaultCount: 2 })
  })

  test('a view all of whose features are given needs no keys', async () => {
    const features: RequestColumn[] = [
      bids(1),
      column.int16('profile.age', [1, 2]),
      column.int64('profile.clicks', [3n]),
      column.float32('heat.now', [4]),
    ]
    expect(await scores('no keys', { models: ['spell'], features })).toEqual([
      [
        scoreOf({ age: 1, clicks: 3, now: 4, bid: 1 }),
        scoreOf({ age: 2, clicks: 3, now: 4, bid: 1 }),
      ],
    ])
  })

  test('several models, versions and labels in one request, in its order', async () => {
    const models = ['spell@2', 'plain', 'spell', 'spell@canary', 'spell@stable']
    const { predictions } = await predictRecorded(recorder, daemon, 'several models', {
      models,
      keys: [users('full')],
      features: [bids(0)],
    })
    const score = scoreOf({ age: 21, clicks: 11, now: 3, bid: 0 })
    expect(
      predictions.map(({ model, version, scores: [first] }) => [model, version, first]),
    ).toEqual([
      ['spell', '2', score + 0.5],
      ['plain', '1', 3001.5],
      ['spell', '1', score],
      ['spell', '2', score + 0.5],
      ['spell', '1', score],
    ])
  })

  test('models over different services share a request; each reads by its own keys', async () => {
    const request = {
      models: ['plain', 'buyers'],
      keys: [users('full', 'stale'), column.strings('buyer', ['stale', 'nobody'])],
    }
    expect(await scores('two services', request)).toEqual([
      [3001.5, 9002.5],
      [12, 5],
    ])
  })

  const beyond = 2n ** 53n + 1n
  test.each([
    [
      'a stored int64 beyond 2^53',
      { models: ['spell'], keys: [users('full', 'huge')] },
      ['invalid_argument', 'profile.clicks', 'row 1', String(beyond)],
    ],
    [
      'a given int64 beyond 2^53',
      {
        models: ['spell'],
        keys: [users('full')],
        features: [column.int64('profile.clicks', [-beyond])],
      },
      ['invalid_argument', 'profile.clicks', 'row 0', String(-beyond)],
    ],
    ['an unknown model', { models: ['spel'] }, ['not_found', "'spel'", 'spell']],
    [
      'an unknown version',
      { models: ['spell@9'] },
      ['not_found', "'spell' has no '9'", '1, stable'],
    ],
    ['an unknown label', { models: ['spell@cannary'] }, ['not_found', 'cannary', 'canary']],
    ['no model', { models: [] }, ['invalid_argument', 'names no model']],
    [
      'a model that does not fit the definitions',
      { models: ['unfit'] },
      ['failed_precondition', 'unfit@1', "'profile.aeg'", 'profile.age'],
    ],
    ['a broken model file', { models: ['torn'] }, ['failed_precondition', 'torn@1', 'byte']],
    [
      'missing keys',
      { models: ['spell'], features: [bids(1)] },
      ['invalid_argument', "'user'", 'profile'],
    ],
    [
      'a key that no model has',
      { models: ['spell'], keys: [users('full'), column.strings('usr', ['x'])] },
      ['invalid_argument', "'usr'", 'did you mean "user"'],
    ],
    [
      'a feature that no model reads',
      { models: ['spell'], keys: [users('full')], features: [column.int16('profile.agee', [1])] },
      ['invalid_argument', "'profile.agee'", 'profile.age'],
    ],
    [
      'a value out of its range',
      {
        models: ['spell'],
        keys: [users('full')],
        features: [column.int32('profile.age', [40000])],
      },
      ['invalid_argument', "'profile.age'", 'row 0', '40000', '32767'],
    ],
    [
      'a value of another class',
      {
        models: ['spell'],
        keys: [users('full')],
        features: [column.strings('profile.age', ['1'])],
      },
      ['invalid_argument', "'profile.age'", 'var', 'int16'],
    ],
    [
      'too many models',
      { models: new Array<string>(17).fill('spell') },
      ['resource_exhausted', '17 models', '16'],
    ],
  ] as const)('%s is refused', async (_, request, [code, ...parts]) => {
    const failing = daemon.client.predict(request)
    await expect(failing).rejects.toMatchObject({ code })
    for (const part of parts) await expect(failing).rejects.toThrow(part)
  })
})
