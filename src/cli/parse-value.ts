/**
 * Values given as text, on the command line or in a CSV of keys -> typed values.
 *
 * Text is read as the declared type says, so that `007` stays a string where a string is meant. It must
 * never guess: text that is not a value of its type is an error with the name, the text and an example.
 */

import type { RequestValue } from '../client/index.js'
import { LarderError } from '../errors.js'
import { type FeatureType, parseFeatureType, type ScalarType } from '../feature-type.js'
import { parseInstant } from '../instant.js'

type ScalarValue = boolean | number | bigint | string | Uint8Array

/** `name=value` arguments, in order: the values of each name. Errors: `invalid_argument`. */
export function parseAssignments(
  option: string,
  texts: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const text of texts) {
    const equals = text.indexOf('=')
    if (equals <= 0) {
      throw new LarderError('invalid_argument', `${option} "${text}" is not of the form name=value`)
    }
    const name = text.slice(0, equals)
    const sameName = values.get(name) ?? []
    sameName.push(text.slice(equals + 1))
    values.set(name, sameName)
  }
  return values
}

/** Reads `text` as a value of `typeText`. Errors: `invalid_argument` naming `name` and the text. */
export function parseValue(name: string, typeText: string, text: string): RequestValue {
  const type = parseFeatureType(typeText)
  if (type === undefined) {
    throw new LarderError('internal', `${name} has the unknown type "${typeText}"`)
  }
  const value = type.kind === 'scalar' ? parseScalar(type.scalar, text) : parseList(type, text)
  if (value === undefined) {
    const example = type.kind === 'scalar' ? examples[type.scalar] : '[1, 2, 3]'
    throw new LarderError(
      'invalid_argument',
      `${name}: ${JSON.stringify(text)} is not a value of type ${typeText}, such as ${example}`,
    )
  }
  return value
}

const examples = {
  bool: 'true',
  int8: '7',
  int16: '7',
  int32: '7',
  int64: '7',
  float32: '0.5',
  float64: '0.5',
  string: 'ATL',
  categorical: 'ATL',
  bytes: 'aGVsbG8= (base64)',
  timestamp: '2001-06-15T18:00:00Z, or microseconds since 1970',
} as const satisfies Record<ScalarType, string>

function parseScalar(type: ScalarType, text: string): ScalarValue | undefined {
  switch (type) {
    case 'string':
    case 'categorical':
      return text
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return parseInteger(text)
    case 'float32':
    case 'float64':
      return parseNumber(text)
    case 'bytes':
      return parseBase64(text)
    case 'timestamp':
      return parseInteger(text) ?? parseInstantUs(text)
  }
}

/** Digits with a sign; its range is the column's to check. */
function parseInteger(text: string): bigint | undefined {
  return /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
}

const specialNumbers: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '+infinity': Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

/** A decimal number, `nan`, `inf` or `-inf` in any case; undefined for anything else. */
export function parseNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  return specialNumbers[text.toLowerCase()]
}

function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function parseInstantUs(text: string): bigint | undefined {
  try {
    return parseInstant(text)
  } catch {
    // Not an instant: the caller's error has the name, and an example.
    return undefined
  }
}

function parseList(
  type: Exclude<FeatureType, { kind: 'scalar' }>,
  text: string,
): ScalarValue[] | undefined {
  const element = type.kind === 'list' ? type.element : 'float32'
  const items = isQuoted[element] ? parseJsonStrings(text) : splitList(text)
  const values = items?.map((item) => parseScalar(element, item))
  return values?.every((value) => value !== undefined) ? values : undefined
}

/** Elements that stand in quotes inside a list, as in JSON. */
const isQuoted = {
  bool: false,
  int8: false,
  int16: false,
  int32: false,
  int64: false,
  float32: false,
  float64: false,
  string: true,
  categorical: true,
  bytes: true,
  timestamp: false,
} as const satisfies Record<ScalarType, boolean>

/** `[1, 2, 3]` -> its elements as text: JSON would round integers beyond 2^53. */
function splitList(text: string): string[] | undefined {
  const inside = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1]?.trim()
  if (inside === undefined) return undefined
  return inside === '' ? [] : inside.split(',').map((item) => item.trim())
}

function parseJsonStrings(text: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string')
      ? parsed
      : undefined
  } catch {
    // Not JSON: the caller's error shows the text and an example.
    return undefined
  }
}
