/**
 * Where an input's value of each row comes from: one rule for numbers, embeddings and lists.
 *
 * A given value beats the stored one; where neither has a value stands the model's default, then the
 * view's, then "missing".
 */
import { cellStatus, type FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import type { BoundInput } from './bind-input.js'
import type { ModelColumn } from './model.js'

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

/** Where each row's value came from, row by row. */
export interface RowOrigins {
  /** `valueOrigin` codes. */
  readonly origins: Uint8Array
  /** What the store said, `cellStatus` codes; 0 where it was not asked. */
  readonly statuses: Uint8Array
}

/** An input's column, and where each row's value came from. */
export interface ResolvedInput<Column extends ModelColumn = ModelColumn> extends RowOrigins {
  readonly column: Column
}

/** Decides for each row where its value comes from. */
export function chooseOrigins(
  input: BoundInput,
  sources: InputSources,
  rowCount: number,
): RowOrigins {
  const { given, stored, servesStale } = sources
  const origins = new Uint8Array(rowCount)
  const statuses = new Uint8Array(rowCount)
  const fallback = fallbackOrigin(input)
  if (holdsForAll(sources)) {
    const isGiven = given?.status[0] === cellStatus.present
    return { origins: origins.fill(isGiven ? valueOrigin.given : fallback), statuses }
  }
  for (let row = 0; row < rowCount; row++) {
    const givenStatus = given?.status[givenRowOf(given, row)] ?? cellStatus.notFound
    if (givenStatus === cellStatus.present) {
      origins[row] = valueOrigin.given
      continue
    }
    // A given null is the caller's word that there is no value: the store's does not replace it.
    const isGivenNull = givenStatus === cellStatus.nullValue
    const storedStatus = isGivenNull ? 0 : (stored?.status[row] ?? 0)
    statuses[row] = storedStatus
    origins[row] = hasValue(storedStatus, servesStale) ? valueOrigin.stored : fallback
  }
  return { origins, statuses }
}

/** One value for every row: given once, or neither given nor stored. */
export function holdsForAll({ given, stored }: InputSources): boolean {
  if (given === undefined) return stored === undefined
  if (given.status.length !== 1) return false
  return stored === undefined || given.status[0] !== cellStatus.notFound
}

/** A given column of one cell stands for every row. */
export function givenRowOf(given: FeatureColumn, row: number): number {
  return given.status.length === 1 ? 0 : row
}

export function hasValue(status: number, servesStale: boolean): boolean {
  return status === cellStatus.present || (servesStale && status === cellStatus.outsideMaxAge)
}

/** Where a value comes from that was neither given nor stored. */
export function fallbackOrigin({ modelDefault, viewDefault }: BoundInput): number {
  if (modelDefault !== undefined) return valueOrigin.modelDefault
  return viewDefault !== undefined ? valueOrigin.viewDefault : valueOrigin.missing
}

/** The int64 as a number. Throws `invalid_argument` where a float64 would not tell it from its neighbours. */
export function exactNumber({ name }: BoundInput, value: bigint, row: number): number {
  if (
    value <= BigInt(Number.MAX_SAFE_INTEGER) + 1n &&
    value >= -BigInt(Number.MAX_SAFE_INTEGER) - 1n
  ) {
    return Number(value)
  }
  throw new LarderError(
    'invalid_argument',
    `feature '${name}', row ${row}: int64 ${value} is beyond 2^53 and not exact as a model input`,
  )
}

/** Where each run of `lengths` starts, and after them where the last one ends. */
export function startsOf(lengths: Uint32Array): Float64Array {
  const starts = new Float64Array(lengths.length + 1)
  let next = 0
  for (let index = 0; index < lengths.length; index++) {
    next += lengths[index] ?? 0
    starts[index + 1] = next
  }
  return starts
}
