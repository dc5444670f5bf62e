/**
 * Fills defaults into decoded columns.
 *
 * A column is never changed: a filled one is a copy, with the same statuses, because a status tells
 * what the store said and a default does not change that.
 */
import { assert } from '../assert.js'
import type { ColumnValues, FeatureColumn, ListValues, ScalarValues } from '../column.js'
import type { DefaultScalar, DefaultValue } from '../declared.js'
import { elementClassOf, type ScalarClass } from '../feature-type.js'

/**
 * The column with `defaultValue`, which is one of its type, in every cell whose status is one of
 * `statuses` (`cellStatus` codes).
 */
export function applyDefault(
  column: FeatureColumn,
  defaultValue: DefaultValue,
  statuses: readonly number[],
): FeatureColumn {
  const isFilled = (row: number) => statuses.includes(column.status[row] ?? 0)
  if (!column.status.some((_, row) => isFilled(row))) return column
  const scalars: readonly DefaultScalar[] = isList(defaultValue) ? defaultValue : [defaultValue]
  const filler = scalarValuesOf(elementClassOf(column.type), scalars)
  return { ...column, values: fillValues(column.values, filler, isFilled) }
}

type RowTest = (row: number) => boolean

function isList(value: DefaultValue): value is readonly DefaultScalar[] {
  return Array.isArray(value)
}

/** A default's scalars as values of a column. */
function scalarValuesOf(scalarClass: ScalarClass, scalars: readonly DefaultScalar[]): ScalarValues {
  switch (scalarClass) {
    case 'f32':
      return { class: 'f32', values: Float32Array.from(scalars, toNumber) }
    case 'f64':
      return { class: 'f64', values: Float64Array.from(scalars, toNumber) }
    case 'i64':
      return { class: 'i64', values: BigInt64Array.from(scalars, toBigInt) }
    case 'var': {
      const pieces = scalars.map(toBytes)
      const lengths = Uint32Array.from(pieces, (piece) => piece.byteLength)
      return { class: 'var', data: Buffer.concat(pieces), lengths }
    }
  }
}

function toNumber(scalar: DefaultScalar): number {
  assert(typeof scalar === 'number' || typeof scalar === 'boolean', 'the default is a number')
  return Number(scalar)
}

function toBigInt(scalar: DefaultScalar): bigint {
  assert(typeof scalar === 'bigint', 'the default of a 64-bit integer is a bigint')
  return scalar
}

function toBytes(scalar: DefaultScalar): Uint8Array {
  assert(typeof scalar === 'string' || scalar instanceof Uint8Array, 'the default is text or bytes')
  return typeof scalar === 'string' ? Buffer.from(scalar, 'utf8') : scalar
}

function fillValues(values: ColumnValues, filler: ScalarValues, isFilled: RowTest): ColumnValues {
  if (values.class === 'list') return fillLists(values, filler, isFilled)
  return spliceRows(values, filler, oneEach(values), isFilled)
}

function fillLists(lists: ListValues, filler: ScalarValues, isFilled: RowTest): ListValues {
  const fillerCount = elementCountOf(filler)
  return {
    class: 'list',
    lengths: lists.lengths.map((count, row) => (isFilled(row) ? fillerCount : count)),
    elements: spliceRows(lists.elements, filler, lists.lengths, isFilled),
  }
}

function elementCountOf(values: ScalarValues): number {
  return values.class === 'var' ? values.lengths.length : values.values.length
}

/** A scalar column as rows of one element. */
function oneEach(values: ScalarValues): Uint32Array {
  return new Uint32Array(elementCountOf(values)).fill(1)
}

/** The elements of all rows, row by row: those of `filler` where filled. */
function spliceRows(
  values: ScalarValues,
  filler: ScalarValues,
  rowCounts: Uint32Array,
  isFilled: RowTest,
): ScalarValues {
  if (values.class === 'var') {
    assert(filler.class === 'var', 'a default has the class of its column')
    return {
      class: 'var',
      lengths: spliceArrays(Uint32Array, values.lengths, filler.lengths, rowCounts, isFilled),
      data: spliceArrays(
        Uint8Array,
        values.data,
        filler.data,
        dataCounts(values, rowCounts),
        isFilled,
      ),
    }
  }
  if (values.class === 'f32' && filler.class === 'f32') {
    const spliced = spliceArrays(Float32Array, values.values, filler.values, rowCounts, isFilled)
    return { class: 'f32', values: spliced }
  }
  if (values.class === 'f64' && filler.class === 'f64') {
    const spliced = spliceArrays(Float64Array, values.values, filler.values, rowCounts, isFilled)
    return { class: 'f64', values: spliced }
  }
  assert(values.class === 'i64' && filler.class === 'i64', 'a default has the class of its column')
  const spliced = spliceArrays(BigInt64Array, values.values, filler.values, rowCounts, isFilled)
  return { class: 'i64', values: spliced }
}

/** Bytes of each row's elements together. */
function dataCounts(values: ScalarValues & { class: 'var' }, rowCounts: Uint32Array): Uint32Array {
  let element = 0
  return rowCounts.map((count) => {
    let byteCount = 0
    for (const end = element + count; element < end; element++) {
      byteCount += values.lengths[element] ?? 0
    }
    return byteCount
  })
}

interface Splicable<T> {
  readonly length: number
  subarray(begin: number, end: number): T
  set(from: T, offset: number): void
}

/** Row after row, `rowCounts[row]` items of `items`, or all of `filler` in place of them. */
function spliceArrays<T extends Splicable<T>>(
  arrayType: new (length: number) => T,
  items: T,
  filler: T,
  rowCounts: Uint32Array,
  isFilled: RowTest,
): T {
  const splicedCount = rowCounts.reduce(
    (sum, count, row) => sum + (isFilled(row) ? filler.length : count),
    0,
  )
  const spliced = new arrayType(splicedCount)
  let from = 0
  let to = 0
  for (const [row, count] of rowCounts.entries()) {
    const piece = isFilled(row) ? filler : items.subarray(from, from + count)
    spliced.set(piece, to)
    from += count
    to += piece.length
  }
  return spliced
}
