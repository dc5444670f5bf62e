/**
 * Random encoding profiles, all of them valid, and cells at the edges of what their classes hold: for
 * property tests of the codec.
 */
import type {
  CodeClass,
  EncodingProfile,
  FeatureEncoding,
  SymbolCoding,
  SymbolMapping,
} from '../../src/encoding-profile.js'
import { type FeatureType, type ScalarType, scalarTypeOf } from '../../src/feature-type.js'
import type { Prng } from '../../src/prng.js'
import { Corrupt } from './reference-bits.js'
import { cellOfPlainBytes } from './reference-learned-row.js'
import type { ReferenceCell, ReferenceFeature } from './reference-row.js'
import { elementType, valueOfSymbol } from './reference-symbols.js'

/** Every feature with some encoding of its type, or with none. */
export function randomProfile(features: readonly ReferenceFeature[], prng: Prng): EncodingProfile {
  const encodings = new Map<number, FeatureEncoding>()
  for (const { id, type } of features) {
    if (prng.below(10) > 0) encodings.set(id, randomEncoding(type, prng))
  }
  return { id: 1, encodings, sampleRowCount: prng.below(1000) }
}

function randomEncoding(type: FeatureType, prng: Prng): FeatureEncoding {
  const kinds = encodingKinds(type)
  const kind = pick(prng, kinds)
  switch (kind) {
    case 'plain':
      return { kind }
    case 'coded':
      return { kind, coding: randomCoding(type, prng, pick(prng, [true, false])) }
    case 'packed_list':
      return {
        kind,
        lengths: randomLengths(type, prng),
        elements: randomCoding(type, prng, false),
      }
    case 'block': {
      const lz4BytesMin = pick(prng, [undefined, 1, 2, 20, 100])
      return { kind, lengths: randomLengths(type, prng), lz4BytesMin }
    }
  }
}

function encodingKinds(type: FeatureType): readonly FeatureEncoding['kind'][] {
  if (type.kind !== 'scalar') return ['plain', 'packed_list', 'packed_list', 'block']
  return isText(type.scalar) ? ['plain', 'coded', 'coded', 'block'] : ['plain', 'coded', 'coded']
}

function isText(scalar: ScalarType): boolean {
  return scalar === 'string' || scalar === 'categorical' || scalar === 'bytes'
}

function randomCoding(type: FeatureType, prng: Prng, mayHaveNull: boolean): SymbolCoding {
  const mapping = randomMapping(type, prng)
  const others: CodeClass['kind'][] = []
  if (mayHaveNull && prng.below(2) === 0) others.push('null')
  if (prng.below(2) === 0) others.push('literal')
  const range = () => randomRange(mapping, prng)
  return { mapping, classes: randomTable(prng, others, range) }
}

function randomLengths(type: FeatureType, prng: Prng): CodeClass[] {
  const dim = type.kind === 'embedding' ? type.dim : prng.below(8)
  const others: CodeClass['kind'][] = prng.below(2) === 0 ? ['null'] : []
  return randomTable(prng, others, () => {
    const width = pick(prng, [0, 1, 3, 8, 32])
    const base = width === 32 ? 0 : Math.max(0, dim - prng.below(2 ** Math.min(width, 3)))
    return { base: BigInt(base), width, exponent: 0 }
  })
}

interface Range {
  readonly base: bigint
  readonly width: number
  readonly exponent: number
}

/** A complete prefix code over the other classes and at least one more, in canonical order. */
function randomTable(
  prng: Prng,
  others: readonly CodeClass['kind'][],
  range: () => Range,
): CodeClass[] {
  const rangeCount = Math.max(others.length === 0 ? 1 : 0, prng.below(pick(prng, [2, 4, 30])))
  const kinds = [...others, ...Array.from({ length: rangeCount }, () => 'range' as const)]
  const prefixes = randomPrefixes(prng, kinds.length)
  return shuffled(prng, kinds).map((kind, index): CodeClass => {
    const prefixBits = prefixes[index] ?? 0
    return kind === 'range' ? { kind, prefixBits, ...range() } : { kind, prefixBits }
  })
}

/** Lengths of a complete code, ascending: leaves of a tree that grew at random. */
function randomPrefixes(prng: Prng, codeCount: number): number[] {
  const leaves = [0]
  while (leaves.length < codeCount) {
    const index = prng.below(leaves.length)
    const [depth = 0] = leaves.splice(index, 1)
    leaves.push(...(depth === 10 ? [depth] : [depth + 1, depth + 1]))
  }
  return leaves.sort((a, b) => a - b)
}

function randomMapping(type: FeatureType, prng: Prng): SymbolMapping {
  const scalar = scalarTypeOf(type)
  if (isText(scalar)) return randomDictionary(prng)
  const isFloat = type.kind === 'embedding' ? type.storage !== 'int8' : /^float/.test(scalar)
  if (!isFloat) return { kind: 'integer', unit: pick(prng, [1n, 1n, 3n, 1000n, 2n ** 62n]) }
  const isHalf = type.kind === 'embedding' && type.storage === 'f16'
  if (!isHalf && prng.below(2) === 0) return { kind: 'decimal' }
  return { kind: 'float_bits', shift: pick(prng, [0, 0, 3, isHalf ? 15 : 31]) }
}

const someTexts = ['', 'a', 'b', 'Zürich', 'a\0b', 'x'.repeat(130), 'JFK', 'LAX', '\u{10ffff}']

function randomDictionary(prng: Prng): SymbolMapping {
  const texts = shuffled(prng, someTexts).slice(0, prng.below(someTexts.length + 1))
  return { kind: 'dictionary', values: texts.map((text) => Buffer.from(text)) }
}

const bases = [0n, 0n, 1n, -1n, -128n, 100n, -(2n ** 31n), 2n ** 30n, -(2n ** 63n), 2n ** 62n]
const widths = [0, 0, 1, 3, 7, 8, 10, 16, 31, 32, 53, 57, 63, 64]

function randomRange(mapping: SymbolMapping, prng: Prng): Range {
  const base = pick(prng, bases)
  switch (mapping.kind) {
    case 'integer':
      return { base, width: pick(prng, widths), exponent: 0 }
    case 'float_bits': {
      // 1.0 as a float32 and a float64, and what lies around them.
      const one = pick(prng, [0n, 0x3f80_0000n, 0x3c00n, 0x3ff0_0000_0000_0000n])
      const shifted = (one >> BigInt(mapping.shift)) + BigInt(prng.below(3))
      return { base: pick(prng, [base, shifted]), width: pick(prng, widths), exponent: 0 }
    }
    case 'dictionary':
      return { base: BigInt(prng.below(4)), width: pick(prng, [0, 1, 3, 4]), exponent: 0 }
    case 'decimal': {
      const width = pick(prng, [0, 4, 10, 20, 53])
      const least = pick(prng, [0n, 0n, 100n, -500n, -(2n ** 53n)])
      const exponent = pick(prng, [0, 1, 2, 3, 7, 22, -1, -5, -22])
      const isWithin = least + (1n << BigInt(width)) - 1n <= 2n ** 53n
      return { base: isWithin ? least : 0n, width, exponent }
    }
  }
}

/**
 * A cell that lies at the edge of some class of `encoding`, within it or just beyond; undefined where
 * chance or the encoding gives none.
 */
export function edgeCell(
  type: FeatureType,
  encoding: FeatureEncoding,
  prng: Prng,
): ReferenceCell | undefined {
  switch (encoding.kind) {
    case 'plain':
      return undefined
    case 'coded':
      return edgeValue(type, encoding.coding, prng)
    case 'packed_list': {
      if (type.kind === 'embedding' && type.storage === 'int8') return undefined
      const count = type.kind === 'embedding' ? type.dim : edgeLength(encoding.lengths, prng)
      const elements = Array.from({ length: count }, () => edgeValue(type, encoding.elements, prng))
      const cells = elements.filter((cell) => typeof cell === 'string')
      return type.kind === 'embedding' && cells.length < count ? undefined : cells
    }
    case 'block': {
      if (type.kind !== 'scalar') return undefined
      const byteCount = edgeLength(encoding.lengths, prng)
      return Buffer.from('larder'.repeat(byteCount).slice(0, byteCount)).toString('hex')
    }
  }
}

/** Bounded: rows stay short. */
function edgeLength(lengths: readonly CodeClass[], prng: Prng): number {
  const symbol = edgeSymbol(lengths, prng)?.symbol ?? 3n
  return Number(symbol < 0n ? 0n : symbol > 300n ? 300n : symbol)
}

function edgeSymbol(classes: readonly CodeClass[], prng: Prng) {
  const ranges = classes.filter((code) => code.kind === 'range')
  if (ranges.length === 0) return undefined
  const code = pick(prng, ranges)
  const last = code.base + (1n << BigInt(code.width)) - 1n
  const symbol = pick(prng, [code.base, last, code.base - 1n, last + 1n, (code.base + last) / 2n])
  return { symbol: BigInt.asIntN(64, symbol), exponent: code.exponent }
}

/** A scalar, or an element as a column holds it. */
function edgeValue(
  type: FeatureType,
  { mapping, classes }: SymbolCoding,
  prng: Prng,
): ReferenceCell | undefined {
  const edge = edgeSymbol(classes, prng)
  if (edge === undefined) return undefined
  try {
    const plain = valueOfSymbol(edge.symbol, { type, mapping, exponent: edge.exponent })
    if (type.kind !== 'embedding') return cellOfPlainBytes(plain, elementType(type))
    const [element] = cellOfPlainBytes(plain, { ...type, dim: 1 }) ?? []
    return element
  } catch (error) {
    if (error instanceof Corrupt) return undefined
    throw error
  }
}

function pick<T>(prng: Prng, items: readonly T[]): T {
  const item = items[prng.below(items.length)]
  // An item may be undefined itself; the index is always within.
  return item as T
}

function shuffled<T>(prng: Prng, items: readonly T[]): T[] {
  const left = [...items]
  return items.map(() => {
    const [item] = left.splice(prng.below(left.length), 1)
    // As many are taken as there are.
    return item as T
  })
}
