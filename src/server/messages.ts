/**
 * Columns of the proto as ours, and ours as the proto's: the edge where untrusted bytes get names.
 *
 * Nothing is copied where the machine's byte order and alignment allow it; values are checked against
 * their types further in.
 */
import {
  type ColumnValues,
  cellStatus,
  type FeatureColumn,
  type ScalarValues,
  type WireColumn,
  type WireValues,
} from '../column.js'
import { LarderError } from '../errors.js'
import { formatFeatureType } from '../feature-type.js'
import type { Column, ListValues as ListMessage } from '../gen/larder/v1/column.js'

type WireScalar = Exclude<WireValues, { class: 'list' }>

/** The columns of a request. Throws `invalid_argument` for a column without a name or values. */
export function parseColumns(messages: readonly Column[], kind: string): WireColumn[] {
  return messages.map((message, index) => {
    if (message.name === '') {
      throw new LarderError('invalid_argument', `${kind} ${index} has no name`)
    }
    if (message.values === undefined) {
      throw new LarderError('invalid_argument', `${kind} '${message.name}' has no values`)
    }
    return {
      name: message.name,
      values: parseValues(message.name, message.values),
      status: message.status.byteLength === 0 ? undefined : message.status,
    }
  })
}

function parseValues(name: string, values: NonNullable<Column['values']>): WireValues {
  switch (values.$case) {
    case 'f32':
    case 'f64':
    case 'i64':
      return { class: values.$case, bytes: values.value }
    case 'var':
      return { class: 'var', data: values.value.data, lengths: values.value.lengths }
    case 'list':
      return {
        class: 'list',
        lengths: values.value.lengths,
        elements: parseElements(name, values.value.elements),
      }
  }
}

function parseElements(name: string, elements: ListMessage['elements']): WireScalar {
  if (elements === undefined) {
    throw new LarderError('invalid_argument', `list column '${name}' has no elements field`)
  }
  return elements.$case === 'var'
    ? { class: 'var', data: elements.value.data, lengths: elements.value.lengths }
    : { class: elements.$case, bytes: elements.value }
}

/** A decoded column as a message; cells of the statuses `valued` carry a value. */
export function formatColumn(column: FeatureColumn, valued: readonly number[]): Column {
  const { name, values, status, type } = column
  return {
    name,
    values: formatValues(values),
    status: bytesOf(status),
    type: formatFeatureType(type),
    hasValue: bytesOf(formatValued(status, valued)),
  }
}

/** Empty where exactly the present cells carry a value, as nearly always. */
function formatValued(status: Uint8Array, valued: readonly number[]): Uint8Array {
  const isUsual =
    (valued.length === 1 && valued[0] === cellStatus.present) ||
    status.every((code) => valued.includes(code) === (code === cellStatus.present))
  return isUsual ? new Uint8Array(0) : status.map((code) => (valued.includes(code) ? 1 : 0))
}

function formatValues(values: ColumnValues): NonNullable<Column['values']> {
  if (values.class !== 'list') return formatScalar(values)
  const { lengths, elements } = values
  return {
    $case: 'list',
    value: { lengths: bytesOf(lengths), elements: formatScalar(elements) },
  }
}

function formatScalar(values: ScalarValues) {
  switch (values.class) {
    case 'f32':
      return { $case: 'f32' as const, value: bytesOf(values.values) }
    case 'f64':
      return { $case: 'f64' as const, value: bytesOf(values.values) }
    case 'i64':
      return { $case: 'i64' as const, value: bytesOf(values.values) }
    case 'var':
      return {
        $case: 'var' as const,
        value: { data: bytesOf(values.data), lengths: bytesOf(values.lengths) },
      }
  }
}

/** The array's memory as a Buffer, without copying: little-endian on every machine Larder runs on. */
export function bytesOf(array: ArrayBufferView): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

/** Little-endian int64 values. Throws `invalid_argument` where the bytes are not a whole number of them. */
export function parseInt64s(bytes: Uint8Array, name: string): BigInt64Array {
  if (bytes.byteLength % 8 !== 0) {
    throw new LarderError(
      'invalid_argument',
      `${name} has ${bytes.byteLength} bytes, not a whole number of 8-byte values`,
    )
  }
  // A copy: the message's bytes need not be aligned.
  return new BigInt64Array(Uint8Array.from(bytes).buffer)
}
