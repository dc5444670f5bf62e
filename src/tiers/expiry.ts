/**
 * Expiry arithmetic: how long a tier must keep a row. Pure.
 *
 * What a store is handed is a duration on its own time. It ends when the judging clock reaches the
 * row's end, plus the bound on clock skew; expiry reclaims space and never decides what a reader sees.
 */
import { readRowHeader, tombstoneLayoutId } from '../codec/row-version.js'
import { clockSkewMs, expiryJitterShare, futureBoundMs } from '../limits.js'
import type { Prng } from '../prng.js'
import type { VersionTable } from '../version-format.js'

export interface RowLife {
  readonly eventTimeUs: bigint
  readonly retentionUs: bigint
  /** The judging clock's now. */
  readonly nowUs: bigint
}

/** Milliseconds to keep a row: until its retention ends, plus skew; at least the skew. */
export function keepRowMs(life: RowLife): number {
  const leftUs = life.eventTimeUs + life.retentionUs - life.nowUs
  return Math.max(0, Math.ceil(Number(leftUs) / 1000)) + clockSkewMs
}

/** Milliseconds to keep a tombstone: no row it hides may outlive it, nor arrive after it. */
export function keepTombstoneMs(life: RowLife): number {
  return keepRowMs(life) + futureBoundMs
}

/** Milliseconds to keep `row`, a row or a tombstone, by its own header. Throws as `readRowHeader`. */
export function keepStoredMs(
  row: Uint8Array,
  view: Omit<RowLife, 'eventTimeUs'>,
  versions: VersionTable,
): number {
  const { layoutId, eventTimeUs } = readRowHeader(row, versions)
  const life = { ...view, eventTimeUs }
  return layoutId === tombstoneLayoutId ? keepTombstoneMs(life) : keepRowMs(life)
}

/** Spreads expiries: never less than `keepMs`, up to a share more. */
export function withJitter(keepMs: number, prng: Prng): number {
  return Math.ceil(keepMs * (1 + prng.next() * expiryJitterShare))
}
