/**
 * The seeds of the key hashes: random, made once by the first migration, and never changed.
 */
export interface HashSeeds {
  /** Of the 128-bit hash that stands for a long key in hot. */
  readonly hotKey: bigint
  /** Of the 8 bytes that a hashed key's row carries, to tell two keys with one hash apart. */
  readonly hotCheck: bigint
  /** Of the 8 bytes before a key in SQL, which spread the load. */
  readonly warmSpread: bigint
}
