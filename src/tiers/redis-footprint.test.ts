import { describe, expect, test } from 'vitest'
import { redisFootprint, sizeClassOf } from './redis-footprint.js'

test.each([
  [1, 8],
  [9, 16],
  [24, 32],
  [128, 128],
  [129, 160],
  [160, 160],
  [257, 320],
  [7169, 8192],
  [14_337, 16_384],
  [16_385, 20_480],
])('%i bytes take %i', (bytes, allocated) => {
  expect(sizeClassOf(bytes)).toBe(allocated)
})

// Measured on Redis 7.0.15 with Debian's jemalloc and 100,000 keys, whose tables are fuller than the
// average that the model assumes: a byte less per table. Buckets: `hash-max-listpack-value` 1024.
describe.each([
  { title: '10-byte keys, 90-byte rows', keyBytes: 10, rowBytes: 90, string: 213, bucket: 120 },
])('$title', ({ keyBytes, rowBytes, string, bucket }) => {
  test('is what was measured, within 2 %', () => {
    const use = { keyBytes, rowBytes, expires: true }
    expect(Math.abs(redisFootprint({ ...use, packing: 'string' }) / string - 1)).toBeLessThan(0.02)
    expect(Math.abs(redisFootprint({ ...use, packing: 'bucket' }) / bucket - 1)).toBeLessThan(0.02)
  })
})

test('an expiry costs a string an entry in a table, and a bucket little', () => {
  const cost = (packing: 'string' | 'bucket', expires: boolean) =>
    redisFootprint({ packing, keyBytes: 10, rowBytes: 90, expires })
  expect(cost('string', true) - cost('string', false)).toBeCloseTo(32 + 8 / Math.LN2)
  expect(cost('bucket', true) - cost('bucket', false)).toBeCloseTo((32 + 8 / Math.LN2) / 64)
})

test('keys that are hashed cost alike, whatever their length', () => {
  const cost = (keyBytes: number) =>
    redisFootprint({ packing: 'bucket', keyBytes, rowBytes: 90, expires: true })
  expect(cost(1024)).toBe(cost(41))
  expect(cost(41)).toBeLessThan(cost(40))
})

test('fuller buckets cost less per row', () => {
  const costs = [1, 4, 16, 64, 256].map((rowsPerBucket) =>
    redisFootprint({ packing: 'bucket', keyBytes: 10, rowBytes: 90, expires: true, rowsPerBucket }),
  )
  expect(costs).toEqual([...costs].sort((a, b) => b - a))
})
