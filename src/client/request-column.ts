/**
 * Columns for requests: join keys, given features, rows to write.
 *
 * Typed arrays go out as they are; JS values are checked against a declared type first, and the error
 * names the column, the row, the value and the bound. It must never round an integer, replace a broken
 * string, or turn a missing value into a zero: `null` is NULL_VALUE, `undefined` is "not given".
 */
import {
  type FeatureType,
  formatFeatureType,
  parseFeatureType,
  type ScalarType,
} from '../feature-type.js'
import { CellStatus, type Column } from '../gen/larder/v1/column.js'
import { checkScalar, formatValue, type Scalar } from './check-scalar.js'
import { invalidRequest } from './client-error.js'
import { bytesOf, encodeScalars, type ScalarWire } from './encode-scalars.js'

/** A cell's value: int64 and timestamp (microseconds) as bigint or whole number, bytes as Uint8Array. */
export type RequestValue = Scalar | readonly Scalar[] | Float32Array | null | undefined

/** A column as it goes out; made by `column`, opaque to callers. */
export type RequestColumn = Column

export const column = {
  /** Text: strings and categoricals. */
  strings: (name: string, values: readonly string[]): RequestColumn =>
    fromValues(name, 'string', values),
  /** float32 columns; a Float32Array may also carry bool, int8 and int16. */
  float32: (name: string, values: Float32Array | readonly number[]): RequestColumn =>
    values instanceof Float32Array
      ? wireColumn(name, { $case: 'f32', value: bytesOf(values) })
      : fromValues(name, 'float32', values),
  /** float64 columns; a Float64Array may also carry int32. */
  float64: (name: string, values: Float64Array | readonly number[]): RequestColumn =>
    values instanceof Float64Array
      ? wireColumn(name, { $case: 'f64', value: bytesOf(values) })
      : fromValues(name, 'float64', values),
  /** int64 and timestamp (microseconds) columns. */
  int64: (name: string, values: BigInt64Array | readonly bigint[]): RequestColumn =>
    values instanceof BigInt64Array
      ? wireColumn(name, { $case: 'i64', value: bytesOf(values) })
      : fromValues(name, 'int64', values),
  int8: (name: string, values: readonly number[]): RequestColumn =>
    fromValues(name, 'int8', values),
  int16: (name: string, values: readonly number[]): RequestColumn =>
    fromValues(name, 'int16', values),
  int32: (name: string, values: readonly number[]): RequestColumn =>
    fromValues(name, 'int32', values),
  bools: (name: string, values: readonly boolean[]): RequestColumn =>
    fromValues(name, 'bool', values),
  /** Any declared type, such as `list<int32>` or `embedding<64, f16>`, from JS values. */
  fromValues,
  /** Cells that were encoded elsewhere, as column.proto says; `status` is left out where all are present. */
  fromWire: (
    name: string,
    values: NonNullable<Column['values']>,
    status?: Uint8Array,
  ): RequestColumn => wireColumn(name, values, status),
} as const

/**
 * A column of `typeText` cells. Errors: `invalid_argument` for an unknown type, or naming the first
 * value that does not fit.
 */
function fromValues(
  name: string,
  typeText: string,
  values: readonly RequestValue[],
): RequestColumn {
  const type = parseFeatureType(typeText)
  if (type === undefined) throw invalidRequest(`column "${name}": "${typeText}" is not a type`)
  const cells = values.map((value, rowIndex) => checkCell({ name, rowIndex, type }, value))
  const wire =
    type.kind === 'scalar' ? encodeScalarCells(type, cells) : encodeListCells(type, cells)
  return wireColumn(name, wire, statusOf(values))
}

interface CellPlace {
  readonly name: string
  readonly rowIndex: number
  readonly type: FeatureType
}

type Cell = Scalar | readonly Scalar[] | undefined

function checkCell(place: CellPlace, value: RequestValue): Cell {
  if (value === null || value === undefined) return undefined
  const { type } = place
  if (type.kind === 'scalar') {
    if (isList(value)) throw badCell(place, value, 'is a list')
    return checkedScalar(place, type.scalar, value)
  }
  if (!isList(value)) throw badCell(place, value, 'is not a list')
  if (type.kind === 'embedding' && value.length !== type.dim) {
    throw badCell(place, value, `has ${value.length} elements instead of ${type.dim}`)
  }
  const element = type.kind === 'list' ? type.element : 'float32'
  return Array.from(value, (item) => checkedScalar(place, element, item))
}

function checkedScalar(place: CellPlace, scalar: ScalarType, value: Scalar): Scalar {
  const checked = checkScalar(scalar, value)
  if ('problem' in checked) throw badCell(place, value, checked.problem)
  return checked.value
}

function badCell(place: CellPlace, value: RequestValue, problem: string): Error {
  const where = `column "${place.name}", row ${place.rowIndex}`
  return invalidRequest(
    `${where}: ${formatValue(value)} ${problem} (${formatFeatureType(place.type)})`,
  )
}

function isList(value: RequestValue): value is readonly Scalar[] | Float32Array {
  return Array.isArray(value) || value instanceof Float32Array
}

function encodeScalarCells(
  type: FeatureType & { kind: 'scalar' },
  cells: readonly Cell[],
): ScalarWire {
  return encodeScalars(
    type.scalar,
    cells.map((cell) => (isList(cell) ? undefined : cell)),
  )
}

function encodeListCells(
  type: Exclude<FeatureType, { kind: 'scalar' }>,
  cells: readonly Cell[],
): NonNullable<Column['values']> {
  const lists = cells.map((cell) => (isList(cell) ? cell : []))
  const lengths = bytesOf(Uint32Array.from(lists, (list) => list.length))
  const element = type.kind === 'list' ? type.element : 'float32'
  const elements = encodeScalars(
    element,
    lists.flatMap((list) => Array.from(list)),
  )
  return { $case: 'list', value: { lengths, elements } }
}

function statusOf(values: readonly RequestValue[]): Uint8Array | undefined {
  if (values.every((value) => value !== null && value !== undefined)) return undefined
  return Uint8Array.from(values, (value) => {
    if (value === null) return CellStatus.CELL_STATUS_NULL_VALUE
    return value === undefined ? CellStatus.CELL_STATUS_NOT_FOUND : CellStatus.CELL_STATUS_PRESENT
  })
}

function wireColumn(
  name: string,
  values: NonNullable<Column['values']>,
  status?: Uint8Array,
): RequestColumn {
  return {
    name,
    values,
    status: bytesOf(status ?? new Uint8Array(0)),
    type: '',
    hasValue: Buffer.alloc(0),
  }
}
