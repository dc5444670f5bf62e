/**
 * What a code table is learned from: symbols, how often each comes, and what else it must hold.
 */

/** Distinct symbols with their exponents, by exponent, then ascending. */
export interface SymbolCounts {
  readonly symbols: BigInt64Array
  readonly counts: Float64Array
  /** Of decimals; else all 0. */
  readonly exponents: Int8Array
}

/** What a table is to code. */
export interface TableTask {
  readonly counted: SymbolCounts
  readonly nullCount: number
  /** Values that have no symbol. */
  readonly unmappedCount: number
  /** Bits of a value that is written literally; undefined where the table may have no such class. */
  readonly literalBits: number | undefined
  /** Bits that an exception takes beside its literal value. */
  readonly exceptionBits: number
  /** Symbols beyond these cannot be. */
  readonly least: bigint
  readonly greatest: bigint
}
