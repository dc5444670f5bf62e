import { beforeAll, describe, expect, test } from 'vitest'
import { serviceOf, snapshotOf } from '../../test/support/defined-snapshot.js'
import { printReadPlan } from '../../test/support/print-plan.js'
import { f32, f64, i64, lists, texts, wireColumn } from '../../test/support/wire-columns.js'
import type { WireColumn } from '../column.js'
import { requestColumnsMax } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { countRows, indexColumns, pickKeys, planRead } from './plan-read.js'
import { targetOfService } from './read-target.js'

const definitions = `
entities:
  - { name: airport, keys: { airport: string } }
  - { name: route, keys: { origin: string, destination: string } }
  - { name: user, keys: { id: int64 } }
feature_views:
  - name: delays
    entity: airport
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32 }, { name: hours, type: list<int32> }]
  - name: routes
    entity: route
    latency_class: relaxed
    ttl: 1h
    retention: 1d
    features: [{ name: share, type: float64 }]
  - name: clicks
    entity: user
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: count, type: int64 }]
feature_services:
  - name: flights
    views:
      - { view: delays, as: origin, keys: { airport: origin } }
      - { view: delays, as: destination, keys: { airport: destination } }
      - { view: routes }
  - { name: clicking, views: [{ view: clicks }] }
`

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

function plan(service: string, keys: readonly WireColumn[], only: readonly string[] = []) {
  const target = targetOfService(serviceOf(snapshot, service), only)
  return planRead(target, keys, countRows(keys, 1000))
}

describe('plans as text', () => {
  const golden = async (name: string, text: string) =>
    await expect(text).toMatchFileSnapshot(`../../test/golden/plans/${name}.txt`)

  test('two roles of one view share its keys, a composite key is one key', async () => {
    const keys = [
      wireColumn('origin', texts('ORD', 'JFK', 'ORD', 'ATL')),
      wireColumn('destination', texts('JFK', 'ORD', 'JFK', 'JFK')),
    ]
    await golden('two-roles', printReadPlan(plan('flights', keys)))
  })

  test('one key stands for every row, beside a column of keys', async () => {
    const keys = [
      wireColumn('origin', texts('ORD')),
      wireColumn('destination', texts('JFK', 'ATL', 'JFK')),
    ]
    await golden('broadcast', printReadPlan(plan('flights', keys)))
  })

  test('only the roles of the features that are asked, in the order asked', async () => {
    const keys = [wireColumn('destination', texts('JFK', 'ATL'))]
    const only = ['destination.hours', 'destination.mean']
    await golden('some-features', printReadPlan(plan('flights', keys, only)))
  })

  test('one row', async () => {
    await golden('one-row', printReadPlan(plan('clicking', [wireColumn('id', i64(-1n))])))
  })
})

test('a number is one key in whatever class it comes', () => {
  const asInt = plan('clicking', [wireColumn('id', i64(7n, 2n ** 53n))])
  const asDouble = plan('clicking', [wireColumn('id', f64(7, 2 ** 53))])
  expect(asDouble.reads[0]?.keyBytes).toEqual(asInt.reads[0]?.keyBytes)
})

test('a plan is frozen, and planning twice gives the same', () => {
  const keys = [wireColumn('id', i64(1n, 1n, 2n))]
  expect(Object.isFrozen(plan('clicking', keys))).toBe(true)
  expect(plan('clicking', keys)).toEqual(plan('clicking', keys))
  expect([...(plan('clicking', keys).roles[0]?.slots ?? [])]).toEqual([0, 0, 1])
})

describe('wrong keys', () => {
  test.each([
    [
      'flights',
      [wireColumn('origin', texts('ORD'))],
      "key column 'destination' (string) is missing: it is the join key 'airport' of view 'delays' " +
        "in role 'destination'",
    ],
    [
      'clicking',
      [],
      "key column 'id' (int64) is missing: it is the join key 'id' of view 'clicks'",
    ],
    ['clicking', [wireColumn('id', f64(1, 0.5))], "key column 'id', row 1: "],
    ['clicking', [wireColumn('id', f64(Number.NaN))], "key column 'id', row 0: "],
    ['clicking', [wireColumn('id', f64(2 ** 63))], "key column 'id', row 0: "],
    ['clicking', [wireColumn('id', i64(1n, 2n), [1, 2])], "key column 'id', row 1: "],
    ['clicking', [wireColumn('id', texts('1'))], "column 'id': "],
    ['clicking', [wireColumn('id', lists([1]))], "column 'id': "],
    [
      'clicking',
      [wireColumn('id', i64(1n)), wireColumn('id', i64(2n))],
      "key column 'id' is there twice",
    ],
    [
      'flights',
      [
        wireColumn('origin', texts('ORD', 'x'.repeat(1025))),
        wireColumn('destination', texts('JFK', 'JFK')),
      ],
      "key column 'origin', row 1: ",
    ],
    [
      'flights',
      [wireColumn('origin', texts(Buffer.of(0xff))), wireColumn('destination', texts('JFK'))],
      "key column 'origin', row 0: ",
    ],
  ])('%s of %j', (service, keys, message) => {
    expect(() => plan(service, keys)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(message),
      }),
    )
  })
})

describe('counting rows', () => {
  test.each([
    ['no columns', [], 1],
    ['one cell', [wireColumn('a', f32(1))], 1],
    ['n and 1', [wireColumn('a', f32(1)), wireColumn('b', f64(1, 2)), wireColumn('c', f32(1))], 2],
    ['n and n', [wireColumn('a', texts('x', 'y')), wireColumn('b', lists([], [1]))], 2],
    ['as many as allowed', [wireColumn('a', f32(1, 2, 3))], 3],
  ])('%s', (_case, columns, rowCount) => {
    expect(countRows(columns, 3)).toBe(rowCount)
  })

  test.each([
    [
      [wireColumn('a', f32(1, 2)), wireColumn('b', f32(1)), wireColumn('c', f32(1, 2, 3))],
      'invalid_argument',
      "ragged columns: 'a' has 2 rows, 'c' has 3; each must have the same number or 1",
    ],
    [[wireColumn('a', f32())], 'invalid_argument', "column 'a' is empty: 0 rows"],
    [
      [wireColumn('a', { class: 'f64', bytes: new Uint8Array(12) })],
      'invalid_argument',
      "column 'a' does not hold a whole number of f64 cells",
    ],
    [
      [wireColumn('a', { class: 'var', data: new Uint8Array(0), lengths: new Uint8Array(5) })],
      'invalid_argument',
      "column 'a' does not hold a whole number of var cells",
    ],
    [
      [wireColumn('a', f32(1, 2, 3, 4))],
      'resource_exhausted',
      "column 'a' has 4 rows, at most 3 are allowed in a request",
    ],
  ])('%j is refused', (columns, code, message) => {
    expect(() => countRows(columns, 3)).toThrow(expect.objectContaining({ code, message }))
  })
})

test('too many columns are refused before they are looked at', () => {
  const columns = Array.from({ length: requestColumnsMax + 1 }, () => wireColumn('a', f32(1)))
  expect(() => indexColumns(columns, 'key column')).toThrow(
    expect.objectContaining({
      code: 'resource_exhausted',
      message: `${requestColumnsMax + 1} key columns, at most ${requestColumnsMax} are allowed`,
    }),
  )
})

test('keys are picked in the order named, and copied', () => {
  const bytes = Buffer.from('abbccc')
  const picked = pickKeys(
    { count: 3, bytes, offsets: Uint32Array.of(0, 1, 3, 6) },
    Uint32Array.of(2, 0, 2),
    3,
  )
  bytes.fill(0)
  expect(picked).toEqual({
    count: 3,
    bytes: Buffer.from('cccaccc'),
    offsets: Uint32Array.of(0, 3, 4, 7),
  })
})
