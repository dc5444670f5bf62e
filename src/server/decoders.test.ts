import { beforeAll, expect, test } from 'vitest'
import { snapshotAfter, viewOf } from '../../test/support/defined-snapshot.js'
import type { FeatureView } from '../registry/snapshot.js'
import { decoderOf, writeLayoutOf } from './decoders.js'
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

test('rows of each schema version are written in its own layout', () => {
  const ids = view.schemas.map((schema) => writeLayoutOf(view, schema).layoutId)
  expect(ids).toEqual(view.layouts.map(({ id }) => id))
  expect(new Set(ids).size).toBe(2)
})

test('a registered layout without its schema, and the reverse, are bugs that stop', () => {
  const [first, ...others] = view.schemas
  if (first === undefined) throw new Error('the view has two schemas')
  expect(() => writeLayoutOf({ ...view, schemas: others }, first)).toThrow(
    "layout 2 of 'sales' has no schema",
  )
  expect(() => writeLayoutOf({ ...view, layouts: [] }, first)).toThrow(
    "schema 1 of 'sales' has no layout",
  )
})
