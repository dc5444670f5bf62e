/**
 * What a row costs in Redis' memory, by packing: a model of its allocations. Pure.
 *
 * Of Redis 6.2 to 7.x with jemalloc's usual size classes, which step by 16 bytes up to 128 and then four
 * to each doubling, and of hashes that stay listpacks (see `listpack-limits.ts`). Builds with classes of
 * 8 bytes take about 8 bytes less per key. `bench redis-memory` prints it beside what is measured.
 */
import { keyCheckBytes } from '../codec/store-key.js'
import { hotRawKeyBytesMax, rowsPerBucketTarget } from '../limits.js'
import type { Packing } from '../packing.js'
import { bucketExpiryBytes } from './redis-scripts.js'

export interface RedisRowUse {
  readonly packing: Packing['kind']
  /** Of the entity key alone; a mean is fine. */
  readonly keyBytes: number
  /** Of the encoded row, header included; a mean is fine. */
  readonly rowBytes: number
  /** True where keys have an expiry, as all that Larder writes have. */
  readonly expires: boolean
  /** On average; for `bucket`. */
  readonly rowsPerBucket?: number
}

/** An entry of a table of keys: three pointers. */
const entryBytes = sizeClassOf(24)
/** What a table has for each entry: 8 to 16 bytes, as it doubles; 8 / ln 2 on average. */
const slotBytes = 8 / Math.LN2
/** The object that a key leads to. */
const objectBytes = sizeClassOf(16)
/** Up to here a string lies in one allocation with its object. */
const embeddedBytesMax = 44
/** Flag and generation, which is below 128 in most registries. */
const keyPrefixBytes = 2
const bucketKeyBytes = keyPrefixBytes + 4
const hashedKeyBytes = 16
/** Byte count and element count at a listpack's start, and its end mark. */
const listpackBytes = 7

/** Bytes of Redis' memory (`used_memory`) for each row. */
export function redisFootprint(use: RedisRowUse): number {
  const isHashed = use.keyBytes > hotRawKeyBytesMax
  const nameBytes = isHashed ? hashedKeyBytes : use.keyBytes
  const valueBytes = use.rowBytes + (isHashed ? keyCheckBytes : 0)
  if (use.packing === 'string') {
    const keyBytes = keyCost(keyPrefixBytes + nameBytes, use.expires)
    return keyBytes + betweenWhole(valueBytes, stringCost)
  }
  const rowBytes = elementBytes(nameBytes) + elementBytes(bucketExpiryBytes + valueBytes)
  const bucketCost = (rowCount: number) =>
    keyCost(bucketKeyBytes, use.expires) +
    objectBytes +
    sizeClassOf(Math.ceil(listpackBytes + rowCount * rowBytes))
  return meanCostPerRow(use.rowsPerBucket ?? rowsPerBucketTarget, bucketCost)
}

/** The class of jemalloc that an allocation of `bytes`, a whole number, is rounded up to. */
export function sizeClassOf(bytes: number): number {
  if (bytes <= 8) return 8
  const spacing = bytes <= 128 ? 16 : 2 ** (Math.floor(Math.log2(bytes - 1)) - 2)
  return Math.ceil(bytes / spacing) * spacing
}

/** Of a key's entry, its text, and its entry in the table of expiries. */
function keyCost(keyBytes: number, expires: boolean): number {
  const tableBytes = entryBytes + slotBytes
  return tableBytes + sizeClassOf(textBytes(Math.ceil(keyBytes))) + (expires ? tableBytes : 0)
}

/** Of a value with its object. */
function stringCost(valueBytes: number): number {
  if (valueBytes <= embeddedBytesMax) return sizeClassOf(16 + 4 + valueBytes)
  return objectBytes + sizeClassOf(textBytes(valueBytes))
}

/** A text has a header, by its length, and a byte behind it. */
function textBytes(bytes: number): number {
  if (bytes < 32) return bytes + 2
  if (bytes < 256) return bytes + 4
  return bytes + (bytes < 65_536 ? 6 : 10)
}

/** An element of a listpack has its length before and behind it. */
function elementBytes(bytes: number): number {
  const lengthBytes = bytes < 64 ? 1 : bytes < 4096 ? 2 : 5
  const whole = lengthBytes + bytes
  return whole + (whole < 128 ? 1 : whole < 16_384 ? 2 : 3)
}

/** `cost` at a mean of whole numbers: between those at its two neighbours. */
function betweenWhole(mean: number, cost: (whole: number) => number): number {
  const low = Math.floor(mean)
  return cost(low) + (mean - low) * (cost(low + 1) - cost(low))
}

/** Keys fall into buckets at random: their rows' count is Poisson-distributed. */
function meanCostPerRow(meanRowCount: number, costOf: (rowCount: number) => number): number {
  const countMax = Math.ceil(meanRowCount + 10 * Math.sqrt(meanRowCount) + 10)
  let logShare = -meanRowCount
  let cost = 0
  for (let rowCount = 1; rowCount <= countMax; rowCount++) {
    logShare += Math.log(meanRowCount / rowCount)
    cost += Math.exp(logShare) * costOf(rowCount)
  }
  return cost / meanRowCount
}
