/**
 * Damaged requests against a real daemon: whatever is sent, it answers, in time, and never with an
 * internal error.
 *
 * `LARDER_FUZZ_RUNS` sets the number of requests (10^4 unless set), `LARDER_FUZZ_SEED` the seed; request
 * number i is made from seed + i alone, so that one that failed can be sent again by itself.
 */
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn, type RequestValue } from '../src/client/index.js'
import { formatFeatureType } from '../src/feature-type.js'
import { RegisterLayoutRequest, SampleRowsRequest } from '../src/gen/larder/v1/admin.js'
import { DeleteEntitiesRequest, WriteFeaturesRequest } from '../src/gen/larder/v1/ingest.js'
import { GetFeaturesRequest, PredictRequest } from '../src/gen/larder/v1/serving.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { everyType, mutateRow } from './support/random-row.js'
import { createRawCalls, type Outcome, type RawCalls, type Rpc } from './support/sim-calls.js'
import { type SimDaemon, startSimDaemon } from './support/sim-daemon.js'
import { historyNowUs, pick } from './support/sim-history.js'
import { damageMessage } from './support/sim-requests.js'
import { freshLmdbUrl } from './support/test-servers.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const inFlightMax = 8
const timeoutMs = 20_000

const rowCount = 3
const wideFeatures = everyType.map((type, index) => ({
  name: `f${index}`,
  type: formatFeatureType(type),
}))

/** One view with a feature of every type, one with a composite key, a service over both. */
const definitions = {
  path: 'fuzz.yaml',
  text: JSON.stringify({
    entities: [
      { name: 'thing', keys: { id: 'string' } },
      { name: 'pair', keys: { id: 'string', number: 'int32', at: 'timestamp' } },
    ],
    feature_views: [
      {
        name: 'wide',
        entity: 'thing',
        ttl: '1d',
        retention: '30d',
        latency_class: 'realtime',
        features: wideFeatures,
      },
      {
        name: 'pairs',
        entity: 'pair',
        ttl: '1d',
        retention: '30d',
        latency_class: 'standard',
        features: [{ name: 'x', type: 'float64', default: 1.5 }],
      },
    ],
    feature_services: [
      {
        name: 'both',
        views: [
          { view: 'wide' },
          { view: 'pairs' },
          { view: 'wide', as: 'other', keys: { id: 'other_id' } },
        ],
      },
    ],
  }),
}

const modelYaml = JSON.stringify({
  kind: 'lightgbm',
  service: 'both',
  request_values: [
    { name: 'given_float', type: 'float64' },
    { name: 'given_whole', type: 'int64', default: 3 },
  ],
  inputs: {
    Column_0: 'wide.f5',
    Column_1: 'pairs.x',
    Column_2: 'given_float',
    Column_3: 'given_whole',
    Column_4: 'wide.f0',
    Column_5: 'other.f3',
  },
})

const listsYaml = modelYaml.replace('"int64"', '"list<int64>"').replace(',"default":3', '')

const texts = ['a', 'b', 'c']
const pairKeys = [
  column.strings('id', texts),
  column.int32('number', [1, 2, 3]),
  column.fromValues('at', 'timestamp', [historyNowUs]),
]
const serviceKeys = [...pairKeys, column.strings('other_id', ['a'])]

/** A value of each type that all rows have but the last, which has null. */
function wideColumns(): RequestColumn[] {
  return everyType.map((type, index) => {
    const scalar =
      type.kind === 'scalar' ? type.scalar : type.kind === 'list' ? type.element : 'float32'
    const value = scalarValues[scalar]
    const cell: RequestValue =
      type.kind === 'scalar' ? value : Array.from({ length: 3 }, () => value)
    return column.fromValues(`f${index}`, formatFeatureType(type), [cell, cell, null])
  })
}

const scalarValues = {
  bool: true,
  int8: -8,
  int16: 16,
  int32: 32,
  int64: 2n ** 60n,
  float32: 0.5,
  float64: 0.1,
  string: 'text',
  bytes: Buffer.from([0, 255]),
  timestamp: historyNowUs,
  categorical: 'red',
} as const

/** A valid request of each RPC, and how its message becomes bytes. */
interface Sample {
  readonly rpc: Rpc
  /** Damaged and encoded: what field by field damage makes of the message. */
  readonly damaged: (prng: Prng) => Uint8Array
  readonly bytes: Uint8Array
}

function sample<Message extends object>(
  rpc: Rpc,
  codec: { encode(message: Message): { finish(): Uint8Array } },
  message: Message,
): Sample {
  const encode = (encoded: Message) => codec.encode(encoded).finish()
  return { rpc, damaged: (prng) => encode(damageMessage(message, prng)), bytes: encode(message) }
}

const times = Buffer.from(new BigInt64Array(rowCount).fill(historyNowUs - 1_000_000n).buffer)
const batch = {
  batchId: 'valid',
  schemaVersion: 1,
  eventTimes: times,
  sequence: 0n,
  ackTimeoutMs: 100,
}
const wideKeys = [column.strings('id', texts)]
const given = [
  column.float64('given_float', [0.5, 1, 2]),
  column.int64('given_whole', [1n, 2n, 3n]),
]
const flags = { applyDefaults: true, includeRows: true, failOnUnavailable: true }

/** Half of the values fit; the others are exceptions. */
const pairsProfile = JSON.stringify({
  id: 0,
  sampleRowCount: 3,
  encodings: [
    {
      feature: 1,
      kind: 'coded',
      mapping: { kind: 'decimal' },
      classes: [
        [1, '0', 4, 1],
        [1, 'null'],
      ],
    },
  ],
})

const samples: readonly Sample[] = [
  sample('getFeatures', GetFeaturesRequest, {
    target: { $case: 'service', value: 'both' },
    keys: serviceKeys,
    features: [],
    ...flags,
  }),
  sample('getFeatures', GetFeaturesRequest, {
    target: { $case: 'view', value: 'wide' },
    keys: wideKeys,
    features: ['wide.f0', 'wide.f13'],
    ...flags,
  }),
  sample('predict', PredictRequest, {
    models: ['m', 'm@1'],
    keys: serviceKeys,
    features: [...given, column.float64('pairs.x', [1, 2, 3])],
    raw: false,
    explain: true,
    failOnUnavailable: true,
    keepGoing: false,
    contributions: false,
  }),
  sample('predict', PredictRequest, {
    models: ['m', 'none', 'm@1', 'lists'],
    keys: serviceKeys,
    features: [...given, column.fromValues('history', 'list<int64>', [[1n, 2n], [], null])],
    raw: true,
    explain: true,
    failOnUnavailable: false,
    keepGoing: true,
    contributions: false,
  }),
  sample('writeFeatures', WriteFeaturesRequest, {
    ...batch,
    view: 'wide',
    keys: wideKeys,
    features: wideColumns(),
  }),
  sample('writeFeatures', WriteFeaturesRequest, {
    ...batch,
    view: 'pairs',
    keys: pairKeys.map((key, index) =>
      index === 2 ? column.fromValues('at', 'timestamp', [1n, 2n, 3n]) : key,
    ),
    features: [column.float64('x', [1, 2, 3])],
  }),
  sample('deleteEntities', DeleteEntitiesRequest, {
    entity: 'pair',
    keys: pairKeys,
    eventTime: historyNowUs,
    partial: false,
  }),
  sample('deleteEntities', DeleteEntitiesRequest, {
    entity: 'pair',
    keys: [column.int32('number', [1, 2])],
    eventTime: 0n,
    partial: true,
  }),
  sample('sampleRows', SampleRowsRequest, { view: 'wide', rowCountMax: 2 }),
  sample('registerLayout', RegisterLayoutRequest, {
    view: 'pairs',
    schemaVersion: 1,
    profile: { $case: 'profileJson', value: pairsProfile },
    version: { eventBaseUs: historyNowUs, eventUnitUs: 1n, eventBytes: 2 },
    loadId: 'files',
  }),
  sample('registerLayout', RegisterLayoutRequest, {
    view: 'wide',
    schemaVersion: 1,
    profile: { $case: 'profileId', value: 0 },
    version: undefined,
    loadId: '',
  }),
]

/** The request that `seed` alone decides. */
function requestOf(requestSeed: number): { readonly rpc: Rpc; readonly bytes: Buffer } {
  const prng = createSeededPrng(requestSeed)
  const { rpc, damaged, bytes } = pick(samples, prng)
  const isRaw = prng.below(4) === 0
  return { rpc, bytes: isRaw ? mutateRow(Buffer.from(bytes), prng) : Buffer.from(damaged(prng)) }
}

/** What a caller may be told about a request that is wrong. */
const rightStatuses = [
  'OK',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
]
const rightCodes = [
  '',
  'invalid_argument',
  'not_found',
  'resource_exhausted',
  'refused',
  'bad_model',
]

function isRight({ status, code, message }: Outcome): boolean {
  // grpc-js answers bytes that are no message by itself, with the status that gRPC has for it.
  if (status === 'INTERNAL') return message.startsWith('Error deserializing request')
  return rightStatuses.includes(status) && rightCodes.includes(code)
}

let daemon: SimDaemon
let calls: RawCalls

beforeAll(async () => {
  const modelsFolder = mkdtempSync(join(tmpdir(), 'larder-fuzz-'))
  mkdirSync(join(modelsFolder, 'm', '1'), { recursive: true })
  writeFileSync(join(modelsFolder, 'm', 'model.yaml'), modelYaml)
  // A tree that is to read a list cannot be used: what is given for it alone is let pass.
  mkdirSync(join(modelsFolder, 'lists', '1'), { recursive: true })
  writeFileSync(join(modelsFolder, 'lists', 'model.yaml'), listsYaml)
  const fixture = fileURLToPath(new URL('fixtures/lightgbm/missing-nan.txt', import.meta.url))
  for (const name of ['m', 'lists']) {
    copyFileSync(fixture, join(modelsFolder, name, '1', 'model.txt'))
  }
  const tiers = { hot: 'memory:', warm: freshLmdbUrl() }
  daemon = await startSimDaemon({ ...tiers, clockAtUs: historyNowUs, modelsFolder })
  await daemon.client.apply({ files: [definitions] })
  calls = createRawCalls(daemon.grpcAddress, timeoutMs)
})

afterAll(async () => {
  calls?.close()
  await daemon?.stop()
})

async function expectValidServed(): Promise<void> {
  for (const { rpc, bytes } of samples) {
    const { status, code, message } = await calls.send(rpc, Buffer.from(bytes))
    expect({ rpc, status, code, message }).toEqual({ rpc, status: 'OK', code: '', message: '' })
  }
}

test(`${fuzzRuns} damaged requests from seed ${seed} on`, {
  timeout: 60_000 + 20 * fuzzRuns,
}, async () => {
  await expectValidServed()
  const wrong: object[] = []
  const tally = new Map<string, number>()
  let nextIndex = 0
  const sendNext = async () => {
    while (nextIndex < fuzzRuns) {
      const requestSeed = seed + nextIndex++
      const { rpc, bytes } = requestOf(requestSeed)
      const outcome = await calls.send(rpc, bytes)
      if (!isRight(outcome)) wrong.push({ requestSeed, rpc, ...outcome })
      const kind = `${rpc} ${outcome.code === '' ? outcome.status : outcome.code}`
      tally.set(kind, (tally.get(kind) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: inFlightMax }, sendNext))
  expect(wrong).toEqual([])
  // Damage that everything refuses at the door would test nothing behind it.
  for (const { rpc } of samples) {
    expect([...tally.keys()]).toContain(`${rpc} OK`)
    expect([...tally.keys()]).toContain(`${rpc} invalid_argument`)
  }
  await expectValidServed()
})
