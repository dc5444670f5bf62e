/**
 * Encodes a batch of rows: wire columns in, rows out, all or nothing.
 *
 * Every cell is checked against its type on the way: a value that does not fit is told with its
 * row, its column and the bound, never bent to fit. `docs/formats/row-v1.md` draws what comes out.
 */
import { assert } from '../assert.js'
import type { WireColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { badRowsToldMax, listElementsMax, rowBytesMax, valueBytesMax } from '../limits.js'
import { loadAddon, type NativeProblems } from '../native.js'
import { nativeColumns } from './native-columns.js'
import type { RowLayout } from './row-layout.js'

/** Why a row cannot be stored: the first of its cells that is wrong. */
export interface RowProblem {
  readonly rowIndex: number
  /** Empty where the row as a whole is wrong. */
  readonly column: string
  /** Names the value and the bound. */
  readonly reason: string
}

/** Bad rows: the first of them, and how many there are. */
export interface RowProblems {
  readonly problems: readonly RowProblem[]
  readonly problemCount: number
}

export interface RowsToEncode {
  /** In layout order; `rowCount` cells each. */
  readonly columns: readonly WireColumn[]
  readonly eventTimesUs: BigInt64Array
  readonly sequence: bigint
  readonly rowCount: number
}

export interface EncodedRows {
  readonly rows: Uint8Array
  /** One more than there are rows: row i is `rows[rowOffsets[i] .. rowOffsets[i + 1])`. */
  readonly rowOffsets: Uint32Array
}

const limits = Uint32Array.of(rowBytesMax, valueBytesMax, listElementsMax, badRowsToldMax)

/**
 * The rows of a batch, or its bad rows. Each row is written in the first of `layouts` that its
 * version fits: they are of one schema, in order of preference, the last plain with versions in
 * full. Throws `invalid_argument` where a column as a whole is wrong: its class is not one that its
 * type may come in, or it is ragged.
 */
export function encodeRows(
  layouts: readonly RowLayout[],
  batch: RowsToEncode,
): EncodedRows | RowProblems {
  const { columns, eventTimesUs, sequence } = batch
  const last = layouts.at(-1)
  assert(last?.isPlain, 'the last layout takes every row')
  assert(columns.length === last.features.length, 'a batch has a column for each feature')
  assert(eventTimesUs.length === batch.rowCount, 'a batch has an event time for each row')
  const natives = layouts.map((layout) => layout.native)
  const encoded = loadAddon().encodeRows(
    natives,
    nativeColumns(columns),
    eventTimesUs,
    sequence,
    limits,
  )
  if ('problems' in encoded) return nameRowProblems(encoded, columns, '')
  return { rows: encoded.bytes, rowOffsets: encoded.offsets }
}

/**
 * Problems by column name; `wholeRowName` stands for the column of a row that is wrong as a whole.
 * Throws `invalid_argument` if any column is wrong as a whole.
 */
export function nameRowProblems(
  { problems, problemCount }: NativeProblems,
  columns: readonly WireColumn[],
  wholeRowName: string,
): RowProblems {
  const nameOf = (columnIndex: number | undefined) =>
    columnIndex === undefined ? wholeRowName : (columns[columnIndex]?.name ?? wholeRowName)
  const named: RowProblem[] = []
  for (const { rowIndex, columnIndex, reason } of problems) {
    const column = nameOf(columnIndex)
    if (rowIndex === undefined) {
      throw new LarderError('invalid_argument', `column '${column}': ${reason}`)
    }
    named.push({ rowIndex, column, reason })
  }
  return { problems: named, problemCount }
}
