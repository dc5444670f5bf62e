/**
 * The shards of keys in a Redis Cluster, and the slots they lie in. Pure.
 *
 * A cluster serves each of 16,384 slots by one node, and a command's keys must all lie in one slot. Keys
 * left to themselves lie in a slot each, so that a request of 200 rows would be 200 commands. So in a
 * cluster, and only there, a key starts with the tag of its shard, which alone then decides its slot:
 *
 *   7b tag 7d | store key          `{`, one byte, `}`: 3 bytes a key
 *
 * There are 64 shards: a request makes at most 64 groups, and up to 64 nodes share the load. The tag of
 * shard i (`codec/store-key.ts`) is the least byte from 0x21 on, other than the braces and 0x7f, whose
 * slot is one of the 256 from 256 x i on. So nodes that serve equal stretches of slots serve equally many
 * shards, give or take one. Printable bytes alone would reach 47 of the 64 stretches: a slot is a CRC,
 * and the CRCs of letters and digits lie close together.
 */
import { assert } from '../assert.js'
import { shardCount, shardTags } from '../codec/store-key.js'

/** Slots of a cluster: what Redis fixes. */
export const slotCount = 16_384

/** By shard, the slot of its keys. */
const slots = Uint16Array.from(shardTags, (tag) => slotOf(Uint8Array.of(tag)))

/** The slot of a key that carries the tag `tag`, or of a whole key without one: CRC16 (XMODEM). */
export function slotOf(tag: Uint8Array): number {
  let crc = 0
  for (const byte of tag) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  }
  return (crc & 0xffff) % slotCount
}

/** The slot that all keys of `shard` lie in. */
export function slotOfShard(shard: number): number {
  const slot = slots[shard]
  assert(slot !== undefined, `a shard is below ${shardCount}`)
  return slot
}

/** The shard whose keys lie in `slot`; undefined where none do. */
export function shardOfSlot(slot: number): number | undefined {
  const shard = slots.indexOf(slot)
  return shard === -1 ? undefined : shard
}
