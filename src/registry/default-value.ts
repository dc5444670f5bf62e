/**
 * Default values: from YAML, checked against their feature's type; and to and from JSON.
 *
 * In YAML a timestamp is an instant as text or whole microseconds, bytes are base64. In JSON integers
 * of 64 bits are decimal text, bytes are base64, and what JSON lacks of floats is text: "NaN",
 * "Infinity", "-Infinity", "-0".
 */
import { unreachable } from '../assert.js'
import type { DefaultScalar, DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import {
  type EmbeddingStorage,
  type FeatureType,
  formatFeatureType,
  type ScalarType,
  scalarTypeOf,
} from '../feature-type.js'
import { shortenFloat32 } from '../float32-digits.js'
import { formatInstant, parseInstant } from '../instant.js'
import { listElementsMax, valueBytesMax } from '../limits.js'
import { quoteText } from '../quoted-text.js'

export type DefaultJson = string | number | boolean | readonly (string | number | boolean)[]

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const float32Max = 2 ** 127 * (2 - 2 ** -23)
const embeddingElementMax = { f32: float32Max, f16: 65_504, int8: float32Max } as const
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The default of a feature of `type`. Throws `invalid_argument` with the value and the bound. */
export function parseDefault(type: FeatureType, value: unknown): DefaultValue {
  switch (type.kind) {
    case 'scalar':
      return parseScalar(type.scalar, value)
    case 'list':
      return parseElements(type, value, (element) => parseScalar(type.element, element))
    case 'embedding':
      return parseElements(type, value, (element) => parseDimension(type.storage, element))
  }
}

/** The value as JSON; `decodeDefault` reads it back. */
export function encodeDefault(value: DefaultValue): DefaultJson {
  return isList(value) ? value.map(encodeScalar) : encodeScalar(value)
}

/** Reads what `encodeDefault` wrote for a feature of `type`. */
export function decodeDefault(type: FeatureType, json: DefaultJson): DefaultValue {
  const scalar = scalarTypeOf(type)
  if (typeof json !== 'object') return decodeScalar(scalar, json)
  return json.map((element) => decodeScalar(scalar, element))
}

/** The value as definitions write it. Different values of a type have different texts. */
export function formatDefault(type: FeatureType, value: DefaultValue): string {
  const scalar = scalarTypeOf(type)
  if (!isList(value)) return formatScalar(scalar, value)
  return `[${value.map((element) => formatScalar(scalar, element)).join(', ')}]`
}

function formatScalar(scalar: ScalarType, value: DefaultScalar): string {
  if (typeof value === 'bigint') {
    return scalar === 'timestamp' ? formatInstant(value) : String(value)
  }
  const isFloat32 = typeof value === 'number' && scalar === 'float32'
  return JSON.stringify(encodeScalar(isFloat32 ? shortenFloat32(value) : value))
}

function parseScalar(scalar: ScalarType, value: unknown): DefaultScalar {
  switch (scalar) {
    case 'bool':
      if (typeof value === 'boolean') return value
      throw misfit(value, scalar, 'true or false')
    case 'int8':
    case 'int16':
    case 'int32':
      return parseInteger(scalar, value)
    case 'int64':
      return parseInt64(scalar, value)
    case 'timestamp':
      return typeof value === 'string' ? parseInstant(value) : parseInt64(scalar, value)
    case 'float32':
      return parseFloat32(scalar, value, float32Max)
    case 'float64':
      return parseFloat64(value)
    case 'string':
    case 'categorical':
      return parseText(scalar, value)
    case 'bytes':
      return parseBytes(value)
    default:
      return unreachable(scalar)
  }
}

function parseInteger(scalar: 'int8' | 'int16' | 'int32', value: unknown): number {
  const bound = 2 ** (Number(scalar.slice(3)) - 1)
  if (isWhole(value) && value >= -bound && value < bound) return Number(value)
  throw misfit(value, scalar, `a whole number between ${-bound} and ${bound - 1}`)
}

function parseInt64(scalar: 'int64' | 'timestamp', value: unknown): bigint {
  if (isWhole(value) && value >= int64Min && value <= int64Max) return BigInt(value)
  throw misfit(value, scalar, `a whole number between ${int64Min} and ${int64Max}`)
}

function parseFloat64(value: unknown): number {
  const number = asNumber(value)
  if (number !== undefined) return number
  throw misfit(value, 'float64', 'a number, if whole one that float64 holds exactly')
}

/** Rounds to the nearest float32. Infinities and NaN are values; nothing finite becomes infinite. */
function parseFloat32(type: string, value: unknown, max: number): number {
  const number = asNumber(value)
  const rounded = number === undefined ? undefined : Math.fround(number)
  if (rounded !== undefined && (!Number.isFinite(number) || Math.abs(rounded) <= max)) {
    return rounded
  }
  throw misfit(value, type, `a number between ${-max} and ${max}`)
}

/** A number, or a whole one beyond 2^53 that float64 holds exactly. */
function asNumber(value: unknown): number | undefined {
  if (typeof value !== 'bigint') return typeof value === 'number' ? value : undefined
  const number = Number(value)
  return Number.isFinite(number) && BigInt(number) === value ? number : undefined
}

function parseText(scalar: 'string' | 'categorical', value: unknown): string {
  if (typeof value === 'string' && Buffer.byteLength(value) <= valueBytesMax) return value
  throw misfit(value, scalar, `text of at most ${valueBytesMax} bytes`)
}

function parseBytes(value: unknown): Uint8Array {
  const base64 = typeof value === 'string' && base64Pattern.test(value) ? value : undefined
  const bytes = base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, 'base64'))
  if (bytes !== undefined && bytes.byteLength <= valueBytesMax) return bytes
  throw misfit(value, 'bytes', `base64 text of at most ${valueBytesMax} bytes`)
}

function parseDimension(storage: EmbeddingStorage, value: unknown): number {
  return parseFloat32(`an element of ${storage}`, value, embeddingElementMax[storage])
}

function parseElements(
  type: FeatureType,
  value: unknown,
  parse: (element: unknown) => DefaultScalar,
): readonly DefaultScalar[] {
  const wanted =
    type.kind === 'embedding'
      ? `a list of ${type.dim} numbers`
      : `a list of at most ${listElementsMax} elements`
  const fits = (count: number) =>
    type.kind === 'embedding' ? count === type.dim : count <= listElementsMax
  if (!Array.isArray(value) || !fits(value.length)) {
    throw misfit(value, formatFeatureType(type), wanted)
  }
  return Object.freeze(value.map(parse))
}

function misfit(value: unknown, type: string, wanted: string): LarderError {
  return new LarderError(
    'invalid_argument',
    `the default ${describe(value)} does not fit ${type}: it must be ${wanted}`,
  )
}

function describe(value: unknown): string {
  if (typeof value === 'string') return quoteText(value)
  if (Array.isArray(value)) return `list of ${value.length}`
  if (value === null) return 'of nothing'
  return typeof value === 'object' ? 'map' : String(value)
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function isList(value: DefaultValue): value is readonly DefaultScalar[] {
  return Array.isArray(value)
}

function encodeScalar(value: DefaultScalar): string | number | boolean {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function decodeScalar(scalar: ScalarType, json: string | number | boolean): DefaultScalar {
  switch (scalar) {
    case 'bool':
      return json === true
    case 'int8':
    case 'int16':
    case 'int32':
    case 'float32':
    case 'float64':
      return Number(json)
    case 'int64':
    case 'timestamp':
      return BigInt(json)
    case 'string':
    case 'categorical':
      return String(json)
    case 'bytes':
      return new Uint8Array(Buffer.from(String(json), 'base64'))
    default:
      return unreachable(scalar)
  }
}
