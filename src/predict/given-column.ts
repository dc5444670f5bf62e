/**
 * Checks a column that a Predict request gave by value, and turns it into typed values.
 *
 * The classes allowed are those of `larder/v1/column.proto`: the type's own, or for integers and bools
 * any numeric class whose values are whole and in range.
 */
import { isUtf8 } from 'node:buffer'
import { assert } from '../assert.js'
import {
  type ColumnValues,
  cellStatus,
  type FeatureColumn,
  type WireColumn,
  type WireScalarValues,
  wireCellCount,
} from '../column.js'
import { LarderError } from '../errors.js'
import {
  columnClassOf,
  type FeatureType,
  formatFeatureType,
  type ScalarType,
} from '../feature-type.js'

const integerRanges: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  bool: [0n, 1n],
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-2147483648n, 2147483647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  timestamp: [-(2n ** 63n), 2n ** 63n - 1n],
}

/**
 * The typed column of a `wire` column that holds whole cells. Throws `invalid_argument` that names
 * column, row, value and bound.
 */
export function parseGivenColumn(wire: WireColumn, type: FeatureType): FeatureColumn {
  const cellCount = wireCellCount(wire.values)
  assert(cellCount !== undefined, 'the rows of a request are counted before its columns are parsed')
  const status = parseStatus(wire, cellCount)
  if (type.kind !== 'scalar' || wire.values.class === 'list') throw wrongClass(wire, type)
  const values = parseScalars(wire, wire.values, type, status)
  return { name: wire.name, type, values, status }
}

function parseStatus(wire: WireColumn, cellCount: number): Uint8Array {
  if (wire.status === undefined) return new Uint8Array(cellCount).fill(cellStatus.present)
  if (wire.status.byteLength !== cellCount) {
    throw new LarderError(
      'invalid_argument',
      `column '${wire.name}' has ${cellCount} cells and ${wire.status.byteLength} status bytes`,
    )
  }
  const allowed: readonly number[] = [cellStatus.present, cellStatus.nullValue, cellStatus.notFound]
  for (const [row, code] of wire.status.entries()) {
    if (allowed.includes(code)) continue
    throw new LarderError(
      'invalid_argument',
      `column '${wire.name}', row ${row}: status ${code} cannot be given ` +
        '(only PRESENT, NULL_VALUE or NOT_FOUND)',
    )
  }
  return Uint8Array.from(wire.status)
}

function parseScalars(
  wire: WireColumn,
  values: WireScalarValues,
  type: FeatureType & { kind: 'scalar' },
  status: Uint8Array,
): ColumnValues {
  const wanted = columnClassOf(type)
  const range = integerRanges[type.scalar]
  if (values.class === 'var') {
    if (wanted !== 'var') throw wrongClass(wire, type)
    return parseText(wire, values, status)
  }
  if (wanted === 'var' || wanted === 'list') throw wrongClass(wire, type)
  const numbers = typedNumbers(values)
  if (range !== undefined) return convertIntegers(wire, numbers, { type, wanted, range, status })
  if (wanted === 'f32' && numbers instanceof Float32Array) return { class: 'f32', values: numbers }
  if (wanted === 'f64' && !(numbers instanceof BigInt64Array)) {
    return { class: 'f64', values: Float64Array.from(numbers) }
  }
  throw wrongClass(wire, type)
}

type Numbers = Float32Array | Float64Array | BigInt64Array

/** A copy: a message's bytes need not be aligned. */
function typedNumbers(values: Exclude<WireScalarValues, { class: 'var' }>): Numbers {
  const { buffer } = Uint8Array.from(values.bytes)
  switch (values.class) {
    case 'f32':
      return new Float32Array(buffer)
    case 'f64':
      return new Float64Array(buffer)
    case 'i64':
      return new BigInt64Array(buffer)
  }
}

function convertIntegers(
  wire: WireColumn,
  numbers: Numbers,
  target: {
    readonly type: FeatureType
    readonly wanted: 'f32' | 'f64' | 'i64'
    readonly range: readonly [bigint, bigint]
    readonly status: Uint8Array
  },
): ColumnValues {
  const { type, wanted, range, status } = target
  const integers = new BigInt64Array(numbers.length)
  for (let row = 0; row < numbers.length; row++) {
    if (status[row] !== cellStatus.present) continue
    const value = numbers[row] ?? 0
    const whole = typeof value === 'bigint' || Number.isInteger(value)
    if (!whole || BigInt(value) < range[0] || BigInt(value) > range[1]) {
      throw new LarderError(
        'invalid_argument',
        `column '${wire.name}', row ${row}: ${value} is not a ${formatFeatureType(type)} ` +
          `(a whole number from ${range[0]} to ${range[1]})`,
      )
    }
    integers[row] = BigInt(value)
  }
  if (wanted === 'i64') return { class: 'i64', values: integers }
  return wanted === 'f32'
    ? { class: 'f32', values: Float32Array.from(integers, Number) }
    : { class: 'f64', values: Float64Array.from(integers, Number) }
}

function parseText(
  wire: WireColumn,
  values: WireScalarValues & { class: 'var' },
  status: Uint8Array,
): ColumnValues {
  const lengths = new Uint32Array(Uint8Array.from(values.lengths).buffer)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total !== values.data.byteLength) {
    throw new LarderError(
      'invalid_argument',
      `column '${wire.name}': its lengths add up to ${total} bytes, its data has ` +
        `${values.data.byteLength}`,
    )
  }
  let start = 0
  for (const [row, byteCount] of lengths.entries()) {
    const text = values.data.subarray(start, start + byteCount)
    start += byteCount
    if (status[row] !== cellStatus.present || isUtf8(text)) continue
    throw new LarderError('invalid_argument', `column '${wire.name}', row ${row}: not valid UTF-8`)
  }
  return { class: 'var', data: values.data, lengths }
}

function wrongClass(wire: WireColumn, type: FeatureType): LarderError {
  return new LarderError(
    'invalid_argument',
    `column '${wire.name}' came as ${wire.values.class}, which does not fit ` +
      `${formatFeatureType(type)} (${columnClassOf(type)})`,
  )
}
