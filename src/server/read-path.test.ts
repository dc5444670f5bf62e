import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { createRecordedObserver } from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { f32, texts, wireColumn } from '../../test/support/wire-columns.js'
import { createFrozenClock } from '../clock.js'
import { encodeVersionOnlyRow, tombstoneLayoutId } from '../codec/row-version.js'
import { cellStatus, cellStatusText, type FeatureColumn } from '../column.js'
import { clockSkewMs, futureBoundMs } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { HotFiller } from '../tiers/hot-filler.js'
import { SharedMisses } from '../tiers/shared-misses.js'
import { writeLayoutsOf } from './decoders.js'
import { planRead } from './plan-read.js'
import { findSchema, planWrite } from './plan-write.js'
import { fetchPlanOf, type ReadTools, readFeatures } from './read-path.js'
import { targetOfService, targetOfView } from './read-target.js'

const definitions = `
entities: [{ name: airport, keys: { airport: string } }, { name: shop, keys: { shop: string } }]
feature_views:
  - { name: delays, entity: airport, latency_class: realtime, ttl: 1h, retention: 1d, features: [{ name: mean, type: float32 }] }
  - { name: slow, entity: airport, latency_class: relaxed, ttl: 1h, retention: 1d, on_stale: default, features: [{ name: mean, type: float32 }] }
feature_services:
  - name: flights
    views:
      - { view: delays, as: origin, keys: { airport: origin } }
      - { view: delays, as: destination, keys: { airport: destination } }
      - { view: slow, keys: { airport: origin } }
`
const nowUs = 1_000_000_000_000_000n
const hourUs = 3_600_000_000n

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

let clock: ManualClock
let hot: ScriptedTier
let warm: ScriptedTier
let corrupt: string[]
let filler: HotFiller
let tools: ReadTools
beforeEach(() => {
  clock = createManualClock(0)
  hot = createScriptedTier('hot')
  warm = createScriptedTier('warm')
  corrupt = []
  const observer = createRecordedObserver()
  filler = new HotFiller(hot, clock, observer)
  tools = {
    tiers: { hot: { tier: hot, filler }, warm, misses: new SharedMisses(), clock, observer },
    clock: createFrozenClock(nowUs),
    observer: { corruptRow: (view, key, reason) => void corrupt.push(`${view} ${key} ${reason}`) },
  }
})

/** Writes a row of `view` to warm, `ageUs` old. */
async function put(viewName: string, key: string, mean: number, ageUs = 0n): Promise<void> {
  const view = viewOf(snapshot, viewName)
  const schema = findSchema(view, 1)
  const eventTimeUs = nowUs - ageUs
  const plan = planWrite(
    {
      batchId: 'b',
      view: viewName,
      schemaVersion: 1,
      keys: [wireColumn('airport', texts(key))],
      eventTimesUs: BigInt64Array.of(eventTimeUs),
      features: [wireColumn('mean', f32(mean))],
      sequence: 0n,
      ackTimeoutMs: 0,
    },
    { view, schema, layouts: writeLayoutsOf(view, schema, 1n), nowUs: eventTimeUs, sequence: 1n },
  )
  if ('badRows' in plan) throw new Error('the row is good')
  await warm.write(plan.writes, new AbortController().signal)
}

const pathOf = (viewName: string, key: string) => `${viewOf(snapshot, viewName).generation}:${key}`

async function readDelays(...keys: string[]) {
  const target = targetOfView(viewOf(snapshot, 'delays'), [])
  return await read(planRead(target, [wireColumn('airport', texts(...keys))], keys.length))
}

function read(plan: ReturnType<typeof planRead>, signal = new AbortController().signal) {
  return readFeatures(tools, plan, { atMs: clock.monotonicMs() + 1000, signal })
}

const names = Object.entries(cellStatus)

/** Each cell as its status, and its value where it has one. */
function cellsOf(column: FeatureColumn | undefined): string[] {
  const values = column?.values.class === 'f32' ? column.values.values : new Float32Array(0)
  return Array.from(column?.status ?? [], (code, row) => {
    const [name] = names.find(([, known]) => known === code) ?? []
    const text = Object.entries(cellStatusText).find(([known]) => known === name)?.[1]
    const hasValue = code === cellStatus.present || code === cellStatus.outsideMaxAge
    return hasValue ? `${text} ${values[row]}` : `${text}`
  })
}

describe('what a row becomes', () => {
  test.each([
    ['fresh', 0n, 'PRESENT 1.5'],
    ['as old as its ttl', hourUs, 'PRESENT 1.5'],
    ['older than its ttl', hourUs + 1n, 'OUTSIDE_MAX_AGE 1.5'],
    ['as old as its retention', 24n * hourUs, 'OUTSIDE_MAX_AGE 1.5'],
    ['older than its retention', 24n * hourUs + 1n, 'NOT_FOUND'],
  ])('%s', async (_case, ageUs, cell) => {
    await put('delays', 'ORD', 1.5, ageUs)
    const { columns } = await readDelays('ORD')
    expect(cellsOf(columns[0])).toEqual([cell])
  })

  test('a tombstone is no row', async () => {
    const row = encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: nowUs, sequence: 9n })
    warm.rows.set(pathOf('delays', 'ORD'), row)
    const { columns, roles } = await readDelays('ORD')
    expect(cellsOf(columns[0])).toEqual(['NOT_FOUND'])
    expect(roles[0]?.eventTimesUs).toEqual(BigInt64Array.of(0n))
  })

  test('rows, their tiers and event times come in the order of the request', async () => {
    await put('delays', 'ORD', 1, 5n)
    await put('delays', 'JFK', 2, 7n)
    await readDelays('ORD')
    await filler.settled()
    const { columns, roles } = await readDelays('JFK', 'ATL', 'ORD', 'JFK')
    expect(cellsOf(columns[0])).toEqual(['PRESENT 2', 'NOT_FOUND', 'PRESENT 1', 'PRESENT 2'])
    expect(roles).toEqual([
      {
        role: 'delays',
        view: 'delays',
        tiers: Uint8Array.of(3, 0, 2, 3),
        eventTimesUs: BigInt64Array.of(nowUs - 7n, 0n, nowUs - 5n, nowUs - 7n),
      },
    ])
  })

  test('tiers that are gone leave what they had unavailable, and nothing is thrown', async () => {
    await put('delays', 'ORD', 1)
    await readDelays('ORD')
    await filler.settled()
    warm.before.read = () => {
      throw new Error('gone')
    }
    const { columns } = await readDelays('ORD', 'JFK')
    expect(cellsOf(columns[0])).toEqual(['PRESENT 1', 'UNAVAILABLE'])
  })
})

describe('several roles', () => {
  const readFlights = () => {
    const service = snapshot.services.get('flights')
    if (service === undefined) throw new Error('no service')
    const keys = [
      wireColumn('origin', texts('ORD', 'JFK')),
      wireColumn('destination', texts('JFK', 'ORD')),
    ]
    return read(planRead(targetOfService(service, []), keys, 2))
  }

  test('each sees its own rows, with one fetch of each tier', async () => {
    await put('delays', 'ORD', 1)
    await put('delays', 'JFK', 2)
    await put('slow', 'ORD', 3, 2n * hourUs)
    const { columns } = await readFlights()
    expect(Object.fromEntries(columns.map((column) => [column.name, cellsOf(column)]))).toEqual({
      'origin.mean': ['PRESENT 1', 'PRESENT 2'],
      'destination.mean': ['PRESENT 2', 'PRESENT 1'],
      'slow.mean': ['OUTSIDE_MAX_AGE 0', 'NOT_FOUND'],
    })
    expect(hot.calls.filter((call) => call.startsWith('read'))).toEqual(['read ORD JFK'])
    expect(warm.calls.filter((call) => call.startsWith('read'))).toEqual(['read ORD JFK ORD JFK'])
  })

  test('a corrupt row spoils its cells, is told once with view and key, and no more', async () => {
    await put('delays', 'JFK', 2)
    await put('delays', 'ORD', 1)
    const path = pathOf('delays', 'ORD')
    warm.rows.set(path, (warm.rows.get(path) ?? new Uint8Array(0)).subarray(0, -1))
    const { columns } = await readFlights()
    expect(cellsOf(columns[0])).toEqual(['UNAVAILABLE', 'PRESENT 2'])
    expect(cellsOf(columns[1])).toEqual(['PRESENT 2', 'UNAVAILABLE'])
    expect(corrupt).toEqual([expect.stringMatching(/^delays 4f5244 ./)])
  })

  test('a row of an unknown layout is told once, for the registry to be read again', async () => {
    await put('delays', 'ORD', 1)
    const path = pathOf('delays', 'ORD')
    const row = Uint8Array.from(warm.rows.get(path) ?? [])
    row[0] = 77
    warm.rows.set(path, row)
    const { columns, unknownLayouts } = await readFlights()
    expect(cellsOf(columns[0])).toEqual(['UNAVAILABLE', 'NOT_FOUND'])
    expect(unknownLayouts).toEqual([{ view: 'delays', key: '4f5244', layoutId: 77 }])
    expect(corrupt).toEqual([])
  })
})

test('what is filled into hot is kept for as long as its own bytes say', () => {
  const target = targetOfView(viewOf(snapshot, 'delays'), [])
  const plan = planRead(target, [wireColumn('airport', texts('ORD'))], 1)
  const [range] = fetchPlanOf(plan, nowUs).ranges
  const row = encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: nowUs, sequence: 1n })
  expect(range?.keepRowMs(row)).toBe(86_400_000 + clockSkewMs + futureBoundMs)
})
