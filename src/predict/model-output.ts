/**
 * The array that a model fills: what every kind requires of it.
 */
import { LarderError } from '../errors.js'

/** Throws `invalid_argument` where `output` has not exactly `cellsPerRow` cells for each row. */
export function requireOutput(
  output: Float64Array | Int32Array,
  rowCount: number,
  cellsPerRow: number,
): void {
  if (!Number.isSafeInteger(rowCount) || rowCount < 0) {
    throw new LarderError('invalid_argument', `rowCount is ${rowCount}, expected an integer from 0`)
  }
  if (output.length === rowCount * cellsPerRow) return
  throw new LarderError(
    'invalid_argument',
    `the output has ${output.length} cells, expected ${rowCount} rows x ${cellsPerRow}`,
  )
}
