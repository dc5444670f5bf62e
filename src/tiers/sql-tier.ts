/**
 * The SQL tier: rows in PostgreSQL or CockroachDB, the durable truth of a deployment.
 *
 * One table, one row per (generation, entity), see migrations/. A read is one statement over all its
 * keys, whatever their views. A write is a sorted upsert per step that only newer versions pass; steps
 * are bounded, because larger statements stall a CockroachDB cluster.
 */

import { assert } from '../assert.js'
import { readRowHeader } from '../codec/row-version.js'
import { encodeWarmKeys, entityKeyOfWarmKey } from '../codec/store-key.js'
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import {
  scanBytesMax,
  scanRowsFirst,
  scanRowsMax,
  sqlStatementBytesMax,
  sqlStatementRowsMax,
} from '../limits.js'
import { failSlots, throwIfAborted } from './abortable.js'
import { formAt, generationAt, type KeyBatch } from './key-batch.js'
import { concatGenerationKeys } from './key-concat.js'
import type { RowBatch, TierCode } from './row-batch.js'
import { allIndices, assertRows, keepMsOfWrite, planSteps, rowOfWrite } from './row-writes.js'
import { encodeBytesArray, encodeInt8Array, encodeTimestampArray } from './sql-array.js'
import { rowStatements, type SqlDialect } from './sql-dialect.js'
import type { SqlPool, SqlStatement } from './sql-pool.js'
import { bytesOf, signedOf } from './sql-value.js'
import type { RowWrites, ScannedRows, Tier, TierStats, WriteResult } from './tier.js'

export interface SqlTierOptions {
  readonly pool: SqlPool
  readonly dialect: SqlDialect
  readonly seeds: HashSeeds
  readonly serverVersion: string
  /** Why the server's commits are not durable; empty where they are. */
  readonly durabilityFindings: readonly string[]
}

/** A write's row indices in the order of the table, and their keys by row index. */
interface SortedWrites {
  readonly order: Uint32Array
  readonly warmKeys: readonly Buffer[]
}

export class SqlTier implements Tier {
  readonly kind: SqlDialect['name']
  readonly displayUrl: string
  readonly durable: boolean
  readonly #pool: SqlPool
  readonly #dialect: SqlDialect
  readonly #seeds: HashSeeds
  readonly #serverVersion: string
  readonly #durabilityFindings: readonly string[]

  constructor(options: SqlTierOptions) {
    this.kind = options.dialect.name
    this.displayUrl = options.pool.displayUrl
    this.durable = options.durabilityFindings.length === 0
    this.#pool = options.pool
    this.#dialect = options.dialect
    this.#seeds = options.seeds
    this.#serverVersion = options.serverVersion
    this.#durabilityFindings = options.durabilityFindings
  }

  async read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    if (slots.length === 0) return undefined
    try {
      const { rows } = await this.#pool.run(this.#readStatement(keys, slots), signal)
      for (const slot of slots) into.setAbsent(slot, from)
      for (const [slot, row] of rows) into.setRow(Number(slot), bytesOf(row), from)
      return undefined
    } catch (thrown) {
      failSlots(into, slots, from)
      return LarderError.from(thrown)
    }
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    throwIfAborted(signal)
    assertRows(writes)
    const sorted = this.#sort(writes.keys)
    const bounds = { rowsMax: sqlStatementRowsMax, bytesMax: sqlStatementBytesMax }
    let storedCount = 0
    for (const step of planSteps(writes, sorted.order, bounds)) {
      const { rowCount } = await this.#pool.run(this.#writeStatement(writes, sorted, step), signal)
      storedCount += rowCount
    }
    return { storedCount }
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    const { order, warmKeys } = this.#sort(keys)
    for (let start = 0; start < order.length; start += sqlStatementRowsMax) {
      const step = order.subarray(start, start + sqlStatementRowsMax)
      const values = keyArrays(keys, step, keysAt(warmKeys, step))
      await this.#pool.run({ name: 'rows-remove', text: rowStatements.remove, values }, signal)
    }
  }

  async *scan(generation: number, signal: AbortSignal): AsyncGenerator<ScannedRows> {
    let after: Buffer = Buffer.alloc(0)
    let rowsMax = scanRowsFirst
    for (;;) {
      const values = [generation, after, rowsMax]
      const { rows } = await this.#pool.run({ text: rowStatements.scan, values }, signal)
      const page = rows.map(([key, row]) => ({ warmKey: bytesOf(key), row: bytesOf(row) }))
      const last = page.at(-1)
      if (last === undefined) return
      const keys = page.map(({ warmKey }) => ({ generation, key: entityKeyOfWarmKey(warmKey) }))
      yield { keys: concatGenerationKeys(keys), rows: page.map(({ row }) => row) }
      const pageBytes = page.reduce((sum, { row }) => sum + row.byteLength, 1)
      rowsMax = Math.ceil(Math.min(scanRowsMax, (scanBytesMax * page.length) / pageBytes))
      after = last.warmKey
    }
  }

  async reclaim(signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    if (this.#dialect.reclaim === undefined) return 0
    const values = [new Date(this.#pool.clock.nowMs()).toISOString()]
    return (await this.#pool.run({ text: this.#dialect.reclaim, values }, signal)).rowCount
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#pool.run({ text: 'SELECT 1' }, signal)
  }

  async stats(signal: AbortSignal): Promise<TierStats> {
    const text = this.#dialect.stats
    const found = text === undefined ? undefined : await this.#pool.run({ text }, signal)
    const [rowCount = Number.NaN, storedBytes = Number.NaN] = (found?.rows[0] ?? []).map(Number)
    return {
      serverVersion: this.#serverVersion,
      // PostgreSQL says -1 until it has analysed the table.
      rowCount: rowCount >= 0 ? rowCount : undefined,
      storedBytes: storedBytes >= 0 ? storedBytes : undefined,
      findings: this.#durabilityFindings,
    }
  }

  /** Closes the connections, which the registry store shares. */
  async close(): Promise<void> {
    await this.#pool.close()
  }

  #readStatement(keys: KeyBatch, slots: Uint32Array): SqlStatement {
    const warmKeys = encodeWarmKeys(keys, slots, this.#seeds)
    const slotValues = encodeInt8Array(Array.from(slots, BigInt))
    const values = [...keyArrays(keys, slots, warmKeys), slotValues]
    return { name: 'rows-read', text: rowStatements.read, values }
  }

  #writeStatement(writes: RowWrites, sorted: SortedWrites, step: Uint32Array): SqlStatement {
    const nowMs = this.#pool.clock.nowMs()
    const indices = Array.from(step)
    const rows = indices.map((index) => rowOfWrite(writes, index))
    const headers = indices.map((index) =>
      readRowHeader(rowOfWrite(writes, index), formAt(writes.keys, index).versions),
    )
    const values = [
      ...keyArrays(writes.keys, step, keysAt(sorted.warmKeys, step)),
      encodeInt8Array(headers.map(({ eventTimeUs }) => eventTimeUs)),
      encodeInt8Array(headers.map(({ sequence }) => signedOf(sequence))),
      encodeTimestampArray(indices.map((index) => nowMs + keepMsOfWrite(writes, index))),
      encodeBytesArray(rows),
    ]
    return { name: 'rows-write', text: rowStatements.write, values }
  }

  /** Sorted writes take their locks in one order, so that writers at once never deadlock. */
  #sort(keys: KeyBatch): SortedWrites {
    const warmKeys = encodeWarmKeys(keys, allIndices(keys.count), this.#seeds)
    const order = allIndices(keys.count).sort((a, b) => {
      const byGeneration = generationAt(keys, a) - generationAt(keys, b)
      return byGeneration !== 0
        ? byGeneration
        : Buffer.compare(keyAt(warmKeys, a), keyAt(warmKeys, b))
    })
    return { order, warmKeys }
  }
}

/** Generations and keys of `indices` as two array parameters; `warmKeys` go with `indices`. */
function keyArrays(
  keys: KeyBatch,
  indices: Uint32Array,
  warmKeys: readonly Buffer[],
): [Buffer, Buffer] {
  const generations = Array.from(indices, (index) => BigInt(generationAt(keys, index)))
  return [encodeInt8Array(generations), encodeBytesArray(warmKeys)]
}

function keyAt(warmKeys: readonly Buffer[], index: number): Buffer {
  const key = warmKeys[index]
  assert(key !== undefined, 'every entity key has a warm key')
  return key
}

function keysAt(warmKeys: readonly Buffer[], indices: Uint32Array): Buffer[] {
  return Array.from(indices, (index) => keyAt(warmKeys, index))
}
