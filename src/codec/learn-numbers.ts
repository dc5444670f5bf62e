/**
 * Codings of numbers, learned from the distinct values of a sample: integers in units, floats by their
 * bits. Decimals are in `learn-decimals.ts`.
 */

import { codingOf, type LearnedCoding, type NumberTask, quantileOf } from './learn-coding.js'
import type { IntegerCounts } from './learn-counts.js'
import { decimalCodings } from './learn-decimals.js'
import type { SymbolCounts } from './symbol-counts.js'

/** Fewer distinct values have a common divisor by chance. */
const unitValuesMin = 4

/** Codings to choose from, the simpler ones first. */
export function numberCodings(task: NumberTask): LearnedCoding[] {
  if (task.form.kind === 'float') {
    return [...decimalCodings(task, task.form.valueBits), ...bitCodings(task, task.form.valueBits)]
  }
  const { least, greatest } = task.form
  return unitsOf(task.counted.values).map((unit) =>
    codingOf(task, {
      mapping: { kind: 'integer', unit },
      counted: mapped(task.counted, (value) => value / unit),
      bounds: { least: least / unit, greatest: greatest / unit },
    }),
  )
}

/** 1, and what all values can be divided by. */
function unitsOf(values: BigInt64Array): bigint[] {
  const divisor = values.reduce(greatestCommonDivisor, 0n)
  return divisor > 1n && values.length >= unitValuesMin ? [1n, divisor] : [1n]
}

/** Of magnitudes; 0 where both are 0. */
export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [greater, lesser] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (lesser !== 0n) [greater, lesser] = [lesser, greater % lesser]
  return greater
}

/** `symbolOf` keeps the order. */
function mapped(
  { values, counts }: IntegerCounts,
  symbolOf: (value: bigint) => bigint,
): SymbolCounts {
  return { symbols: values.map(symbolOf), counts, exponents: new Int8Array(values.length) }
}

/**
 * The IEEE bits without the lowest ones that are 0 in all values, or in nearly all where that is more.
 */
function bitCodings(task: NumberTask, valueBits: number): LearnedCoding[] {
  const { values, counts, valueCount } = task.counted
  const zeroBits = Array.from(values, (bits) => trailingZeroBits(bits, valueBits))
  const ofAll = zeroBits.reduce((least, bits) => Math.min(least, bits), valueBits - 1)
  const ofNearlyAll = quantileOf(zeroBits, counts, valueCount * nearlyAllShare)
  const shifts = ofNearlyAll > ofAll ? [ofAll, ofNearlyAll] : [ofAll]
  return shifts.map((shift) => {
    const held = Array.from(values.keys()).filter((index) => (zeroBits[index] ?? 0) >= shift)
    const heldCounts = Float64Array.from(held, (index) => counts[index] ?? 0)
    const symbols = BigInt64Array.from(held, (index) =>
      BigInt.asIntN(64, BigInt.asUintN(valueBits, values[index] ?? 0n) >> BigInt(shift)),
    )
    const symbolBits = BigInt(valueBits - shift)
    const isSigned = symbolBits === 64n
    return codingOf(task, {
      mapping: { kind: 'float_bits', shift },
      counted: sorted({ symbols, counts: heldCounts, exponents: new Int8Array(held.length) }),
      unmappedCount: valueCount - heldCounts.reduce((sum, count) => sum + count, 0),
      bounds: {
        least: isSigned ? -(2n ** 63n) : 0n,
        greatest: isSigned ? 2n ** 63n - 1n : (1n << symbolBits) - 1n,
      },
    })
  })
}

/** Values left out by a greater shift are written literally. */
const nearlyAllShare = 0.05

/** float64 bits are in the order of signed integers; without their lowest bits they are unsigned. */
function sorted({ symbols, counts, exponents }: SymbolCounts): SymbolCounts {
  const firstNegative = symbols.findIndex(
    (symbol, index) => symbol < (symbols[index - 1] ?? symbol),
  )
  if (firstNegative < 0) return { symbols, counts, exponents }
  const rotated = BigInt64Array.from([
    ...symbols.subarray(firstNegative),
    ...symbols.subarray(0, firstNegative),
  ])
  const rotatedCounts = Float64Array.from([
    ...counts.subarray(firstNegative),
    ...counts.subarray(0, firstNegative),
  ])
  return { symbols: rotated, counts: rotatedCounts, exponents }
}

function trailingZeroBits(bits: bigint, valueBits: number): number {
  if (bits === 0n) return valueBits - 1
  const low = Number(BigInt.asUintN(32, bits))
  if (low !== 0) return 31 - Math.clz32(low & -low)
  const high = Number(BigInt.asUintN(32, bits >> 32n))
  return 63 - Math.clz32(high & -high)
}
