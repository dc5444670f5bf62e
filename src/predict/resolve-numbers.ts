/**
 * Resolves an input of one number a row: its column is of float32 exactly where the binding says so.
 *
 * What most inputs are, stored numbers without gaps, is the stored column itself.
 */
import { assert } from '../assert.js'
import type { ColumnValues, FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import type { BoundNumberInput } from './bind-input.js'
import { codeOf } from './category-codes.js'
import {
  chooseOrigins,
  exactNumber,
  fallbackOrigin,
  givenRowOf,
  hasValue,
  holdsForAll,
  type InputSources,
  type ResolvedInput,
  startsOf,
  valueOrigin,
} from './input-sources.js'
import type { NumberColumn } from './model.js'

/** The input's numbers, one for each of `rowCount` rows; NaN is missing. */
export function resolveNumbers(
  input: BoundNumberInput,
  sources: InputSources,
  rowCount: number,
): ResolvedInput<NumberColumn> {
  const { given, stored, servesStale } = sources
  if (given === undefined && stored !== undefined) {
    const resolved = resolveStored(input, stored, servesStale)
    if (resolved !== undefined) return resolved
  }
  const { origins, statuses } = chooseOrigins(input, sources, rowCount)
  const column = input.exactInFloat32 ? new Float32Array(rowCount) : new Float64Array(rowCount)
  const readGiven = given === undefined ? undefined : createReader(input, given)
  const readStored = stored === undefined ? undefined : createReader(input, stored)
  const fallback = fallbackOf(input)
  const isOneValue = holdsForAll(sources)
  const readCount = isOneValue ? Math.min(rowCount, 1) : rowCount
  for (let row = 0; row < readCount; row++) {
    const origin = origins[row]
    if (origin === valueOrigin.stored && readStored !== undefined) {
      column[row] = readStored(row)
    } else if (origin === valueOrigin.given && readGiven !== undefined && given !== undefined) {
      column[row] = readGiven(givenRowOf(given, row))
    } else {
      column[row] = fallback
    }
  }
  if (isOneValue) column.fill(column[0] ?? fallback)
  return { column, origins, statuses }
}

/**
 * Stored numbers with the fallback in their gaps: what most inputs are. The column itself where it has
 * no gap and the model sees its numbers as they are. Undefined where each cell must be converted.
 */
function resolveStored(
  input: BoundNumberInput,
  { values: stored, status: statuses }: FeatureColumn,
  servesStale: boolean,
): ResolvedInput<NumberColumn> | undefined {
  const numbers = numbersOf(stored)
  if (numbers === undefined || input.codes !== undefined) return undefined
  let column = numbers
  if (input.exactInFloat32 !== numbers instanceof Float32Array) {
    column = input.exactInFloat32 ? new Float32Array(numbers) : new Float64Array(numbers)
  }
  const origins = new Uint8Array(numbers.length).fill(valueOrigin.stored)
  const fallback = fallbackOf(input)
  const origin = fallbackOrigin(input)
  for (let row = 0; row < numbers.length; row++) {
    if (hasValue(statuses[row] ?? 0, servesStale)) continue
    // A copy: what was decoded is never changed.
    if (column === numbers) column = numbers.slice()
    column[row] = fallback
    origins[row] = origin
  }
  return { column, origins, statuses }
}

function numbersOf(values: ColumnValues): NumberColumn | undefined {
  return values.class === 'f32' || values.class === 'f64' ? values.values : undefined
}

function fallbackOf({ modelDefault, viewDefault }: BoundNumberInput): number {
  return modelDefault ?? viewDefault ?? Number.NaN
}

type CellReader = (row: number) => number

/** Reads a cell of `column` as the number the model sees. */
function createReader(input: BoundNumberInput, column: FeatureColumn): CellReader {
  const read = createPlainReader(input, column.values)
  const { codes } = input
  if (codes === undefined || column.values.class === 'var') return read
  return (row) => codeOf(codes, read(row))
}

function createPlainReader(input: BoundNumberInput, values: ColumnValues): CellReader {
  switch (values.class) {
    case 'f32':
    case 'f64': {
      const numbers = values.values
      return (row) => numbers[row] ?? Number.NaN
    }
    case 'i64': {
      const integers = values.values
      return (row) => exactNumber(input, integers[row] ?? 0n, row)
    }
    case 'var': {
      const { codes } = input
      assert(codes !== undefined, 'a text input is bound only with category codes')
      const starts = startsOf(values.lengths)
      const data = Buffer.from(values.data.buffer, values.data.byteOffset, values.data.byteLength)
      return (row) => codeOf(codes, data.toString('utf8', starts[row], starts[row + 1]))
    }
    case 'list':
      throw new LarderError('internal', `input '${input.inputName}' was bound to a list`)
  }
}
