/**
 * What a row cannot go below in Redis: the key's overhead, computed, and the entropy of the row, without
 * what the allocator rounds a value up by.
 *
 * Of a string: an entry of the table of keys, the key, the table's place, the value's object and header;
 * with expiry an entry and a place in the table of expiries. Of a bucket: the listpack's bytes around
 * field and value, the row's expiry, and its share of the bucket's own key. Measured parts are those of
 * Redis 7.0 with Debian's jemalloc, whose least classes are 8, then steps of 16 bytes.
 */
import { rowsPerBucketTarget } from '../dist/limits.js'

const entryBytes = 32
const objectBytes = 16
const placeBytes = 8
/** Header and final zero of a key, and of a value. */
const keyHeaderBytes = 2
const valueHeaderBytes = 4
/** A key's flag and generation; a bucket's key ends in its number, at most 4 bytes more. */
const keyPrefixBytes = 2
const bucketKeyBytes = 6
const listpackHeaderBytes = 7
const rowExpiryBytes = 3

/** Bytes per row of `data` as NAME: `string`, `bucket`, or these with `_expiry`. */
export function floorBytes(name, { keyColumns, rowCount, entropy }) {
  const [kind, expiry] = name.split('_')
  const keyBytes = keyColumns[0].reduce((sum, key) => sum + key.length, 0) / rowCount
  const rowBytes = entropy.columnBytes + entropy.eventTimeBytes
  if (kind === 'string') {
    return redisKeyBytes(keyPrefixBytes + keyBytes, rowCount, expiry) + valueHeaderBytes + rowBytes
  }
  const bucketCount = Math.ceil(rowCount / rowsPerBucketTarget)
  const perBucket = redisKeyBytes(bucketKeyBytes, bucketCount, expiry) + listpackHeaderBytes
  const value = rowExpiryBytes + rowBytes
  return (
    perBucket * (bucketCount / rowCount) + listpackEntryBytes(keyBytes) + listpackEntryBytes(value)
  )
}

/** A key of Redis without its value's bytes. */
function redisKeyBytes(keyBytes, keyCount, expiry) {
  const place = (placeBytes * 2 ** Math.ceil(Math.log2(keyCount))) / keyCount
  const key = entryBytes + place + 16 * Math.ceil((keyBytes + keyHeaderBytes) / 16) + objectBytes
  return key + (expiry === undefined ? 0 : entryBytes + place)
}

/** A string in a listpack: its length before it, and all of it once more behind it, to be read backwards. */
function listpackEntryBytes(byteCount) {
  const before = byteCount < 64 ? 1 : 2
  const behind = byteCount + before <= 127 ? 1 : 2
  return before + byteCount + behind
}
