/**
 * Row format v1 once more, as plainly as it can be written: what the native codec is held against.
 *
 * Written from docs/formats/row-v1.md, not from the native code; slow, and for tests only. A cell
 * is the hex of its value's little-endian bytes as a column holds them (of a string its bytes), a
 * list an array of those, null where there is no value: so that equal cells are equal in every bit.
 */
import {
  columnClassOf,
  elementClassOf,
  type FeatureType,
  type ScalarType,
  scalarClasses,
} from '../../src/feature-type.js'

export type ReferenceCell = string | readonly string[] | null
export interface ReferenceFeature {
  readonly id: number
  readonly type: FeatureType
}
export interface ReferenceLayout {
  readonly layoutId: number
  readonly features: readonly ReferenceFeature[]
}
export interface ReferenceRow {
  readonly layoutId: number
  readonly eventTimeUs: bigint
  readonly sequence: bigint
  /** In layout order; empty for a tombstone or a fence. */
  readonly cells: readonly ReferenceCell[]
}

/** A row that cannot be: the reference decoder's only complaint. */
class Corrupt extends Error {}

type PlainScalar = number | bigint | boolean | string | Uint8Array

/** The cell of a plain value of `type`. */
export function cellOf(
  type: FeatureType,
  value: PlainScalar | readonly PlainScalar[] | null,
): ReferenceCell {
  if (value === null) return null
  const scalar = type.kind === 'scalar' ? type.scalar : elementTypeOf(type)
  if (Array.isArray(value)) return value.map((element) => elementOf(scalar, element))
  return elementOf(scalar, value as PlainScalar)
}

function elementTypeOf(type: FeatureType): ScalarType {
  if (type.kind === 'scalar') return type.scalar
  return type.kind === 'list' ? type.element : 'float32'
}

function elementOf(scalar: ScalarType, value: PlainScalar): string {
  const bytes = Buffer.alloc(8)
  switch (scalarClasses[scalar]) {
    case 'f32':
      bytes.writeFloatLE(Number(value))
      return bytes.toString('hex', 0, 4)
    case 'f64':
      bytes.writeDoubleLE(Number(value))
      return bytes.toString('hex')
    case 'i64':
      bytes.writeBigInt64LE(BigInt(value as bigint))
      return bytes.toString('hex')
    case 'var':
      return Buffer.from(value as string).toString('hex')
  }
}

/** The bytes of `row`. Its cells fit their types. */
export function encodeReferenceRow(row: ReferenceRow, layout: ReferenceLayout): Buffer {
  const head = Buffer.alloc(16)
  head.writeBigUInt64BE(BigInt.asUintN(64, row.eventTimeUs) ^ (1n << 63n), 0)
  head.writeBigUInt64BE(row.sequence, 8)
  const presence = Buffer.alloc(Math.ceil(layout.features.length / 8))
  const values: Buffer[] = []
  for (const [index, feature] of layout.features.entries()) {
    const cell = row.cells[index] ?? null
    if (cell === null) continue
    presence[index >> 3] = (presence[index >> 3] ?? 0) | (1 << (index & 7))
    values.push(encodeReferenceCell(feature.type, cell))
  }
  return Buffer.concat([encodeVarint(row.layoutId), head, presence, ...values])
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left >= 128) {
    bytes.push((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  return Buffer.from([...bytes, left])
}

/** The bytes of one set cell. */
export function encodeReferenceCell(type: FeatureType, cell: string | readonly string[]): Buffer {
  if (typeof cell === 'string') return encodeElement(elementTypeOf(type), cell)
  if (type.kind === 'embedding') return encodeEmbedding(type.storage, cell)
  const elements = cell.map((element) => encodeElement(elementTypeOf(type), element))
  return Buffer.concat([encodeVarint(cell.length), ...elements])
}

function encodeElement(scalar: ScalarType, hex: string): Buffer {
  const held = Buffer.from(hex, 'hex')
  switch (scalar) {
    case 'bool':
    case 'int8':
      return Buffer.from(Int8Array.of(held.readFloatLE()).buffer)
    case 'int16':
      return Buffer.from(Int16Array.of(held.readFloatLE()).buffer)
    case 'int32':
      return Buffer.from(Int32Array.of(held.readDoubleLE()).buffer)
    case 'int64':
    case 'timestamp':
    case 'float32':
    case 'float64':
      return held
    case 'string':
    case 'bytes':
    case 'categorical':
      return Buffer.concat([encodeVarint(held.byteLength), held])
  }
}

function encodeEmbedding(storage: 'f32' | 'f16' | 'int8', cell: readonly string[]): Buffer {
  const held = cell.map((hex) => Buffer.from(hex, 'hex'))
  if (storage === 'f32') return Buffer.concat(held)
  if (storage === 'f16') {
    return Buffer.from(Uint16Array.from(held, (bytes) => nearestHalf(bytes.readUInt32LE())).buffer)
  }
  const values = held.map((bytes) => bytes.readFloatLE())
  const scale = int8Scale(Math.max(...values.map(Math.abs)))
  const steps = values.map((value) => {
    const step = Math.floor(Math.abs(value / scale) + 0.5)
    return scale === 0 ? 0 : Math.sign(value) * Math.min(127, step)
  })
  const scaleBytes = Buffer.from(Float32Array.of(scale).buffer)
  return Buffer.concat([scaleBytes, Buffer.from(Int8Array.from(steps).buffer)])
}

/** maxabs / 127, one float lower where 127 steps of it would be infinite. */
function int8Scale(magnitudeMax: number): number {
  const scale = Math.fround(magnitudeMax / 127)
  if (Number.isFinite(Math.fround(scale * 127))) return scale
  const bits = Buffer.from(Float32Array.of(scale).buffer)
  bits.writeUInt32LE(bits.readUInt32LE() - 1)
  return bits.readFloatLE()
}

/** The half nearest to a float, both as bits; of two equally near the even one. By search. */
function nearestHalf(bits: number): number {
  const sign = bits >>> 31 === 1 ? 0x8000 : 0
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) {
    const payload = (magnitude >>> 13) & 0x3ff
    return sign | 0x7c00 | (payload === 0 ? 0x200 : payload)
  }
  const value = floatOfBits(magnitude)
  if (value === Number.POSITIVE_INFINITY) return sign | 0x7c00
  let low = 0
  let high = 0x7bff
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (halfValue(middle) <= value) low = middle
    else high = middle - 1
  }
  const below = value - halfValue(low)
  const above = halfValue(low + 1) - value
  const isUp = low < 0x7bff && (above < below || (above === below && low % 2 === 1))
  return sign | (isUp ? low + 1 : low)
}

function floatOfBits(bits: number): number {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(bits)
  return bytes.readFloatLE()
}

/** The value of a finite half without sign. */
function halfValue(half: number): number {
  const exponent = half >> 10
  const fraction = half & 0x3ff
  return exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/**
 * The row in `bytes`: 'corrupt' where they are not one, the layout's id where it is none of
 * `layouts`, else the row.
 */
export function decodeReferenceRow(
  bytes: Uint8Array,
  layouts: readonly ReferenceLayout[],
): 'corrupt' | { readonly unknownLayoutId: number } | ReferenceRow {
  try {
    return readRow(new ReferenceReader(bytes), layouts)
  } catch (error) {
    if (error instanceof Corrupt) return 'corrupt'
    throw error
  }
}

function readRow(reader: ReferenceReader, layouts: readonly ReferenceLayout[]) {
  const layoutId = reader.varint()
  const layout =
    layoutId < 2
      ? { layoutId, features: [] }
      : layouts.find((candidate) => candidate.layoutId === layoutId)
  if (layout === undefined) return { unknownLayoutId: layoutId }
  const eventTimeUs = BigInt.asIntN(64, reader.take(8).readBigUInt64BE() ^ (1n << 63n))
  const sequence = reader.take(8).readBigUInt64BE()
  const featureCount = layout.features.length
  const presence = [...reader.take(Math.ceil(featureCount / 8))].flatMap((byte) =>
    Array.from({ length: 8 }, (_, bit) => ((byte >> bit) & 1) === 1),
  )
  if (presence.slice(featureCount).includes(true)) throw new Corrupt('presence')
  const cells = layout.features.map(({ type }, index) =>
    presence[index] === true ? readCell(reader, type) : null,
  )
  if (!reader.isAtEnd()) throw new Corrupt('trailing')
  return { layoutId, eventTimeUs, sequence, cells }
}

class ReferenceReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes)
  }

  isAtEnd(): boolean {
    return this.#offset === this.#bytes.byteLength
  }

  take(byteCount: number): Buffer {
    if (this.#offset + byteCount > this.#bytes.byteLength) throw new Corrupt('truncated')
    this.#offset += byteCount
    return this.#bytes.subarray(this.#offset - byteCount, this.#offset)
  }

  varint(): number {
    let value = 0
    for (let index = 0; index < 5; index++) {
      const byte = this.take(1).readUInt8()
      value += (byte % 128) * 128 ** index
      if (byte >= 128) continue
      if ((byte === 0 && index > 0) || value > 0xffffffff) throw new Corrupt('varint')
      return value
    }
    throw new Corrupt('varint')
  }
}

function readCell(reader: ReferenceReader, type: FeatureType): ReferenceCell {
  if (type.kind === 'scalar') return readElement(reader, type.scalar)
  if (type.kind === 'embedding') return readEmbedding(reader, type.storage, type.dim)
  const elements: string[] = []
  for (let left = reader.varint(); left > 0; left--)
    elements.push(readElement(reader, type.element))
  return elements
}

function readElement(reader: ReferenceReader, scalar: ScalarType): string {
  switch (scalar) {
    case 'bool': {
      const byte = reader.take(1).readUInt8()
      if (byte > 1) throw new Corrupt('bool')
      return elementOf('bool', byte)
    }
    case 'int8':
      return elementOf('int8', reader.take(1).readInt8())
    case 'int16':
      return elementOf('int16', reader.take(2).readInt16LE())
    case 'int32':
      return elementOf('int32', reader.take(4).readInt32LE())
    case 'float32':
      return reader.take(4).toString('hex')
    case 'int64':
    case 'timestamp':
    case 'float64':
      return reader.take(8).toString('hex')
    case 'string':
    case 'bytes':
    case 'categorical':
      return reader.take(reader.varint()).toString('hex')
  }
}

function readEmbedding(
  reader: ReferenceReader,
  storage: 'f32' | 'f16' | 'int8',
  dim: number,
): string[] {
  const indexes = Array.from({ length: dim }, (_, index) => index)
  if (storage === 'f32') return indexes.map(() => reader.take(4).toString('hex'))
  if (storage === 'f16') return indexes.map(() => widenHalf(reader.take(2).readUInt16LE()))
  const scale = reader.take(4).readFloatLE()
  if (!Number.isFinite(scale) || scale < 0 || Object.is(scale, -0)) throw new Corrupt('scale')
  return indexes.map(() => elementOf('float32', reader.take(1).readInt8() * scale))
}

function widenHalf(half: number): string {
  const sign = half >> 15
  const magnitude = half & 0x7fff
  if (magnitude < 0x7c00) return elementOf('float32', (sign === 1 ? -1 : 1) * halfValue(magnitude))
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(((sign << 31) | 0x7f800000 | ((magnitude & 0x3ff) << 13)) >>> 0)
  return bytes.toString('hex')
}

/** What a column holds where a cell has no value. */
export function emptyCellOf(type: FeatureType): ReferenceCell {
  if (columnClassOf(type) === 'list') return []
  return elementClassOf(type) === 'var' ? '' : cellOf(type, 0)
}
