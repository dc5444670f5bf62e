/**
 * A coding of numbers, once it is settled which symbol each value has.
 */
import type { SymbolCoding, SymbolMapping } from '../encoding-profile.js'
import { learnTable } from './learn-classes.js'
import type { IntegerCounts } from './learn-counts.js'
import type { NumberForm } from './number-form.js'
import type { SymbolCounts } from './symbol-counts.js'

/** What a column, or the elements of one, hold. */
export interface NumberTask {
  readonly form: NumberForm
  readonly counted: IntegerCounts
  readonly nullCount: number
  /** Bits that an exception takes beside its literal value. */
  readonly exceptionBits: number
}

export interface LearnedCoding {
  readonly coding: SymbolCoding
  /** Of the whole sample, exceptions included. */
  readonly sampleBits: number
}

interface Mapped {
  readonly mapping: SymbolMapping
  readonly counted: SymbolCounts
  readonly unmappedCount?: number
  readonly bounds: { readonly least: bigint; readonly greatest: bigint }
}

/** The coding of symbols that lie within `bounds`; where none is negative, none is expected to be. */
export function codingOf(
  { form, nullCount, exceptionBits }: NumberTask,
  { mapping, counted, unmappedCount = 0, bounds }: Mapped,
): LearnedCoding {
  const hasNegative = counted.symbols.some((symbol) => symbol < 0n)
  const { classes, sampleBits } = learnTable({
    counted,
    nullCount,
    unmappedCount,
    literalBits: form.valueBits,
    exceptionBits,
    least: hasNegative || bounds.least > 0n ? bounds.least : 0n,
    greatest: bounds.greatest,
  })
  return { coding: { mapping, classes }, sampleBits }
}

/** The least number so that more than `belowCount` of all counted ones are at most it. */
export function quantileOf(
  numbers: readonly number[],
  counts: Float64Array,
  belowCount: number,
): number {
  const byNumber = new Map<number, number>()
  for (const [index, number] of numbers.entries()) {
    byNumber.set(number, (byNumber.get(number) ?? 0) + (counts[index] ?? 0))
  }
  const ascending = [...byNumber].sort(([a], [b]) => a - b)
  let seen = 0
  const found = ascending.find(([, count]) => {
    seen += count
    return seen > belowCount
  })
  return found?.[0] ?? ascending.at(-1)?.[0] ?? 0
}
