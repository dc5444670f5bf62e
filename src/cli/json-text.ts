/**
 * Results as JSON text, for `--json`.
 *
 * JSON has no 64-bit integers and no NaN, so nothing is lost silently: an integer beyond 2^53 is a
 * string of digits, NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity", bytes are
 * base64.
 */

/** Anything a command reports. */
export type JsonInput =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly JsonInput[]
  | { readonly [key: string]: JsonInput }

/** One document, indented, with a final newline. */
export function jsonText(value: JsonInput): string {
  return `${JSON.stringify(jsonValue(value), null, 2)}\n`
}

type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

function jsonValue(value: JsonInput): JsonValue | undefined {
  switch (typeof value) {
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      return value === null ? null : jsonObject(value)
    default:
      return value
  }
}

function jsonObject(value: NonNullable<JsonInput> & object): JsonValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (isList(value)) return value.map((item) => jsonValue(item) ?? null)
  const entries: [string, JsonValue][] = []
  for (const [key, item] of Object.entries(value)) {
    const plain = jsonValue(item)
    if (plain !== undefined) entries.push([key, plain])
  }
  return Object.fromEntries(entries)
}

function isList(value: object): value is readonly JsonInput[] {
  return Array.isArray(value)
}
