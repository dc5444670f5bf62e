/**
 * Numbers by their bits: what "the same" means where scores must be exact.
 */

/** The 64 bits of each value, every NaN alike. */
export function bitsOf(values: ArrayLike<number>): BigUint64Array {
  return new BigUint64Array(Float64Array.from(values, (x) => (Number.isNaN(x) ? NaN : x)).buffer)
}
