/**
 * Store keys: what an entity key becomes in a tier.
 *
 *   hot, raw     01 | generation varint | entity key
 *   hot, hashed  02 | generation varint | XXH3-128 of the entity key, 16 bytes big-endian
 *   hot, bucket  03, or 04 for rows of hashed keys | generation varint | bucket number, 4 bytes
 *                big-endian; in it a field per row, named by the entity key or its XXH3-128
 *   warm (SQL)   XXH3-64 of the entity key, 8 bytes big-endian | entity key
 *
 * Memory in hot is dear, so that long keys are hashed there; the row of a hashed key carries 8 more
 * bytes, its check, which the hot tier compares on read (another check = absent). A bucket's number is
 * the share of XXH3-64 of the entity key in 2^64, of as many shares as there are buckets. In a cluster
 * `{x}` stands before hot keys, x one of `shardTags`: of a row with its own key by the same hash, of a
 * bucket by its number plus its generation, modulo 64. Warm keeps the
 * raw key, for scans and partial deletes. `docs/formats/row-v1.md` has golden vectors. Must never
 * be changed: stored rows would be lost to their keys.
 */
import xxhash from 'xxhash-addon'
import { assert } from '../assert.js'
import type { HashSeeds } from '../hash-seeds.js'
import { hotRawKeyBytesMax } from '../limits.js'
import { loadAddon, type NativeBlob } from '../native.js'
import type { NativeHotPlaces } from '../native-store-key.js'

/** Entity keys in one blob, as a tier's `KeyBatch` holds them. */
export interface EntityKeys {
  readonly generations: Float64Array
  readonly bytes: Uint8Array
  /** One more than there are keys: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: Uint32Array
}

/** In a cluster, groups of rows that may lie on as many servers. */
export const shardCount = 64
/** By shard, the byte that tags its keys; `tiers/redis-shards.ts` says why these. */
export const shardTags: Uint8Array = Buffer.from(
  '89819890222a333b40485159626a73f288809991232b323a41495058636b727a' +
    '8b839a9224283139424a535b606871798a829b9321293038434b525a61697078',
  'hex',
)

export interface HotPlacing {
  /** For each generation of the keys two numbers: itself, and its bucket count or 0. */
  readonly packings: Float64Array
  readonly seeds: HashSeeds
  readonly isSharded: boolean
}

/** Bytes of a hashed key's check. */
export const keyCheckBytes = 8
const warmSpreadBytes = 8

/** Where in Redis the rows of the entity keys in `slots` lie, in the order of `slots`. */
export function placeHotRows(
  keys: EntityKeys,
  slots: Uint32Array,
  { packings, seeds, isSharded }: HotPlacing,
): NativeHotPlaces {
  return loadAddon().placeHotRows(
    keys.generations,
    keys.bytes,
    keys.offsets,
    slots,
    packings,
    hotRawKeyBytesMax,
    seeds.hotKey,
    seeds.hotCheck,
    isSharded,
  )
}

/** The bucket of each key; in their order a load writes each bucket once. `seed` is `hotKey`. */
export function bucketOf(
  keys: Pick<EntityKeys, 'bytes' | 'offsets'>,
  bucketCount: number,
  seed: bigint,
): Uint32Array {
  return loadAddon().bucketsOf(keys.bytes, keys.offsets, bucketCount, seed)
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

function splitKeys(encoded: NativeBlob): Buffer[] {
  const keys: Buffer[] = new Array(encoded.offsets.length - 1)
  for (let index = 0; index < keys.length; index++) {
    keys[index] = encoded.bytes.subarray(encoded.offsets[index], encoded.offsets[index + 1])
  }
  return keys
}
