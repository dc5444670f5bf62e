/**
 * Intervals of sampled symbols and what each would take as a class: the terms of `learn-classes.ts`.
 *
 * Symbols are gathered into places, about `placesMax`, so that the work does not grow with the sample:
 * cut where many values lie, where one value is frequent, and where symbols differ in their high bits.
 * An interval of places may end tightly at its sampled symbols or reach over half of the gap to its
 * neighbours; beside the outermost symbols it may reach out as far as the outermost eight lie apart. Each
 * gap is as likely to be hit by a value not sampled as any other, so leaving one open has a price.
 */
import { assert } from '../assert.js'
import type { SymbolCounts, TableTask } from './symbol-counts.js'

/** A class as the sample asks for it. */
export interface Interval {
  readonly base: bigint
  readonly width: number
  readonly exponent: number
  /** Sampled values in it. */
  readonly count: number
  /** What it takes to tell of the class: the more, the wider the symbols range. */
  readonly descriptionBits: number
}

export interface Intervals {
  readonly placeCount: number
  /** Values at the places `begin` to `end` - 1. */
  countBetween(begin: number, end: number): number
  /** One past the last place of the same exponent. */
  groupEnd(place: number): number
  descriptionBits(place: number): number
  /**
   * Bits of the values of places `begin` to `end` - 1 as one class: those behind its prefix, and the
   * price of gaps left open.
   */
  bitsOf(begin: number, end: number): number
  intervalAt(begin: number, end: number): Interval
}

/** The work grows with its square: 192 take about 3 ms. */
const placesMax = 192
/** A symbol with this share of all values is a place of its own. */
const frequentShare = 1 / 64
/** The outermost values whose distance says how much further unseen ones may lie. */
const edgeValueCount = 8

/** Symbols `begin` to `end` - 1, all of one exponent. */
interface Place {
  readonly begin: number
  readonly end: number
  readonly group: number
  readonly count: number
  readonly lowTight: bigint
  readonly lowWide: bigint
  readonly highTight: bigint
  readonly highWide: bigint
}

export function createIntervals(task: TableTask): Intervals {
  const { counted } = task
  const groups = groupsOf(counted)
  const cuts = chooseCuts(counted, groups)
  const places = groups.flatMap((group, index) => placesOf(task, { group, index, cuts }))
  const totals = runningTotals(places)
  const gapBits = gapPrice(task) / 2
  const positions = packPositions(places)
  const costOf = (begin: number, end: number): Cost => {
    const count = (totals[end] ?? 0) - (totals[begin] ?? 0)
    return cheapestWidth(positions, { begin, end, count, gapBits })
  }
  const groupEnds = places.map(({ group }) => places.findLastIndex((at) => at.group === group) + 1)
  const descriptions = groups.map(({ begin, end }) => {
    const range = (counted.symbols[end - 1] ?? 0n) - (counted.symbols[begin] ?? 0n)
    return 16 + 2 * bitLength(Number(range))
  })
  const descriptionBits = (place: number) => descriptions[places[place]?.group ?? 0] ?? 0
  return {
    placeCount: places.length,
    countBetween: (begin, end) => (totals[end] ?? 0) - (totals[begin] ?? 0),
    groupEnd: (place) => groupEnds[place] ?? 0,
    descriptionBits,
    bitsOf: memoized(places.length, (begin, end) => costOf(begin, end).bits),
    intervalAt(begin, end) {
      const { isLowWide, isHighWide } = costOf(begin, end)
      const [first, last] = [places[begin], places[end - 1]]
      assert(first !== undefined && last !== undefined, 'an interval has places')
      const low = isLowWide ? first.lowWide : first.lowTight
      const high = isHighWide ? last.highWide : last.highTight
      const isFirst = places[begin - 1]?.group !== first.group
      return {
        ...placedRange(task, { low, high, isFirst, isLast: groupEnds[begin] === end }),
        exponent: counted.exponents[first.begin] ?? 0,
        count: (totals[end] ?? 0) - (totals[begin] ?? 0),
        descriptionBits: descriptionBits(begin),
      }
    },
  }
}

interface Group {
  readonly begin: number
  readonly end: number
}

/** Runs of equal exponents. */
function groupsOf({ exponents }: SymbolCounts): Group[] {
  const groups: Group[] = []
  let begin = 0
  for (let end = 1; end <= exponents.length; end++) {
    if (end < exponents.length && exponents[end] === exponents[begin]) continue
    groups.push({ begin, end })
    begin = end
  }
  return groups
}

/** Where places begin, beside where groups do: 1 for each symbol index that is one. */
function chooseCuts({ symbols, counts }: SymbolCounts, groups: readonly Group[]): Uint8Array {
  const isCut = new Uint8Array(symbols.length + 1)
  for (const { begin } of groups) isCut[begin] = 1
  if (symbols.length <= placesMax) return isCut.fill(1)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const quantileCount = placesMax / 2
  let before = 0
  for (const [index, count] of counts.entries()) {
    const isFrequent = count >= total * frequentShare
    const after = before + count
    const passes = Math.floor((before * quantileCount) / total)
    if (isFrequent || passes < Math.floor((after * quantileCount) / total)) isCut[index] = 1
    if (isFrequent) isCut[index + 1] = 1
    before = after
  }
  let left = placesMax - isCut.reduce((sum, cut) => sum + cut, 0)
  for (const index of mostDifferent(symbols)) {
    if (left <= 0) break
    if (isCut[index] === 1) continue
    isCut[index] = 1
    left--
  }
  return isCut
}

/** The indexes of the symbols that differ from the one before in the highest bits, highest first. */
function mostDifferent(symbols: BigInt64Array): number[] {
  // Low and high halves in turn.
  const halves = new Int32Array(symbols.buffer, symbols.byteOffset, 2 * symbols.length)
  const byLevel = Array.from({ length: 65 }, (): number[] => [])
  for (let index = 1; index < symbols.length; index++) {
    const low = (halves[2 * index] ?? 0) ^ (halves[2 * index - 2] ?? 0)
    const high = (halves[2 * index + 1] ?? 0) ^ (halves[2 * index - 1] ?? 0)
    const level = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high)
    byLevel[level]?.push(index)
  }
  return byLevel.reverse().flat()
}

interface GroupCuts {
  readonly group: Group
  readonly index: number
  readonly cuts: Uint8Array
}

function placesOf(task: TableTask, { group, index, cuts }: GroupCuts): Place[] {
  const { symbols, counts } = task.counted
  const symbolAt = (at: number) => symbols[at] ?? 0n
  const places: Place[] = []
  for (let begin = group.begin; begin < group.end; ) {
    let end = begin + 1
    let count = counts[begin] ?? 0
    for (; end < group.end && cuts[end] === 0; end++) count += counts[end] ?? 0
    const lowTight = symbolAt(begin)
    const highTight = symbolAt(end - 1)
    const lowWide =
      begin === group.begin
        ? greater(lowTight - edgeReach(task.counted, group, 1), lesser(task.least, lowTight))
        : gapMiddle(symbolAt(begin - 1), lowTight)
    const highWide =
      end === group.end
        ? lesser(highTight + edgeReach(task.counted, group, -1), greater(task.greatest, highTight))
        : gapMiddle(highTight, symbolAt(end)) - 1n
    places.push({ begin, end, group: index, count, lowTight, lowWide, highTight, highWide })
    begin = end
  }
  return places
}

/** The roundest number above `before` and up to `symbol`: the next interval begins there. */
function gapMiddle(before: bigint, symbol: bigint): bigint {
  if (before < 0n && symbol >= 0n) return 0n
  const shift = BigInt((before ^ symbol).toString(2).length - 1)
  return (symbol >> shift) << shift
}

/** How far the outermost values of a group lie apart, at its beginning (1) or end (-1). */
function edgeReach({ symbols, counts }: SymbolCounts, { begin, end }: Group, step: 1 | -1): bigint {
  const edge = step === 1 ? begin : end - 1
  let at = edge
  for (let seen = counts[at] ?? 0; seen < edgeValueCount; seen += counts[at] ?? 0) {
    if (at + step < begin || at + step >= end) break
    at += step
  }
  const reach = (symbols[at] ?? 0n) - (symbols[edge] ?? 0n)
  return reach < 0n ? -reach : reach
}

/**
 * Bits that values not sampled are expected to cost in a gap left open, for a sample as great as this
 * one: the values seen once tell how many there will be (Good and Turing), spread over all gaps.
 */
function gapPrice({ counted, exceptionBits, literalBits }: TableTask): number {
  const onceCount = counted.counts.reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0)
  return (onceCount / (counted.counts.length + 1)) * (exceptionBits + (literalBits ?? 0))
}

function runningTotals(places: readonly Place[]): Float64Array {
  const totals = new Float64Array(places.length + 1)
  for (const [index, { count }] of places.entries()) {
    totals[index + 1] = (totals[index] ?? 0) + count
  }
  return totals
}

/** 64-bit positions in two halves, so that differences are exact where they are small. */
interface Positions {
  readonly high: Float64Array
  readonly low: Float64Array
}

interface PackedPlaces {
  readonly lowTight: Positions
  readonly lowWide: Positions
  readonly highTight: Positions
  readonly highWide: Positions
}

function packPositions(places: readonly Place[]): PackedPlaces {
  const pack = (field: keyof PackedPlaces): Positions => ({
    high: Float64Array.from(places, (place) => Number(place[field] >> 32n)),
    low: Float64Array.from(places, (place) => Number(place[field] & 0xffff_ffffn)),
  })
  return {
    lowTight: pack('lowTight'),
    lowWide: pack('lowWide'),
    highTight: pack('highTight'),
    highWide: pack('highWide'),
  }
}

interface Cost {
  readonly bits: number
  readonly isLowWide: boolean
  readonly isHighWide: boolean
}

interface Span {
  readonly begin: number
  readonly end: number
  readonly count: number
  /** For each side that is left open. */
  readonly gapBits: number
}

/** Whether to reach over the gap on either side, by what that costs. */
function cheapestWidth(places: PackedPlaces, { begin, end, count, gapBits }: Span): Cost {
  const { lowTight, lowWide, highTight, highWide } = places
  const last = end - 1
  const wide = widthBetween(lowWide, begin, highWide, last)
  const tight = widthBetween(lowTight, begin, highTight, last)
  const all = { bits: count * wide, isLowWide: true, isHighWide: true }
  if (wide === tight) return all
  const costs: readonly Cost[] = [
    all,
    {
      bits: count * widthBetween(lowWide, begin, highTight, last) + gapBits,
      isLowWide: true,
      isHighWide: false,
    },
    {
      bits: count * widthBetween(lowTight, begin, highWide, last) + gapBits,
      isLowWide: false,
      isHighWide: true,
    },
    { bits: count * tight + 2 * gapBits, isLowWide: false, isHighWide: false },
  ]
  return costs.reduce((least, cost) => (cost.bits < least.bits ? cost : least), all)
}

function widthBetween(lows: Positions, begin: number, highs: Positions, last: number): number {
  const high = (highs.high[last] ?? 0) - (lows.high[begin] ?? 0)
  const low = (highs.low[last] ?? 0) - (lows.low[begin] ?? 0)
  return bitLength(high * 2 ** 32 + low)
}

/** Bits of a whole number that is not negative. */
function bitLength(value: number): number {
  if (value < 2 ** 32) return 32 - Math.clz32(value)
  return 32 + bitLength(Math.floor(value / 2 ** 32))
}

/** Remembers the function's values for 0 <= begin < end <= `placeCount`. */
function memoized(
  placeCount: number,
  bitsOf: (begin: number, end: number) => number,
): (begin: number, end: number) => number {
  const known = new Float64Array(placeCount * (placeCount + 1)).fill(-1)
  return (begin, end) => {
    const at = begin * (placeCount + 1) + end
    const bits = known[at] ?? -1
    if (bits < 0) known[at] = bitsOf(begin, end)
    return known[at] ?? 0
  }
}

interface Needed {
  readonly low: bigint
  readonly high: bigint
  /** Nothing of the same exponent lies below, or above. */
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** The range of a power of two of symbols that holds `low` to `high`; what is over goes outwards. */
function placedRange(
  { least, greatest }: TableTask,
  { low, high, isFirst, isLast }: Needed,
): { readonly base: bigint; readonly width: number } {
  const span = high - low
  const width = span === 0n ? 0 : span.toString(2).length
  const over = (1n << BigInt(width)) - 1n - span
  const below = !isFirst ? 0n : isLast ? over / 2n : over
  // Within the bounds as far as the range is not wider than they are.
  const lowest = greater(low - below, lesser(least, low))
  const base = lesser(lowest, greater(greatest - span - over, lesser(least, low)))
  return { base, width }
}

function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
