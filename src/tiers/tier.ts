/**
 * The tier contract: a place rows live.
 *
 * Tiers hold opaque bytes. All a tier knows of a row is the header that `codec/row-version.ts`
 * describes, by which it decides which of two rows is newer; what it must know of a view's layouts for
 * that comes with the keys (`KeyBatch.forms`). `test/contracts/tier.contract.ts` is this
 * file as tests; every implementation passes it on a real server.
 */
import { entityKeyAt, type GenerationKeys, generationAt, type KeyBatch } from './key-batch.js'
import { concatBytes, concatKeys } from './key-concat.js'
import type { ListpackLimits } from './listpack-limits.js'
import type { RowBatch, TierCode } from './row-batch.js'

/** Rows to write: distinct keys, each with its encoded row and how long the tier must keep it. */
export interface RowWrites {
  readonly keys: KeyBatch
  readonly rows: Uint8Array
  /** `keys.count + 1` offsets into `rows`. */
  readonly rowOffsets: Uint32Array
  /**
   * For each row the least time to keep it, in milliseconds on the store's own time, from now. Expiry
   * only reclaims space: it never decides what a reader sees.
   */
  readonly keepMs: Float64Array
}

/** A row for slot `slot` of a key batch. */
export interface SlotWrite {
  readonly slot: number
  readonly row: Uint8Array
  readonly keepMs: number
}

/** The writes that put each of `rows` at its key in `keys`: bytes copied, nothing shared. */
export function writesOf(keys: KeyBatch, rows: readonly SlotWrite[]): RowWrites {
  const { bytes, offsets } = concatBytes(rows.map(({ row }) => row))
  const picked = rows.map(({ slot }) => ({
    generation: generationAt(keys, slot),
    key: entityKeyAt(keys, slot),
  }))
  return {
    keys: concatKeys(picked, keys.forms),
    rows: bytes,
    rowOffsets: offsets,
    keepMs: Float64Array.from(rows, ({ keepMs }) => keepMs),
  }
}

/** What a write did. Rows not stored were superseded: an equal or newer version was there. */
export interface WriteResult {
  /** Rows stored now. Counts low where the tier had to repeat a step whose answer was lost. */
  readonly storedCount: number
}

/** Rows of one generation, in the tier's own order. */
export interface ScannedRows {
  readonly keys: GenerationKeys
  readonly rows: readonly Uint8Array[]
}

export interface TierStats {
  /** The store's own name and version, such as `redis 7.0.15`. */
  readonly serverVersion: string
  /** Rows and bytes as far as the tier can tell cheaply; undefined where it cannot. */
  readonly rowCount: number | undefined
  readonly storedBytes: number | undefined
  /** What an operator should know, such as an eviction policy that loses rows. */
  readonly findings: readonly string[]
  /** Of Redis: `unknown` where a server does not tell them. */
  readonly listpackLimits?: ListpackLimits | 'unknown'
}

export interface Tier {
  /** The URL's scheme without the colon, such as `redis`. */
  readonly kind: string
  /** The URL, without its password, for messages. */
  readonly displayUrl: string
  /** A write that returned is fsynced and survives a crash of the process and the machine. */
  readonly durable: boolean

  /**
   * Reads the keys in `slots` (indices into `keys`, distinct) in one round trip and sets those slots of
   * `into` to row, absent or failed, as `from`. Rows past their expiry may still come back. Slots that
   * cannot be answered before `signal` fires, or at all, are set failed; the returned error then says
   * why, once. Never throws for what the world can get wrong.
   */
  read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined>

  /**
   * Stores each row unless the tier holds an equal or newer version of it; atomic per row. Returns
   * when every row is stored as durably as the tier can. Throws `LarderError` (`unavailable`,
   * `hot_out_of_memory`, `deadline_exceeded`, `cancelled`): some rows may then be stored, and the same
   * call again completes it. A stored row of a layout that its form does not know is `unavailable` (see
   * `unknownLayout`) and stays: a newer daemon wrote it.
   */
  write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult>

  /** Removes rows outright, whatever their version. Not how entities are deleted: see tombstones. */
  remove(keys: KeyBatch, signal: AbortSignal): Promise<void>

  /**
   * All rows of a generation, tombstones included, each once as of some instant during the scan. Rows
   * written meanwhile may or may not be seen. Undefined where the tier cannot tell its raw keys (Redis).
   * Throws what `write` throws.
   */
  scan(generation: number, signal: AbortSignal): AsyncIterable<ScannedRows> | undefined

  /** Removes rows whose expiry is past, a bounded number at a time; returns how many went. */
  reclaim(signal: AbortSignal): Promise<number>

  /** Resolves when the tier answers; throws `unavailable` with the reason otherwise. */
  ping(signal: AbortSignal): Promise<void>

  stats(signal: AbortSignal): Promise<TierStats>

  close(): Promise<void>
}
