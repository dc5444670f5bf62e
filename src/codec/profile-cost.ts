/**
 * What a sample takes under a given profile, to the bit: the codec's rules, without writing a row.
 *
 * The learner chooses by its own estimates while it searches; this judges any profile, an older one too.
 * Only the marks of exceptions are counted a little high: a row with two of them has its marks once.
 */
import type { FeatureColumn, ScalarValues } from '../column.js'
import type {
  CodeClass,
  EncodingProfile,
  FeatureEncoding,
  SymbolCoding,
} from '../encoding-profile.js'
import type { FeatureType, ScalarType } from '../feature-type.js'
import { mantissaAt } from './float-decimals.js'
import { cellRows, integersAt, textReader } from './learn-counts.js'
import {
  elementIndexes,
  elementIntegers,
  type ListType,
  type SampledLists,
  sampleLists,
} from './learn-lists.js'
import { blockBits, type CompressedBytes, literalTextBits } from './learn-texts.js'
import { type NumberForm, numberFormOf } from './number-form.js'
import { plainLists } from './plain-list-bytes.js'
import type { LearnedFeatureType, LearnOptions, ProfileSample } from './profile-sample.js'

export interface FeatureCost {
  readonly featureId: number
  /** Cells with a value or null that were looked at. */
  readonly cellCount: number
  readonly exceptionCount: number
  readonly bitsPerCell: number
}

export interface ProfileCost {
  /** Of those features that the sample has cells of, in their order. */
  readonly features: readonly FeatureCost[]
  /** Bits of an average row's body, before it is filled up to whole bytes. */
  readonly bitsPerRow: number
}

/** What rows like those of `sample` take under `profile`. */
export function costProfile(
  profile: EncodingProfile,
  { columns }: ProfileSample,
  features: readonly LearnedFeatureType[],
  options: LearnOptions = {},
): ProfileCost {
  const byName = new Map(columns.map((column) => [column.name, column]))
  const exceptionBits = features.length + 1
  const costs = features.flatMap(({ id, name, type }): FeatureCost[] => {
    const column = byName.get(name)
    if (column === undefined) return []
    const encoding = profile.encodings.get(id) ?? { kind: 'plain' }
    const cells = costCells({ ...options, type, column, encoding })
    const cellCount = cells.length
    if (cellCount === 0) return []
    const bits = cells.reduce((sum, cell) => sum + cell.bits, 0)
    const exceptionCount = cells.reduce((sum, cell) => sum + (cell.isException ? 1 : 0), 0)
    const bitsPerCell = (bits + exceptionCount * exceptionBits) / cellCount
    return [{ featureId: id, cellCount, exceptionCount, bitsPerCell }]
  })
  // The row's own bit says whether it has exceptions.
  const bitsPerRow = costs.reduce((sum, { bitsPerCell }) => sum + bitsPerCell, 1)
  return { features: costs, bitsPerRow }
}

/** Rows end within a byte: on average so many of its bits are left over. */
const paddingBits = 3.5

/** Bytes of an average row's body. */
export function bodyBytesOf({ bitsPerRow }: ProfileCost): number {
  return (bitsPerRow + paddingBits) / 8
}

/** Of the plain profile: presence has whole bytes, where a learned row has a bit for each feature and one. */
export function plainBodyBytesOf(
  { bitsPerRow, features }: ProfileCost,
  featureCount: number,
): number {
  return Math.ceil(featureCount / 8) + (bitsPerRow - 1 - features.length) / 8
}

interface CellCost {
  /** Of an exception only its literal value's. */
  readonly bits: number
  readonly isException: boolean
}

interface CellsTask {
  readonly type: FeatureType
  readonly column: FeatureColumn
  readonly encoding: FeatureEncoding
  readonly compressedBytes?: CompressedBytes
}

function costCells(task: CellsTask): CellCost[] {
  const { type, column, encoding } = task
  if (type.kind !== 'scalar') return costLists({ ...task, type })
  if (column.values.class === 'list') return []
  const { setRows, nullCount } = cellRows(column)
  const cells = scalarCells(type.scalar, column.values, setRows, task)
  return [...repeated(nullCost(encoding), nullCount), ...cells]
}

function repeated(cost: CellCost, count: number): CellCost[] {
  return new Array<CellCost>(count).fill(cost)
}

function nullCost(encoding: FeatureEncoding): CellCost {
  if (encoding.kind === 'plain') return { bits: 1, isException: false }
  const classes = encoding.kind === 'coded' ? encoding.coding.classes : encoding.lengths
  const code = classes.find(({ kind }) => kind === 'null')
  return { bits: code?.prefixBits ?? 0, isException: code === undefined }
}

/** The cost of what an encoding holds in `bits`, or else of an exception. */
function heldOr(bits: number | undefined, literalBits: number): CellCost {
  return { bits: bits ?? literalBits, isException: bits === undefined }
}

function scalarCells(
  scalar: ScalarType,
  values: ScalarValues,
  setRows: readonly number[],
  { encoding, compressedBytes }: CellsTask,
): CellCost[] {
  const form = numberFormOf({ kind: 'scalar', scalar })
  if (form !== undefined) {
    const bitsOf = encoding.kind === 'coded' ? numberCost(encoding.coding, form) : undefined
    const integers = integersAt(scalar, values, setRows)
    return Array.from(integers, (value) =>
      bitsOf === undefined ? plainCost(form.valueBits) : heldOr(bitsOf(value), form.valueBits),
    )
  }
  const textAt = textReader(values)
  const bitsOf = textCost(encoding, compressedBytes)
  return setRows.map((row) => {
    const bytes = textAt(row)
    const literalBits = literalTextBits(bytes)
    return bitsOf === undefined ? plainCost(literalBits) : heldOr(bitsOf(bytes), literalBits)
  })
}

function plainCost(literalBits: number): CellCost {
  return { bits: 1 + literalBits, isException: false }
}

/** Of a text; undefined where texts are written plain. */
function textCost(
  encoding: FeatureEncoding,
  compressedBytes: CompressedBytes | undefined,
): ((bytes: Uint8Array) => number | undefined) | undefined {
  if (encoding.kind === 'coded') return dictionaryCost(encoding.coding)
  if (encoding.kind !== 'block') return undefined
  const { lengths, lz4BytesMin } = encoding
  return (bytes) => {
    const lengthBits = rangeBits(BigInt(bytes.byteLength), lengths)
    if (lengthBits === undefined) return undefined
    return lengthBits + blockBits(bytes, { lz4BytesMin, compressedBytes })
  }
}

function dictionaryCost({
  mapping,
  classes,
}: SymbolCoding): (bytes: Uint8Array) => number | undefined {
  const values = mapping.kind === 'dictionary' ? mapping.values : []
  const bitsByKey = new Map(
    values.map((value, index) => [keyOf(value), rangeBits(BigInt(index), classes)]),
  )
  const literalPrefix = literalPrefixBits(classes)
  return (bytes) => {
    const bits = bitsByKey.get(keyOf(bytes))
    if (bits !== undefined || literalPrefix === undefined) return bits
    return literalPrefix + literalTextBits(bytes)
  }
}

/** One character per byte: equal for equal bytes only. */
function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function literalPrefixBits(classes: readonly CodeClass[]): number | undefined {
  return classes.find(({ kind }) => kind === 'literal')?.prefixBits
}

/** Of the first range that holds `symbol`. */
function rangeBits(symbol: bigint, classes: readonly CodeClass[]): number | undefined {
  const code = classes.find((each) => holds(each, symbol))
  return code?.kind === 'range' ? code.prefixBits + code.width : undefined
}

function holds(code: CodeClass, symbol: bigint): boolean {
  if (code.kind !== 'range') return false
  return BigInt.asUintN(64, symbol - code.base) >> BigInt(code.width) === 0n
}

/** Of a number as `learn-counts.ts` has it; equal numbers are looked at once. */
function numberCost(coding: SymbolCoding, form: NumberForm): (value: bigint) => number | undefined {
  const known = new Map<bigint, number | undefined>()
  const literalPrefix = literalPrefixBits(coding.classes)
  return (value) => {
    if (known.has(value)) return known.get(value)
    const held = numberRangeBits(value, coding, form)
    const literal = literalPrefix === undefined ? undefined : literalPrefix + form.valueBits
    known.set(value, held ?? literal)
    return held ?? literal
  }
}

function numberRangeBits(
  value: bigint,
  { mapping, classes }: SymbolCoding,
  { valueBits }: NumberForm,
): number | undefined {
  switch (mapping.kind) {
    case 'integer':
      return value % mapping.unit === 0n ? rangeBits(value / mapping.unit, classes) : undefined
    case 'float_bits': {
      const shift = BigInt(mapping.shift)
      const bits = BigInt.asUintN(valueBits, value)
      return (bits >> shift) << shift === bits ? rangeBits(bits >> shift, classes) : undefined
    }
    case 'decimal': {
      const isFloat32 = valueBits === 32
      const float = floatOf(value, isFloat32)
      const code = classes.find((each) => {
        const mantissa =
          each.kind === 'range' ? mantissaAt(float, each.exponent, isFloat32) : undefined
        return mantissa !== undefined && holds(each, BigInt(mantissa))
      })
      return code?.kind === 'range' ? code.prefixBits + code.width : undefined
    }
    case 'dictionary':
      return undefined
  }
}

function floatOf(bits: bigint, isFloat32: boolean): number {
  if (!isFloat32) return new Float64Array(BigInt64Array.of(bits).buffer)[0] ?? 0
  return new Float32Array(Uint32Array.of(Number(bits)).buffer)[0] ?? 0
}

function costLists(task: CellsTask & { readonly type: ListType }): CellCost[] {
  const { type, column, encoding, compressedBytes } = task
  const sampled = sampleLists(type, column)
  const blocks = plainLists(sampled)
  const nulls = repeated(nullCost(encoding), sampled.nullCount)
  switch (encoding.kind) {
    case 'plain':
    case 'coded':
      return [...nulls, ...blocks.map((bytes) => plainCost(8 * bytes.byteLength))]
    case 'block': {
      const bitsOf = textCost(encoding, compressedBytes)
      return [...nulls, ...blocks.map((bytes) => heldOr(bitsOf?.(bytes), 8 * bytes.byteLength))]
    }
    case 'packed_list': {
      const bits = packedBits(sampled, encoding)
      return [...nulls, ...blocks.map((bytes, index) => heldOr(bits[index], 8 * bytes.byteLength))]
    }
  }
}

/** Of each list, undefined where it is an exception. */
function packedBits(
  sampled: SampledLists,
  { lengths, elements }: FeatureEncoding & { readonly kind: 'packed_list' },
): (number | undefined)[] {
  const { type, lists } = sampled
  const scaleBits = type.kind === 'embedding' && type.storage === 'int8' ? 32 : 0
  const bitsOf = elementCost(sampled, elements)
  let next = 0
  return lists.map(({ elementCount }) => {
    let bits: number | undefined = rangeBits(BigInt(elementCount), lengths)
    const end = next + elementCount
    for (; next < end; next++) {
      const elementBits = bitsOf(next)
      bits = bits === undefined || elementBits === undefined ? undefined : bits + elementBits
    }
    return bits === undefined ? undefined : bits + scaleBits
  })
}

/** Of the n-th of all elements of `sampled`. */
function elementCost(
  sampled: SampledLists,
  coding: SymbolCoding,
): (index: number) => number | undefined {
  const form = numberFormOf(sampled.type)
  if (form !== undefined) {
    const integers = elementIntegers(sampled)
    const bitsOf = numberCost(coding, form)
    return (index) => bitsOf(integers[index] ?? 0n)
  }
  const indexes = elementIndexes(sampled.lists)
  const textAt = textReader(sampled.elements)
  const bitsOf = dictionaryCost(coding)
  return (index) => bitsOf(textAt(indexes[index] ?? 0))
}
