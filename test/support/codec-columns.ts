/**
 * Columns of reference cells and back, for tests of the codec.
 */
import {
  cellStatus,
  type FeatureColumn,
  type ScalarValues,
  type WireColumn,
} from '../../src/column.js'
import { columnClassOf, elementClassOf, type FeatureType } from '../../src/feature-type.js'
import type { ReferenceCell } from './reference-row.js'

/** The column a client would send for `cells`: null cells are NULL_VALUE, all others present. */
export function wireColumnOf(
  name: string,
  type: FeatureType,
  cells: readonly ReferenceCell[],
): WireColumn {
  const status = Uint8Array.from(cells, (cell) =>
    cell === null ? cellStatus.nullValue : cellStatus.present,
  )
  return { name, values: wireValuesOf(type, cells), status }
}

function wireValuesOf(type: FeatureType, cells: readonly ReferenceCell[]): WireColumn['values'] {
  const elementClass = elementClassOf(type)
  if (columnClassOf(type) !== 'list') return wireScalarsOf(elementClass, cells.map(scalarHex))
  const lists = cells.map((cell) => (Array.isArray(cell) ? cell : []))
  return {
    class: 'list',
    lengths: u32Bytes(lists.map((list) => list.length)),
    elements: wireScalarsOf(elementClass, lists.flat()),
  }
}

function scalarHex(cell: ReferenceCell): string | null {
  return typeof cell === 'string' ? cell : null
}

function wireScalarsOf(
  elementClass: ReturnType<typeof elementClassOf>,
  elements: readonly (string | null)[],
) {
  const pieces = elements.map((hex) => Buffer.from(hex ?? '', 'hex'))
  if (elementClass === 'var') {
    return {
      class: elementClass,
      data: Buffer.concat(pieces),
      lengths: u32Bytes(pieces.map((piece) => piece.byteLength)),
    }
  }
  const nothing = Buffer.alloc(elementClass === 'f32' ? 4 : 8)
  const bytes = Buffer.concat(pieces.map((piece) => (piece.byteLength === 0 ? nothing : piece)))
  return { class: elementClass, bytes }
}

/** Little-endian u32 values, unaligned on purpose: what arrives in a message may be. */
export function u32Bytes(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(1 + 4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 1 + 4 * index)
  return bytes.subarray(1)
}

/** The cells of a decoded column, values of cells without one included. */
export function cellsOfColumn({ values, status }: FeatureColumn): ReferenceCell[] {
  if (values.class !== 'list') return elementsOf(values)
  const elements = elementsOf(values.elements)
  let offset = 0
  return Array.from(status, (_, row) => {
    const begin = offset
    offset += values.lengths[row] ?? 0
    return elements.slice(begin, offset)
  })
}

function elementsOf(values: ScalarValues): string[] {
  if (values.class === 'var') {
    let offset = 0
    return Array.from(values.lengths, (byteCount) => {
      const begin = offset
      offset += byteCount
      return Buffer.from(values.data.subarray(begin, offset)).toString('hex')
    })
  }
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: cellBytes } = values.values
  const hex = Buffer.from(buffer, byteOffset, byteLength).toString('hex')
  return Array.from({ length: values.values.length }, (_, index) =>
    hex.slice(2 * cellBytes * index, 2 * cellBytes * (index + 1)),
  )
}
