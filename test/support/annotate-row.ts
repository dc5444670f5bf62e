/**
 * Rows as text: their bytes in hex, or their bits, piece by piece, each with what it says.
 */
import { assert } from '../../src/assert.js'
import { readRowHeader } from '../../src/codec/row-version.js'
import { type FeatureType, formatFeatureType } from '../../src/feature-type.js'
import type { VersionTable } from '../../src/version-format.js'
import { BitReader } from './reference-bits.js'
import { encodeReferenceCell, type ReferenceCell } from './reference-row.js'

export interface NamedCell {
  readonly name: string
  readonly type: FeatureType
  /** As people write it. */
  readonly text: string
  readonly cell: ReferenceCell
}

/** Rows of plain layouts have their versions in full. */
const fullVersions: VersionTable = { layoutIdMax: 0xffff_ffff, compact: new Map() }

/** A line per piece of `row`, whose layout has these features in this order. */
export function annotateRow(row: Uint8Array, cells: readonly NamedCell[]): string {
  const { layoutId, eventTimeUs, sequence } = readRowHeader(row, fullVersions)
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

/** Pieces of so many bits are shown as the bytes that they are, if they are any. */
const bytesShownFromBits = 32

/** A line per piece of a bit stream: offset in bits, the bits in their order or the bytes, text. */
export function annotateBits(
  bytes: Uint8Array,
  pieces: readonly (readonly [bitCount: number, text: string])[],
): string {
  const reader = new BitReader(bytes)
  const lines = pieces.map(([bitCount, text]) => {
    const offset = 8 * bytes.byteLength - reader.leftCount
    const isBytes = bitCount >= bytesShownFromBits && bitCount % 8 === 0
    const shown = isBytes
      ? reader.bytes(bitCount / 8).toString('hex')
      : Array.from({ length: bitCount }, () => reader.bit()).join('')
    return `${String(offset).padStart(4)}  ${(shown || '-').padEnd(34)}  ${text}`
  })
  assert(reader.leftCount === 0, 'the pieces make up the stream')
  return `${lines.join('\n')}\n`
}
