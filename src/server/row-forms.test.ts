import { expect, test } from 'vitest'
import { snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import type { FeatureView } from '../registry/snapshot.js'
import { rowFormsOf } from './row-forms.js'

const defined = viewOf(
  await snapshotOf(`
entities: [{ name: user, keys: { user: int64 } }]
feature_views:
  - name: visits
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features: [{ name: count, type: int32 }]
`),
  'visits',
)
const load = { eventBaseUs: 5n, eventUnitUs: 1n, eventBytes: 2, sequence: 9n }
const view: FeatureView = {
  ...defined,
  packing: { kind: 'bucket', bucketCount: 7 },
  layouts: [
    { id: 2, schemaVersion: 1, profile: undefined, versionFormat: 'full' },
    { id: 3, schemaVersion: 1, profile: undefined, versionFormat: load },
    { id: 4, schemaVersion: 1, profile: undefined, versionFormat: 'full' },
  ],
}

test("the forms of a view's rows: all its layouts, its packing in hot alone", () => {
  const versions = { layoutIdMax: 4, compact: new Map([[3, load]]) }
  expect(rowFormsOf(view)).toEqual({
    warm: { packing: { kind: 'string' }, versions },
    hot: { packing: { kind: 'bucket', bucketCount: 7 }, versions },
  })
})

test('are made once for each view', () => {
  expect(rowFormsOf(view)).toBe(rowFormsOf(view))
  expect(rowFormsOf({ ...view })).not.toBe(rowFormsOf(view))
})
