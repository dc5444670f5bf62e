import { describe, expect, test } from 'vitest'
import { shardCount, shardTags } from '../codec/store-key.js'
import { shardOfSlot, slotCount, slotOf, slotOfShard } from './redis-shards.js'

const shards = Array.from({ length: shardCount }, (_, shard) => shard)
const slotsPerShard = slotCount / shardCount

describe('slots', () => {
  // The first is CRC16-XMODEM's published check value, 0x31c3, modulo 16,384.
  test.each([
    { tag: '123456789', slot: 0x31c3 },
    { tag: 'foo', slot: 12182 },
    { tag: '', slot: 0 },
  ])("'$tag' lies in slot $slot", ({ tag, slot }) => {
    expect(slotOf(Buffer.from(tag))).toBe(slot)
  })

  test('a shard and its slot tell each other', () => {
    expect(shards.map((shard) => shardOfSlot(slotOfShard(shard)))).toEqual(shards)
    const others = Array.from({ length: slotCount }, (_, slot) => slot).filter(
      (slot) => shardOfSlot(slot) === undefined,
    )
    expect(others).toHaveLength(slotCount - shardCount)
  })
})

describe('tags', () => {
  test('are one byte each, never a brace, that keys have in front for ever', () => {
    expect(Buffer.from(shardTags).toString('hex')).toBe(
      '89819890222a333b40485159626a73f288809991232b323a41495058636b727a' +
        '8b839a9224283139424a535b606871798a829b9321293038434b525a61697078',
    )
  })

  test('are the least bytes that put one shard into each of 64 equal stretches of slots', () => {
    const least = shards.map((shard) => {
      const bytes = Array.from({ length: 0x100 }, (_, byte) => byte).slice(0x21)
      return bytes.find(
        (byte) =>
          ![0x7b, 0x7d, 0x7f].includes(byte) &&
          Math.floor(slotOf(Uint8Array.of(byte)) / slotsPerShard) === shard,
      )
    })
    expect([...shardTags]).toEqual(least)
  })

  test.each([1, 2, 3, 4, 5, 8, 12, 16, 32, 64])(
    'spread over %i nodes that share the slots evenly',
    (nodeCount) => {
      const counts: number[] = new Array(nodeCount).fill(0)
      for (const shard of shards) {
        const node = Math.floor((slotOfShard(shard) * nodeCount) / slotCount)
        counts[node] = (counts[node] ?? 0) + 1
      }
      // A stretch on a border belongs to either neighbour: one more or less at each end.
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.floor(shardCount / nodeCount) - 1)
      expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil(shardCount / nodeCount) + 1)
    },
  )
})
