import { beforeEach, describe, expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { viewOf } from '../../test/support/defined-snapshot.js'
import { createManualClock } from '../../test/support/manual-clock.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { entry, keysOf } from '../../test/support/tier-rows.js'
import { f64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { createLiveClock, systemClock } from '../clock.js'
import { encodeVersionOnlyRow, fenceLayoutId, tombstoneLayoutId } from '../codec/row-version.js'
import { cellStatus, type WireColumn } from '../column.js'
import { sampleRowsMax, sampleScannedRowsMax } from '../limits.js'
import type { RegistryStore } from '../registry/registry-store.js'
import { writeLayoutsOf } from './decoders.js'
import { findSchema, planWrite } from './plan-write.js'
import { type SampleTools, sampleRows } from './sample-rows.js'

const definitions = (features: string) => `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - { name: sales, entity: shop, latency_class: standard, ttl: 1h, retention: 1d, features: [${features}] }
  - { name: other, entity: shop, latency_class: standard, ttl: 1h, retention: 1d, features: [${features}] }
`
const count = '{ name: count, type: int32 }'
const city = '{ name: city, type: string }'
const signal = new AbortController().signal
const dayUs = 86_400_000_000n

const clock = createManualClock(Date.UTC(2026, 0, 1))
let warm: ScriptedTier
let store: RegistryStore
let tools: SampleTools
beforeEach(async () => {
  warm = createScriptedTier('warm')
  store = createMemoryRegistryStore()
  tools = {
    registry: await applyDefinitions(store, definitions(count)),
    warm,
    judgingClock: createLiveClock(clock),
    clock: systemClock,
  }
})

/** Rows of the named shops, whose counts are 0, 1, 2 …; `ageUs` old. */
async function put(
  shops: readonly string[],
  { ageUs = 0n, viewName = 'sales', more = [] as readonly WireColumn[] } = {},
): Promise<void> {
  const view = viewOf(tools.registry.current(), viewName)
  const schema = findSchema(view, view.schemas.length)
  const eventTimeUs = clock.nowUs() - ageUs
  const plan = planWrite(
    {
      batchId: 'b',
      view: viewName,
      schemaVersion: schema.version,
      keys: [wireColumn('shop', texts(...shops))],
      eventTimesUs: new BigInt64Array(shops.length).fill(eventTimeUs),
      features: [wireColumn('count', f64(...shops.keys())), ...more],
      sequence: 0n,
      ackTimeoutMs: 0,
    },
    { view, schema, layouts: writeLayoutsOf(view, schema, 1n), nowUs: eventTimeUs, sequence: 1n },
  )
  if ('badRows' in plan) throw new Error('the rows are good')
  await warm.write(plan.writes, signal)
}

const names = (rowCount: number) => Array.from({ length: rowCount }, (_, index) => `s${index}`)

async function sample(rowCountMax = 0, view = 'sales') {
  const response = await sampleRows(tools, { view, rowCountMax }, signal)
  const [column] = response.features
  const bytes = column?.values?.$case === 'f64' ? column.values.value : new Uint8Array(0)
  return { response, counts: [...new Float64Array(Uint8Array.from(bytes).buffer)] }
}

test('a small view is sampled whole, stale rows included', async () => {
  await put(['a', 'bb'])
  await put(['c'], { ageUs: dayUs / 2n })
  await put(['d'], { viewName: 'other' })
  const { response, counts } = await sample()
  expect(counts).toEqual([0, 1, 0])
  expect(response).toMatchObject({
    schemaVersion: 1,
    features: [{ name: 'count', type: 'int32', status: Buffer.from([1, 1, 1]) }],
    eventTimesUs: [clock.nowUs(), clock.nowUs(), clock.nowUs() - dayUs / 2n],
    keyBytes: [1, 2, 1],
    scannedRowCount: 3n,
    isWholeView: true,
  })
  expect(response.rowBytes).toEqual(
    [...warm.rows.values()].slice(0, 3).map((row) => row.byteLength),
  )
})

test('what no reader would see is left out', async () => {
  await put(['old'], { ageUs: dayUs + 1n })
  await put(['gone', 'broken', 'here'])
  const version = { eventTimeUs: clock.nowUs(), sequence: 2n }
  warm.rows.set('1:gone', encodeVersionOnlyRow(tombstoneLayoutId, version))
  warm.rows.set('1:short', Uint8Array.of(2, 3))
  warm.rows.set('1:broken', Uint8Array.from([...(warm.rows.get('1:broken') ?? []), 0]))
  warm.rows.set('1:fence', encodeVersionOnlyRow(fenceLayoutId, version))
  const { response, counts } = await sample()
  expect(counts).toEqual([2])
  // A row that is only found to be broken when it is decoded was looked at.
  const rowBytes = [warm.rows.get('1:here')?.byteLength]
  expect(response).toMatchObject({
    keyBytes: [4],
    rowBytes,
    scannedRowCount: 2n,
    isWholeView: true,
  })
})

test('a row at the very end of its retention is one of them', async () => {
  await put(['old'], { ageUs: dayUs })
  const { response } = await sample()
  expect(response).toMatchObject({ keyBytes: [3], scannedRowCount: 1n })
})

test('a large view is not scanned to its end', async () => {
  await put(['a'])
  const [row = Buffer.alloc(0)] = [...warm.rows.values()]
  const page = { keys: keysOf([entry({ generation: 1, key: 'a' })]), rows: [row] }
  let pageCount = 0
  async function* scan() {
    for (; pageCount <= 2 * sampleScannedRowsMax; pageCount++) yield page
  }
  tools = { ...tools, warm: { ...warm, scan }, clock: { ...systemClock, sleep: async () => {} } }
  const { response } = await sample(16)
  expect(pageCount).toBe(sampleScannedRowsMax)
  expect(response).toMatchObject({
    scannedRowCount: BigInt(sampleScannedRowsMax),
    isWholeView: false,
  })
})

test('an older row lacks what was added since', async () => {
  await put(['a'])
  tools = { ...tools, registry: await applyDefinitions(store, definitions(`${city}, ${count}`)) }
  await put(['b'], { more: [wireColumn('city', texts('Ulm'))] })
  const { response } = await sample()
  const { present, notFound } = cellStatus
  expect(response.schemaVersion).toBe(2)
  expect(response.features.map(({ name, status }) => [name, ...status])).toEqual([
    ['city', notFound, present],
    ['count', present, present],
  ])
})

test.each([
  { rowCountMax: 10, kept: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { rowCountMax: 9, kept: [0, 2, 4, 6, 8] },
  { rowCountMax: 4, kept: [0, 4, 8] },
  { rowCountMax: 1, kept: [0] },
])('of ten rows $rowCountMax are spread over all', async ({ rowCountMax, kept }) => {
  await put(names(10))
  const { response, counts } = await sample(rowCountMax)
  expect(counts).toEqual(kept)
  expect(response).toMatchObject({ scannedRowCount: 10n, isWholeView: true })
})

test('rows too long for one message are fewer', async () => {
  tools = { ...tools, registry: await applyDefinitions(store, definitions(`${count}, ${city}`)) }
  const long = 'x'.repeat(200_000)
  const more = [wireColumn('city', texts(...names(300).map(() => long)))]
  await put(names(300), { more })
  const { response, counts } = await sample()
  expect(counts.length).toBe(75)
  expect([response.rowBytes, response.keyBytes].map(({ length }) => length)).toEqual([75, 75])
  expect(counts.slice(0, 3)).toEqual([0, 4, 8])
  expect(response.scannedRowCount).toBe(300n)
})

test('an empty view has an empty sample', async () => {
  const { response, counts } = await sample()
  expect(counts).toEqual([])
  expect(response).toMatchObject({ eventTimesUs: [], scannedRowCount: 0n, isWholeView: true })
})

describe('a sample is refused', () => {
  test.each([
    {
      name: 'of an unknown view',
      request: { view: 'sale', rowCountMax: 0 },
      error: { code: 'not_found' },
    },
    {
      name: 'of too many rows',
      request: { view: 'sales', rowCountMax: sampleRowsMax + 1 },
      error: {
        code: 'invalid_argument',
        message: 'row_count_max is 16385, at most 16384 is allowed',
      },
    },
  ])('$name', async ({ request, error }) => {
    await expect(sampleRows(tools, request, signal)).rejects.toMatchObject(error)
  })

  test('from a warm tier that cannot list its rows', async () => {
    const unlisted = { ...tools, warm: { ...warm, scan: () => undefined } }
    const request = { view: 'sales', rowCountMax: 0 }
    await expect(sampleRows(unlisted, request, signal)).rejects.toMatchObject({
      code: 'refused',
      message: 'the warm tier (warm) cannot list its rows: learn from a file instead',
    })
  })

  test('while a stored row has a layout that the registry lacks', async () => {
    await put(['a'])
    warm.rows.set('1:a', Uint8Array.of(77, ...new Uint8Array(17)))
    await expect(sample()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('once nobody waits for it', async () => {
    await put(['a'])
    const request = { view: 'sales', rowCountMax: 0 }
    const waiting = sampleRows(tools, request, AbortSignal.abort(new Error('gone')))
    await expect(waiting).rejects.toThrow('gone')
  })
})
