/**
 * Code tables learned from symbols and how often each comes.
 *
 * The symbols, in order, are cut into intervals; each becomes a class of a power of two of symbols, under
 * a Huffman code. Where to cut is found by dynamic programming over some places among them. A cut costs
 * bits too, as if the table had to be sent: without that, a small sample of a wide range would be
 * learned by heart. For the same reason classes reach over the gaps between sampled symbols, and a
 * little beyond the outermost, wherever that costs less than the exceptions to be expected there.
 */
import { assert } from '../assert.js'
import { type CodeClass, codeClassesMax, prefixBitsMax } from '../encoding-profile.js'
import { codeLengths } from './code-lengths.js'
import { createIntervals, type Interval, type Intervals } from './learn-intervals.js'
import type { SymbolCounts, TableTask } from './symbol-counts.js'

export interface LearnedTable {
  readonly classes: readonly CodeClass[]
  /** Of the whole sample, exceptions included. */
  readonly sampleBits: number
}

/** How dear a cut is, as shares of the bits that tell of a class: the best of these is taken. */
const cutScales = [0.5, 2, 8] as const
/** Of more distinct symbols, halving finds next to nothing that cutting did not. */
const halvedSymbolsMax = 256
/** A literal prefix as the cutting reckons with it, before the codes are known. */
const literalPrefixBits = 7

/** The table that codes the sample in the fewest bits, its own description included. */
export function learnTable(task: TableTask): LearnedTable {
  const cuts = cutTables(task)
  const [first, ...others] = cuts.map((cut) => bestCoded(task, cut))
  assert(first !== undefined, 'a table can always be made')
  const best = others.reduce(cheaper, first)
  const isSmall = task.counted.symbols.length <= halvedSymbolsMax
  const { classes, sampleBits } = isSmall ? halved(task, best) : best
  return { classes, sampleBits }
}

function cheaper(a: CodedCut, b: CodedCut): CodedCut {
  return b.score < a.score ? b : a
}

/**
 * Halves intervals as long as that makes the table cheaper. The cutting reckons with prefixes of any
 * length; they are whole bits, and in short tables that is felt: of 100 equally frequent symbols 28 can
 * have codes of 6 bits.
 */
function halved(task: TableTask, coded: CodedCut): CodedCut {
  const { cut } = coded
  if (cut.length > codeClassesMax - 3) return coded
  const tries = cut.flatMap((interval, index) => {
    const halves = halvesOf(task.counted, interval)
    return halves.length < 2 ? [] : [cut.toSpliced(index, 1, ...halves)]
  })
  const best = tries.map((each) => bestCoded(task, each)).reduce(cheaper, coded)
  return best === coded ? coded : halved(task, best)
}

/** The two halves of an interval, those left out that hold no symbol. */
function halvesOf(counted: SymbolCounts, interval: Interval): Interval[] {
  if (interval.width === 0) return []
  const width = interval.width - 1
  const middle = interval.base + (1n << BigInt(width))
  return [interval.base, middle].flatMap((base) => {
    const half = { ...interval, base, width }
    const count = assignSymbols(counted, [{ kind: 'range', prefixBits: 0, ...half }]).reduce(
      (sum, assigned) => sum + assigned.count,
      0,
    )
    return count === 0 ? [] : [{ ...half, count }]
  })
}

/** Several ways to cut the symbols into intervals. */
function cutTables(task: TableTask): readonly (readonly Interval[])[] {
  if (task.counted.symbols.length === 0) return [[]]
  const intervals = createIntervals(task)
  const literalBits =
    task.literalBits === undefined ? Number.POSITIVE_INFINITY : task.literalBits + literalPrefixBits
  const total = task.nullCount + intervals.countBetween(0, intervals.placeCount)
  return cutScales.map((scale) => {
    let cut = cutAt(intervals, { scale, literalBits, total })
    // A null and a literal class need room too.
    for (let dearer = 2 * scale; cut.length > codeClassesMax - 2; dearer *= 2) {
      cut = cutAt(intervals, { scale: dearer, literalBits, total })
    }
    return cut
  })
}

interface CutCosts {
  readonly scale: number
  readonly literalBits: number
  /** Of all values, nulls included. */
  readonly total: number
}

/**
 * The cheapest way to cover all places: by intervals, or place by place literally. Places that are
 * literal are in no interval.
 */
function cutAt(intervals: Intervals, { scale, literalBits, total }: CutCosts): Interval[] {
  const { placeCount, groupEnd, bitsOf, descriptionBits, countBetween } = intervals
  const costs = new Float64Array(placeCount + 1).fill(Number.POSITIVE_INFINITY)
  const starts = new Int32Array(placeCount + 1).fill(-1)
  costs[0] = 0
  for (let begin = 0; begin < placeCount; begin++) {
    const before = costs[begin] ?? 0
    const literal = before + countBetween(begin, begin + 1) * literalBits
    if (literal < (costs[begin + 1] ?? 0)) {
      costs[begin + 1] = literal
      starts[begin + 1] = -1
    }
    const opened = before + scale * descriptionBits(begin)
    for (let end = begin + 1; end <= groupEnd(begin); end++) {
      const content = opened + bitsOf(begin, end)
      if (content >= (costs[end] ?? 0)) continue
      const count = countBetween(begin, end)
      const cost = content + count * Math.log2(total / count)
      if (cost >= (costs[end] ?? 0)) continue
      costs[end] = cost
      starts[end] = begin
    }
  }
  const cut: Interval[] = []
  for (let end = placeCount; end > 0; ) {
    const begin = starts[end] ?? -1
    if (begin >= 0) cut.push(intervals.intervalAt(begin, end))
    end = begin >= 0 ? begin : end - 1
  }
  return cut.reverse()
}

interface CodedCut extends LearnedTable {
  readonly cut: readonly Interval[]
  /** `sampleBits` and what the table itself takes to tell. */
  readonly score: number
}

/** The cut's best table: with a literal class where there may be one, or without. */
function bestCoded(task: TableTask, cut: readonly Interval[]): CodedCut {
  const coveredCount = cut.reduce((sum, { count }) => sum + count, 0)
  const symbolCount = task.counted.counts.reduce((sum, count) => sum + count, 0)
  const leftCount = symbolCount - coveredCount + task.unmappedCount
  const nulls: Weighted[] =
    task.nullCount > 0 ? [{ code: { kind: 'null', prefixBits: 0 }, weight: task.nullCount }] : []
  const ranges = cut.map(({ base, width, exponent, count }): Weighted => {
    return { code: { kind: 'range', prefixBits: 0, base, width, exponent }, weight: count }
  })
  const literal: Weighted = { code: { kind: 'literal', prefixBits: 0 }, weight: leftCount }
  const without = [...ranges, ...nulls]
  const tables = [
    ...(without.length === 0 ? [] : [without]),
    ...(task.literalBits === undefined ? [] : [[...without, literal]]),
  ]
  const descriptionBits = cut.reduce((sum, interval) => sum + interval.descriptionBits, 0)
  const [first, ...others] = tables.map((weighted): CodedCut => {
    const classes = withPrefixes(weighted)
    const sampleBits = sampleBitsOf(task, classes)
    return { cut, classes, sampleBits, score: sampleBits + descriptionBits }
  })
  assert(first !== undefined, 'a table has a class')
  return others.reduce(cheaper, first)
}

interface Weighted {
  readonly code: CodeClass
  readonly weight: number
}

/** The classes with Huffman's prefixes, in their order; of equal prefixes the narrower range first. */
function withPrefixes(weighted: readonly Weighted[]): CodeClass[] {
  const lengths = codeLengths(
    weighted.map(({ weight }) => weight),
    prefixBitsMax,
  )
  return weighted
    .map(({ code }, index): CodeClass => ({ ...code, prefixBits: lengths[index] ?? 0 }))
    .sort((a, b) => a.prefixBits - b.prefixBits || widthOf(a) - widthOf(b))
}

function widthOf(code: CodeClass): number {
  return code.kind === 'range' ? code.width : 65
}

/** What the sample takes under `classes`, each symbol in the first class that holds it. */
function sampleBitsOf(task: TableTask, classes: readonly CodeClass[]): number {
  const { counted, nullCount, unmappedCount, exceptionBits } = task
  const literalBits = task.literalBits ?? 0
  const literal = classes.find(({ kind }) => kind === 'literal')
  const leftBits = literalBits + (literal === undefined ? exceptionBits : literal.prefixBits)
  const nullClass = classes.find(({ kind }) => kind === 'null')
  let bits = nullCount * (nullClass === undefined ? exceptionBits : nullClass.prefixBits)
  let leftCount = unmappedCount + counted.counts.reduce((sum, count) => sum + count, 0)
  for (const { count, codeBits } of assignSymbols(counted, classes)) {
    bits += count * codeBits
    leftCount -= count
  }
  return bits + leftCount * leftBits
}

interface Assigned {
  readonly count: number
  readonly codeBits: number
}

/** The symbols that some range holds, each with the bits of the first such range. */
function assignSymbols(counted: SymbolCounts, classes: readonly CodeClass[]): Assigned[] {
  const { symbols, counts, exponents } = counted
  const isTaken = new Uint8Array(symbols.length)
  const assigned: Assigned[] = []
  for (const code of classes) {
    if (code.kind !== 'range') continue
    const last = code.base + (1n << BigInt(code.width)) - 1n
    const begin = lowerBound(counted, code.exponent, code.base)
    for (let index = begin; index < symbols.length; index++) {
      if (exponents[index] !== code.exponent || (symbols[index] ?? 0n) > last) break
      if (isTaken[index] === 1) continue
      isTaken[index] = 1
      assigned.push({ count: counts[index] ?? 0, codeBits: code.prefixBits + code.width })
    }
  }
  return assigned
}

/** The first index at or after (`exponent`, `symbol`). */
function lowerBound(
  { symbols, exponents }: SymbolCounts,
  exponent: number,
  symbol: bigint,
): number {
  let low = 0
  let high = symbols.length
  while (low < high) {
    const middle = (low + high) >> 1
    const order = (exponents[middle] ?? 0) - exponent
    if (order < 0 || (order === 0 && (symbols[middle] ?? 0n) < symbol)) low = middle + 1
    else high = middle
  }
  return low
}
