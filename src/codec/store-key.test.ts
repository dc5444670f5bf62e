import { describe, expect, test } from 'vitest'
import { hotRawKeyBytesMax } from '../limits.js'
import { encodeHotKeys, encodeWarmKeys, entityKeyOfWarmKey, fingerprint } from './store-key.js'

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

describe('hot keys', () => {
  test.each([
    { generation: 0, hex: '0100' },
    { generation: 127, hex: '017f' },
    { generation: 128, hex: '018001' },
    { generation: 2 ** 14 - 1, hex: '01ff7f' },
    { generation: 2 ** 53 - 1, hex: '01ffffffffffffff0f' },
  ])('generation $generation is a varint behind the flag', ({ generation, hex }) => {
    const { keys, checks } = encodeHotKeys(batchOf([short], generation), Uint32Array.of(0), seeds)
    expect(keys.map((key) => key.toString('hex'))).toEqual([hex + short.toString('hex')])
    expect(checks).toEqual([undefined])
  })

  test('a 10-byte key takes at most 14 bytes while generations are below 2^14', () => {
    const { keys } = encodeHotKeys(batchOf([short], 2 ** 14 - 1), Uint32Array.of(0), seeds)
    expect(keys[0]?.byteLength).toBeLessThanOrEqual(14)
  })

  test('a key beyond the bound is hashed and carries a check; at the bound it is raw', () => {
    const keys = [long.subarray(1), long]
    const encoded = encodeHotKeys(batchOf(keys), everySlot(keys), seeds)
    expect(encoded.keys.map((key) => key.byteLength)).toEqual([2 + hotRawKeyBytesMax, 2 + 16])
    expect(encoded.keys.map((key) => key[0])).toEqual([1, 2])
    expect(encoded.checks.map((check) => check?.byteLength)).toEqual([undefined, 8])
  })

  test('hash and check each depend on their own seed alone', () => {
    const encode = (changed: Partial<typeof seeds>) => {
      const { keys, checks } = encodeHotKeys(batchOf([long]), Uint32Array.of(0), {
        ...seeds,
        ...changed,
      })
      return [keys[0]?.toString('hex'), Buffer.from(checks[0] ?? []).toString('hex')]
    }
    const [key, check] = encode({})
    expect(encode({ hotKey: 9n })).toEqual([expect.not.stringMatching(`^${key}$`), check])
    expect(encode({ hotCheck: 9n })).toEqual([key, expect.not.stringMatching(`^${check}$`)])
  })

  test('only the slots asked for, in their order', () => {
    const keys = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]
    const encoded = encodeHotKeys(batchOf(keys), Uint32Array.of(2, 0), seeds)
    expect(encoded.keys.map((key) => key.toString('latin1', 2))).toEqual(['c', 'a'])
  })

  test('a slot outside the batch is a bug of the caller', () => {
    expect(() => encodeHotKeys(batchOf([short]), Uint32Array.of(1), seeds)).toThrow(TypeError)
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
