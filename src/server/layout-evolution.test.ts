/**
 * Rows of all the layouts that a view has had, side by side: each stays readable, whatever was changed
 * since it was written.
 */
import { beforeEach, expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { viewOf } from '../../test/support/defined-snapshot.js'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createManualClock } from '../../test/support/manual-clock.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { createRecordedObserver } from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { f64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { createFrozenClock } from '../clock.js'
import { layoutIdOf } from '../codec/row-version.js'
import { cellStatus, type FeatureColumn } from '../column.js'
import type { Registry } from '../registry/registry.js'
import type { RegistryStore } from '../registry/registry-store.js'
import { SharedMisses } from '../tiers/shared-misses.js'
import { writeLayoutsOf } from './decoders.js'
import { planRead } from './plan-read.js'
import { findSchema, planWrite } from './plan-write.js'
import { readFeatures } from './read-path.js'
import { targetOfView } from './read-target.js'

const definitions = (...features: readonly string[]) => `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - { name: sales, entity: shop, latency_class: relaxed, ttl: 1h, retention: 1d, features: [${features.join(', ')}] }
`
const feature = (name: string) => `{ name: ${name}, type: int32 }`
const nowUs = 1_000_000_000_000_000n
const loadSequence = 5n
const signal = new AbortController().signal
const clock = createManualClock(0)

let store: RegistryStore
let registry: Registry
let warm: ScriptedTier
beforeEach(async () => {
  store = createMemoryRegistryStore()
  registry = await applyDefinitions(store, definitions(feature('f'), feature('g')))
  warm = createScriptedTier('warm')
})

const currentView = () => viewOf(registry.current(), 'sales')

async function change(...features: readonly string[]): Promise<void> {
  registry = await applyDefinitions(store, definitions(...features))
}

/** Registers a profile that has a byte for each value from `base` on, and a layout for a load's rows. */
async function learn(base: bigint): Promise<void> {
  const { schemas } = currentView()
  const ids = schemas.at(-1)?.features.map(({ id }) => id) ?? []
  const version = { eventBaseUs: nowUs, eventUnitUs: 1n, eventBytes: 0 }
  await registry.registerLayout(
    {
      view: 'sales',
      schemaVersion: schemas.length,
      profile: integerProfile(ids, base),
      versionFormat: { ...version, sequence: loadSequence },
    },
    signal,
  )
}

/** Writes a row of the shop, each feature with its value, and returns the layout it was written in. */
async function put(shop: string, values: Readonly<Record<string, number>>, sequence = 9n) {
  const view = currentView()
  const schema = findSchema(view, view.schemas.length)
  const plan = planWrite(
    {
      batchId: 'b',
      view: 'sales',
      schemaVersion: schema.version,
      keys: [wireColumn('shop', texts(shop))],
      eventTimesUs: BigInt64Array.of(nowUs),
      features: Object.entries(values).map(([name, value]) => wireColumn(name, f64(value))),
      sequence: 0n,
      ackTimeoutMs: 0,
    },
    { view, schema, layouts: writeLayoutsOf(view, schema, sequence), nowUs, sequence },
  )
  if ('badRows' in plan) throw new Error('the row is good')
  await warm.write(plan.writes, signal)
  return layoutIdOf(warm.rows.get(`${view.generation}:${shop}`) ?? new Uint8Array(0))
}

/** The shop's features as they are served, in order; undefined where there is none. */
async function get(shop: string): Promise<Record<string, number | undefined>> {
  const observer = createRecordedObserver()
  const tools = {
    tiers: { hot: undefined, warm, misses: new SharedMisses(), clock, observer },
    clock: createFrozenClock(nowUs),
    observer: {
      corruptRow: (_view: string, _key: string, reason: string) => {
        throw new Error(reason)
      },
    },
  }
  const plan = planRead(targetOfView(currentView(), []), [wireColumn('shop', texts(shop))], 1)
  const { columns } = await readFeatures(tools, plan, { atMs: 1000, signal })
  return Object.fromEntries(columns.map((column) => [column.name.slice(6), cellValue(column)]))
}

function cellValue({ values, status }: FeatureColumn): number | undefined {
  if (status[0] !== cellStatus.present || values.class !== 'f64') return undefined
  return values.values[0]
}

const plainLayout = 2
const learnedLayout = 3
const loadLayout = 4

/** A plain row, a learned one, one of a load, and a learned one with an exception. */
async function putOneOfEach(): Promise<void> {
  expect(await put('plain', { f: 1, g: 2 })).toBe(plainLayout)
  await learn(0n)
  expect(await put('learned', { f: 3, g: 4 })).toBe(learnedLayout)
  expect(await put('loaded', { f: 5, g: 6 }, loadSequence)).toBe(loadLayout)
  expect(await put('odd', { f: -7, g: 1_000_000 })).toBe(learnedLayout)
}

const valuesOfEach = {
  plain: { f: 1, g: 2 },
  learned: { f: 3, g: 4 },
  loaded: { f: 5, g: 6 },
  odd: { f: -7, g: 1_000_000 },
} as const
const shops = ['plain', 'learned', 'loaded', 'odd'] as const

test('rows of every layout are read as they were written', async () => {
  await putOneOfEach()
  expect(await Promise.all(shops.map(get))).toEqual(shops.map((shop) => valuesOfEach[shop]))
})

test('a feature is added: older rows lack it, newer ones are learned but for it', async () => {
  await putOneOfEach()
  await change(feature('f'), feature('g'), feature('h'))
  expect(await Promise.all(shops.map(get))).toEqual(
    shops.map((shop) => ({ ...valuesOfEach[shop], h: undefined })),
  )
  expect(await put('new', { f: 8, g: 9, h: -10 })).toBe(6)
  expect(await get('new')).toEqual({ f: 8, g: 9, h: -10 })
})

test('a feature is dropped, and added again: it starts empty', async () => {
  await putOneOfEach()
  await change(feature('g'))
  expect(await Promise.all(shops.map(get))).toEqual(
    shops.map((shop) => ({ g: valuesOfEach[shop].g })),
  )
  expect(await put('between', { g: 11 })).toBe(6)
  await change(feature('f'), feature('g'))
  expect(await Promise.all([...shops, 'between'].map(get))).toEqual([
    ...shops.map((shop) => ({ f: undefined, g: valuesOfEach[shop].g })),
    { f: undefined, g: 11 },
  ])
  expect(await put('new', { f: 12, g: 13 })).toBe(8)
  expect(await get('new')).toEqual({ f: 12, g: 13 })
})

test('features come in another order: rows stay, and new ones have the same layouts', async () => {
  await putOneOfEach()
  await change(feature('g'), feature('f'))
  expect(Object.keys(await get('loaded'))).toEqual(['g', 'f'])
  expect(await Promise.all(shops.map(get))).toEqual(shops.map((shop) => valuesOfEach[shop]))
  expect(await put('new', { g: 15, f: 14 })).toBe(learnedLayout)
  expect(await get('new')).toEqual({ f: 14, g: 15 })
})

test('a default changes: no row does', async () => {
  await putOneOfEach()
  await change('{ name: f, type: int32, default: 3 }', feature('g'))
  expect(await Promise.all(shops.map(get))).toEqual(shops.map((shop) => valuesOfEach[shop]))
  expect(await put('new', { f: 16, g: 17 })).toBe(learnedLayout)
})

test('a new profile is learned: rows of the old one stay beside its own', async () => {
  await putOneOfEach()
  await learn(1000n)
  expect(await Promise.all(shops.map(get))).toEqual(shops.map((shop) => valuesOfEach[shop]))
  expect(await put('new', { f: 1001, g: 1002 })).toBe(5)
  expect(await put('newly loaded', { f: 1003, g: 1004 }, loadSequence)).toBe(6)
  expect(await get('new')).toEqual({ f: 1001, g: 1002 })
  expect(await get('newly loaded')).toEqual({ f: 1003, g: 1004 })
})

test('whatever layouts two rows have, the newer one stands', async () => {
  await putOneOfEach()
  await change(feature('f'), feature('g'), feature('h'))
  await put('loaded', { f: 0, g: 0, h: 0 }, loadSequence - 1n)
  expect(await get('loaded')).toEqual({ ...valuesOfEach.loaded, h: undefined })
  await put('loaded', { f: 18, g: 19, h: 20 }, loadSequence + 1n)
  expect(await get('loaded')).toEqual({ f: 18, g: 19, h: 20 })
})
