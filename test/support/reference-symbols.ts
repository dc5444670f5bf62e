/**
 * Values and symbols of learned rows, by way of the values' bytes in plain rows: slow, for tests only.
 */
import type { SymbolMapping } from '../../src/encoding-profile.js'
import { type FeatureType, type ScalarType, scalarTypeOf } from '../../src/feature-type.js'
import { type BitReader, Corrupt } from './reference-bits.js'

/** Bytes of a number in plain rows; undefined for texts. */
const numberBytes: Readonly<Record<ScalarType, 1 | 2 | 4 | 8 | undefined>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  timestamp: 8,
  float32: 4,
  float64: 8,
  string: undefined,
  bytes: undefined,
  categorical: undefined,
}

/** Of the value, or of an element as it is stored; undefined for texts. */
function storedBytes(type: FeatureType): 1 | 2 | 4 | 8 | undefined {
  if (type.kind === 'embedding') return ({ f32: 4, f16: 2, int8: 1 } as const)[type.storage]
  return numberBytes[scalarTypeOf(type)]
}

/** The type of an element alone. */
export function elementType(type: FeatureType): FeatureType {
  return { kind: 'scalar', scalar: scalarTypeOf(type) }
}

/** The least bits of a literal value, or of a literal element. */
export function literalBitsMin(type: FeatureType): number {
  return 8 * (storedBytes(type) ?? 1)
}

export function varint(value: number): Buffer {
  return value < 128
    ? Buffer.of(value)
    : Buffer.concat([Buffer.of((value % 128) + 128), varint(Math.floor(value / 128))])
}

/** Takes a value's plain bytes: of the whole value, or of one element where `type` says an element. */
export function takeLiteral(reader: BitReader, type: FeatureType): Buffer {
  if (type.kind === 'scalar') return takeScalar(reader, type.scalar)
  if (type.kind === 'embedding') {
    const scaleBytes = type.storage === 'int8' ? 4 : 0
    return reader.bytes(scaleBytes + type.dim * (storedBytes(type) ?? 0))
  }
  const count = takeVarint(reader)
  const pieces = [varint(count)]
  for (let left = count; left > 0; left--) pieces.push(takeScalar(reader, type.element))
  return Buffer.concat(pieces)
}

/** One element as it is stored. */
export function takeElement(reader: BitReader, type: FeatureType): Buffer {
  if (type.kind !== 'embedding') return takeScalar(reader, scalarTypeOf(type))
  return reader.bytes(storedBytes(type) ?? 0)
}

function takeScalar(reader: BitReader, scalar: ScalarType): Buffer {
  const byteCount = numberBytes[scalar]
  if (byteCount !== undefined) return reader.bytes(byteCount)
  const textBytes = takeVarint(reader)
  return Buffer.concat([varint(textBytes), reader.bytes(textBytes)])
}

function takeVarint(reader: BitReader): number {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = Number(reader.uint(8))
    value += (byte % 128) * 128 ** index
    if (byte >= 128) continue
    if ((byte === 0 && index > 0) || value > 0xffff_ffff) throw new Corrupt('varint')
    return value
  }
  throw new Corrupt('varint')
}

export interface SymbolPlace {
  /** Of the value, or of the list or embedding that it is an element of. */
  readonly type: FeatureType
  readonly mapping: SymbolMapping
  /** Of the class. */
  readonly exponent: number
}

/** The symbol of the value with these plain bytes, or undefined where it has none. */
export function symbolOfValue(piece: Buffer, place: SymbolPlace): bigint | undefined {
  const { type, mapping } = place
  switch (mapping.kind) {
    case 'integer': {
      const value = BigInt.asIntN(8 * piece.byteLength, uintOf(piece))
      return value % mapping.unit === 0n ? value / mapping.unit : undefined
    }
    case 'float_bits': {
      const shift = BigInt(mapping.shift)
      const bits = uintOf(piece)
      return (bits >> shift) << shift === bits ? bits >> shift : undefined
    }
    case 'decimal': {
      const value = piece.byteLength === 4 ? piece.readFloatLE() : piece.readDoubleLE()
      const symbol = nearestMantissa(value, place.exponent)
      if (symbol === undefined) return undefined
      return valueOfSymbol(symbol, place).equals(piece) ? symbol : undefined
    }
    case 'dictionary': {
      const index = mapping.values.findIndex((text) =>
        Buffer.concat([varint(text.byteLength), text]).equals(piece),
      )
      return index < 0 || storedBytes(type) !== undefined ? undefined : BigInt(index)
    }
  }
}

function nearestMantissa(value: number, exponent: number): bigint | undefined {
  const power = Number(`1e${Math.abs(exponent)}`)
  const mantissa = roundToEven(exponent >= 0 ? value * power : value / power)
  return Math.abs(mantissa) <= 2 ** 53 ? BigInt(mantissa) : undefined
}

/** To the nearest integer, of two equally near to the even one. */
function roundToEven(value: number): number {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}

/** The plain bytes of a symbol's value. Throws `Corrupt` where it stands for none. */
export function valueOfSymbol(symbol: bigint, { type, mapping, exponent }: SymbolPlace): Buffer {
  const byteCount = storedBytes(type) ?? 0
  const bits = 8 * byteCount
  switch (mapping.kind) {
    case 'integer': {
      const value = BigInt.asIntN(64, symbol * mapping.unit)
      const isBool = type.kind !== 'embedding' && scalarTypeOf(type) === 'bool'
      const isHeld = isBool ? value === 0n || value === 1n : BigInt.asIntN(bits, value) === value
      if (!isHeld) throw new Corrupt('integer')
      return bytesOfUint(BigInt.asUintN(bits, value), byteCount)
    }
    case 'float_bits': {
      const unsigned = BigInt.asUintN(64, symbol)
      if (unsigned >> BigInt(bits - mapping.shift) !== 0n) throw new Corrupt('float bits')
      return bytesOfUint(unsigned << BigInt(mapping.shift), byteCount)
    }
    case 'decimal': {
      const power = Number(`1e${Math.abs(exponent)}`)
      const value = exponent >= 0 ? Number(symbol) / power : Number(symbol) * power
      const bytes = Buffer.alloc(byteCount)
      if (byteCount === 4) bytes.writeFloatLE(value)
      else bytes.writeDoubleLE(value)
      return bytes
    }
    case 'dictionary': {
      const text = mapping.values[Number(BigInt.asUintN(64, symbol))]
      if (text === undefined) throw new Corrupt('dictionary')
      return Buffer.concat([varint(text.byteLength), text])
    }
  }
}

function uintOf(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function bytesOfUint(value: bigint, byteCount: number): Buffer {
  const hex = value.toString(16).padStart(2 * byteCount, '0')
  return Buffer.from(hex, 'hex').reverse()
}
