/**
 * Checks a column that a Predict request gave by value, and turns it into typed values.
 *
 * The classes allowed are those of `larder/v1/column.proto`: the type's own, or for integers and bools
 * any numeric class whose values are whole and in range. Lists and embeddings are checked element by
 * element as scalars are.
 */
import { isUtf8 } from 'node:buffer'
import { assert } from '../assert.js'
import {
  cellStatus,
  type FeatureColumn,
  type ListValues,
  type ScalarValues,
  type WireColumn,
  type WireScalarValues,
  wireCellCount,
} from '../column.js'
import { LarderError } from '../errors.js'
import {
  columnClassOf,
  elementClassOf,
  type FeatureType,
  formatFeatureType,
  type ScalarType,
  scalarClasses,
  scalarTypeOf,
} from '../feature-type.js'
import { listElementsMax } from '../limits.js'

const integerRanges: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  bool: [0n, 1n],
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  int32: [-2147483648n, 2147483647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  timestamp: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** Values to parse: where they are said to be in messages, and which of them count. */
interface GivenValues {
  readonly wire: WireColumn
  readonly type: FeatureType
  /** Undefined where every value counts. */
  readonly status: Uint8Array | undefined
  /** Where value `index` is, for people. */
  readonly placeOf: (index: number) => string
}

/**
 * The typed column of a `wire` column that holds whole cells. Throws `invalid_argument` that names
 * column, row, value and bound.
 */
export function parseGivenColumn(wire: WireColumn, type: FeatureType): FeatureColumn {
  const cellCount = wireCellCount(wire.values)
  assert(cellCount !== undefined, 'the rows of a request are counted before its columns are parsed')
  const status = parseStatus(wire, cellCount)
  const values =
    wire.values.class === 'list'
      ? parseLists(wire, wire.values, { type, status })
      : parseCells(wire, wire.values, { type, status })
  return { name: wire.name, type, values, status }
}

interface Cells {
  readonly type: FeatureType
  readonly status: Uint8Array
}

function parseCells(
  wire: WireColumn,
  values: WireScalarValues,
  { type, status }: Cells,
): ScalarValues {
  const placeOf = (row: number) => `column '${wire.name}', row ${row}`
  const source = { wire, type, status, placeOf }
  if (type.kind !== 'scalar') throw wrongClass(source)
  return parseScalars(source, values, type.scalar)
}

/** A cell without a value has no elements, as column.proto says: so each element counts. */
function parseLists(
  wire: WireColumn,
  values: WireColumn['values'] & { class: 'list' },
  { type, status }: Cells,
): ListValues {
  const lengths = new Uint32Array(Uint8Array.from(values.lengths).buffer)
  const placeOf = (index: number) => elementPlace(wire.name, lengths, index)
  const source = { wire, type, status: undefined, placeOf }
  if (type.kind === 'scalar') throw wrongClass(source)
  for (const [row, count] of lengths.entries()) {
    const hasValue = status[row] === cellStatus.present
    const problem = hasValue ? lengthProblem(type, count) : count > 0 && ', but it has no value'
    if (problem === false) continue
    throw invalid(`column '${wire.name}', row ${row}: ${count} elements${problem}`)
  }
  const elementCount = wireCellCount(values.elements)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total !== elementCount) {
    throw invalid(
      `column '${wire.name}': its lengths add up to ${total} elements, it has ` +
        `${elementCount ?? `no whole number of ${values.elements.class} elements`}`,
    )
  }
  const elements = parseScalars(source, values.elements, scalarTypeOf(type))
  return { class: 'list', lengths, elements }
}

function lengthProblem(type: FeatureType, count: number): string | false {
  if (type.kind === 'embedding') {
    return count !== type.dim && ` instead of the ${type.dim} of ${formatFeatureType(type)}`
  }
  return count > listElementsMax && `, at most ${listElementsMax} are allowed`
}

/** Only for messages: it looks for the row. */
function elementPlace(name: string, lengths: Uint32Array, index: number): string {
  let start = 0
  const row = lengths.findIndex((length) => {
    start += length
    return index < start
  })
  return `column '${name}', row ${row}, element ${index - start + (lengths[row] ?? 0)}`
}

function parseStatus(wire: WireColumn, cellCount: number): Uint8Array {
  if (wire.status === undefined) return new Uint8Array(cellCount).fill(cellStatus.present)
  if (wire.status.byteLength !== cellCount) {
    throw invalid(
      `column '${wire.name}' has ${cellCount} cells and ${wire.status.byteLength} status bytes`,
    )
  }
  const allowed: readonly number[] = [cellStatus.present, cellStatus.nullValue, cellStatus.notFound]
  for (const [row, code] of wire.status.entries()) {
    if (allowed.includes(code)) continue
    throw invalid(
      `column '${wire.name}', row ${row}: status ${code} cannot be given ` +
        '(only PRESENT, NULL_VALUE or NOT_FOUND)',
    )
  }
  return Uint8Array.from(wire.status)
}

function parseScalars(
  source: GivenValues,
  values: WireScalarValues,
  scalar: ScalarType,
): ScalarValues {
  const wanted = scalarClasses[scalar]
  const range = integerRanges[scalar]
  if (values.class === 'var') {
    if (wanted !== 'var') throw wrongClass(source)
    return parseVar(source, values, scalar)
  }
  if (wanted === 'var') throw wrongClass(source)
  const numbers = typedNumbers(values)
  if (range !== undefined) return convertIntegers(source, numbers, { scalar, wanted, range })
  if (wanted === 'f32' && numbers instanceof Float32Array) return { class: 'f32', values: numbers }
  if (wanted === 'f64' && !(numbers instanceof BigInt64Array)) {
    return { class: 'f64', values: Float64Array.from(numbers) }
  }
  throw wrongClass(source)
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
  { status, placeOf }: GivenValues,
  numbers: Numbers,
  target: {
    readonly scalar: ScalarType
    readonly wanted: 'f32' | 'f64' | 'i64'
    readonly range: readonly [bigint, bigint]
  },
): ScalarValues {
  const { scalar, wanted, range } = target
  const integers = new BigInt64Array(numbers.length)
  for (let index = 0; index < numbers.length; index++) {
    if (status !== undefined && status[index] !== cellStatus.present) continue
    const value = numbers[index] ?? 0
    const whole = typeof value === 'bigint' || Number.isInteger(value)
    if (!whole || BigInt(value) < range[0] || BigInt(value) > range[1]) {
      throw invalid(
        `${placeOf(index)}: ${value} is not a ${scalar} ` +
          `(a whole number from ${range[0]} to ${range[1]})`,
      )
    }
    integers[index] = BigInt(value)
  }
  if (wanted === 'i64') return { class: 'i64', values: integers }
  return wanted === 'f32'
    ? { class: 'f32', values: Float32Array.from(integers, Number) }
    : { class: 'f64', values: Float64Array.from(integers, Number) }
}

function parseVar(
  { wire, status, placeOf }: GivenValues,
  values: WireScalarValues & { class: 'var' },
  scalar: ScalarType,
): ScalarValues {
  const lengths = new Uint32Array(Uint8Array.from(values.lengths).buffer)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total !== values.data.byteLength) {
    throw invalid(
      `column '${wire.name}': its lengths add up to ${total} bytes, its data has ` +
        `${values.data.byteLength}`,
    )
  }
  if (scalar === 'bytes') return { class: 'var', data: values.data, lengths }
  let start = 0
  for (const [index, byteCount] of lengths.entries()) {
    const text = values.data.subarray(start, start + byteCount)
    start += byteCount
    const counts = status === undefined || status[index] === cellStatus.present
    if (!counts || isUtf8(text)) continue
    throw invalid(`${placeOf(index)}: not valid UTF-8`)
  }
  return { class: 'var', data: values.data, lengths }
}

function wrongClass({ wire, type }: GivenValues): LarderError {
  const { values } = wire
  const came = values.class === 'list' ? `list of ${values.elements.class}` : values.class
  const wanted = type.kind === 'scalar' ? columnClassOf(type) : `list of ${elementClassOf(type)}`
  return invalid(
    `column '${wire.name}' came as ${came}, which does not fit ${formatFeatureType(type)} (${wanted})`,
  )
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
