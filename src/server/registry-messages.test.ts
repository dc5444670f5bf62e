import { expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { snapshotAfter } from '../../test/support/defined-snapshot.js'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { parseProfileText } from '../profile-json.js'
import { emptySnapshot } from '../registry/snapshot.js'
import { formatRegistry } from './registry-messages.js'

const seeds = { hotKey: 5n, hotCheck: 6n, warmSpread: 7n }
const definitions = (features: string) => `
entities: [{ name: stay, keys: { user: int64, shop: string } }]
feature_views:
  - name: visits
    entity: stay
    latency_class: relaxed
    ttl: 90s
    retention: 1d
    on_stale: default
    features: [${features}]
    source: { path: visits/*.parquet, event_time: at }
feature_services:
  - { name: inputs, views: [{ view: visits, as: last, keys: { user: rider, shop: shop } }] }
`

test('a snapshot as its users see it', async () => {
  const mean = '{ name: mean, type: float32 }'
  const snapshot = await snapshotAfter([
    definitions(mean),
    definitions(`${mean}, { name: profile, type: "embedding<2, f16>" }`),
  ])
  expect(formatRegistry(snapshot, seeds)).toEqual({
    registryVersion: 2n,
    entities: [
      {
        name: 'stay',
        keys: [
          { name: 'user', type: 'int64' },
          { name: 'shop', type: 'string' },
        ],
      },
    ],
    views: [
      {
        name: 'visits',
        entity: 'stay',
        latencyClass: 'relaxed',
        ttlUs: 90_000_000n,
        retentionUs: 86_400_000_000n,
        onStale: 'default',
        schemaVersion: 2,
        features: [
          { id: 1, name: 'mean', type: 'float32', defaultJson: '' },
          { id: 2, name: 'profile', type: 'embedding<2, f16>', defaultJson: '' },
        ],
        sourcePath: 'visits/*.parquet',
        sourceEventTime: 'at',
        generation: 1n,
        packing: 'string',
        bucketCount: 0,
        hotGeneration: 1n,
        profileJson: '',
        layouts: [
          { id: 2, schemaVersion: 1, profileId: 0, version: undefined },
          { id: 3, schemaVersion: 2, profileId: 0, version: undefined },
        ],
      },
    ],
    services: [
      {
        name: 'inputs',
        keys: [
          { name: 'rider', type: 'int64' },
          { name: 'shop', type: 'string' },
        ],
        features: [
          { name: 'last.mean', type: 'float32', role: 'last', view: 'visits' },
          { name: 'last.profile', type: 'embedding<2, f16>', role: 'last', view: 'visits' },
        ],
      },
    ],
    bucketSeed: 5n,
  })
})

test('a view in buckets that has learned says so', async () => {
  const registry = await applyDefinitions(
    createMemoryRegistryStore(),
    definitions('{ name: seats, type: int8 }').replace(
      'ttl: 90s',
      'ttl: 90s\n    packing: bucket\n    expected_entities: 6400',
    ),
  )
  const version = { eventBaseUs: -1n, eventUnitUs: 2n, eventBytes: 3 }
  const request = {
    view: 'visits',
    schemaVersion: 1,
    profile: integerProfile([1]),
    versionFormat: { ...version, sequence: 9n },
  }
  await registry.registerLayout(request, new AbortController().signal)
  const [view] = formatRegistry(registry.current(), seeds).views
  expect(view).toMatchObject({
    packing: 'bucket',
    bucketCount: 100,
    layouts: [
      { id: 2, profileId: 0 },
      { id: 3, profileId: 1, version: undefined },
      { id: 4, profileId: 1, version },
    ],
  })
  expect(parseProfileText(view?.profileJson ?? '')).toEqual({ ...integerProfile([1]), id: 1 })
})

test.each([
  ['float64', '0.5', '0.5'],
  ['float64', '-0.0', '"-0"'],
  ['float64', '.nan', '"NaN"'],
  ['float64', '-.inf', '"-Infinity"'],
  ['int64', '9007199254740993', '"9007199254740993"'],
  ['bool', 'false', 'false'],
  ['string', "''", '""'],
  ['bytes', 'AP8=', '"AP8="'],
  ['list<int32>', '[]', '[]'],
  ['list<int64>', '[1, -1]', '["1","-1"]'],
])('a default of %s, %s, is %s', async (type, yaml, json) => {
  const features = `{ name: f, type: "${type}", default: ${yaml} }`
  const { views } = formatRegistry(await snapshotAfter([definitions(features)]), seeds)
  expect(views[0]?.features[0]?.defaultJson).toBe(json)
})

test('before anything was applied there is nothing', () => {
  expect(formatRegistry(emptySnapshot, seeds)).toEqual({
    registryVersion: 0n,
    entities: [],
    views: [],
    services: [],
    bucketSeed: 5n,
  })
})
