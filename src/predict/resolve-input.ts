/**
 * Resolves one model input over a request's rows: the value the model sees, and where it came from.
 *
 * A given value beats the stored one; where neither has a value stands the model's default, then the
 * view's, then "missing" (NaN). A bad value is an error that names the input and the row, never 0.0.
 */
import { assert } from '../assert.js'
import { type ColumnValues, cellStatus, type FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import type { BoundInput } from './bind-model.js'
import { codeOf } from './category-codes.js'
import type { NumberColumn } from './model.js'

/** Where a value came from: the codes of `larder.v1.ValueOrigin`. */
export const valueOrigin = {
  given: 1,
  stored: 2,
  modelDefault: 3,
  viewDefault: 4,
  missing: 5,
} as const

/** What a request has for an input: the caller's column, the store's, or both. */
export interface InputSources {
  /** `rowCount` cells or one; a cell that is NOT_FOUND was not given. */
  readonly given: FeatureColumn | undefined
  /** `rowCount` cells. */
  readonly stored: FeatureColumn | undefined
  /** A stored value outside its max age is used as it is (`on_stale: serve`). */
  readonly servesStale: boolean
}

export interface ResolvedInput {
  readonly values: NumberColumn
  /** `valueOrigin` codes by row. */
  readonly origins: Uint8Array
  /** What the store said, `cellStatus` codes by row; 0 where it was not asked. */
  readonly statuses: Uint8Array
}

/** The input's column for `rowCount` rows. Throws `invalid_argument` for a value no model can take. */
export function resolveInput(
  input: BoundInput,
  sources: InputSources,
  rowCount: number,
): ResolvedInput {
  const { given, stored, servesStale } = sources
  if (given === undefined && stored !== undefined) {
    const resolved = resolveStoredNumbers(input, stored, servesStale)
    if (resolved !== undefined) return resolved
  }
  const values = input.exactInFloat32 ? new Float32Array(rowCount) : new Float64Array(rowCount)
  const origins = new Uint8Array(rowCount)
  const statuses = new Uint8Array(rowCount)
  const readGiven = given === undefined ? undefined : createReader(input, given)
  const readStored = stored === undefined ? undefined : createReader(input, stored)
  const fallback = fallbackOf(input)
  for (let row = 0; row < rowCount; row++) {
    const givenRow = given?.status.length === 1 ? 0 : row
    const givenStatus = given?.status[givenRow] ?? cellStatus.notFound
    if (readGiven !== undefined && givenStatus === cellStatus.present) {
      values[row] = readGiven(givenRow)
      origins[row] = valueOrigin.given
      continue
    }
    // A given null is the caller's word that there is no value: the store's does not replace it.
    const isGivenNull = givenStatus === cellStatus.nullValue
    const storedStatus = isGivenNull ? 0 : (stored?.status[row] ?? 0)
    statuses[row] = storedStatus
    if (readStored !== undefined && hasValue(storedStatus, servesStale)) {
      values[row] = readStored(row)
      origins[row] = valueOrigin.stored
      continue
    }
    values[row] = fallback.value
    origins[row] = fallback.origin
  }
  return { values, origins, statuses }
}

/**
 * Stored numbers with the fallback in their gaps: what most inputs are. The column itself where it has
 * no gap and the model sees its numbers as they are. Undefined where each cell must be converted.
 */
function resolveStoredNumbers(
  input: BoundInput,
  { values: stored, status: statuses }: FeatureColumn,
  servesStale: boolean,
): ResolvedInput | undefined {
  const numbers = numbersOf(stored)
  if (numbers === undefined || input.codes !== undefined) return undefined
  let values = numbers
  if (input.exactInFloat32 !== numbers instanceof Float32Array) {
    values = input.exactInFloat32 ? new Float32Array(numbers) : new Float64Array(numbers)
  }
  const origins = new Uint8Array(numbers.length).fill(valueOrigin.stored)
  const fallback = fallbackOf(input)
  for (let row = 0; row < numbers.length; row++) {
    if (hasValue(statuses[row] ?? 0, servesStale)) continue
    // A copy: what was decoded is never changed.
    if (values === numbers) values = numbers.slice()
    values[row] = fallback.value
    origins[row] = fallback.origin
  }
  return { values, origins, statuses }
}

function numbersOf(values: ColumnValues): NumberColumn | undefined {
  return values.class === 'f32' || values.class === 'f64' ? values.values : undefined
}

function hasValue(status: number, servesStale: boolean): boolean {
  return status === cellStatus.present || (servesStale && status === cellStatus.outsideMaxAge)
}

function fallbackOf(input: BoundInput): { readonly value: number; readonly origin: number } {
  if (input.modelDefault !== undefined) {
    return { value: input.modelDefault, origin: valueOrigin.modelDefault }
  }
  if (input.viewDefault !== undefined) {
    return { value: input.viewDefault, origin: valueOrigin.viewDefault }
  }
  return { value: Number.NaN, origin: valueOrigin.missing }
}

type CellReader = (row: number) => number

/** Reads a cell of `column` as the number the model sees. */
function createReader(input: BoundInput, column: FeatureColumn): CellReader {
  const read = createPlainReader(input, column.values)
  const { codes } = input
  if (codes === undefined || column.values.class === 'var') return read
  return (row) => codeOf(codes, read(row))
}

function createPlainReader(input: BoundInput, values: ColumnValues): CellReader {
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

function exactNumber(input: BoundInput, value: bigint, row: number): number {
  if (
    value <= BigInt(Number.MAX_SAFE_INTEGER) + 1n &&
    value >= -BigInt(Number.MAX_SAFE_INTEGER) - 1n
  ) {
    return Number(value)
  }
  throw new LarderError(
    'invalid_argument',
    `feature '${input.name}', row ${row}: int64 ${value} is beyond 2^53 and not exact as a model input`,
  )
}

function startsOf(lengths: Uint32Array): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1)
  for (const [index, count] of lengths.entries()) starts[index + 1] = (starts[index] ?? 0) + count
  return starts
}
