/**
 * Does a JS value fit a declared scalar type?
 *
 * Answers with the value to encode, or with what is wrong, as words that follow the value in a
 * sentence. It must never change a value: what does not fit exactly is refused, except that a float32
 * is the nearest one to the number given.
 */
import type { ScalarType } from '../feature-type.js'

/** One value: int64 and timestamp (microseconds) as bigint or whole number. */
export type Scalar = boolean | number | bigint | string | Uint8Array | Date

/** A scalar in the form in which it is encoded. */
export type Checked =
  | { readonly value: number | bigint | string | Uint8Array }
  | { readonly problem: string }

export function checkScalar(type: ScalarType, value: Scalar): Checked {
  return checks[type](value)
}

/** A value as error messages show it: short, on one line. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`
  if (value instanceof Date) return String(value)
  return shorten(Array.isArray(value) ? `[${value.map(String).join(', ')}]` : String(value))
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
/** The largest finite float32; anything beyond would silently become infinite. */
const float32Max = 3.4028234663852886e38

const checks: Readonly<Record<ScalarType, (value: Scalar) => Checked>> = {
  bool: (value) =>
    typeof value === 'boolean' ? { value: value ? 1 : 0 } : { problem: 'is not true or false' },
  int8: (value) => checkInteger(value, -128, 127),
  int16: (value) => checkInteger(value, -32_768, 32_767),
  int32: (value) => checkInteger(value, -2_147_483_648, 2_147_483_647),
  int64: checkInt64,
  float32: checkFloat32,
  float64: (value) => (typeof value === 'number' ? { value } : { problem: 'is not a number' }),
  string: checkText,
  categorical: checkText,
  bytes: (value) => (value instanceof Uint8Array ? { value } : { problem: 'is not a Uint8Array' }),
  timestamp: checkTimestamp,
}

function checkInteger(value: Scalar, min: number, max: number): Checked {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    return { problem: 'is not a whole number' }
  }
  if (number < min || number > max) return { problem: `is outside ${min} to ${max}` }
  return { value: number }
}

function checkInt64(value: Scalar): Checked {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { problem: 'is a number beyond 2^53, which is not exact: pass a bigint' }
  }
  const integer = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
  if (typeof integer !== 'bigint') return { problem: 'is not a whole number' }
  if (integer < int64Min || integer > int64Max) {
    return { problem: `is outside ${int64Min} to ${int64Max}` }
  }
  return { value: integer }
}

function checkFloat32(value: Scalar): Checked {
  if (typeof value !== 'number') return { problem: 'is not a number' }
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    return { problem: `is outside -${float32Max} to ${float32Max}` }
  }
  return { value }
}

function checkText(value: Scalar): Checked {
  if (typeof value !== 'string') return { problem: 'is not a string' }
  // A lone surrogate has no UTF-8: encoding would silently put a replacement character.
  if (/\p{Surrogate}/u.test(value)) return { problem: 'holds half a surrogate pair' }
  return { value }
}

function checkTimestamp(value: Scalar): Checked {
  if (!(value instanceof Date)) return checkInt64(value)
  const timeMs = value.getTime()
  return Number.isNaN(timeMs)
    ? { problem: 'is not a valid date' }
    : { value: BigInt(timeMs) * 1000n }
}
