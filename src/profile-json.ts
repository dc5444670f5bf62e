/**
 * Encoding profiles as JSON: as `larder codec learn --json` prints them and the registry keeps them.
 *
 *   { "id": 1, "sampleRowCount": 16384, "encodings": [
 *     { "feature": 12, "kind": "coded",
 *       "mapping": { "kind": "integer", "unit": "1" },
 *       "classes": [[1, "0", 7], [2, "128", 10], [2, "null"]] } ] }
 *
 * A class is [prefix bits, "null" or "literal"] or [prefix bits, base, width], for decimals with the
 * exponent as a fourth; integers of 64 bits are decimal text. A dictionary's values are `texts` where all
 * are UTF-8, else `base64`. What is read has the right shape and no more: whether it makes sense for a
 * view's features is for `profile-check.ts` to say.
 */
import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import type {
  CodeClass,
  EncodingProfile,
  FeatureEncoding,
  SymbolCoding,
  SymbolMapping,
} from './encoding-profile.js'
import { LarderError } from './errors.js'
import { profileJsonBytesMax } from './limits.js'

const count = z.int().min(0)
const featureId = z.int().min(0)
const int64Text = z
  .string()
  .regex(/^-?\d{1,19}$/, 'must be an integer as decimal text')
  .transform(BigInt)
  .refine((value) => BigInt.asIntN(64, value) === value, 'must fit 64 bits')

const classJson = z
  .union(
    [
      z.tuple([count, z.enum(['null', 'literal'])]),
      z.tuple([count, int64Text, count]),
      z.tuple([count, int64Text, count, z.int()]),
    ],
    'must be [prefix bits, "null" or "literal"] or [prefix bits, base, width, exponent]',
  )
  .transform((fields): CodeClass => {
    const [prefixBits] = fields
    if (fields.length === 2) return { kind: fields[1], prefixBits }
    return {
      kind: 'range',
      prefixBits,
      base: fields[1],
      width: fields[2],
      exponent: fields[3] ?? 0,
    }
  })
const classesJson = z.array(classJson)

const mappingJson = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('integer'), unit: int64Text }),
    z.strictObject({ kind: z.literal('decimal') }),
    z.strictObject({ kind: z.literal('float_bits'), shift: count }),
    z.strictObject({ kind: z.literal('dictionary'), texts: z.array(z.string()) }),
    z.strictObject({ kind: z.literal('dictionary_bytes'), base64: z.array(z.base64()) }),
  ])
  .transform((mapping): SymbolMapping => {
    switch (mapping.kind) {
      case 'dictionary':
        return dictionary(mapping.texts.map((text) => Buffer.from(text, 'utf8')))
      case 'dictionary_bytes':
        return dictionary(mapping.base64.map((text) => Buffer.from(text, 'base64')))
      default:
        return mapping
    }
  })

function dictionary(values: readonly Uint8Array[]): SymbolMapping {
  return { kind: 'dictionary', values }
}

const codingJson = { mapping: mappingJson, classes: classesJson }
const encodingJson = z
  .discriminatedUnion('kind', [
    z.strictObject({ feature: featureId, kind: z.literal('plain') }),
    z.strictObject({ feature: featureId, kind: z.literal('coded'), ...codingJson }),
    z.strictObject({
      feature: featureId,
      kind: z.literal('packed_list'),
      lengths: classesJson,
      elements: z.strictObject(codingJson),
    }),
    z.strictObject({
      feature: featureId,
      kind: z.literal('block'),
      lengths: classesJson,
      lz4BytesMin: count.optional(),
    }),
  ])
  .transform((json): readonly [number, FeatureEncoding] => [json.feature, encodingOf(json)])

type EncodingJson =
  | { readonly kind: 'plain' }
  | ({ readonly kind: 'coded' } & SymbolCoding)
  | {
      readonly kind: 'packed_list'
      readonly lengths: readonly CodeClass[]
      readonly elements: SymbolCoding
    }
  | {
      readonly kind: 'block'
      readonly lengths: readonly CodeClass[]
      readonly lz4BytesMin?: number | undefined
    }

function encodingOf(json: EncodingJson): FeatureEncoding {
  switch (json.kind) {
    case 'plain':
      return { kind: 'plain' }
    case 'coded':
      return { kind: 'coded', coding: { mapping: json.mapping, classes: json.classes } }
    case 'packed_list':
      return { kind: 'packed_list', lengths: json.lengths, elements: json.elements }
    case 'block':
      return { kind: 'block', lengths: json.lengths, lz4BytesMin: json.lz4BytesMin }
  }
}

const profileJson = z.strictObject({
  id: count,
  sampleRowCount: count,
  encodings: z.array(encodingJson),
})

/** The plain JSON value of `profile`. */
export function encodeProfile({ id, sampleRowCount, encodings }: EncodingProfile): object {
  return {
    id,
    sampleRowCount,
    encodings: Array.from(encodings, ([feature, encoding]) => ({
      feature,
      ...encodingAsJson(encoding),
    })),
  }
}

/**
 * Reads a profile from its JSON value. Throws `invalid_argument` that names the feature and what of it is
 * wrong, or a feature that comes twice.
 */
export function parseProfile(json: unknown): EncodingProfile {
  const result = profileJson.safeParse(json)
  if (!result.success) {
    const [issue] = result.error.issues
    const path = issue?.path ?? []
    const problem = `${placeOf(path, json)}: ${issue?.message}`
    throw new LarderError('invalid_argument', `the encoding profile is wrong: ${problem}`)
  }
  const { id, sampleRowCount, encodings } = result.data
  const byFeature = new Map<number, FeatureEncoding>()
  for (const [feature, encoding] of encodings) {
    if (byFeature.has(feature)) {
      const problem = `feature ${feature}: it has two encodings`
      throw new LarderError('invalid_argument', `the encoding profile is wrong: ${problem}`)
    }
    byFeature.set(feature, encoding)
  }
  return { id, sampleRowCount, encodings: byFeature }
}

/** Reads a profile from JSON text of at most `profileJsonBytesMax` bytes; errors as `parseProfile`. */
export function parseProfileText(text: string): EncodingProfile {
  const byteCount = Buffer.byteLength(text)
  if (byteCount > profileJsonBytesMax) {
    const bound = `at most ${profileJsonBytesMax}`
    throw new LarderError(
      'invalid_argument',
      `the encoding profile has ${byteCount} bytes, ${bound}`,
    )
  }
  return parseProfile(jsonOf(text))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LarderError('invalid_argument', 'the encoding profile is not JSON', { cause })
  }
}

/** `feature 12: classes.3` for what lies within an encoding, else the path. */
function placeOf(path: readonly PropertyKey[], json: unknown): string {
  const [field, index, ...rest] = path
  if (field !== 'encodings' || typeof index !== 'number') return path.join('.') || 'the whole'
  const shape = z.object({ encodings: z.array(z.unknown()) }).safeParse(json)
  const entry = z.object({ feature: featureId }).safeParse(shape.data?.encodings[index])
  const feature = entry.success ? `feature ${entry.data.feature}` : `encodings.${index}`
  return [feature, rest.join('.')].filter((part) => part !== '').join(': ')
}

function encodingAsJson(encoding: FeatureEncoding): object {
  switch (encoding.kind) {
    case 'plain':
      return encoding
    case 'coded':
      return { kind: 'coded', ...codingAsJson(encoding.coding) }
    case 'packed_list':
      return {
        kind: 'packed_list',
        lengths: encoding.lengths.map(classAsJson),
        elements: codingAsJson(encoding.elements),
      }
    case 'block':
      return { ...encoding, lengths: encoding.lengths.map(classAsJson) }
  }
}

function codingAsJson({ mapping, classes }: SymbolCoding): object {
  return { mapping: mappingAsJson(mapping), classes: classes.map(classAsJson) }
}

function mappingAsJson(mapping: SymbolMapping): object {
  switch (mapping.kind) {
    case 'integer':
      return { kind: 'integer', unit: String(mapping.unit) }
    case 'decimal':
    case 'float_bits':
      return mapping
    case 'dictionary': {
      const values = mapping.values.map((value) => Buffer.from(value))
      return values.every((value) => isUtf8(value))
        ? { kind: 'dictionary', texts: values.map((value) => value.toString('utf8')) }
        : { kind: 'dictionary_bytes', base64: values.map((value) => value.toString('base64')) }
    }
  }
}

function classAsJson(code: CodeClass): readonly (string | number)[] {
  if (code.kind !== 'range') return [code.prefixBits, code.kind]
  const { prefixBits, base, width, exponent } = code
  const range = [prefixBits, String(base), width]
  return exponent === 0 ? range : [...range, exponent]
}
