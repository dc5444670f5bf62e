import { describe, expect, test } from 'vitest'
import { hotRawKeyBytesMax } from '../limits.js'
import {
  bucketOf,
  encodeWarmKeys,
  entityKeyOfWarmKey,
  fingerprint,
  placeHotRows,
  shardCount,
  shardTags,
} from './store-key.js'

const seeds = { hotKey: 1n, hotCheck: 2n, warmSpread: 3n }

function batchOf(keys: readonly Buffer[], generation = 5) {
  const offsets = new Uint32Array(keys.length + 1)
  for (const [index, key] of keys.entries())
    offsets[index + 1] = (offsets[index] ?? 0) + key.byteLength
  return {
    generations: new Float64Array(keys.length).fill(generation),
    bytes: Buffer.concat(keys),
    offsets,
  }
}

const everySlot = (keys: readonly Buffer[]) => Uint32Array.from(keys.keys())
const short = Buffer.from('ABCDEFGHIJ')
const long = Buffer.alloc(hotRawKeyBytesMax + 1, 0x78)

describe('hot places', () => {
  const place = (keys: readonly Buffer[], bucketCount: number, isSharded = false) =>
    placeHotRows(batchOf(keys), everySlot(keys), {
      packings: Float64Array.of(4, 9, 5, bucketCount),
      seeds,
      isSharded,
    })
  const placeAlone = (key: Buffer, { generation = 5, changed = {}, slots = [0] }) =>
    placeHotRows(batchOf([key], generation), Uint32Array.from(slots), {
      packings: Float64Array.of(generation, 0),
      seeds: { ...seeds, ...changed },
      isSharded: false,
    })
  const keyAt = ({ bytes, offsets }: ReturnType<typeof place>, index: number) =>
    bytes.subarray(offsets[index], offsets[index + 1]).toString('hex')

  test.each([
    { generation: 0, hex: '0100' },
    { generation: 127, hex: '017f' },
    { generation: 128, hex: '018001' },
    { generation: 2 ** 14 - 1, hex: '01ff7f' },
    { generation: 2 ** 53 - 1, hex: '01ffffffffffffff0f' },
  ])('generation $generation is a varint behind the flag', ({ generation, hex }) => {
    const { bytes } = placeAlone(short, { generation })
    expect(bytes.toString('hex')).toBe(hex + short.toString('hex'))
  })

  test('a key beyond the bound is hashed and carries a check; at the bound it is raw', () => {
    const [atBound, beyond] = [placeAlone(long.subarray(1), {}), placeAlone(long, {})]
    expect([atBound.bytes.byteLength, beyond.bytes.byteLength]).toEqual([
      2 + hotRawKeyBytesMax,
      2 + 16,
    ])
    expect([atBound.checks, beyond.checks?.byteLength]).toEqual([undefined, 8])
  })

  test('hash and check each depend on their own seed alone', () => {
    const textsOf = (changed: Partial<typeof seeds>) => {
      const { bytes, checks } = placeAlone(long, { changed })
      return [bytes.toString('hex'), checks?.toString('hex')]
    }
    const [key, check] = textsOf({})
    expect(textsOf({ hotKey: 9n })).toEqual([expect.not.stringMatching(`^${key}$`), check])
    expect(textsOf({ hotCheck: 9n })).toEqual([key, expect.not.stringMatching(`^${check}$`)])
  })

  test('only the slots asked for, in their order', () => {
    const keys = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]
    const packings = Float64Array.of(5, 0)
    const placing = { packings, seeds, isSharded: false }
    expect(placeHotRows(batchOf(keys), Uint32Array.of(2, 0), placing).bytes.toString()).toBe(
      '\x01\x05c\x01\x05a',
    )
  })

  test('a slot outside the batch is a bug of the caller', () => {
    expect(() => placeAlone(short, { slots: [1] })).toThrow(TypeError)
  })

  test('a row with a key of its own lies under its hot key', () => {
    const keys = [short, Buffer.alloc(0), long]
    const places = place(keys, 0)
    expect(keys.map((_, index) => keyAt(places, index))).toEqual([
      '01054142434445464748494a',
      '0105',
      expect.stringMatching(/^0205[0-9a-f]{32}$/),
    ])
    expect([...(places.isHashed ?? [])]).toEqual([0, 0, 1])
    expect(places.fields).toBeUndefined()
  })

  test('a row in a bucket lies in a field named by its key, or by the hash of a long one', () => {
    const places = place([short, long], 1)
    expect([keyAt(places, 0), keyAt(places, 1)]).toEqual(['030500000000', '040500000000'])
    const hash = keyAt(place([long], 0), 0).slice('0205'.length)
    expect(places.fields?.toString('hex')).toBe(`0a${short.toString('hex')}10${hash}`)
    expect([...(places.fieldOffsets ?? [])]).toEqual([0, 11, 28])
  })

  test('buckets are those of `bucketOf`, in the order of hashes, evenly filled', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => Buffer.from(`key ${index}`))
    const places = place(keys, 100)
    const buckets = bucketOf(batchOf(keys), 100, seeds.hotKey)
    expect(buckets).toEqual(places.buckets)
    expect(keyAt(places, 17)).toBe(`0305${(buckets[17] ?? 0).toString(16).padStart(8, '0')}`)
    const counts = new Uint32Array(100)
    for (const bucket of buckets) counts[bucket] = (counts[bucket] ?? 0) + 1
    expect(Math.min(...counts)).toBeGreaterThan(15)
    expect(Math.max(...counts)).toBeLessThan(110)
    const finer = bucketOf(batchOf(keys), 3000, seeds.hotKey)
    const order = [...keys.keys()].sort((a, b) => (finer[a] ?? 0) - (finer[b] ?? 0))
    const inOrder = order.map((index) => buckets[index] ?? 0)
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b))
  })

  test.each([
    { packing: 'keys of their own', bucketCount: 0 },
    { packing: 'buckets', bucketCount: 1000 },
  ])('in a cluster $packing carry the tags of all shards', ({ bucketCount }) => {
    const keys = Array.from({ length: 2000 }, (_, index) => Buffer.from(`key ${index}`))
    const places = place(keys, bucketCount, true)
    const untagged = place(keys, bucketCount)
    const expected = keys.map((_, index) => {
      const tag = Buffer.from([0x7b, shardTags[places.shards?.[index] ?? 0] ?? 0, 0x7d])
      return tag.toString('hex') + keyAt(untagged, index)
    })
    expect(keys.map((_, index) => keyAt(places, index))).toEqual(expected)
    expect(new Set(places.shards).size).toBe(shardCount)
    expect(untagged.shards).toBeUndefined()
  })

  test("a bucket's shard follows from its number and generation", () => {
    const keys = Array.from({ length: 100 }, (_, index) => Buffer.from(`key ${index}`))
    const { shards, buckets } = place(keys, 1000, true)
    expect([...(shards ?? [])]).toEqual(
      Array.from(buckets ?? [], (bucket) => (bucket + 5) % shardCount),
    )
  })

  test.each([
    { title: 'a generation without a packing', packings: [4, 0], message: 'without a packing' },
    { title: 'half a packing', packings: [5], message: 'two numbers per generation' },
    { title: 'a negative bucket count', packings: [5, -1], message: 'a count of buckets' },
    { title: 'too many buckets', packings: [5, 2 ** 32], message: 'a count of buckets' },
  ])('$title is a bug of the caller', ({ packings, message }) => {
    const placing = { packings: Float64Array.from(packings), seeds, isSharded: false }
    expect(() => placeHotRows(batchOf([short]), Uint32Array.of(0), placing)).toThrow(message)
  })
})

describe('warm keys', () => {
  test.each([
    { key: short, what: 'a short key' },
    { key: long, what: 'a long key' },
    { key: Buffer.alloc(0), what: 'an empty key' },
  ])('$what stays whole behind 8 bytes', ({ key }) => {
    const [warmKey] = encodeWarmKeys(batchOf([key]), Uint32Array.of(0), seeds)
    expect(warmKey?.byteLength).toBe(8 + key.byteLength)
    expect(entityKeyOfWarmKey(warmKey ?? Buffer.alloc(0)).toString()).toBe(key.toString())
  })

  test('what is shorter than its spreading hash is no warm key', () => {
    expect(() => entityKeyOfWarmKey(Buffer.alloc(7))).toThrow('spreading hash')
  })
})

test.each([
  { bytes: new Uint8Array(0), hash: 0x2d06800538d394c2n },
  { bytes: new TextEncoder().encode('a'), hash: 0xe6c632b61e964e1fn },
])('fingerprint is XXH3-64: $hash', ({ bytes, hash }) => {
  expect(fingerprint(bytes)).toBe(hash)
})
