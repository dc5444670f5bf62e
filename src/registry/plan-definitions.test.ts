import { expect, test } from 'vitest'
import type { Change } from './change.js'
import { emptyDocument, type RegistryDocument } from './document.js'
import { parseDefinitions } from './parse-definitions.js'
import { planDefinitions } from './plan-definitions.js'

const first = `entities:
  - { name: airport, keys: { airport: string } }
  - { name: route, keys: { origin: string, destination: string } }
feature_views:
  - name: airport_delays
    entity: airport
    latency_class: relaxed
    ttl: 36h
    retention: 30d
    features:
      - { name: departures_7d, type: int32 }
      - { name: delay_mean_7d, type: float32, default: 0 }
  - name: route_delays
    entity: route
    latency_class: standard
    ttl: 1d
    retention: 1d
    features:
      - { name: late_share_7d, type: float64 }
feature_services:
  - name: delay_inputs
    views:
      - { view: airport_delays, as: origin, keys: { airport: origin } }
      - { view: route_delays }
`

function plan(current: RegistryDocument, text: string) {
  const files = [{ path: 'a.yaml', text }]
  return planDefinitions(current, parseDefinitions(files), files)
}

function applied(current: RegistryDocument, text: string): RegistryDocument {
  return plan(current, text).document ?? emptyDocument
}

/** A plan as golden text: a change per paragraph. */
function formatChanges(changes: readonly Change[]): string {
  return changes
    .map(({ action, kind, name, before, after, effect, destructive }) => {
      const lines = [`${action} ${kind} ${name}${destructive ? ' (needs allow_drop)' : ''}`]
      if (before !== '') lines.push(`  - ${before}`)
      if (after !== '') lines.push(`  + ${after}`)
      return [...lines, `  ${effect}`, ''].join('\n')
    })
    .join('\n')
}

const documentOne = applied(emptyDocument, first)

test.each([
  { name: 'first', from: emptyDocument, text: first },
  {
    name: 'settings',
    from: documentOne,
    text: first
      .replace('latency_class: relaxed', 'latency_class: realtime')
      .replace('ttl: 36h', 'ttl: 2d\n    on_stale: default')
      .replace('retention: 30d', 'retention: 10d\n    source: { path: a/*.csv, event_time: at }')
      .replace('retention: 1d\n', 'retention: 2d\n')
      .replace('default: 0', 'default: 0.5'),
  },
  {
    name: 'features',
    from: documentOne,
    text: first
      .replace(
        /( +- \{ name: departures_7d.*\n)(.*\n)/,
        '      - { name: seats, type: "list<int16>", default: [1, 2] }\n$2$1',
      )
      .replace('late_share_7d', 'late_share_24h'),
  },
  {
    name: 'packing',
    from: documentOne,
    text: first
      .replace('ttl: 36h', 'ttl: 36h\n    packing: bucket\n    expected_entities: 100000')
      .replace('ttl: 1d', 'ttl: 1d\n    expected_entities: 7'),
  },
  { name: 'drops', from: documentOne, text: `${first.split('  - { name: route,')[0]}` },
  {
    name: 'refused',
    from: documentOne,
    text: first
      .replace('departures_7d, type: int32', 'departures_7d, type: int64')
      .replace('keys: { origin: string, destination: string }', 'keys: { origin: string }'),
  },
  {
    name: 'refused-entity-of-view',
    from: documentOne,
    text: first
      .replace('entity: airport', 'entity: route')
      .replace(', keys: { airport: origin }', ''),
  },
])('the plan $name reads as its golden text', async ({ name, from, text }) => {
  const { changes } = plan(from, text)
  const path = `../../test/golden/definitions/plan-${name}.txt`
  await expect(formatChanges(changes)).toMatchFileSnapshot(path)
})

test('what is given to a new view starts at the first ids', () => {
  expect(documentOne).toMatchObject({
    version: 1,
    nextGeneration: 3,
    views: [
      {
        name: 'airport_delays',
        features: [{ id: 1 }, { id: 2 }],
        nextFeatureId: 3,
        schemas: [{ version: 1, features: [{ id: 1 }, { id: 2 }] }],
        profiles: [],
        layouts: [{ id: 2, schemaVersion: 1, profileId: 0, versionFormat: 'full' }],
        generation: 1,
        hotGeneration: 1,
      },
      { name: 'route_delays', generation: 2, hotGeneration: 2 },
    ],
  })
})

test('adding, dropping and adding again gives new ids, schema versions and layouts', () => {
  const without = first.replace(/ +- \{ name: departures_7d.*\n/, '')
  const second = applied(documentOne, without)
  const third = applied(second, first)
  expect(third.views[0]).toMatchObject({
    features: [{ id: 3, name: 'departures_7d' }, { id: 2 }],
    nextFeatureId: 4,
    schemas: [{ version: 1 }, { version: 2, features: [{ id: 2 }] }, { version: 3 }],
    layouts: [{ id: 2 }, { id: 3, schemaVersion: 2 }, { id: 4, schemaVersion: 3 }],
    generation: 1,
  })
})

test('order, defaults, ttl and class are no part of a schema', () => {
  const text = first
    .replace(/( +- \{ name: departures_7d.*\n)(.*\n)/, '$2$1')
    .replace('default: 0', 'default: 1')
    .replace('ttl: 36h', 'ttl: 1h')
    .replace('latency_class: standard', 'latency_class: realtime')
  const second = applied(documentOne, text)
  expect(second.views[0]?.features.map(({ id }) => id)).toEqual([2, 1])
  expect(second.views[0]?.schemas).toBe(documentOne.views[0]?.schemas)
  expect(second.views[1]).toMatchObject({ generation: 2, hotGeneration: 2 })
})

test('a view that leaves relaxed gets a new name in hot, where older rows may be', () => {
  const second = applied(documentOne, first.replace('relaxed', 'standard'))
  expect(second.views[0]).toMatchObject({ generation: 1, hotGeneration: 3 })
  expect(second.nextGeneration).toBe(4)
})

const bucket = (entityCount: number) =>
  first.replace(
    'ttl: 36h',
    `ttl: 36h, packing: bucket, expected_entities: ${entityCount}`.replaceAll(', ', '\n    '),
  )

test.each([
  { name: 'to buckets', from: first, to: bucket(64_000), bucketCount: 1000, hotGeneration: 3 },
  {
    name: 'to more buckets',
    from: bucket(64_000),
    to: bucket(64_001),
    bucketCount: 1001,
    hotGeneration: 3,
  },
  {
    name: 'to no other number of buckets',
    from: bucket(63_937),
    to: bucket(64_000),
    bucketCount: 1000,
    hotGeneration: 1,
  },
  { name: 'back to strings', from: bucket(1), to: first, bucketCount: undefined, hotGeneration: 3 },
])(
  'a packing $name gives a new name in hot where rows lie elsewhere',
  ({ from, to, bucketCount, hotGeneration }) => {
    const [view] = applied(applied(emptyDocument, from), to).views
    const kind = bucketCount === undefined ? 'string' : 'bucket'
    expect(view?.packing).toEqual(bucketCount === undefined ? { kind } : { kind, bucketCount })
    expect(view).toMatchObject({ generation: 1, hotGeneration })
  },
)

test('a view added again gets a new generation', () => {
  const without = `${first.split('  - name: route_delays')[0]}`
  const third = applied(applied(documentOne, without), first)
  expect(third.views[1]).toMatchObject({ generation: 3, hotGeneration: 3 })
})

test('no difference is no change and no new version, whatever the comments say', () => {
  const { document, changes } = plan(documentOne, `# seen\n${first}`)
  expect(changes).toEqual([])
  expect(document).toBe(documentOne)
})

test('a refused change has no document', () => {
  expect(plan(documentOne, first.replace('type: int32', 'type: string')).document).toBeUndefined()
})

test('keys of an entity without rows may change', () => {
  const unused = '  - { name: unused, keys: { id: int64 } }\n'
  const before = applied(emptyDocument, first.replace('entities:\n', `entities:\n${unused}`))
  const after = first.replace('entities:\n', `entities:\n${unused.replace('int64', 'string')}`)
  expect(plan(before, after).changes).toMatchObject([{ action: 'change', kind: 'entity' }])
})
