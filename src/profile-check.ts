/**
 * Whether an encoding profile makes sense for the features it is for.
 *
 * A profile comes from outside, through `RegisterLayout`. What passes here can be compiled by the native
 * codec and can be written and read for any value; it may still be a poor choice. The rules are those of
 * `docs/formats/row-v1.md`.
 */
import { isUtf8 } from 'node:buffer'
import {
  type CodeClass,
  codeClassesMax,
  type EncodingProfile,
  type FeatureEncoding,
  prefixBitsMax,
  type SymbolCoding,
  type SymbolMapping,
} from './encoding-profile.js'
import { LarderError } from './errors.js'
import {
  type FeatureType,
  formatFeatureType,
  type ScalarType,
  scalarTypeOf,
} from './feature-type.js'
import { dictionaryBytesMax, dictionaryValuesMax, rowBytesMax } from './limits.js'

export interface CheckedFeature {
  readonly id: number
  readonly type: FeatureType
}

/** Symbols of decimals are whole numbers that a float64 holds. */
const decimalSymbolMax = 2n ** 53n
/** Powers of ten up to here are exact in a float64. */
const exponentMax = 22
const lengthMax = 2n ** 32n - 1n
const int64Max = 2n ** 63n - 1n

/** Throws `invalid_argument` that names the feature's id, what is wrong and the bound. */
export function checkProfile(profile: EncodingProfile, features: readonly CheckedFeature[]): void {
  const types = new Map(features.map(({ id, type }) => [id, type]))
  for (const [id, encoding] of profile.encodings) {
    const type = types.get(id)
    const problem =
      type === undefined ? 'no feature of the view has this id' : encodingProblem(encoding, type)
    if (problem === undefined) continue
    throw new LarderError(
      'invalid_argument',
      `the encoding profile is wrong: feature ${id}: ${problem}`,
      { details: { featureId: id } },
    )
  }
}

/** What is wrong, or undefined. */
function encodingProblem(encoding: FeatureEncoding, type: FeatureType): string | undefined {
  switch (encoding.kind) {
    case 'plain':
      return undefined
    case 'coded':
      if (type.kind !== 'scalar') return notFor('coded', type)
      return codingProblem(encoding.coding, type)
    case 'packed_list': {
      if (type.kind === 'scalar') return notFor('packed_list', type)
      const { lengths, elements } = encoding
      if (hasClass(elements.classes, 'null')) return 'elements: a null class, which elements lack'
      return (
        within('lengths', lengthsProblem(lengths)) ??
        within('elements', codingProblem(elements, type))
      )
    }
    case 'block':
      if (type.kind === 'scalar' && !isText(type.scalar)) return notFor('block', type)
      return within('lengths', lengthsProblem(encoding.lengths)) ?? lz4Problem(encoding.lz4BytesMin)
  }
}

function notFor(what: string, type: FeatureType): string {
  return `${what} is not for ${formatFeatureType(type)}`
}

function within(part: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${part}: ${problem}`
}

function lz4Problem(lz4BytesMin: number | undefined): string | undefined {
  if (lz4BytesMin === undefined || (lz4BytesMin >= 1 && lz4BytesMin <= rowBytesMax))
    return undefined
  return `lz4BytesMin is ${lz4BytesMin}, not 1 to ${rowBytesMax}`
}

function codingProblem({ mapping, classes }: SymbolCoding, type: FeatureType): string | undefined {
  if (!allowedMappings(type).includes(mapping.kind)) return notFor(mapping.kind, type)
  return (
    mappingProblem(mapping, type) ??
    tableProblem(classes) ??
    firstProblem(classes, (code) => rangeProblem(code, mapping))
  )
}

/** Which mappings the values, or the elements, of a type can have. */
function allowedMappings(type: FeatureType): readonly SymbolMapping['kind'][] {
  if (type.kind === 'embedding') return embeddingMappings[type.storage]
  return scalarMappings[scalarTypeOf(type)]
}

const embeddingMappings = {
  f32: ['decimal', 'float_bits'],
  f16: ['float_bits'],
  int8: ['integer'],
} as const

const scalarMappings = {
  bool: ['integer'],
  int8: ['integer'],
  int16: ['integer'],
  int32: ['integer'],
  int64: ['integer'],
  timestamp: ['integer'],
  float32: ['decimal', 'float_bits'],
  float64: ['decimal', 'float_bits'],
  string: ['dictionary'],
  categorical: ['dictionary'],
  bytes: ['dictionary'],
} as const satisfies Record<ScalarType, readonly SymbolMapping['kind'][]>

function isText(scalar: ScalarType): boolean {
  return scalar === 'string' || scalar === 'categorical' || scalar === 'bytes'
}

/** Bits of a float of `type`: of its value, or of an element. */
function floatBitsOf(type: FeatureType): number {
  if (type.kind === 'embedding' && type.storage === 'f16') return 16
  return scalarTypeOf(type) === 'float64' ? 64 : 32
}

function mappingProblem(mapping: SymbolMapping, type: FeatureType): string | undefined {
  switch (mapping.kind) {
    case 'integer':
      if (mapping.unit >= 1n && mapping.unit <= int64Max) return undefined
      return `unit is ${mapping.unit}, not 1 to ${int64Max}`
    case 'decimal':
      return undefined
    case 'float_bits': {
      const shiftMax = floatBitsOf(type) - 1
      if (mapping.shift >= 0 && mapping.shift <= shiftMax) return undefined
      return `shift is ${mapping.shift}, not 0 to ${shiftMax}`
    }
    case 'dictionary':
      return dictionaryProblem(mapping.values, scalarTypeOf(type))
  }
}

function dictionaryProblem(values: readonly Uint8Array[], scalar: ScalarType): string | undefined {
  if (values.length > dictionaryValuesMax) {
    return `the dictionary has ${values.length} values, at most ${dictionaryValuesMax}`
  }
  const byteCount = values.reduce((sum, value) => sum + value.byteLength, 0)
  if (byteCount > dictionaryBytesMax) {
    return `the dictionary has ${byteCount} bytes, at most ${dictionaryBytesMax}`
  }
  if (new Set(values.map((value) => Buffer.from(value).toString('hex'))).size < values.length) {
    return 'the dictionary has a value twice'
  }
  if (scalar !== 'bytes' && !values.every((value) => isUtf8(value))) {
    return `the dictionary has a value that is not UTF-8, as ${scalar} must be`
  }
  return undefined
}

/** The rules of a code table that hold whatever its symbols mean. */
function tableProblem(classes: readonly CodeClass[]): string | undefined {
  if (classes.length < 1 || classes.length > codeClassesMax) {
    return `${classes.length} classes, not 1 to ${codeClassesMax}`
  }
  for (const kind of ['null', 'literal'] as const) {
    if (classes.filter((code) => code.kind === kind).length > 1) return `two ${kind} classes`
  }
  return prefixProblem(classes.map(({ prefixBits }) => prefixBits))
}

function prefixProblem(prefixBits: readonly number[]): string | undefined {
  if (prefixBits.length === 1) {
    return prefixBits[0] === 0
      ? undefined
      : `prefix of ${prefixBits[0]} bits for the only class, not 0`
  }
  const bad = prefixBits.find((bits) => bits < 1 || bits > prefixBitsMax)
  if (bad !== undefined) return `prefix of ${bad} bits, not 1 to ${prefixBitsMax}`
  if (prefixBits.some((bits, index) => bits < (prefixBits[index - 1] ?? 0))) {
    return 'classes are not in the order of their prefix bits'
  }
  const codeSpace = 2 ** prefixBitsMax
  const used = prefixBits.reduce((sum, bits) => sum + codeSpace / 2 ** bits, 0)
  if (used === codeSpace) return undefined
  return `prefix codes fill ${used} / ${codeSpace} of the code space, not all of it`
}

function firstProblem(
  classes: readonly CodeClass[],
  problemOf: (code: CodeClass & { kind: 'range' }) => string | undefined,
): string | undefined {
  for (const [index, code] of classes.entries()) {
    const problem = code.kind === 'range' ? (widthProblem(code) ?? problemOf(code)) : undefined
    if (problem !== undefined) return `class ${index}: ${problem}`
  }
  return undefined
}

type RangeClass = CodeClass & { kind: 'range' }

function widthProblem({ base, width }: RangeClass): string | undefined {
  if (width < 0 || width > 64) return `width is ${width}, not 0 to 64`
  if (BigInt.asIntN(64, base) !== base) return `base is ${base}, which 64 bits do not hold`
  return undefined
}

function rangeProblem(code: RangeClass, mapping: SymbolMapping): string | undefined {
  const { exponent } = code
  if (mapping.kind !== 'decimal') {
    return exponent === 0 ? undefined : `exponent is ${exponent}, not 0 as for ${mapping.kind}`
  }
  if (Math.abs(exponent) > exponentMax) {
    return `exponent is ${exponent}, not -${exponentMax} to ${exponentMax}`
  }
  return boundsProblem(code, -decimalSymbolMax, decimalSymbolMax)
}

function boundsProblem(code: RangeClass, least: bigint, greatest: bigint): string | undefined {
  const last = lastSymbol(code)
  if (code.base >= least && last <= greatest) return undefined
  return `symbols are ${code.base} to ${last}, not within ${least} to ${greatest}`
}

function lastSymbol({ base, width }: RangeClass): bigint {
  return base + (1n << BigInt(width)) - 1n
}

function lengthsProblem(classes: readonly CodeClass[]): string | undefined {
  if (hasClass(classes, 'literal')) return 'a literal class, which lengths lack'
  return (
    tableProblem(classes) ??
    firstProblem(classes, (code) =>
      code.exponent === 0
        ? boundsProblem(code, 0n, lengthMax)
        : `exponent is ${code.exponent}, not 0`,
    )
  )
}

function hasClass(classes: readonly CodeClass[], kind: 'null' | 'literal'): boolean {
  return classes.some((code) => code.kind === kind)
}
