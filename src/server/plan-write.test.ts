import { beforeAll, describe, expect, test } from 'vitest'
import { snapshotAfter, viewOf } from '../../test/support/defined-snapshot.js'
import { f32, f64, i64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { readRowHeader } from '../codec/row-version.js'
import type { WireColumn } from '../column.js'
import { formatInstant } from '../instant.js'
import { badRowsToldMax, clockSkewMs, futureBoundMs } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { generationAt } from '../tiers/key-batch.js'
import { rowOfWrite } from '../tiers/row-writes.js'
import type { StorePlan } from '../tiers/store-rows.js'
import { writeLayoutsOf } from './decoders.js'
import { type BadRows, findSchema, planWrite, type WriteBatch } from './plan-write.js'
import { rowFormsOf } from './row-forms.js'

const definitions = (features: string) => `
entities: [{ name: shop, keys: { country: string, shop: int32 } }]
feature_views:
  - name: sales
    entity: shop
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features: [${features}]
  - name: slow
    entity: shop
    latency_class: relaxed
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32 }]
`

const nowUs = 1_000_000_000_000_000n
const dayUs = 86_400_000_000n
const futureUs = BigInt(futureBoundMs) * 1000n

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotAfter([
    definitions('{ name: mean, type: float32 }'),
    definitions('{ name: mean, type: float32 }, { name: count, type: int8 }'),
  ])
})

function batchOf(words: Partial<WriteBatch> = {}): WriteBatch {
  return {
    batchId: 'b',
    view: 'sales',
    schemaVersion: 2,
    keys: keysOf(['DE', 1]),
    eventTimesUs: BigInt64Array.of(nowUs),
    features: [wireColumn('mean', f32(0.5)), wireColumn('count', f32(3))],
    sequence: 0n,
    ackTimeoutMs: 0,
    ...words,
  }
}

function keysOf(...keys: readonly (readonly [string, number])[]): WireColumn[] {
  return [
    wireColumn('shop', f64(...keys.map(([, shop]) => shop))),
    wireColumn('country', texts(...keys.map(([country]) => country))),
  ]
}

function plan(batch: WriteBatch, sequence = 9n): StorePlan | BadRows {
  const view = viewOf(snapshot, batch.view)
  const schema = findSchema(view, batch.schemaVersion)
  const layouts = writeLayoutsOf(view, schema, sequence)
  return planWrite(batch, { view, schema, layouts, nowUs, sequence })
}

function planned(batch: WriteBatch): StorePlan {
  const result = plan(batch)
  if ('badRows' in result) throw new Error(JSON.stringify(result))
  return result
}

function bad(batch: WriteBatch): BadRows {
  const result = plan(batch)
  if (!('badRows' in result)) throw new Error('the batch is good')
  return result
}

const headerOf = ({ writes }: StorePlan, index: number) =>
  readRowHeader(rowOfWrite(writes, index), rowFormsOf(viewOf(snapshot, 'sales')).warm.versions)

const eventTimesOf = (plan: StorePlan) =>
  Array.from({ length: plan.writes.keys.count }, (_, index) => headerOf(plan, index).eventTimeUs)

describe('a good batch', () => {
  test('becomes rows under the generations of both tiers, kept until retention ends', () => {
    const plan = planned(
      batchOf({
        keys: keysOf(['DE', 1], ['FR', 1]),
        eventTimesUs: BigInt64Array.of(nowUs, nowUs - dayUs),
        features: [wireColumn('count', i64(1n, 2n)), wireColumn('mean', f32(1, 2))],
      }),
    )
    const { writes, hotKeys } = plan
    const view = viewOf(snapshot, 'sales')
    expect(writes.keys.count).toBe(2)
    expect([...writes.keepMs]).toEqual([86_400_000 + clockSkewMs, clockSkewMs])
    expect(headerOf(plan, 0)).toMatchObject({ sequence: 9n })
    expect(generationAt(writes.keys, 1)).toBe(view.generation)
    expect(hotKeys && generationAt(hotKeys, 1)).toBe(view.hotGeneration)
    expect(hotKeys?.bytes).toEqual(writes.keys.bytes)
  })

  test('of a relaxed view does not go to hot', () => {
    const slow = { view: 'slow', schemaVersion: 1, features: [wireColumn('mean', f32(1))] }
    expect(planned(batchOf(slow)).hotKeys).toBeUndefined()
  })

  test('may be of an older schema version, with the features of that', () => {
    const older = batchOf({ schemaVersion: 1, features: [wireColumn('mean', f32(1))] })
    const [first, second] = [planned(older), planned(batchOf())].map((plan) => headerOf(plan, 0))
    expect(first?.layoutId).not.toBe(second?.layoutId)
  })

  test.each([
    ['now', nowUs],
    ['the oldest', nowUs - dayUs],
    ['the furthest in the future', nowUs + futureUs],
  ])('event time: %s', (_case, timeUs) => {
    expect(eventTimesOf(planned(batchOf({ eventTimesUs: BigInt64Array.of(timeUs) })))).toEqual([
      timeUs,
    ])
  })

  test.each([
    ['the highest event time', [nowUs - 5n, nowUs, nowUs - 9n], [0.5, 1.5, 2.5], [1]],
    ['of equal ones the last', [nowUs, nowUs, nowUs - 1n], [0.5, 1.5, 2.5], [1]],
    ['the last of all equal', [nowUs, nowUs, nowUs], [0.5, 1.5, 2.5], [2]],
  ])('rows of one key: %s stands', (_case, times, means, winners) => {
    const result = planned(
      batchOf({
        keys: keysOf(['DE', 1], ['DE', 1], ['DE', 1]),
        eventTimesUs: BigInt64Array.from(times),
        features: [wireColumn('mean', f32(...means)), wireColumn('count', f32(1, 1, 1))],
      }),
    )
    const alone = winners.map((row) =>
      planned(
        batchOf({
          eventTimesUs: BigInt64Array.of(times[row] ?? 0n),
          features: [wireColumn('mean', f32(means[row] ?? 0)), wireColumn('count', f32(1))],
        }),
      ),
    )
    expect(result.writes.keys.count).toBe(1)
    expect(Buffer.from(result.writes.rows)).toEqual(Buffer.from(alone[0]?.writes.rows ?? []))
    expect(result.writes.keepMs).toEqual(alone[0]?.writes.keepMs)
  })

  test('keys that only look alike when joined are two', () => {
    const keys = keysOf(['a\0', 1], ['a', 1], ['', 1])
    const eventTimesUs = BigInt64Array.of(nowUs, nowUs, nowUs)
    const features = [wireColumn('mean', f32(1, 2, 3)), wireColumn('count', f32(1, 2, 3))]
    expect(planned(batchOf({ keys, eventTimesUs, features })).writes.keys.count).toBe(3)
  })
})

describe('bad rows', () => {
  const three = {
    keys: keysOf(['DE', 1], ['DE', 2], ['DE', 3]),
    eventTimesUs: BigInt64Array.of(nowUs, nowUs, nowUs),
    features: [wireColumn('mean', f32(1, 2, 3)), wireColumn('count', f32(1, 2, 3))],
  }

  test.each([
    [
      nowUs + futureUs + 1n,
      `is further in the future than 3600 s allow (at most ${formatInstant(nowUs + futureUs)})`,
    ],
    [
      nowUs - dayUs - 1n,
      `is expired: older than retention allows (at least ${formatInstant(nowUs - dayUs)})`,
    ],
    [
      2n ** 63n - 1n,
      `is further in the future than 3600 s allow (at most ${formatInstant(nowUs + futureUs)})`,
    ],
    [
      -(2n ** 63n),
      `is expired: older than retention allows (at least ${formatInstant(nowUs - dayUs)})`,
    ],
  ])('event time %s', (timeUs, why) => {
    const eventTimesUs = BigInt64Array.of(nowUs, timeUs, nowUs)
    expect(bad(batchOf({ ...three, eventTimesUs }))).toEqual({
      badRows: [
        {
          rowIndex: 1,
          column: 'event_times',
          reason: `event time ${formatInstant(timeUs)} ${why}`,
        },
      ],
      badRowCount: 1,
    })
  })

  test('of keys, values and times are told together, in row order', () => {
    const result = bad(
      batchOf({
        keys: keysOf(['DE', 1], ['DE', 2], ['DE', 0.5]),
        eventTimesUs: BigInt64Array.of(nowUs, nowUs + 2n * futureUs, nowUs),
        features: [wireColumn('mean', f32(1, 2, 3)), wireColumn('count', f32(128, 2, 3))],
      }),
    )
    expect(result.badRows.map(({ rowIndex, column }) => [rowIndex, column])).toEqual([
      [0, 'count'],
      [1, 'event_times'],
      [2, 'shop'],
    ])
    expect(result.badRowCount).toBe(3)
  })

  test('a row that is bad in several ways is one bad row', () => {
    const result = bad(
      batchOf({
        ...three,
        keys: keysOf(['DE', 1], ['DE', 0.5], ['DE', 3]),
        eventTimesUs: BigInt64Array.of(nowUs, 0n, nowUs),
        features: [wireColumn('mean', f32(1, 2, 3)), wireColumn('count', f32(1, Number.NaN, 3))],
      }),
    )
    expect(result).toMatchObject({ badRows: [{ rowIndex: 1 }], badRowCount: 1 })
    expect(result.badRows).toHaveLength(1)
  })

  test('of many the first are listed, and all are counted', () => {
    const count = badRowsToldMax + 50
    const row = Array.from({ length: count }, (_, index) => index)
    const result = bad(
      batchOf({
        keys: keysOf(...row.map((shop) => ['DE', shop] as const)),
        eventTimesUs: new BigInt64Array(count),
        features: [wireColumn('mean', f32(...row)), wireColumn('count', f32(...row.map(() => 1)))],
      }),
    )
    expect(result.badRowCount).toBe(count)
    expect(result.badRows.map(({ rowIndex }) => rowIndex)).toEqual(row.slice(0, badRowsToldMax))
  })

  test('never count to more than there are rows', () => {
    const count = badRowsToldMax + 50
    const row = Array.from({ length: count }, (_, index) => index)
    const result = bad(
      batchOf({
        keys: keysOf(...row.map((shop) => ['DE', shop + 0.5] as const)),
        eventTimesUs: new BigInt64Array(count),
        features: [
          wireColumn('mean', f32(...row)),
          wireColumn('count', f32(...row.map(() => 0.5))),
        ],
      }),
    )
    expect(result.badRowCount).toBe(count)
  })
})

describe('a batch that is wrong as a whole', () => {
  const [shop, country] = keysOf(['DE', 1])
  const [mean, count] = batchOf().features
  const columns = (...given: readonly (WireColumn | undefined)[]) =>
    given.flatMap((column) => column ?? [])

  test.each([
    [{ keys: columns(shop) }, "key column 'country' of 'sales' is missing"],
    [
      { keys: columns(shop, country, wireColumn('shopp', f32(1))) },
      "entity 'shop' has no join key 'shopp': did you mean \"shop\"?",
    ],
    [{ keys: columns(shop, country, shop) }, "key column 'shop' is there twice"],
    [
      { features: columns(mean) },
      "view 'sales', schema version 2: feature column 'count' is missing; a batch carries every " +
        'feature, null where unknown',
    ],
    [
      { features: columns(mean, count, wireColumn('counts', f32(1))) },
      "view 'sales', schema version 2, has no feature 'counts': did you mean \"count\"?",
    ],
    [{ schemaVersion: 1 }, "view 'sales', schema version 1, has no feature 'count'"],
    [
      { features: columns(mean, wireColumn('count', f32(1, 2))) },
      "ragged columns: 'count' has 2 cells, event_times has 1",
    ],
    [
      { keys: columns(shop, wireColumn('country', texts())) },
      "ragged columns: 'country' has 0 cells, event_times has 1",
    ],
    [
      { features: columns(mean, wireColumn('count', { class: 'f32', bytes: new Uint8Array(5) })) },
      "ragged columns: 'count' has a broken number of cells, event_times has 1",
    ],
  ])('%#', (words, message) => {
    expect(() => plan(batchOf(words))).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message }),
    )
  })

  test.each([0, 3, 4294967295])('schema version %d is told with the current one', (version) => {
    expect(() => findSchema(viewOf(snapshot, 'sales'), version)).toThrow(
      `view 'sales' has no readable schema version ${version}; the current one is 2`,
    )
  })
})
