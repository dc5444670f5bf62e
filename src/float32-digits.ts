/**
 * float32 values as people write them: 0.1, not the 0.10000000149011612 of the float64 that holds it.
 */

/** 6 digits always fit a float32, 9 always tell it from its neighbours. */
const digitCounts = [6, 7, 8, 9] as const

/**
 * The number with the fewest digits whose nearest float32 is `value`. What is not a float32 is returned
 * as it is.
 */
export function shortenFloat32(value: number): number {
  if (Object.is(value, -0)) return value
  const candidates = digitCounts.map((digits) => Number(value.toPrecision(digits)))
  return candidates.find((candidate) => Math.fround(candidate) === value) ?? value
}
