/**
 * Store keys: what an entity key becomes in a tier.
 *
 *   hot, raw     01 | generation varint | entity key
 *   hot, hashed  02 | generation varint | XXH3-128 of the entity key, 16 bytes big-endian
 *   warm (SQL)   XXH3-64 of the entity key, 8 bytes big-endian | entity key
 *
 * Memory in hot is dear, so that long keys are hashed there; the row of a hashed key carries 8 more
 * bytes, its check, which the hot tier compares on read (another check = absent). Warm keeps the
 * raw key, for scans and partial deletes. `docs/formats/row-v1.md` has golden vectors. Must never
 * be changed: stored rows would be lost to their keys.
 */
import xxhash from 'xxhash-addon'
import { assert } from '../assert.js'
import type { HashSeeds } from '../hash-seeds.js'
import { hotRawKeyBytesMax } from '../limits.js'
import { loadAddon, type NativeStoreKeys } from '../native.js'

/** Entity keys in one blob, as a tier's `KeyBatch` holds them. */
export interface EntityKeys {
  readonly generations: Float64Array
  readonly bytes: Uint8Array
  /** One more than there are keys: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: Uint32Array
}

export interface HotKeys {
  /** One per slot; views of one blob. */
  readonly keys: Buffer[]
  /** For a hashed key the 8 bytes that stand before its row in hot. */
  readonly checks: (Uint8Array | undefined)[]
}

/** Bytes of a hashed key's check. */
export const keyCheckBytes = 8
const warmSpreadBytes = 8

/** The hot keys of the entity keys in `slots`, in the order of `slots`. */
export function encodeHotKeys(keys: EntityKeys, slots: Uint32Array, seeds: HashSeeds): HotKeys {
  const encoded = loadAddon().encodeHotKeys(
    keys.generations,
    keys.bytes,
    keys.offsets,
    slots,
    hotRawKeyBytesMax,
    seeds.hotKey,
    seeds.hotCheck,
  )
  const checks = Array.from(encoded.isHashed, (isHashed, index) => {
    const start = index * keyCheckBytes
    return isHashed === 1 ? encoded.checks.subarray(start, start + keyCheckBytes) : undefined
  })
  return { keys: splitKeys(encoded), checks }
}

/** The SQL keys of the entity keys in `slots`, in the order of `slots`; views of one blob. */
export function encodeWarmKeys(keys: EntityKeys, slots: Uint32Array, seeds: HashSeeds): Buffer[] {
  return splitKeys(
    loadAddon().encodeWarmKeys(keys.generations, keys.bytes, keys.offsets, slots, seeds.warmSpread),
  )
}

/** The entity key in a warm key: a view, not a copy. */
export function entityKeyOfWarmKey(warmKey: Uint8Array): Uint8Array {
  assert(warmKey.byteLength >= warmSpreadBytes, 'a warm key starts with its spreading hash')
  return warmKey.subarray(warmSpreadBytes)
}

/** XXH3-64 of `bytes`: what definitions are told apart by. */
export function fingerprint(bytes: Uint8Array): bigint {
  // xxhash-addon crashes the process on anything but a Buffer.
  return xxhash.XXHash3.hash(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ).readBigUInt64BE()
}

function splitKeys(encoded: NativeStoreKeys): Buffer[] {
  const keys: Buffer[] = new Array(encoded.offsets.length - 1)
  for (let index = 0; index < keys.length; index++) {
    keys[index] = encoded.bytes.subarray(encoded.offsets[index], encoded.offsets[index + 1])
  }
  return keys
}
