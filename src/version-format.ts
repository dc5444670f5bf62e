/**
 * How the rows of a layout write their version: whole, or as what one load's rows have in common.
 *
 * `docs/formats/row-v1.md` draws both. Whoever compares stored rows needs a view's `VersionTable`, and
 * nothing else of its layouts. Frozen values.
 */

/** Rows of one load: event times are base + unit x n, the sequence is the same for all. */
export interface CompactVersion {
  readonly eventBaseUs: bigint
  /** At least 1. */
  readonly eventUnitUs: bigint
  /** Bytes of n, big-endian, 0 to 6. Base + unit x the greatest n stays below 2^53 in magnitude. */
  readonly eventBytes: number
  /** Of every row; it takes no bytes. */
  readonly sequence: bigint
}

/** `full`: 8 bytes of event time and 8 of sequence. */
export type VersionFormat = 'full' | CompactVersion

/** The version formats of a view's layouts. */
export interface VersionTable {
  /** Ids above it are not known: a newer registry version may have them. */
  readonly layoutIdMax: number
  /** Layouts that are not here write their versions in full. */
  readonly compact: ReadonlyMap<number, CompactVersion>
}
