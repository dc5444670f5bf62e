/**
 * Codings of floats that were decimals when somebody wrote them.
 *
 * Decimals come in two kinds. Prices have so many places after the point: one exponent serves all of
 * them. Measurements have so many significant digits: each decade has an exponent of its own and the
 * mantissas of all lie in one range, 100 to 999. Both are tried, with the places and the digits that
 * are usual in the sample; what has more keeps its own shortest form.
 */
import {
  type Decimal,
  decimalExponentMax,
  decimalValue,
  shortestDecimal,
} from './float-decimals.js'
import { codingOf, type LearnedCoding, type NumberTask, quantileOf } from './learn-coding.js'
import type { IntegerCounts } from './learn-counts.js'
import type { SymbolCounts } from './symbol-counts.js'

/** Mantissas beyond are no decimals that people write; ranges up to here stay within 2^53. */
const mantissaMax = 2 ** 51
/** Of random float32 and float64 most shortest decimals have so many digits: their bits say it better. */
const digitCountMax = { 32: 7, 64: 15 } as const
/** Below which share of the values the usual count of digits or places is looked for. */
const usualShares = [0.5, 0.9, 0.995] as const

/** A distinct value; in the order of values. */
interface WrittenValue {
  readonly value: number
  readonly count: number
  readonly decimal: Decimal
  readonly digitCount: number
}

/** None where most values have too many digits, or there are no decimals of so few bits. */
export function decimalCodings(task: NumberTask, valueBits: 16 | 32 | 64): LearnedCoding[] {
  if (valueBits === 16 || task.counted.values.length === 0) return []
  const isFloat32 = valueBits === 32
  const written = writtenValues(task.counted, valueBits)
  const writtenCount = written.reduce((sum, { count }) => sum + count, 0)
  if (writtenCount * 2 < task.counted.valueCount) return []
  const digitCounts = usual(written, ({ digitCount }) => digitCount)
  if ((digitCounts[0] ?? 0) > digitCountMax[valueBits]) return []
  const places = usual(written, ({ decimal }) => decimal.exponent)
  const byPlaces = places.map((exponent) => (at: WrittenValue) => exponent - at.decimal.exponent)
  const byDigits = digitCounts.map((digitCount) => (at: WrittenValue) => digitCount - at.digitCount)
  return [...byPlaces, ...byDigits].map((addedZeros) => {
    const decimals = written.map((at) => lengthened(at, { zeroCount: addedZeros(at), isFloat32 }))
    return codingOf(task, {
      mapping: { kind: 'decimal' },
      counted: countDecimals(decimals, written),
      unmappedCount: task.counted.valueCount - writtenCount,
      bounds: { least: -BigInt(mantissaMax), greatest: BigInt(mantissaMax) },
    })
  })
}

/** The distinct values that have a decimal, in their own order. */
function writtenValues({ values, counts }: IntegerCounts, valueBits: 32 | 64): WrittenValue[] {
  const isFloat32 = valueBits === 32
  const floats = floatsOf(values, isFloat32)
  const written = Array.from(floats, (value, index): WrittenValue | undefined => {
    const decimal = shortestDecimal(value, isFloat32)
    if (decimal === undefined || Math.abs(decimal.mantissa) > mantissaMax) return undefined
    return { value, count: counts[index] ?? 0, decimal, digitCount: digitCountOf(decimal.mantissa) }
  }).filter((at) => at !== undefined)
  // Bits of negative floats go up as the floats go down, and stand before or after those of the others.
  const negative = written.filter(({ value }) => value < 0).reverse()
  return [...negative, ...written.filter(({ value }) => value >= 0)]
}

function floatsOf(bits: BigInt64Array, isFloat32: boolean): Float32Array | Float64Array {
  if (!isFloat32) return new Float64Array(bits.slice().buffer)
  return new Float32Array(Uint32Array.from(bits, Number).buffer)
}

function digitCountOf(mantissa: number): number {
  return String(Math.abs(mantissa)).length
}

/** Distinct numbers that most, and nearly all, of the values do not exceed. */
function usual(written: readonly WrittenValue[], numberOf: (at: WrittenValue) => number): number[] {
  const numbers = written.map(numberOf)
  const counts = Float64Array.from(written, ({ count }) => count)
  const total = counts.reduce((sum, count) => sum + count, 0)
  return [...new Set(usualShares.map((share) => quantileOf(numbers, counts, total * share)))]
}

interface Lengthening {
  readonly zeroCount: number
  readonly isFloat32: boolean
}

/** The same value with zeros after its digits, where it stays the same value; else as it is. */
function lengthened({ value, decimal }: WrittenValue, added: Lengthening): Decimal {
  const { zeroCount, isFloat32 } = added
  if (zeroCount <= 0) return decimal
  const exponent = decimal.exponent + zeroCount
  const mantissa = Math.round(decimal.mantissa * 10 ** zeroCount)
  if (Math.abs(exponent) > decimalExponentMax || Math.abs(mantissa) > mantissaMax) return decimal
  const longer = { mantissa, exponent }
  return decimalValue(longer, isFloat32) === value ? longer : decimal
}

/** By exponent, then by mantissa, which is the order of the values. */
function countDecimals(
  decimals: readonly Decimal[],
  written: readonly WrittenValue[],
): SymbolCounts {
  const byExponent = new Map<number, number[]>()
  for (const [index, { exponent }] of decimals.entries()) {
    const indexes = byExponent.get(exponent)
    if (indexes === undefined) byExponent.set(exponent, [index])
    else indexes.push(index)
  }
  const exponents = new Int8Array(decimals.length)
  const symbols = new BigInt64Array(decimals.length)
  const counts = new Float64Array(decimals.length)
  let next = 0
  for (const exponent of [...byExponent.keys()].sort((a, b) => a - b)) {
    for (const index of byExponent.get(exponent) ?? []) {
      exponents[next] = exponent
      symbols[next] = BigInt(decimals[index]?.mantissa ?? 0)
      counts[next] = written[index]?.count ?? 0
      next++
    }
  }
  return { symbols, counts, exponents }
}
