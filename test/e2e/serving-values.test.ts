/**
 * Every type of value, and every shape of key, through a daemon and back.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import { cellStatus } from '../../src/column.js'
import { GetFeaturesResponse, ServingServiceService } from '../../src/gen/larder/v1/serving.js'
import { describeOnBothKinds, readRecorded, recordAck } from '../support/e2e-both-kinds.js'
import { type E2eDaemon, freshTiers, nowUs, startDaemon } from '../support/e2e-daemon.js'

const definitions = `
entities:
  - { name: thing, keys: { thing: string } }
  - { name: route, keys: { origin: string, destination: string } }
  - { name: shard, keys: { id: bytes, part: int32, at: timestamp, live: bool, big: int64 } }
  - { name: airport, keys: { airport: string } }
feature_views:
  - name: everything
    entity: thing
    latency_class: realtime
    ttl: 1d
    retention: 30d
    features:
      - { name: flag, type: bool }
      - { name: tiny, type: int8 }
      - { name: short, type: int16 }
      - { name: medium, type: int32 }
      - { name: long, type: int64 }
      - { name: single, type: float32 }
      - { name: double, type: float64 }
      - { name: text, type: string }
      - { name: blob, type: bytes }
      - { name: instant, type: timestamp }
      - { name: kind, type: categorical }
      - { name: flags, type: "list<bool>" }
      - { name: mediums, type: "list<int32>" }
      - { name: longs, type: "list<int64>" }
      - { name: singles, type: "list<float32>" }
      - { name: doubles, type: "list<float64>" }
      - { name: texts, type: "list<string>" }
      - { name: exact, type: "embedding<3, f32>" }
      - { name: half, type: "embedding<3, f16>" }
      - { name: whole, type: "embedding<3, int8>" }
  - name: route_stats
    entity: route
    latency_class: standard
    ttl: 1d
    retention: 30d
    features: [{ name: flights, type: int32 }]
  - name: shard_stats
    entity: shard
    latency_class: relaxed
    ttl: 1d
    retention: 30d
    features: [{ name: rows, type: int64 }]
  - name: airport_stats
    entity: airport
    latency_class: realtime
    ttl: 1d
    retention: 30d
    features: [{ name: delay, type: float32 }, { name: runways, type: int8 }]
feature_services:
  - name: flight
    views:
      - { view: airport_stats, as: from, keys: { airport: origin } }
      - { view: airport_stats, as: to, keys: { airport: destination }, features: [delay] }
      - { view: route_stats }
`

const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)
const { nullValue, present } = cellStatus

/** Bits that no arithmetic makes: a signalling and a quiet NaN with payloads, -0, a denormal. */
const oddSingles = Uint32Array.of(0x7fa0_1234, 0xffc0_5678, 0x8000_0000, 1, 0x7f80_0000, 0)
const oddDoubles = BigUint64Array.of(
  0x7ff4_0000_dead_beefn,
  0xfff8_0000_0000_0001n,
  0x8000_0000_0000_0000n,
  1n,
  0xfff0_0000_0000_0000n,
  0n,
)
const lastIsNull = Uint8Array.of(present, present, present, present, present, nullValue)

/** Six rows; the last is null throughout. */
const everything: readonly RequestColumn[] = [
  column.fromValues('flag', 'bool', [true, false, true, false, true, null]),
  column.fromValues('tiny', 'int8', [-128, 127, 0, 1, -1, null]),
  column.fromValues('short', 'int16', [-32768, 32767, 0, 1, -1, null]),
  column.fromValues('medium', 'int32', [-2147483648, 2147483647, 0, 16777217, -1, null]),
  column.fromValues('long', 'int64', [
    int64Min,
    int64Max,
    0n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    null,
  ]),
  column.fromWire('single', { $case: 'f32', value: Buffer.from(oddSingles.buffer) }, lastIsNull),
  column.fromWire('double', { $case: 'f64', value: Buffer.from(oddDoubles.buffer) }, lastIsNull),
  column.fromValues('text', 'string', ['', 'plain', 'naïve', '\u0000', '💡 '.repeat(200), null]),
  column.fromValues('blob', 'bytes', [
    Uint8Array.of(),
    Uint8Array.of(0),
    Uint8Array.of(255, 254, 0, 1),
    new Uint8Array(5000).fill(7),
    Uint8Array.of(0xc3, 0x28),
    null,
  ]),
  column.fromValues('instant', 'timestamp', [0n, -1n, nowUs, int64Max, int64Min, null]),
  column.fromValues('kind', 'categorical', ['', 'a', 'b', 'a', 'never seen before', null]),
  column.fromValues('flags', 'list<bool>', [[], [true], [false, true], [false], [], null]),
  column.fromValues('mediums', 'list<int32>', [[], [1], [-1, 2 ** 31 - 1], [0, 0], [7], null]),
  column.fromValues('longs', 'list<int64>', [[], [int64Max, int64Min], [0n], [1n], [], null]),
  column.fromValues('singles', 'list<float32>', [
    [],
    [Number.NaN, -0],
    [Number.POSITIVE_INFINITY, 1.5],
    Array.from({ length: 1000 }, (_, index) => index),
    [],
    null,
  ]),
  column.fromValues('doubles', 'list<float64>', [
    [],
    [Number.NaN, -0],
    [Number.MIN_VALUE, 0.1],
    [Number.NEGATIVE_INFINITY],
    [],
    null,
  ]),
  column.fromValues('texts', 'list<string>', [[], [''], ['a', '', 'ü'], ['\u0000'], ['z'], null]),
  column.fromValues('exact', 'embedding<3, f32>', [
    [1, 2, 3],
    [Number.NaN, -0, 1e-45],
    [0, 0, 0],
    [0.1, 0.2, 0.3],
    [Number.NEGATIVE_INFINITY, 0, 1],
    null,
  ]),
  column.fromValues('half', 'embedding<3, f16>', [
    [1, -0, 65504],
    [0.5, 0.25, 0.125],
    [0, 0, 0],
    [2 ** -24, 1, 2],
    [Number.POSITIVE_INFINITY, 0, 1],
    null,
  ]),
  column.fromValues('whole', 'embedding<3, int8>', [
    // Elements are stored as shares of the largest: these divide evenly.
    [-127, 127, 0],
    [1, 2, 127],
    [0, 0, 0],
    [-127, -1, 5],
    [254, 2, -254],
    null,
  ]),
]
const things = ['t0', 't1', 't2', 't3', 't4', 't5']

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon

  beforeAll(async () => {
    daemon = await startDaemon({ tiers: await freshTiers(recorder.kind), definitions })
  })
  afterAll(() => daemon.stop())

  async function write(
    view: string,
    keys: readonly RequestColumn[],
    features: readonly RequestColumn[],
    rowCount: number,
  ) {
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: `${view}-batch`,
      view,
      schemaVersion: 1,
      keys: [...keys],
      features: [...features],
      eventTimesUs: new BigInt64Array(rowCount).fill(nowUs),
      sequence: 1n,
    })
    await writer.close()
    recordAck(recorder, `write ${view}`, ack)
    expect(ack).toMatchObject({ durable: true, visible: true, rowCount, error: undefined })
    return ack
  }

  test('every type comes back bit for bit', async () => {
    const ack = await write('everything', [column.strings('thing', things)], everything, 6)
    expect(ack.storedCount).toBe(6)
    const result = await readRecorded(recorder, daemon, 'everything', {
      view: 'everything',
      keys: [column.strings('thing', things)],
    })
    expect(result.columns.map(({ name }) => name)).toEqual(
      everything.map(({ name }) => `everything.${name}`),
    )
    expect(result.columns.map(({ status }) => [...status])).toEqual(
      everything.map(() => [...lastIsNull]),
    )
    expect(result.columns.find(({ name }) => name.endsWith('.long'))?.valueAt(3)).toBe(
      9007199254740993n,
    )
  })

  test('the bytes of a column in a reply are those of the request', async () => {
    const bytes = await daemon.call(ServingServiceService.getFeatures, {
      target: { $case: 'view', value: 'everything' },
      keys: [column.strings('thing', things)],
      features: [],
      applyDefaults: false,
      includeRows: false,
      failOnUnavailable: false,
    })
    const { columns } = GetFeaturesResponse.decode(bytes)
    for (const [index, sent] of everything.entries()) {
      expect(columns[index]?.values, sent.name).toEqual(sent.values)
    }
  })

  test('rows come in the order that was asked for, as often as asked', async () => {
    const asked = ['t4', 't0', 't4', 'nobody', 't1', 't0']
    const result = await readRecorded(recorder, daemon, 'order', {
      view: 'everything',
      keys: [column.strings('thing', asked)],
      features: ['everything.kind', 'everything.tiny'],
    })
    expect(result.toRows()).toEqual([
      { 'everything.kind': 'never seen before', 'everything.tiny': -1 },
      { 'everything.kind': '', 'everything.tiny': -128 },
      { 'everything.kind': 'never seen before', 'everything.tiny': -1 },
      { 'everything.kind': null, 'everything.tiny': null },
      { 'everything.kind': 'a', 'everything.tiny': 127 },
      { 'everything.kind': '', 'everything.tiny': -128 },
    ])
  })

  test('composite keys of every type keep their parts apart', async () => {
    // Joined without a boundary, the first two would be one key.
    const routes = {
      origin: ['ab', 'a', 'a\u0000', 'a', ''],
      destination: ['c', 'bc', 'c', '\u0000c', ''],
    }
    const routeKeys = [
      column.strings('origin', routes.origin),
      column.strings('destination', routes.destination),
    ]
    await write('route_stats', routeKeys, [column.int32('flights', [1, 2, 3, 4, 5])], 5)
    const result = await readRecorded(recorder, daemon, 'routes', {
      view: 'route_stats',
      keys: routeKeys.toReversed(),
    })
    expect(result.columns[0]?.values).toMatchObject({ values: Float64Array.of(1, 2, 3, 4, 5) })
  })

  test('keys of five parts, broadcast where one value holds for all rows', async () => {
    const keys = (parts: readonly number[]) => [
      column.fromValues('id', 'bytes', [Uint8Array.of(0, 255, 0)]),
      column.int32('part', parts),
      column.fromValues('at', 'timestamp', [nowUs]),
      column.bools('live', [true]),
      column.int64('big', [int64Min]),
    ]
    const whole = [
      column.fromValues('id', 'bytes', [Uint8Array.of(0, 255, 0), Uint8Array.of(0, 255, 0)]),
      column.int32('part', [-1, 7]),
      column.fromValues('at', 'timestamp', [nowUs, nowUs]),
      column.bools('live', [true, true]),
      column.int64('big', [int64Min, int64Min]),
    ]
    await write('shard_stats', whole, [column.int64('rows', [10n, int64Max])], 2)
    const result = await readRecorded(recorder, daemon, 'shards', {
      view: 'shard_stats',
      keys: keys([7, -1, 0, 7]),
    })
    expect(result.rowCount).toBe(4)
    expect(result.toRows().map((row) => row['shard_stats.rows'])).toEqual([
      int64Max,
      10n,
      null,
      int64Max,
    ])
  })

  test('a service reads one view in two roles, with keys of length n and 1', async () => {
    const airports = ['AMS', 'BER', 'CDG']
    const stats = [column.float32('delay', [1.5, -2.5, 0]), column.int8('runways', [6, 2, 4])]
    await write('airport_stats', [column.strings('airport', airports)], stats, 3)
    const result = await readRecorded(recorder, daemon, 'roles', {
      service: 'flight',
      keys: [
        column.strings('origin', ['AMS', 'BER', 'AMS']),
        column.strings('destination', ['CDG']),
      ],
      includeRows: true,
    })
    expect(result.toRows()).toEqual([row(1.5, 6), row(-2.5, 2), row(1.5, 6)])
    expect(result.origins.map(({ role, view }) => [role, view])).toEqual([
      ['from', 'airport_stats'],
      ['to', 'airport_stats'],
      ['route_stats', 'route_stats'],
    ])
    expect(result.origins.map((origin) => origin.tierAt(0))).toEqual(['hot', 'hot', undefined])
  })

  test('one key for all columns is one row', async () => {
    const result = await readRecorded(recorder, daemon, 'one row', {
      service: 'flight',
      keys: [column.strings('origin', ['CDG']), column.strings('destination', ['CDG'])],
    })
    expect(result.toRows()).toEqual([row(0, 4)])
  })
})

function row(delay: number, runways: number) {
  return {
    'from.delay': delay,
    'from.runways': runways,
    'to.delay': 0,
    'route_stats.flights': null,
  }
}
