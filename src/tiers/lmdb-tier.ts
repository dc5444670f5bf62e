/**
 * The LMDB tier: rows in a memory-mapped file on this machine, fsynced.
 *
 *   key    generation, 8 bytes big-endian | entity key, so that a generation lies together, sorted
 *   value  stored row (see stored-row.ts): expiry, 6 bytes | row
 *
 * Reads are synchronous look-ups in mapped memory, cheaper than any hand-over to another thread.
 * Writes compare and put inside one transaction per step, which sorted keys make three to five times
 * faster. Keys are checked before LMDB sees them: refusals by LMDB itself have crashed the process.
 */
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import {
  entityKeyBytesMax,
  lmdbReclaimExaminedMax,
  lmdbTransactionBytesMax,
  lmdbTransactionRowsMax,
  scanBytesMax,
  scanRowsMax,
} from '../limits.js'
import { abortError, failSlots, throwIfAborted } from './abortable.js'
import { entityKeyAt, formAt, generationAt, type KeyBatch } from './key-batch.js'
import { concatGenerationKeys } from './key-concat.js'
import { commitFlushed, type LmdbStore, unavailable } from './lmdb-store.js'
import type { RowBatch, TierCode } from './row-batch.js'
import { allIndices, assertRows, keepMsOfWrite, planSteps, rowOfWrite } from './row-writes.js'
import { expiryBytes, isExpired, rowOfStored, supersedes, writeStoredRow } from './stored-row.js'
import type { RowWrites, ScannedRows, Tier, TierStats, WriteResult } from './tier.js'

const generationBytes = 8
const keyBytesMax = generationBytes + entityKeyBytesMax

export interface LmdbTierOptions {
  readonly store: LmdbStore
  readonly clock: Clock
}

export class LmdbTier implements Tier {
  readonly kind = 'lmdb'
  readonly displayUrl: string
  readonly durable = true
  readonly #store: LmdbStore
  readonly #clock: Clock
  /** The key before which the last reclaim stopped; undefined at the start of a pass. */
  #sweptTo: Uint8Array | undefined

  constructor({ store, clock }: LmdbTierOptions) {
    this.displayUrl = store.displayUrl
    this.#store = store
    this.#clock = clock
  }

  async read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    if (signal.aborted) {
      failSlots(into, slots, from)
      return abortError(signal)
    }
    try {
      const rowKey = createRowKey(keys)
      for (const slot of slots) {
        const stored = this.#storedAt(rowKey(slot))
        if (stored === undefined) into.setAbsent(slot, from)
        else into.setRow(slot, stored, from, expiryBytes)
      }
      return undefined
    } catch (thrown) {
      failSlots(into, slots, from)
      return unavailable(this.#store, thrown)
    }
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    throwIfAborted(signal)
    assertRows(writes)
    checkKeyBytes(writes.keys)
    const bounds = { rowsMax: lmdbTransactionRowsMax, bytesMax: lmdbTransactionBytesMax }
    let storedCount = 0
    for (const step of planSteps(writes, sortedIndices(writes.keys), bounds)) {
      storedCount += await commitFlushed(this.#store, () => this.#putNewer(writes, step), signal)
    }
    return { storedCount }
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    checkKeyBytes(keys)
    const rowKey = createRowKey(keys)
    const removeAll = () => {
      for (let index = 0; index < keys.count; index++) this.#store.rows.removeSync(rowKey(index))
    }
    await commitFlushed(this.#store, removeAll, signal)
  }

  async *scan(generation: number, signal: AbortSignal): AsyncGenerator<ScannedRows> {
    const end = generationStart(generation + 1)
    let start: Uint8Array | undefined = generationStart(generation)
    while (start !== undefined) {
      throwIfAborted(signal)
      const page = this.#scanPage(start, end)
      if (page.keys.length > 0) {
        const keys = page.keys.map((key) => ({ generation, key: key.subarray(generationBytes) }))
        yield { keys: concatGenerationKeys(keys), rows: page.rows }
      }
      start = page.next
    }
  }

  async reclaim(signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    const nowMs = this.#clock.nowMs()
    const { expired, next } = this.#expiredKeys(nowMs)
    this.#sweptTo = next
    if (expired.length === 0) return 0
    // Looked at again inside the transaction: a row may have been written anew since.
    const removeExpired = () => {
      const past = expired.filter((key) => {
        const stored = this.#storedAt(key)
        return stored !== undefined && isExpired(stored, nowMs)
      })
      for (const key of past) this.#store.rows.removeSync(key)
      return past.length
    }
    return commitFlushed(this.#store, removeExpired, signal)
  }

  async ping(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    try {
      this.#storedAt(generationStart(0))
    } catch (thrown) {
      throw unavailable(this.#store, thrown)
    }
  }

  async stats(signal: AbortSignal): Promise<TierStats> {
    throwIfAborted(signal)
    // lmdb types its statistics as an empty object; these are the fields of LMDB's MDB_stat.
    const stats = this.#store.rows.getStats() as Partial<LmdbStatistics>
    const pageCount =
      (stats.treeBranchPageCount ?? 0) + (stats.treeLeafPageCount ?? 0) + (stats.overflowPages ?? 0)
    return {
      serverVersion: 'lmdb 0.9',
      rowCount: stats.entryCount,
      storedBytes: pageCount * (stats.pageSize ?? 0),
      findings: [],
    }
  }

  /** Closes the environment, which the registry store shares. */
  async close(): Promise<void> {
    await this.#store.close()
  }

  /** What is stored under `key`: lmdb's own buffer, overwritten by the next look-up. */
  #storedAt(key: Uint8Array): Uint8Array | undefined {
    const stored = this.#store.rows.getBinaryFast(key)
    // lmdb shortens its buffer by redefining `length`, which the typed array's own methods ignore.
    return stored?.subarray(0, stored.length)
  }

  #putNewer(writes: RowWrites, step: Uint32Array): number {
    const nowMs = this.#clock.nowMs()
    const rowKey = createRowKey(writes.keys)
    let value = Buffer.alloc(0)
    let storedCount = 0
    for (const index of step) {
      const row = rowOfWrite(writes, index)
      const key = rowKey(index)
      if (!supersedes(row, this.#storedAt(key), formAt(writes.keys, index).versions)) continue
      const valueBytes = expiryBytes + row.byteLength
      if (value.byteLength < valueBytes) value = Buffer.allocUnsafeSlow(valueBytes * 2)
      writeStoredRow(value, row, nowMs + keepMsOfWrite(writes, index))
      // Inside a transaction lmdb copies the value before it returns.
      this.#store.rows.putSync(key, value.subarray(0, valueBytes))
      storedCount++
    }
    return storedCount
  }

  /** Up to a page of rows from `start`; `next` is where the following page starts, if there is one. */
  #scanPage(start: Uint8Array, end: Uint8Array) {
    const keys: Uint8Array[] = []
    const rows: Uint8Array[] = []
    let pageBytes = 0
    for (const { key, value } of this.#store.rows.getRange({ start, end })) {
      if (keys.length === scanRowsMax || pageBytes >= scanBytesMax) return { keys, rows, next: key }
      keys.push(key)
      rows.push(rowOfStored(value))
      pageBytes += value.byteLength
    }
    return { keys, rows, next: undefined }
  }

  #expiredKeys(nowMs: number): { expired: Uint8Array[]; next: Uint8Array | undefined } {
    const expired: Uint8Array[] = []
    let examinedCount = 0
    const start = this.#sweptTo ?? generationStart(0)
    for (const { key, value } of this.#store.rows.getRange({ start })) {
      if (examinedCount === lmdbReclaimExaminedMax) return { expired, next: key }
      if (isExpired(value, nowMs)) expired.push(key)
      examinedCount++
    }
    return { expired, next: undefined }
  }
}

interface LmdbStatistics {
  readonly entryCount: number
  readonly pageSize: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

/** The row keys of a batch; each call overwrites the key that the one before returned. */
function createRowKey(keys: KeyBatch): (index: number) => Uint8Array {
  const scratch = Buffer.alloc(keyBytesMax)
  return (index) => {
    const key = entityKeyAt(keys, index)
    if (key.byteLength > entityKeyBytesMax) throw longKey(key.byteLength)
    scratch.writeBigUInt64BE(BigInt(generationAt(keys, index)))
    scratch.set(key, generationBytes)
    return scratch.subarray(0, generationBytes + key.byteLength)
  }
}

function generationStart(generation: number): Uint8Array {
  const key = Buffer.alloc(generationBytes)
  key.writeBigUInt64BE(BigInt(generation))
  return key
}

function checkKeyBytes(keys: KeyBatch): void {
  for (let index = 0; index < keys.count; index++) {
    const keyBytes = entityKeyAt(keys, index).byteLength
    if (keyBytes > entityKeyBytesMax) throw longKey(keyBytes)
  }
}

function longKey(keyBytes: number): LarderError {
  return new LarderError(
    'invalid_argument',
    `an entity key has ${keyBytes} bytes; at most ${entityKeyBytesMax} are allowed`,
  )
}

/** Row indices in the order of their row keys. */
function sortedIndices(keys: KeyBatch): Uint32Array {
  const entityKeys = Array.from({ length: keys.count }, (_, index) => entityKeyAt(keys, index))
  const nothing = new Uint8Array()
  return allIndices(keys.count).sort((a, b) => {
    const byGeneration = generationAt(keys, a) - generationAt(keys, b)
    if (byGeneration !== 0) return byGeneration
    return Buffer.compare(entityKeys[a] ?? nothing, entityKeys[b] ?? nothing)
  })
}
