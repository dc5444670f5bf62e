import { expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import { bucketFindings } from './bucket-findings.js'

async function viewsWith(packing: string, latencyClass = 'standard') {
  const snapshot = await snapshotOf(`
entities: [{ name: user, keys: { id: int64 } }]
feature_views:
  - name: clicks
    entity: user
    latency_class: ${latencyClass}
    ttl: 1h
    retention: 1d
    ${packing}
    features: [{ name: vector, type: "embedding<16, f32>" }]
`)
  return snapshot.views.values()
}

const bucket = 'packing: bucket\n    expected_entities: 1000'
const enough = { entriesMax: 512, valueBytesMax: 1024 }
const little = { entriesMax: 32, valueBytesMax: 64 }

test.each([
  { title: 'limits are high enough', packing: bucket, limits: enough },
  { title: 'no view has buckets', packing: 'packing: string', limits: little },
  { title: 'hot is no Redis', packing: bucket, limits: undefined },
  { title: 'hot has no rows of it', packing: bucket, limits: little, latencyClass: 'relaxed' },
])('nothing where $title', async ({ packing, limits, latencyClass }) => {
  expect(bucketFindings(await viewsWith(packing, latencyClass), limits)).toEqual([])
})

test('each limit that is too low is told, with what to set', async () => {
  expect(bucketFindings(await viewsWith(bucket), little)).toEqual([
    expect.stringMatching(/^hash-max-listpack-entries is 32, .* set it to at least 96$/),
    expect.stringMatching(
      /^hash-max-listpack-value is 64 bytes, and rows of view clicks take about \d+: .* set it to 1024/,
    ),
  ])
})

test('limits that are not told are asked to be looked at', async () => {
  expect(bucketFindings(await viewsWith(bucket), 'unknown')).toEqual([
    expect.stringContaining('could not be read (CONFIG GET is refused)'),
  ])
})
