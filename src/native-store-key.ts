/**
 * Types of the exports of `native/store_key_binding.cc`: store keys, where rows lie in Redis, and
 * commands with many keys. `codec/store-key.ts` and `tiers/redis-command.ts` call them.
 */
import type { NativeBlob } from './native.js'

/**
 * Where the row of each slot lies in Redis. `bytes` and `offsets` are the keys. What no row has is
 * absent.
 */
export interface NativeHotPlaces extends NativeBlob {
  /** 1 where a hash stands for the key. */
  readonly isHashed?: Buffer
  /** 8 bytes per slot, meaningful where hashed. */
  readonly checks?: Buffer
  /**
   * Of rows in buckets the field's name, behind a byte that counts its bytes; that of slot i is
   * `fields[fieldOffsets[i] .. fieldOffsets[i + 1])`.
   */
  readonly fields?: Buffer
  readonly fieldOffsets?: Uint32Array
  /** Absent where nothing is sharded. */
  readonly shards?: Uint32Array
  /** 0 where a row has a key of its own. */
  readonly buckets?: Uint32Array
}

export interface StoreKeyNative {
  /** `packings`: for each generation of the keys two numbers, itself and its bucket count or 0. */
  placeHotRows(
    generations: Float64Array,
    bytes: Uint8Array,
    offsets: Uint32Array,
    slots: Uint32Array,
    packings: Float64Array,
    rawKeyBytesMax: number,
    hotKeySeed: bigint,
    hotCheckSeed: bigint,
    isSharded: boolean,
  ): NativeHotPlaces
  encodeWarmKeys(
    generations: Float64Array,
    bytes: Uint8Array,
    offsets: Uint32Array,
    slots: Uint32Array,
    warmSpreadSeed: bigint,
  ): NativeBlob
  bucketsOf(
    bytes: Uint8Array,
    offsets: Uint32Array,
    bucketCount: number,
    hotKeySeed: bigint,
  ): Uint32Array
  /** `head`: `headCount` arguments in the protocol's form. Then the keys of `picks`, then `tail`. */
  encodeRedisCommand(
    headCount: number,
    head: Uint8Array,
    keys: Uint8Array,
    keyOffsets: Uint32Array,
    picks: Uint32Array,
    tail: readonly Uint8Array[],
  ): Buffer
}
