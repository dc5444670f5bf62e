/**
 * The memory tier: rows in this process, under a bound on bytes.
 *
 * A map from entity key to stored row for each generation. When the bound is reached, a write reclaims
 * what is past its expiry and, where that is not enough, fails with `hot_out_of_memory`: it never
 * evicts a live row by itself. Nothing survives the process, and nothing is shared with another one.
 */
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { memoryReclaimExaminedMax, memoryRowOverheadBytes, scanRowsMax } from '../limits.js'
import { abortError, failSlots } from './abortable.js'
import { formAt, type GenerationKeys, generationAt, type KeyBatch } from './key-batch.js'
import { concatGenerationKeys } from './key-concat.js'
import type { RowBatch, TierCode } from './row-batch.js'
import { assertRows, keepMsOfWrite, rowOfWrite } from './row-writes.js'
import { expiryBytes, isExpired, rowOfStored, supersedes, writeStoredRow } from './stored-row.js'
import type { RowWrites, ScannedRows, Tier, TierStats, WriteResult } from './tier.js'

/** Stored rows of one generation, by entity key in latin1: one character per byte. */
type Generation = Map<string, Uint8Array>

export interface MemoryTierOptions {
  readonly bytesMax: number
  readonly displayUrl: string
  readonly clock: Clock
}

export class MemoryTier implements Tier {
  readonly kind = 'memory'
  readonly displayUrl: string
  readonly durable = false
  readonly #bytesMax: number
  readonly #clock: Clock
  readonly #generations = new Map<number, Generation>()
  #usedBytes = 0
  #rowCount = 0
  #closed = false
  /** Where the next reclaim goes on. */
  #sweep: Iterator<[Generation, string]> | undefined

  constructor({ bytesMax, displayUrl, clock }: MemoryTierOptions) {
    this.displayUrl = displayUrl
    this.#bytesMax = bytesMax
    this.#clock = clock
  }

  async read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    const failure = this.#refusal(signal)
    if (failure !== undefined) {
      failSlots(into, slots, from)
      return failure
    }
    const keyText = keyTexts(keys)
    for (const slot of slots) {
      const stored = this.#generations.get(generationAt(keys, slot))?.get(keyText(slot))
      if (stored === undefined) into.setAbsent(slot, from)
      else into.setRow(slot, stored, from, expiryBytes)
    }
    return undefined
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    this.#check(signal)
    assertRows(writes)
    const nowMs = this.#clock.nowMs()
    const keyText = keyTexts(writes.keys)
    let storedCount = 0
    for (let index = 0; index < writes.keys.count; index++) {
      const row = rowOfWrite(writes, index)
      const generation = this.#generation(generationAt(writes.keys, index))
      const key = keyText(index)
      const stored = generation.get(key)
      if (!supersedes(row, stored, formAt(writes.keys, index).versions)) continue
      this.#reserve(rowCost(key, expiryBytes + row.byteLength) - costOf(key, stored))
      const block = Buffer.from(new ArrayBuffer(expiryBytes + row.byteLength))
      writeStoredRow(block, row, nowMs + keepMsOfWrite(writes, index))
      this.#put(generation, key, block)
      storedCount++
    }
    return { storedCount }
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    this.#check(signal)
    const keyText = keyTexts(keys)
    for (let index = 0; index < keys.count; index++) {
      const generation = this.#generations.get(generationAt(keys, index))
      if (generation !== undefined) this.#delete(generation, keyText(index))
    }
  }

  async *scan(generation: number, signal: AbortSignal): AsyncGenerator<ScannedRows> {
    const rows = this.#generations.get(generation)?.entries() ?? [].values()
    let page: [Buffer, Uint8Array][] = []
    for (const [key, stored] of rows) {
      this.#check(signal)
      page.push([Buffer.from(key, 'latin1'), rowOfStored(stored)])
      if (page.length < scanRowsMax) continue
      yield scannedPage(generation, page)
      page = []
    }
    if (page.length > 0) yield scannedPage(generation, page)
  }

  async reclaim(signal: AbortSignal): Promise<number> {
    this.#check(signal)
    return this.#reclaimStep()
  }

  async ping(signal: AbortSignal): Promise<void> {
    this.#check(signal)
  }

  async stats(signal: AbortSignal): Promise<TierStats> {
    this.#check(signal)
    return {
      serverVersion: `memory of node ${process.versions.node}`,
      rowCount: this.#rowCount,
      storedBytes: this.#usedBytes,
      findings: [],
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#generations.clear()
    this.#usedBytes = 0
    this.#rowCount = 0
  }

  #check(signal: AbortSignal): void {
    const failure = this.#refusal(signal)
    if (failure !== undefined) throw failure
  }

  /** Why a call cannot be served, if it cannot. */
  #refusal(signal: AbortSignal): LarderError | undefined {
    if (signal.aborted) return abortError(signal)
    return this.#closed ? new LarderError('unavailable', `${this.displayUrl} is closed`) : undefined
  }

  #generation(number: number): Generation {
    const known = this.#generations.get(number)
    if (known !== undefined) return known
    const created: Generation = new Map()
    this.#generations.set(number, created)
    return created
  }

  /** Makes room for `addedBytes` or throws. */
  #reserve(addedBytes: number): void {
    if (this.#usedBytes + addedBytes <= this.#bytesMax) return
    this.#reclaimStep()
    if (this.#usedBytes + addedBytes <= this.#bytesMax) return
    throw new LarderError(
      'hot_out_of_memory',
      `${this.displayUrl} is full: ${this.#usedBytes} of ${this.#bytesMax} bytes used; raise max_bytes or move views to the class relaxed`,
      { details: { usedBytes: this.#usedBytes, bytesMax: this.#bytesMax } },
    )
  }

  /** Replaces in place: a key deleted and set again would come twice to a scan under way. */
  #put(generation: Generation, key: string, block: Uint8Array): void {
    const replaced = generation.get(key)
    generation.set(key, block)
    this.#usedBytes += costOf(key, block) - costOf(key, replaced)
    if (replaced === undefined) this.#rowCount++
  }

  #delete(generation: Generation, key: string): void {
    const stored = generation.get(key)
    if (stored === undefined) return
    generation.delete(key)
    this.#usedBytes -= costOf(key, stored)
    this.#rowCount--
  }

  #reclaimStep(): number {
    const nowMs = this.#clock.nowMs()
    let removedCount = 0
    for (let examined = 0; examined < memoryReclaimExaminedMax; examined++) {
      this.#sweep ??= this.#allRows()
      const next = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = undefined
        break
      }
      const [generation, key] = next.value
      const stored = generation.get(key)
      if (stored === undefined || !isExpired(stored, nowMs)) continue
      this.#delete(generation, key)
      removedCount++
    }
    return removedCount
  }

  /** Every row's place, once a pass; a map's iterator stays valid while the map changes. */
  *#allRows(): Generator<[Generation, string]> {
    for (const generation of this.#generations.values()) {
      for (const key of generation.keys()) yield [generation, key]
    }
  }
}

function rowCost(key: string, blockBytes: number): number {
  return memoryRowOverheadBytes + key.length + blockBytes
}

function costOf(key: string, block: Uint8Array | undefined): number {
  return block === undefined ? 0 : rowCost(key, block.byteLength)
}

/** The map keys of a batch. */
function keyTexts(keys: GenerationKeys): (index: number) => string {
  const bytes = Buffer.from(keys.bytes.buffer, keys.bytes.byteOffset, keys.bytes.byteLength)
  return (index) => bytes.toString('latin1', keys.offsets[index], keys.offsets[index + 1])
}

function scannedPage(generation: number, page: readonly [Buffer, Uint8Array][]): ScannedRows {
  return {
    keys: concatGenerationKeys(page.map(([key]) => ({ generation, key }))),
    rows: page.map(([, row]) => row),
  }
}
