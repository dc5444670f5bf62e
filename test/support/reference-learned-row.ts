/**
 * Rows of learned layouts once more, as plainly as they can be written: what the native codec is held
 * against.
 *
 * Written from docs/formats/row-v1.md, not from the native code; slow, and for tests only. Cells are
 * those of `reference-row.ts`. Every cell goes through its bytes in plain rows: the encoder takes the
 * symbols out of them, the decoder puts them together again and lets the plain reference judge them.
 * The encoder never compresses; where rows with LZ4 blocks are compared, it is by decoded cells.
 */
import type {
  CodeClass,
  EncodingProfile,
  FeatureEncoding,
  SymbolCoding,
} from '../../src/encoding-profile.js'
import type { FeatureType } from '../../src/feature-type.js'
import type { VersionFormat } from '../../src/version-format.js'
import { BitReader, type Bits, bitsOfBytes, Corrupt, packBits, uintBits } from './reference-bits.js'
import { decodeLz4Block } from './reference-lz4.js'
import {
  decodeReferenceRow,
  encodeReferenceCell,
  encodeReferenceRow,
  type ReferenceCell,
  type ReferenceLayout,
  type ReferenceRow,
} from './reference-row.js'
import {
  elementType,
  literalBitsMin,
  symbolOfValue,
  takeElement,
  takeLiteral,
  valueOfSymbol,
  varint,
} from './reference-symbols.js'

export interface LearnedReferenceLayout extends ReferenceLayout {
  readonly versionFormat: VersionFormat
  /** Undefined where the body is plain. */
  readonly profile: EncodingProfile | undefined
}

/** The bytes of `row`, or undefined where its version does not fit the layout's format. */
export function encodeLearnedRow(
  row: ReferenceRow,
  layout: LearnedReferenceLayout,
): Buffer | undefined {
  const plain = encodeReferenceRow(row, layout)
  const idBytes = varint(layout.layoutId)
  const version = versionBytes(row, layout.versionFormat)
  if (version === undefined) return undefined
  const { profile } = layout
  const body =
    profile === undefined
      ? plain.subarray(idBytes.byteLength + 16)
      : packBits(bodyBits(row.cells, layout, profile))
  return Buffer.concat([idBytes, version, body])
}

function versionBytes(row: ReferenceRow, format: VersionFormat): Buffer | undefined {
  const { eventTimeUs, sequence } = row
  if (format === 'full') return fullVersion(eventTimeUs, sequence)
  const { eventBaseUs, eventUnitUs, eventBytes } = format
  const distance = eventTimeUs - eventBaseUs
  const steps = distance / eventUnitUs
  const isExact = distance >= 0n && distance % eventUnitUs === 0n
  if (sequence !== format.sequence || !isExact || steps >= 256n ** BigInt(eventBytes)) {
    return undefined
  }
  return Buffer.from(steps.toString(16).padStart(16, '0'), 'hex').subarray(8 - eventBytes)
}

function fullVersion(eventTimeUs: bigint, sequence: bigint): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, eventTimeUs) ^ (1n << 63n), 0)
  bytes.writeBigUInt64BE(sequence, 8)
  return bytes
}

/** The encoding of a feature that a profile does not name. */
const plainEncoding: FeatureEncoding = { kind: 'plain' }

function bodyBits(
  cells: readonly ReferenceCell[],
  { features }: LearnedReferenceLayout,
  profile: EncodingProfile,
): Bits {
  const coded = features.map(({ id, type }, index) => {
    const encoding = profile.encodings.get(id) ?? plainEncoding
    return cellBits(cells[index] ?? null, type, encoding)
  })
  const hasExceptions = coded.includes(undefined)
  const marks = hasExceptions ? coded.map((bits) => (bits === undefined ? 1 : 0)) : []
  const values = coded.flatMap((bits, index) => {
    return bits ?? plainCellBits(cells[index] ?? null, features[index]?.type)
  })
  return [hasExceptions ? 1 : 0, ...marks, ...values]
}

/** One bit, then the value: of features written plain, and of exceptions. */
function plainCellBits(cell: ReferenceCell, type: FeatureType | undefined): Bits {
  if (cell === null || type === undefined) return [0]
  return [1, ...bitsOfBytes(encodeReferenceCell(type, cell))]
}

/** Undefined where the encoding cannot hold the cell. */
function cellBits(
  cell: ReferenceCell,
  type: FeatureType,
  encoding: FeatureEncoding,
): Bits | undefined {
  switch (encoding.kind) {
    case 'plain':
      return plainCellBits(cell, type)
    case 'coded':
      if (cell === null) return nullBits(encoding.coding.classes)
      return valueBits(encodeReferenceCell(type, cell), type, encoding.coding)
    case 'packed_list':
      if (cell === null) return nullBits(encoding.lengths)
      return listBits(encodeReferenceCell(type, cell), { type, cell, encoding })
    case 'block':
      if (cell === null) return nullBits(encoding.lengths)
      return blockBits(blockOf(encodeReferenceCell(type, cell), type, cell), encoding)
  }
}

function nullBits(classes: readonly CodeClass[]): Bits | undefined {
  const code = classes.find(({ kind }) => kind === 'null')
  return code && prefixOf(code, classes)
}

interface ListCell {
  readonly type: FeatureType
  readonly cell: string | readonly string[]
  readonly encoding: FeatureEncoding & { kind: 'packed_list' }
}

function listBits(plain: Buffer, { type, cell, encoding }: ListCell): Bits | undefined {
  const { lengths, elements } = encoding
  const each = elementType(type)
  const pieces =
    type.kind === 'embedding'
      ? embeddingPieces(plain, type)
      : Array.from(cell, (element) => encodeReferenceCell(each, element))
  const length = rangeBits(BigInt(pieces.length), lengths)
  const coded = pieces.map((piece) => valueBits(piece, type, elements))
  if (length === undefined || coded.includes(undefined)) return undefined
  const scale =
    type.kind === 'embedding' && type.storage === 'int8' ? bitsOfBytes(plain.subarray(0, 4)) : []
  return [...length, ...scale, ...coded.flatMap((bits) => bits ?? [])]
}

/** The stored elements of an embedding, without its scale. */
function embeddingPieces(plain: Buffer, type: FeatureType & { kind: 'embedding' }): Buffer[] {
  const elementBytes = { f32: 4, f16: 2, int8: 1 }[type.storage]
  const begin = type.storage === 'int8' ? 4 : 0
  return Array.from({ length: type.dim }, (_, index) => {
    const at = begin + index * elementBytes
    return plain.subarray(at, at + elementBytes)
  })
}

/** A text's block has no byte count of its own. */
function blockOf(plain: Buffer, type: FeatureType, cell: string | readonly string[]): Buffer {
  return type.kind === 'scalar' && typeof cell === 'string' ? Buffer.from(cell, 'hex') : plain
}

function blockBits(
  block: Buffer,
  { lengths, lz4BytesMin }: FeatureEncoding & { kind: 'block' },
): Bits | undefined {
  const length = rangeBits(BigInt(block.byteLength), lengths)
  if (length === undefined) return undefined
  const mark = lz4BytesMin !== undefined && block.byteLength >= lz4BytesMin ? [0] : []
  return [...length, ...mark, ...bitsOfBytes(block)]
}

function rangeBits(symbol: bigint, classes: readonly CodeClass[]): Bits | undefined {
  for (const code of classes) {
    const bits = codeBits(symbol, code, classes)
    if (bits !== undefined) return bits
  }
  return undefined
}

/** Of a symbol in the class `code` of `classes`; undefined where that does not hold it. */
function codeBits(
  symbol: bigint,
  code: CodeClass,
  classes: readonly CodeClass[],
): Bits | undefined {
  if (code.kind !== 'range') return undefined
  const above = BigInt.asUintN(64, symbol - code.base)
  if (above >> BigInt(code.width) !== 0n) return undefined
  return [...prefixOf(code, classes), ...uintBits(above, code.width)]
}

/** Of the value whose plain bytes are `piece`; `type` may be that of its list. */
function valueBits(piece: Buffer, type: FeatureType, coding: SymbolCoding): Bits | undefined {
  const { mapping, classes } = coding
  for (const code of classes) {
    if (code.kind !== 'range') continue
    const symbol = symbolOfValue(piece, { type, mapping, exponent: code.exponent })
    const bits = symbol === undefined ? undefined : codeBits(symbol, code, classes)
    if (bits !== undefined) return bits
  }
  const literal = classes.find(({ kind }) => kind === 'literal')
  return literal && [...prefixOf(literal, classes), ...bitsOfBytes(piece)]
}

/** The canonical code, its highest bit first; empty in a table of one class. */
function prefixOf(code: CodeClass, classes: readonly CodeClass[]): Bits {
  let next = 0
  let bitCount = classes[0]?.prefixBits ?? 0
  for (const each of classes) {
    next <<= each.prefixBits - bitCount
    bitCount = each.prefixBits
    if (each === code) break
    next++
  }
  return uintBits(BigInt(next), code.prefixBits).reverse()
}

/**
 * The row in `bytes`: 'corrupt' where they are not one, the layout's id where it is none of
 * `layouts`, else the row.
 */
export function decodeLearnedRow(
  bytes: Uint8Array,
  layouts: readonly LearnedReferenceLayout[],
): ReturnType<typeof decodeReferenceRow> {
  const layout = layouts.find(({ layoutId }) => startsWith(bytes, varint(layoutId)))
  if (layout === undefined) return decodeReferenceRow(bytes, [])
  try {
    return readRow(new BitReader(bytes), layout)
  } catch (error) {
    if (error instanceof Corrupt) return 'corrupt'
    throw error
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, prefix.byteLength)).equals(prefix)
}

function readRow(reader: BitReader, layout: LearnedReferenceLayout): ReferenceRow | 'corrupt' {
  reader.bytes(varint(layout.layoutId).byteLength)
  const { eventTimeUs, sequence } = readVersion(reader, layout.versionFormat)
  const { layoutId, features, profile } = layout
  if (profile === undefined) {
    const body = reader.bytes(reader.leftCount / 8)
    const plain = Buffer.concat([varint(layoutId), fullVersion(eventTimeUs, sequence), body])
    const decoded = decodeReferenceRow(plain, [layout])
    return decoded !== 'corrupt' && 'cells' in decoded ? decoded : 'corrupt'
  }
  const hasExceptions = reader.bit() === 1
  const marks = features.map(() => hasExceptions && reader.bit() === 1)
  if (hasExceptions && !marks.includes(true)) throw new Corrupt('no exception')
  const cells = features.map(({ id, type }, index) => {
    const encoding = profile.encodings.get(id) ?? plainEncoding
    return readCell(reader, type, marks[index] === true ? plainEncoding : encoding)
  })
  reader.end()
  return { layoutId, eventTimeUs, sequence, cells }
}

function readVersion(reader: BitReader, format: VersionFormat) {
  if (format === 'full') {
    const bytes = reader.bytes(16)
    const eventTimeUs = BigInt.asIntN(64, bytes.readBigUInt64BE(0) ^ (1n << 63n))
    return { eventTimeUs, sequence: bytes.readBigUInt64BE(8) }
  }
  const { eventBaseUs, eventUnitUs, eventBytes, sequence } = format
  const steps = BigInt(`0x0${reader.bytes(eventBytes).toString('hex')}`)
  return { eventTimeUs: eventBaseUs + eventUnitUs * steps, sequence }
}

function readCell(reader: BitReader, type: FeatureType, encoding: FeatureEncoding): ReferenceCell {
  const plain = readPlainBytes(reader, type, encoding)
  return plain === null ? null : cellOfPlainBytes(plain, type)
}

/** The cell of a value's bytes in plain rows; throws `Corrupt` where they are not exactly one value. */
export function cellOfPlainBytes(plain: Buffer, type: FeatureType): ReferenceCell {
  const row = Buffer.concat([Buffer.of(2), Buffer.alloc(16), Buffer.of(1), plain])
  const decoded = decodeReferenceRow(row, [{ layoutId: 2, features: [{ id: 0, type }] }])
  if (decoded === 'corrupt' || !('cells' in decoded)) throw new Corrupt('value')
  return decoded.cells[0] ?? null
}

/** The cell's bytes in plain rows, null where it is null. */
function readPlainBytes(
  reader: BitReader,
  type: FeatureType,
  encoding: FeatureEncoding,
): Buffer | null {
  switch (encoding.kind) {
    case 'plain':
      return reader.bit() === 1 ? takeLiteral(reader, type) : null
    case 'coded':
      return readValue(reader, type, encoding.coding)
    case 'packed_list':
      return readList(reader, type, encoding)
    case 'block':
      return readBlock(reader, type, encoding)
  }
}

function readCode(reader: BitReader, classes: readonly CodeClass[]): CodeClass {
  const codes = codesByPrefix(classes)
  for (let prefix = ''; ; prefix += reader.bit()) {
    const code = codes.get(prefix)
    if (code !== undefined) return code
  }
}

const knownCodes = new WeakMap<readonly CodeClass[], ReadonlyMap<string, CodeClass>>()

/** Made once for a table: rows are read by the million. */
function codesByPrefix(classes: readonly CodeClass[]): ReadonlyMap<string, CodeClass> {
  const known = knownCodes.get(classes)
  if (known !== undefined) return known
  const codes = new Map(classes.map((code) => [prefixOf(code, classes).join(''), code]))
  knownCodes.set(classes, codes)
  return codes
}

function readSymbol(reader: BitReader, code: CodeClass & { kind: 'range' }): bigint {
  return BigInt.asIntN(64, code.base + reader.uint(code.width))
}

/** A scalar, or an element where `type` is of a list or an embedding. */
function readValue(reader: BitReader, type: FeatureType, coding: SymbolCoding): Buffer | null {
  const code = readCode(reader, coding.classes)
  if (code.kind !== 'range') return code.kind === 'null' ? null : takeElement(reader, type)
  const { mapping } = coding
  const symbol = readSymbol(reader, code)
  const value = valueOfSymbol(symbol, { type, mapping, exponent: code.exponent })
  if (mapping.kind === 'dictionary') reader.grow(mapping.values[Number(symbol)]?.byteLength ?? 0)
  return value
}

/** Undefined where it is null. */
function readLength(reader: BitReader, classes: readonly CodeClass[]): number | undefined {
  const code = readCode(reader, classes)
  return code.kind === 'range' ? Number(readSymbol(reader, code)) : undefined
}

function readList(
  reader: BitReader,
  type: FeatureType,
  { lengths, elements }: FeatureEncoding & { kind: 'packed_list' },
): Buffer | null {
  const count = readLength(reader, lengths)
  if (count === undefined) return null
  if (type.kind === 'embedding' && count !== type.dim) throw new Corrupt('dim')
  const head =
    type.kind === 'list'
      ? varint(count)
      : reader.bytes(type.kind === 'embedding' && type.storage === 'int8' ? 4 : 0)
  const leastBits = Math.min(
    ...elements.classes.map((code) => {
      return code.prefixBits + (code.kind === 'range' ? code.width : literalBitsMin(type))
    }),
  )
  if (count * leastBits > reader.leftCount) throw new Corrupt('count')
  if (leastBits === 0 && count > 65_536) throw new Corrupt('count')
  const pieces = [head]
  for (let left = count; left > 0; left--) {
    pieces.push(readValue(reader, type, elements) ?? Buffer.alloc(0))
  }
  return Buffer.concat(pieces)
}

function readBlock(
  reader: BitReader,
  type: FeatureType,
  { lengths, lz4BytesMin }: FeatureEncoding & { kind: 'block' },
): Buffer | null {
  const byteCount = readLength(reader, lengths)
  if (byteCount === undefined) return null
  reader.grow(byteCount)
  const mayBeLz4 = lz4BytesMin !== undefined && byteCount >= lz4BytesMin
  const bytes =
    mayBeLz4 && reader.bit() === 1 ? readLz4(reader, byteCount) : reader.bytes(byteCount)
  return type.kind === 'scalar' ? Buffer.concat([varint(byteCount), bytes]) : bytes
}

function readLz4(reader: BitReader, byteCount: number): Buffer {
  const countBits = byteCount <= 1 ? 0 : (byteCount - 1).toString(2).length
  const lz4Bytes = Number(reader.uint(countBits))
  if (lz4Bytes >= byteCount || byteCount > 255 * lz4Bytes) throw new Corrupt('lz4')
  return decodeLz4Block(reader.bytes(lz4Bytes), byteCount)
}
