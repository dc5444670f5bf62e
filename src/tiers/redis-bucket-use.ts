/**
 * What a tier wrote into buckets, and whether the server's listpack limits let that pay.
 *
 * A hash is a listpack, which is what makes buckets small, only up to a count of entries and a length
 * of each value; beyond either Redis makes it a hash table, which takes two to three times the memory.
 */
import { keyCheckBytes } from '../codec/store-key.js'
import { hotRawKeyBytesMax, rowsPerBucketTarget } from '../limits.js'
import { entityKeyAt, formAt } from './key-batch.js'
import { isArrayReply, type RedisReply } from './redis-connection.js'
import { bucketExpiryBytes } from './redis-scripts.js'
import { rowOfWrite } from './row-writes.js'
import type { RowWrites } from './tier.js'

/** Entries of a hash and bytes of each value up to which Redis keeps it as a listpack. */
export interface ListpackLimits {
  readonly entriesMax: number
  readonly valueBytesMax: number
}

/** The limits by the names that `CONFIG GET hash-max-*` has; until Redis 7 they were the ziplist's. */
const limitNames = {
  entriesMax: ['hash-max-listpack-entries', 'hash-max-ziplist-entries'],
  valueBytesMax: ['hash-max-listpack-value', 'hash-max-ziplist-value'],
} as const

/** The arguments of the CONFIG that tells the limits. */
export const listpackConfigArgs = ['get', 'hash-max-*'] as const

/** The limits in a reply to CONFIG; undefined where it was refused, or does not tell them. */
export function parseListpackLimits(reply: RedisReply | Error): ListpackLimits | undefined {
  if (reply instanceof Error || !isArrayReply(reply)) return undefined
  const texts = reply.map(String)
  const limitOf = (names: readonly string[]) => {
    const index = texts.findIndex((text, at) => at % 2 === 0 && names.includes(text))
    return index < 0 ? Number.NaN : Number(texts[index + 1])
  }
  const entriesMax = limitOf(limitNames.entriesMax)
  const valueBytesMax = limitOf(limitNames.valueBytesMax)
  return Number.isNaN(entriesMax + valueBytesMax) ? undefined : { entriesMax, valueBytesMax }
}

/** Few buckets have so many rows more than the average. */
const rowsPerBucketUsualMax = rowsPerBucketTarget * 1.5

/** Counts rows written into buckets, by the length of their values. */
export class RedisBucketUse {
  /** In class c values of more than 2^(c-1) and up to 2^c bytes. */
  readonly #countsByClass = new Float64Array(33)
  #rowCount = 0

  note(writes: RowWrites): void {
    for (let index = 0; index < writes.keys.count; index++) {
      if (formAt(writes.keys, index).packing.kind !== 'bucket') continue
      const isHashed = entityKeyAt(writes.keys, index).byteLength > hotRawKeyBytesMax
      const checkBytes = isHashed ? keyCheckBytes : 0
      const valueBytes = bucketExpiryBytes + checkBytes + rowOfWrite(writes, index).byteLength
      const valueClass = 32 - Math.clz32(valueBytes - 1)
      this.#countsByClass[valueClass] = (this.#countsByClass[valueClass] ?? 0) + 1
      this.#rowCount++
    }
  }

  /** True where there is a reason to ask for the limits. */
  get isUsed(): boolean {
    return this.#rowCount > 0
  }

  /** Why buckets save less than they could; `limits` undefined where the server does not tell. */
  findings(limits: ListpackLimits | undefined): string[] {
    if (!this.isUsed) return []
    if (limits === undefined) {
      return [
        'the listpack limits could not be read (CONFIG GET is refused): see that ' +
          'hash-max-listpack-value is above the longest rows of views with packing bucket, ' +
          `and hash-max-listpack-entries at least ${rowsPerBucketUsualMax}`,
      ]
    }
    const findings: string[] = []
    if (limits.entriesMax < rowsPerBucketUsualMax) {
      findings.push(
        `hash-max-listpack-entries is ${limits.entriesMax}, and buckets hold about ` +
          `${rowsPerBucketTarget} rows: they become hash tables, which are larger than keys of ` +
          `their own; set it to at least ${rowsPerBucketUsualMax}`,
      )
    }
    const longCount = this.#longerThan(limits.valueBytesMax)
    if (longCount > 0) {
      findings.push(
        `hash-max-listpack-value is ${limits.valueBytesMax} bytes, and ${longCount} of ` +
          `${this.#rowCount} rows written into buckets are longer: one such row makes its bucket ` +
          'a hash table; raise the limit, or give the view packing: string',
      )
    }
    return findings
  }

  /** Rows that are longer for certain: those of a class are counted where all of it is. */
  #longerThan(bytes: number): number {
    let count = 0
    for (const [valueClass, classCount] of this.#countsByClass.entries()) {
      if (2 ** (valueClass - 1) >= bytes) count += classCount
    }
    return count
  }
}
