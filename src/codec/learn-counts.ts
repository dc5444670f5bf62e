/**
 * What a sample's cells hold, counted: the distinct values of a column, so that whoever weighs encodings
 * looks at each only once.
 *
 * A value of fixed width stands as a 64-bit integer: integers as themselves, floats as their IEEE bits.
 * Only cells with a value are counted, and nulls; a cell that the row's layout lacks says nothing.
 */
import { assert } from '../assert.js'
import { cellStatus, type FeatureColumn, type ScalarValues } from '../column.js'
import type { ScalarType } from '../feature-type.js'

/** Distinct integers, ascending, and how often each comes. */
export interface IntegerCounts {
  readonly values: BigInt64Array
  readonly counts: Float64Array
  /** All of `counts` together. */
  readonly valueCount: number
}

export interface TextCount {
  readonly bytes: Uint8Array
  readonly count: number
}

/** The rows of a column whose cells have a value, and how many are null. */
export interface CellRows {
  readonly setRows: readonly number[]
  readonly nullCount: number
}

export function cellRows({ status }: FeatureColumn): CellRows {
  const setRows: number[] = []
  let nullCount = 0
  for (const [row, code] of status.entries()) {
    if (code === cellStatus.present) setRows.push(row)
    if (code === cellStatus.nullValue) nullCount++
  }
  return { setRows, nullCount }
}

export function countIntegers(integers: BigInt64Array): IntegerCounts {
  const sorted = integers.slice().sort()
  const values = new BigInt64Array(sorted.length)
  const counts = new Float64Array(sorted.length)
  let distinctCount = 0
  for (let index = 0; index < sorted.length; index++) {
    const value = sorted[index] ?? 0n
    if (index === 0 || value !== values[distinctCount - 1]) values[distinctCount++] = value
    counts[distinctCount - 1] = (counts[distinctCount - 1] ?? 0) + 1
  }
  return {
    values: values.slice(0, distinctCount),
    counts: counts.slice(0, distinctCount),
    valueCount: sorted.length,
  }
}

/** The values at `indexes` as 64-bit integers. */
export function integersAt(
  scalar: ScalarType,
  values: ScalarValues,
  indexes: ArrayLike<number>,
): BigInt64Array {
  const integers = new BigInt64Array(indexes.length)
  const integerAt = integerReader(scalar, values)
  for (let position = 0; position < indexes.length; position++) {
    integers[position] = integerAt(indexes[position] ?? 0)
  }
  return integers
}

function integerReader(scalar: ScalarType, values: ScalarValues): (index: number) => bigint {
  assert(values.class !== 'var', 'texts are counted as texts')
  switch (values.class) {
    case 'i64':
      return (index) => values.values[index] ?? 0n
    case 'f64': {
      if (scalar !== 'float64') return (index) => BigInt(values.values[index] ?? 0)
      const bits = new BigInt64Array(Float64Array.from(values.values).buffer)
      return (index) => bits[index] ?? 0n
    }
    case 'f32': {
      if (scalar !== 'float32') return (index) => BigInt(values.values[index] ?? 0)
      const { buffer, byteOffset, length: count } = values.values
      // The array's own memory: converting a signalling NaN would change it.
      const bits = new Uint32Array(buffer, byteOffset, count)
      return (index) => BigInt(bits[index] ?? 0)
    }
  }
}

/** The distinct texts at `indexes`, the most frequent first, then by their bytes. */
export function countTexts(values: ScalarValues, indexes: ArrayLike<number>): TextCount[] {
  const texts = textReader(values)
  const counts = new Map<string, { readonly bytes: Uint8Array; count: number }>()
  for (let position = 0; position < indexes.length; position++) {
    const bytes = texts(indexes[position] ?? 0)
    // One character per byte: a key that is equal for equal bytes only.
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const counted = counts.get(key)
    if (counted === undefined) counts.set(key, { bytes, count: 1 })
    else counted.count++
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || Buffer.compare(a.bytes, b.bytes))
}

/** The bytes of the text at an index: a view, not a copy. */
export function textReader(values: ScalarValues): (index: number) => Uint8Array {
  assert(values.class === 'var', 'only texts are read as texts')
  const { data, lengths } = values
  const ends = new Float64Array(lengths.length)
  let end = 0
  for (const [index, byteCount] of lengths.entries()) ends[index] = end += byteCount
  return (index) => {
    const textEnd = ends[index] ?? 0
    return data.subarray(textEnd - (lengths[index] ?? 0), textEnd)
  }
}
