import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { snapshotAfter, viewOf } from '../../test/support/defined-snapshot.js'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import type { LayoutRequest } from '../registry/plan-layout.js'
import type { Registry } from '../registry/registry.js'
import type { FeatureView } from '../registry/snapshot.js'
import { decoderOf, writeLayoutsOf } from './decoders.js'
import type { WantedFeature } from './plan-read.js'

const definitions = (features: string) => `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - { name: sales, entity: shop, latency_class: realtime, ttl: 1h, retention: 1d, features: [${features}] }
`
let view: FeatureView
let wanted: readonly WantedFeature[]
beforeAll(async () => {
  const mean = '{ name: mean, type: float32 }'
  const snapshot = await snapshotAfter([
    definitions(mean),
    definitions(`${mean}, { name: count, type: int8 }`),
  ])
  view = viewOf(snapshot, 'sales')
  wanted = view.features.map((feature) => ({ name: feature.name, role: 'sales', feature }))
})

test('a decoder is made once for the same features, and another for others', () => {
  const [mean, count] = wanted
  if (mean === undefined || count === undefined) throw new Error('the view has two features')
  const decoder = decoderOf(view, wanted)
  expect(decoder.wanted.map(({ name }) => name)).toEqual(['mean', 'count'])
  expect(decoderOf(view, [...wanted])).toBe(decoder)
  expect(decoderOf(view, [count, mean])).not.toBe(decoder)
  expect(decoderOf(view, [mean])).not.toBe(decoder)
  expect(decoderOf(view, [{ ...mean, name: 'other' }, count])).not.toBe(decoder)
  expect(decoderOf({ ...view }, wanted)).not.toBe(decoder)
})

test('what is asked for seldom is not kept for ever', () => {
  const [mean] = wanted
  if (mean === undefined) throw new Error('the view has two features')
  const first = decoderOf(view, [{ ...mean, name: 'first' }])
  for (let index = 0; index < 300; index++) decoderOf(view, [{ ...mean, name: `n${index}` }])
  expect(decoderOf(view, [{ ...mean, name: 'first' }])).not.toBe(first)
})

describe('layouts that were learned', () => {
  const signal = new AbortController().signal
  const version = { eventBaseUs: 0n, eventUnitUs: 1n, eventBytes: 6 }
  const seats = '{ name: seats, type: int16 }'
  let registry: Registry
  beforeEach(async () => {
    registry = await applyDefinitions(createMemoryRegistryStore(), definitions(seats))
  })

  const current = () => viewOf(registry.current(), 'sales')
  const register = (profile: LayoutRequest['profile'], sequence: bigint | undefined) => {
    const versionFormat = sequence === undefined ? 'full' : { ...version, sequence }
    return registry.registerLayout(
      { view: 'sales', schemaVersion: 1, profile, versionFormat },
      signal,
    )
  }
  const layoutIdsFor = (sequence: bigint) => {
    const [schema] = current().schemas
    if (schema === undefined) throw new Error('the view has a schema')
    return writeLayoutsOf(current(), schema, sequence).map(({ layoutId }) => layoutId)
  }

  test("come before the plain one: the load's first, then the newest", async () => {
    expect(layoutIdsFor(7n)).toEqual([2])
    await register(integerProfile([1]), 7n)
    await register(integerProfile([1], 9n), undefined)
    await register(0, 7n)
    expect(current().layouts.map(({ id, profile }) => [id, profile?.id])).toEqual([
      [2, undefined],
      [3, 1],
      [4, 1],
      [5, 2],
      [6, undefined],
    ])
    expect(layoutIdsFor(7n)).toEqual([6, 4, 5, 2])
    expect(layoutIdsFor(8n)).toEqual([5, 2])
  })

  test('are compiled once, whatever is registered later', async () => {
    const layoutsNow = () => {
      const [schema] = current().schemas
      if (schema === undefined) throw new Error('the view has a schema')
      return writeLayoutsOf(current(), schema, 7n)
    }
    await register(integerProfile([1]), 7n)
    const before = layoutsNow()
    await register(integerProfile([1]), 8n)
    const after = layoutsNow()
    expect(after.map((layout, index) => layout === before[index])).toEqual([true, true, true])
  })
})

test('rows of each schema version are written in its own layout', () => {
  const ids = view.schemas.map((schema) => writeLayoutsOf(view, schema, 0n)[0]?.layoutId)
  expect(ids).toEqual(view.layouts.map(({ id }) => id))
  expect(new Set(ids).size).toBe(2)
})

test('a registered layout without its schema, and the reverse, are bugs that stop', () => {
  const [first, ...others] = view.schemas
  if (first === undefined) throw new Error('the view has two schemas')
  const layouts = view.layouts.map((layout) => ({ ...layout }))
  expect(() => writeLayoutsOf({ ...view, layouts, schemas: others }, first, 0n)).toThrow(
    "layout 2 of 'sales' has no schema",
  )
  expect(() => writeLayoutsOf({ ...view, layouts: [] }, first, 0n)).toThrow(
    "schema 1 of 'sales' has no plain layout",
  )
})
