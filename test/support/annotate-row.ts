/**
 * Rows as text: their bytes in hex, piece by piece, each with what it says.
 */
import { assert } from '../../src/assert.js'
import { readRowHeader } from '../../src/codec/row-version.js'
import { type FeatureType, formatFeatureType } from '../../src/feature-type.js'
import { encodeReferenceCell, type ReferenceCell } from './reference-row.js'

export interface NamedCell {
  readonly name: string
  readonly type: FeatureType
  /** As people write it. */
  readonly text: string
  readonly cell: ReferenceCell
}

/** A line per piece of `row`, whose layout has these features in this order. */
export function annotateRow(row: Uint8Array, cells: readonly NamedCell[]): string {
  const { layoutId, eventTimeUs, sequence } = readRowHeader(row)
  const setCount = cells.filter(({ cell }) => cell !== null).length
  const pieces: [byteCount: number, text: string][] = [
    [layoutId < 128 ? 1 : 2, `layout id ${layoutId}`],
    [8, `event time ${eventTimeUs} us`],
    [8, `sequence ${sequence}`],
    [Math.ceil(cells.length / 8), `presence: ${setCount} of ${cells.length} set`],
  ]
  for (const { name, type, text, cell } of cells) {
    const bytes = cell === null ? Buffer.alloc(0) : encodeReferenceCell(type, cell)
    pieces.push([bytes.byteLength, `${name} ${formatFeatureType(type)} = ${text}`])
  }
  const byteCount = pieces.reduce((sum, [pieceBytes]) => sum + pieceBytes, 0)
  assert(byteCount === row.byteLength, 'the pieces make up the row')
  return annotatePieces(row, pieces)
}

/** A line per piece: offset, bytes, text. */
export function annotatePieces(
  bytes: Uint8Array,
  pieces: readonly (readonly [byteCount: number, text: string])[],
): string {
  let offset = 0
  const lines = pieces.map(([byteCount, text]) => {
    const hex = Buffer.from(bytes.subarray(offset, offset + byteCount)).toString('hex')
    const line = `${String(offset).padStart(4)}  ${(hex || '-').padEnd(34)}  ${text}`
    offset += byteCount
    return line
  })
  return `${lines.join('\n')}\n`
}
