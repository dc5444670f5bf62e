/**
 * Randomness, as an argument: seeded where a run must repeat, the system's where it must not.
 */
import { randomBytes, randomFillSync } from 'node:crypto'

export interface Prng {
  /** A float in [0, 1). */
  next(): number
  /** An integer in [0, bound). `bound` is a positive integer up to 2^32. */
  below(bound: number): number
}

/** A small seeded generator (mulberry32): the same seed gives the same run. Not for secrets. */
export function createSeededPrng(seed: number): Prng {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return { next, below: (bound) => Math.floor(next() * bound) }
}

/** The system's randomness. */
export const systemPrng: Prng = createSystemPrng()

/** Asks the system for many words at once: a call for each would cost microseconds. */
function createSystemPrng(): Prng {
  const words = new Uint32Array(256)
  let usedCount = words.length
  const next = () => {
    if (usedCount === words.length) {
      randomFillSync(words)
      usedCount = 0
    }
    return (words[usedCount++] ?? 0) / 4294967296
  }
  return { next, below: (bound) => Math.floor(next() * bound) }
}

/** `byteCount` bytes of the system's randomness, for seeds and ids. */
export function randomSeed(byteCount: number): Buffer {
  return randomBytes(byteCount)
}
