/**
 * Columns in memory: the typed, columnar form in which values cross Larder.
 *
 * Numbers lie in typed arrays, everything of variable length in one blob with lengths: there is no
 * object per value anywhere. A cell without a value still takes its place in fixed-width arrays (as 0)
 * and has length 0 otherwise; its status says what it is.
 */
import type { FeatureType } from './feature-type.js'

/** The status of a cell, as one byte: the codes of `larder.v1.CellStatus`. */
export const cellStatus = {
  present: 1,
  nullValue: 2,
  notFound: 3,
  outsideMaxAge: 4,
  unavailable: 5,
} as const
export type CellStatusName = keyof typeof cellStatus
export type CellStatusCode = (typeof cellStatus)[CellStatusName]

/** The status as users read it. */
export const cellStatusText = {
  present: 'PRESENT',
  nullValue: 'NULL_VALUE',
  notFound: 'NOT_FOUND',
  outsideMaxAge: 'OUTSIDE_MAX_AGE',
  unavailable: 'UNAVAILABLE',
} as const satisfies Record<CellStatusName, string>

/** Values of one scalar class. `lengths` holds one length in bytes per value of `data`. */
export type ScalarValues =
  | { readonly class: 'f32'; readonly values: Float32Array }
  | { readonly class: 'f64'; readonly values: Float64Array }
  | { readonly class: 'i64'; readonly values: BigInt64Array }
  | { readonly class: 'var'; readonly data: Uint8Array; readonly lengths: Uint32Array }

/** Lists: `lengths` counts each row's elements; `elements` holds all rows' elements in row order. */
export interface ListValues {
  readonly class: 'list'
  readonly lengths: Uint32Array
  readonly elements: ScalarValues
}

export type ColumnValues = ScalarValues | ListValues

/** A decoded column: `rowCount` cells, a status each (`cellStatus` codes). */
export interface FeatureColumn {
  readonly name: string
  readonly type: FeatureType
  readonly values: ColumnValues
  readonly status: Uint8Array
}

/**
 * A column as it arrived: little-endian bytes that need not be aligned, not yet checked against a
 * type. `status` is undefined where every cell is present.
 */
export interface WireColumn {
  readonly name: string
  readonly values: WireValues
  readonly status: Uint8Array | undefined
}
export type WireScalarValues =
  | { readonly class: 'f32' | 'f64' | 'i64'; readonly bytes: Uint8Array }
  | { readonly class: 'var'; readonly data: Uint8Array; readonly lengths: Uint8Array }
export type WireValues =
  | WireScalarValues
  | { readonly class: 'list'; readonly lengths: Uint8Array; readonly elements: WireScalarValues }

/** Number of cells a wire column holds, or undefined where its bytes are not a whole number of them. */
export function wireCellCount(values: WireValues): number | undefined {
  const cellBytes = wireCellBytes[values.class]
  const byteCount =
    values.class === 'var' || values.class === 'list'
      ? values.lengths.byteLength
      : values.bytes.byteLength
  return byteCount % cellBytes === 0 ? byteCount / cellBytes : undefined
}

/** Bytes a cell takes in its column's fixed part: the value, or the u32 length. */
const wireCellBytes = { f32: 4, f64: 8, i64: 8, var: 4, list: 4 } as const
