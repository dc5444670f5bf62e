/**
 * Checked scalars -> the little-endian bytes of their wire class (`column.proto` has the table).
 *
 * A cell without a value takes its place as zero, or as length 0. Typed arrays hold the machine's byte
 * order: `assertLittleEndian` keeps a big-endian machine from sending nonsense.
 */
import { type ScalarType, scalarClasses } from '../feature-type.js'
import type { VarValues } from '../gen/larder/v1/column.js'
import type { Scalar } from './check-scalar.js'
import { LarderClientError } from './client-error.js'

export type ScalarWire =
  | { readonly $case: 'f32'; readonly value: Buffer }
  | { readonly $case: 'f64'; readonly value: Buffer }
  | { readonly $case: 'i64'; readonly value: Buffer }
  | { readonly $case: 'var'; readonly value: VarValues }

export function assertLittleEndian(): void {
  const firstByte = new Uint8Array(new Uint16Array([1]).buffer)[0]
  if (firstByte !== 1) {
    throw new LarderClientError('unimplemented', 'this machine is big-endian: not supported')
  }
}

/** Encodes cells that were checked against `type`; undefined is a cell without a value. */
export function encodeScalars(
  type: ScalarType,
  cells: readonly (Scalar | undefined)[],
): ScalarWire {
  switch (scalarClasses[type]) {
    case 'f32':
      return { $case: 'f32', value: bytesOf(Float32Array.from(cells, (cell) => Number(cell ?? 0))) }
    case 'f64':
      return { $case: 'f64', value: bytesOf(Float64Array.from(cells, (cell) => Number(cell ?? 0))) }
    case 'i64':
      return { $case: 'i64', value: bytesOf(BigInt64Array.from(cells, asBigint)) }
    case 'var':
      return { $case: 'var', value: encodeVar(cells) }
  }
}

/** The bytes of a typed array, not copied: it must not change until the request has gone out. */
export function bytesOf(array: NodeJS.TypedArray): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

function asBigint(cell: Scalar | undefined): bigint {
  return typeof cell === 'bigint' ? cell : 0n
}

function encodeVar(cells: readonly (Scalar | undefined)[]): VarValues {
  const pieces = cells.map((cell) => (cell instanceof Uint8Array ? cell : textBytes(cell)))
  const lengths = Uint32Array.from(pieces, (piece) => piece.byteLength)
  return { data: Buffer.concat(pieces), lengths: bytesOf(lengths) }
}

function textBytes(cell: Scalar | undefined): Buffer {
  return Buffer.from(typeof cell === 'string' ? cell : '', 'utf8')
}
