/**
 * Columns of responses: wire bytes -> typed arrays, and single cells on request.
 *
 * The typed arrays are the answer's own memory, aligned, and belong to the caller. `valueAt` makes a JS
 * value out of one cell: bool as boolean, int64 and timestamp (microseconds) as bigint, text as string.
 * It must never show the filler of a cell without a value: that is null.
 */
import { assert, unreachable } from '../assert.js'
import {
  type CellStatusName,
  type ColumnValues,
  cellStatus,
  type FeatureColumn,
  type ScalarValues,
} from '../column.js'
import { parseFeatureType, type ScalarType } from '../feature-type.js'
import type { Column, ListValues, VarValues } from '../gen/larder/v1/column.js'
import { LarderClientError } from './client-error.js'

/** A cell as a JS value; null where it has none. */
export type CellValue = CellScalar | readonly CellScalar[] | null
export type CellScalar = boolean | number | bigint | string | Uint8Array

export interface ResponseColumn extends FeatureColumn {
  statusAt(rowIndex: number): CellStatusName
  valueAt(rowIndex: number): CellValue
}

/** Reads a column of `rowCount` cells. Error `internal` where its bytes do not hold that many. */
export function readColumn(wire: Column, rowCount: number): ResponseColumn {
  const type = parseFeatureType(wire.type)
  if (type === undefined) throw broken(wire.name, `has the unknown type "${wire.type}"`)
  const values = readValues(wire)
  const status = wire.status.byteLength === 0 ? allPresent(rowCount) : Uint8Array.from(wire.status)
  if (cellCountOf(values) !== rowCount || status.length !== rowCount) {
    throw broken(wire.name, `holds ${cellCountOf(values)} cells instead of ${rowCount}`)
  }
  const hasValue = valueTest(wire, status)
  const scalar = scalarOf(wire.name, type)
  let readCell: ((rowIndex: number) => CellValue) | undefined
  return Object.freeze({
    name: wire.name,
    type,
    values,
    status,
    statusAt: (rowIndex: number) => statusNameOf(status[rowIndex]),
    valueAt(rowIndex: number) {
      readCell ??= createCellReader(values, scalar)
      return hasValue(rowIndex) ? readCell(rowIndex) : null
    },
  })
}

/** Copies little-endian bytes into an aligned array; the daemon sends whole elements. */
export function readF64(bytes: Uint8Array): Float64Array {
  return new Float64Array(alignedCopy(bytes))
}

export function readI64(bytes: Uint8Array): BigInt64Array {
  return new BigInt64Array(alignedCopy(bytes))
}

export function readU32(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(alignedCopy(bytes))
}

/** The name of a status byte; 0, which stands for "was not asked", is undefined. */
export function readStatus(code: number | undefined): CellStatusName | undefined {
  return statusNames.find((name) => cellStatus[name] === code)
}

const statusNames: readonly CellStatusName[] = [
  'present',
  'nullValue',
  'notFound',
  'outsideMaxAge',
  'unavailable',
]

function statusNameOf(code: number | undefined): CellStatusName {
  const name = readStatus(code)
  assert(name !== undefined, `${code} is the status of a cell`)
  return name
}

/** Which cells carry a value: those that the daemon marks, or else exactly the PRESENT ones. */
function valueTest(wire: Column, status: Uint8Array): (rowIndex: number) => boolean {
  if (wire.hasValue.byteLength === 0) {
    return (rowIndex) => status[rowIndex] === cellStatus.present
  }
  const marks = Uint8Array.from(wire.hasValue)
  return (rowIndex) => marks[rowIndex] === 1
}

function allPresent(rowCount: number): Uint8Array {
  return new Uint8Array(rowCount).fill(cellStatus.present)
}

function readValues(wire: Column): ColumnValues {
  if (wire.values === undefined) throw broken(wire.name, 'has no values')
  return wire.values.$case === 'list' ? readList(wire) : readScalars(wire.values)
}

type ScalarWireValues = Exclude<Column['values'], { $case: 'list' } | undefined>

function readScalars(values: ScalarWireValues): ScalarValues {
  switch (values.$case) {
    case 'f32':
      return { class: 'f32', values: new Float32Array(alignedCopy(values.value)) }
    case 'f64':
      return { class: 'f64', values: readF64(values.value) }
    case 'i64':
      return { class: 'i64', values: readI64(values.value) }
    case 'var':
      return readVar(values.value)
    default:
      return unreachable(values)
  }
}

function readVar(values: VarValues): ScalarValues {
  return {
    class: 'var',
    data: new Uint8Array(alignedCopy(values.data)),
    lengths: new Uint32Array(alignedCopy(values.lengths)),
  }
}

function readList(wire: Column): ColumnValues {
  const list: ListValues | undefined = wire.values?.$case === 'list' ? wire.values.value : undefined
  if (list?.elements === undefined) throw broken(wire.name, 'has no elements')
  const elements = readScalars(list.elements)
  return { class: 'list', lengths: new Uint32Array(alignedCopy(list.lengths)), elements }
}

/** grpc-js hands out views into shared pools, which are neither aligned nor ours to keep. */
function alignedCopy(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(copy).set(bytes)
  return copy
}

function cellCountOf(values: ColumnValues): number {
  return values.class === 'var' || values.class === 'list'
    ? values.lengths.length
    : values.values.length
}

function scalarOf(name: string, type: FeatureColumn['type']): ScalarType {
  switch (type.kind) {
    case 'scalar':
      return type.scalar
    case 'list':
      return type.element
    case 'embedding':
      return 'float32'
    default:
      throw broken(name, 'has a type of an unknown kind')
  }
}

function createCellReader(
  values: ColumnValues,
  scalar: ScalarType,
): (rowIndex: number) => CellValue {
  if (values.class !== 'list') return createScalarReader(values, scalar)
  const readElement = createScalarReader(values.elements, scalar)
  const starts = startsOf(values.lengths)
  return (rowIndex) => {
    const start = starts[rowIndex] ?? 0
    return Array.from({ length: values.lengths[rowIndex] ?? 0 }, (_, i) => readElement(start + i))
  }
}

function createScalarReader(
  values: ScalarValues,
  scalar: ScalarType,
): (index: number) => CellScalar {
  if (values.class !== 'var') {
    const { values: numbers } = values
    return (index) => {
      const number = numbers[index]
      assert(number !== undefined, `cell ${index} lies within its column`)
      return scalar === 'bool' ? number !== 0 : number
    }
  }
  const starts = startsOf(values.lengths)
  return (index) => {
    const start = starts[index] ?? 0
    const bytes = values.data.subarray(start, start + (values.lengths[index] ?? 0))
    return scalar === 'bytes' ? bytes : Buffer.from(bytes).toString('utf8')
  }
}

/** Where each run of `lengths` starts, in elements or bytes. */
export function startsOf(lengths: Uint32Array): Float64Array {
  const starts = new Float64Array(lengths.length)
  let next = 0
  for (const [index, runLength] of lengths.entries()) {
    starts[index] = next
    next += runLength
  }
  return starts
}

function broken(name: string, problem: string): LarderClientError {
  return new LarderClientError(
    'internal',
    `the daemon's answer is broken: column "${name}" ${problem}`,
  )
}
