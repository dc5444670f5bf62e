/**
 * Encoding profiles as the addon takes them: integers, one feature after the other in layout order,
 * and the bytes of all dictionaries. `native/codec/profile_words.h` has the form.
 *
 * Whether a profile makes sense is checked where it is compiled; here only what would not survive
 * the way there: integers beyond 64 bits.
 */
import { assert } from '../assert.js'
import type {
  CodeClass,
  EncodingProfile,
  FeatureEncoding,
  SymbolCoding,
  SymbolMapping,
} from '../encoding-profile.js'
import type { RowFeature } from './row-layout.js'

export interface ProfileWords {
  readonly words: BigInt64Array
  /** The values of all dictionaries, one after the other. */
  readonly dictionaryBytes: Uint8Array
}

const encodingCodes = {
  plain: 0,
  coded: 1,
  packed_list: 2,
  block: 3,
} as const satisfies Record<FeatureEncoding['kind'], number>

const mappingCodes = {
  integer: 0,
  decimal: 1,
  float_bits: 2,
  dictionary: 3,
} as const satisfies Record<SymbolMapping['kind'], number>

const classCodes = { null: 0, literal: 1, range: 2 } as const satisfies Record<
  CodeClass['kind'],
  number
>

const neverCompressed = -1

/** The profile's words for a layout of these features. What the profile lacks is written plain. */
export function profileWords(
  profile: EncodingProfile,
  features: readonly RowFeature[],
): ProfileWords {
  const encodings = features.map(
    ({ id }) => profile.encodings.get(id) ?? { kind: 'plain' as const },
  )
  return {
    words: BigInt64Array.from(encodings.flatMap(encodingWords), toWord),
    dictionaryBytes: Buffer.concat(encodings.flatMap(dictionaryOf)),
  }
}

type Word = number | bigint

function toWord(word: Word): bigint {
  const exact = BigInt(word)
  assert(BigInt.asIntN(64, exact) === exact, 'numbers of a profile have 64 bits')
  return exact
}

function encodingWords(encoding: FeatureEncoding): Word[] {
  const code = encodingCodes[encoding.kind]
  switch (encoding.kind) {
    case 'plain':
      return [code]
    case 'coded':
      return [code, ...codingWords(encoding.coding)]
    case 'packed_list':
      return [code, ...classWords(encoding.lengths), ...codingWords(encoding.elements)]
    case 'block':
      return [code, ...classWords(encoding.lengths), encoding.lz4BytesMin ?? neverCompressed]
  }
}

function codingWords({ mapping, classes }: SymbolCoding): Word[] {
  return [mappingCodes[mapping.kind], ...mappingWords(mapping), ...classWords(classes)]
}

function mappingWords(mapping: SymbolMapping): Word[] {
  switch (mapping.kind) {
    case 'integer':
      return [mapping.unit]
    case 'decimal':
      return [0]
    case 'float_bits':
      return [mapping.shift]
    case 'dictionary':
      return [mapping.values.length, ...mapping.values.map((value) => value.byteLength)]
  }
}

function classWords(classes: readonly CodeClass[]): Word[] {
  const each = classes.flatMap((codeClass) => {
    const { kind, prefixBits } = codeClass
    if (kind !== 'range') return [classCodes[kind], prefixBits, 0, 0, 0]
    return [classCodes[kind], prefixBits, codeClass.base, codeClass.width, codeClass.exponent]
  })
  return [classes.length, ...each]
}

function dictionaryOf(encoding: FeatureEncoding): readonly Uint8Array[] {
  const mapping = mappingOf(encoding)
  return mapping?.kind === 'dictionary' ? mapping.values : []
}

function mappingOf(encoding: FeatureEncoding): SymbolMapping | undefined {
  switch (encoding.kind) {
    case 'coded':
      return encoding.coding.mapping
    case 'packed_list':
      return encoding.elements.mapping
    case 'plain':
    case 'block':
      return undefined
  }
}
