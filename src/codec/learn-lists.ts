/**
 * Encodings of lists and embeddings, learned from a sample: short lengths and coded elements, or blocks of
 * what plain rows hold.
 */
import { assert } from '../assert.js'
import { cellStatus, type FeatureColumn, type ScalarValues } from '../column.js'
import { type FeatureType, scalarTypeOf } from '../feature-type.js'
import { floatsOf, storedElements } from './embedding-elements.js'
import { learnTable } from './learn-classes.js'
import type { LearnedCoding } from './learn-coding.js'
import { countIntegers, countTexts, integersAt } from './learn-counts.js'
import { numberCodings } from './learn-numbers.js'
import {
  blockEncodings,
  type CompressedBytes,
  countLengths,
  dictionaryCoding,
  type LearnedEncoding,
  lengthBounds,
} from './learn-texts.js'
import { numberFormOf } from './number-form.js'

export type ListType = Exclude<FeatureType, { kind: 'scalar' }>

/** The lists of a sample, as far as elements are looked at. */
export interface SampledLists {
  readonly type: ListType
  readonly elements: ScalarValues
  readonly nullCount: number
  readonly lists: readonly ListPlace[]
}

/** Where a list's elements stand in their column. */
export interface ListPlace {
  readonly begin: number
  readonly elementCount: number
}

/** Elements looked at: more teach nothing new about how they are distributed. */
const sampledElementsMax = 131_072

/** All lists of the column, or every n-th row's where there are too many elements. */
export function sampleLists(type: ListType, { values, status }: FeatureColumn): SampledLists {
  assert(values.class === 'list', 'a column of lists holds lists')
  const lists: ListPlace[] = []
  let nullCount = 0
  let begin = 0
  const step = Math.ceil(elementCountOf(values.elements) / sampledElementsMax)
  for (const [row, elementCount] of values.lengths.entries()) {
    const isLooked = step <= 1 || row % step === 0
    if (isLooked && status[row] === cellStatus.present) lists.push({ begin, elementCount })
    if (isLooked && status[row] === cellStatus.nullValue) nullCount++
    begin += elementCount
  }
  return { type, elements: values.elements, nullCount, lists }
}

function elementCountOf(elements: ScalarValues): number {
  return elements.class === 'var' ? elements.lengths.length : elements.values.length
}

/** Encodings to choose from, the simpler ones first. */
export function listEncodings(sampled: SampledLists, options: ListOptions): LearnedEncoding[] {
  const { exceptionBits, compressedBytes, blocks } = options
  const { type, lists, nullCount } = sampled
  const { classes: lengths, sampleBits: lengthBits } = learnTable({
    ...lengthBounds,
    counted: countLengths(lists.map(({ elementCount }) => ({ itemCount: elementCount, count: 1 }))),
    nullCount,
    exceptionBits,
  })
  const scaleBits = type.kind === 'embedding' && type.storage === 'int8' ? 32 * lists.length : 0
  const packed = elementCodings(sampled, options).map(({ coding, sampleBits }) => ({
    encoding: { kind: 'packed_list', lengths, elements: coding } as const,
    sampleBits: lengthBits + scaleBits + sampleBits,
  }))
  const counted = blocks.map((bytes) => ({ bytes, count: 1 }))
  const task = { blocks: counted, nullCount, exceptionBits, compressedBytes }
  return [...packed, ...blockEncodings(task)]
}

export interface ListOptions {
  /** Bits that an exception takes beside its literal value. */
  readonly exceptionBits: number
  readonly dictionaryBytes: number
  readonly compressedBytes?: CompressedBytes | undefined
  /** The lists as plain rows hold them. */
  readonly blocks: readonly Uint8Array[]
}

/** An element that does not fit makes the whole list an exception. */
function elementCodings(
  sampled: SampledLists,
  { exceptionBits, dictionaryBytes }: ListOptions,
): LearnedCoding[] {
  const { type, elements, lists } = sampled
  const form = numberFormOf(type)
  const indexes = elementIndexes(lists)
  const meanCount = lists.length === 0 ? 0 : indexes.length / lists.length
  if (form === undefined) {
    const texts = countTexts(elements, indexes)
    const listExceptionBits = exceptionBits + 8 * meanCount
    const task = { texts, nullCount: 0, exceptionBits: listExceptionBits, dictionaryBytes }
    return [dictionaryCoding(task)]
  }
  return numberCodings({
    form,
    counted: countIntegers(elementIntegers(sampled)),
    nullCount: 0,
    exceptionBits: exceptionBits + form.valueBits * meanCount,
  })
}

/** Where all elements of `lists` stand in their column. */
export function elementIndexes(lists: readonly ListPlace[]): Uint32Array {
  const total = lists.reduce((sum, { elementCount }) => sum + elementCount, 0)
  const indexes = new Uint32Array(total)
  let at = 0
  for (const { begin, elementCount } of lists) {
    for (let index = 0; index < elementCount; index++) indexes[at++] = begin + index
  }
  return indexes
}

/** All elements of `sampled` as they are stored, as 64-bit integers. */
export function elementIntegers({ type, elements, lists }: SampledLists): BigInt64Array {
  if (type.kind === 'list' || type.storage === 'f32') {
    return integersAt(scalarTypeOf(type), elements, elementIndexes(lists))
  }
  const { storage } = type
  return BigInt64Array.from(
    lists.flatMap((place) => [...storedElements(storage, floatsOf(elements, place))]),
    BigInt,
  )
}
