/**
 * Columns as they arrive in messages, from plain values: little-endian, and unaligned on purpose.
 */
import type { WireColumn, WireScalarValues } from '../../src/column.js'

/** A column whose cells are all present, unless `status` says otherwise. */
export function wireColumn(
  name: string,
  values: WireColumn['values'],
  status?: readonly number[],
): WireColumn {
  return { name, values, status: status === undefined ? undefined : Uint8Array.from(status) }
}

export function f32(...values: readonly number[]): WireScalarValues {
  return { class: 'f32', bytes: unaligned(Float32Array.from(values)) }
}

export function f64(...values: readonly number[]): WireScalarValues {
  return { class: 'f64', bytes: unaligned(Float64Array.from(values)) }
}

export function i64(...values: readonly bigint[]): WireScalarValues {
  return { class: 'i64', bytes: unaligned(BigInt64Array.from(values)) }
}

/** Texts, or bytes as they are. */
export function texts(
  ...values: readonly (string | Uint8Array)[]
): WireScalarValues & { readonly class: 'var' } {
  const pieces = values.map((value) => Buffer.from(value))
  const lengths = Uint32Array.from(pieces, (piece) => piece.byteLength)
  return { class: 'var', data: unaligned(Buffer.concat(pieces)), lengths: unaligned(lengths) }
}

/** Lists of float32 values. */
export function lists(...rows: readonly (readonly number[])[]): WireColumn['values'] {
  return listsOf(
    rows.map((row) => row.length),
    f32(...rows.flat()),
  )
}

/** Lists of these lengths, which need not be right. */
export function listsOf(
  lengths: readonly number[],
  elements: WireScalarValues,
): WireColumn['values'] {
  return { class: 'list', lengths: unaligned(Uint32Array.from(lengths)), elements }
}

/** The array's bytes behind one other byte. */
export function unaligned(array: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(1 + array.byteLength)
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), 1)
  return bytes.subarray(1)
}
