/**
 * Packings: how the rows of a view lie in Redis. Other tiers have one way only.
 */

/** `string`: one key per row. `bucket`: rows share `bucketCount` hashes, by a hash of their keys. */
export type Packing =
  | { readonly kind: 'string' }
  | { readonly kind: 'bucket'; readonly bucketCount: number }

export const stringPacking: Packing = Object.freeze({ kind: 'string' })
