/**
 * Encodings of texts and bytes, learned from the distinct values of a sample: a dictionary of those that
 * come again, or blocks of bytes with short lengths.
 */
import type { FeatureEncoding, SymbolCoding } from '../encoding-profile.js'
import { dictionaryValuesMax } from '../limits.js'
import { learnTable } from './learn-classes.js'
import type { LearnedCoding } from './learn-coding.js'
import type { TextCount } from './learn-counts.js'
import type { SymbolCounts } from './symbol-counts.js'

/** The bytes that LZ4 makes of `bytes`; at least as many where it cannot compress them. */
export type CompressedBytes = (bytes: Uint8Array) => number

export interface LearnedEncoding {
  readonly encoding: FeatureEncoding
  /** Of the whole sample, exceptions included. */
  readonly sampleBits: number
}

export interface TextTask {
  readonly texts: readonly TextCount[]
  readonly nullCount: number
  readonly exceptionBits: number
  /** Bytes that the dictionary may take, in the profile's JSON too. */
  readonly dictionaryBytes: number
}

/** Quotes and comma of a value in JSON, rounded up. */
const valueMarkBytes = 4
/**
 * How many of the values may have come once for those to be in the dictionary: that share of unseen
 * values is of another text yet (Good and Turing), and where it is great, texts hardly come again.
 */
const onceShareMax = 0.1

/** A dictionary of the values that are expected to come again; all others are written literally. */
export function dictionaryCoding(task: TextTask): LearnedCoding {
  const { texts, nullCount, exceptionBits } = task
  const known = dictionaryTexts(task)
  const others = texts.slice(known.length)
  const othersCount = others.reduce((sum, { count }) => sum + count, 0)
  const othersBits = others.reduce((sum, at) => sum + at.count * literalTextBits(at.bytes), 0)
  const { classes, sampleBits } = learnTable({
    counted: {
      symbols: BigInt64Array.from(known.keys(), BigInt),
      counts: Float64Array.from(known, ({ count }) => count),
      exponents: new Int8Array(known.length),
    },
    nullCount,
    unmappedCount: othersCount,
    literalBits: othersCount === 0 ? averageBits(texts) : othersBits / othersCount,
    exceptionBits,
    least: 0n,
    greatest: BigInt(Math.max(known.length - 1, 0)),
  })
  const values = known.map(({ bytes }) => Uint8Array.from(bytes))
  const coding: SymbolCoding = { mapping: { kind: 'dictionary', values }, classes }
  return { coding, sampleBits }
}

/** The first of `texts`, which are the most frequent, as far as they may come again and have room. */
function dictionaryTexts({ texts, dictionaryBytes }: TextTask): readonly TextCount[] {
  const valueCount = texts.reduce((sum, { count }) => sum + count, 0)
  const onceCount = texts.filter(({ count }) => count === 1).length
  const countMin = onceCount <= valueCount * onceShareMax ? 1 : 2
  let byteCount = 0
  const end = texts.findIndex(({ bytes, count }, index) => {
    byteCount += bytes.byteLength + valueMarkBytes
    const hasRoom = index < dictionaryValuesMax && byteCount <= dictionaryBytes
    return !hasRoom || count < countMin
  })
  return end < 0 ? texts : texts.slice(0, end)
}

function averageBits(texts: readonly TextCount[]): number {
  const total = texts.reduce((sum, { count }) => sum + count, 0)
  const bits = texts.reduce((sum, { bytes, count }) => sum + count * literalTextBits(bytes), 0)
  return total === 0 ? 0 : bits / total
}

/** Bits of a text in plain rows. */
export function literalTextBits(bytes: Uint8Array): number {
  return 8 * (varintBytes(bytes.byteLength) + bytes.byteLength)
}

function varintBytes(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7))
}

export interface BlockTask {
  /** What blocks would hold. */
  readonly blocks: readonly TextCount[]
  readonly nullCount: number
  readonly exceptionBits: number
  /** Undefined where nobody can compress: then no block is. */
  readonly compressedBytes?: CompressedBytes | undefined
}

/** Shorter values are not worth a try: LZ4 needs repetition, and 64 bytes have little. */
const lz4BytesMins = [64, 128, 256, 512, 1024] as const

/** Blocks as they are, then compressed from the bound on that saves most. */
export function blockEncodings(task: BlockTask): LearnedEncoding[] {
  const { blocks, nullCount, exceptionBits } = task
  const compressedBytes = task.compressedBytes && measuredOnce(task.compressedBytes)
  const { classes: lengths, sampleBits: lengthBits } = learnTable({
    ...lengthBounds,
    counted: countLengths(
      blocks.map(({ bytes, count }) => ({ itemCount: bytes.byteLength, count })),
    ),
    nullCount,
    exceptionBits,
  })
  const encodingOf = (lz4BytesMin: number | undefined): LearnedEncoding => {
    const contentBits = blocks.reduce((sum, { bytes, count }) => {
      return sum + count * blockBits(bytes, { lz4BytesMin, compressedBytes })
    }, 0)
    return {
      encoding: { kind: 'block', lengths, lz4BytesMin },
      sampleBits: lengthBits + contentBits,
    }
  }
  const compressible = blocks.some(({ bytes }) => bytes.byteLength >= lz4BytesMins[0])
  const bounds = compressible && compressedBytes !== undefined ? lz4BytesMins : []
  return [encodingOf(undefined), ...bounds.map(encodingOf)]
}

/** Each bound tried asks again for the same blocks. */
function measuredOnce(compressedBytes: CompressedBytes): CompressedBytes {
  const measured = new WeakMap<Uint8Array, number>()
  return (bytes) => {
    const byteCount = measured.get(bytes) ?? compressedBytes(bytes)
    measured.set(bytes, byteCount)
    return byteCount
  }
}

/** A table of lengths has no literal class. */
export const lengthBounds = {
  unmappedCount: 0,
  literalBits: undefined,
  least: 0n,
  greatest: 2n ** 32n - 1n,
} as const

/** Distinct lengths and how often each comes. */
export function countLengths(
  lengths: readonly { readonly itemCount: number; readonly count: number }[],
): SymbolCounts {
  const byLength = new Map<number, number>()
  for (const { itemCount, count } of lengths) {
    byLength.set(itemCount, (byLength.get(itemCount) ?? 0) + count)
  }
  const distinct = [...byLength.keys()].sort((a, b) => a - b)
  return {
    symbols: BigInt64Array.from(distinct, BigInt),
    counts: Float64Array.from(distinct, (itemCount) => byLength.get(itemCount) ?? 0),
    exponents: new Int8Array(distinct.length),
  }
}

interface Compression {
  readonly lz4BytesMin: number | undefined
  readonly compressedBytes: CompressedBytes | undefined
}

/** Bits of a block's content, its length left out. */
export function blockBits(
  bytes: Uint8Array,
  { lz4BytesMin, compressedBytes }: Compression,
): number {
  const plainBits = 8 * bytes.byteLength
  if (lz4BytesMin === undefined || bytes.byteLength < lz4BytesMin) return plainBits
  if (compressedBytes === undefined) return 1 + plainBits
  const countBits = 32 - Math.clz32(bytes.byteLength - 1)
  return 1 + Math.min(plainBits, countBits + 8 * compressedBytes(bytes))
}
