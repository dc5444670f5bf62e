/**
 * Randomness, as an argument: seeded where a run must repeat, the system's where it must not.
 */
import { randomBytes } from 'node:crypto'

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
export const systemPrng: Prng = {
  next: () => randomBytes(4).readUInt32LE() / 4294967296,
  below: (bound) => Math.floor((randomBytes(4).readUInt32LE() / 4294967296) * bound),
}

/** `byteCount` bytes of the system's randomness, for seeds and ids. */
export function randomSeed(byteCount: number): Buffer {
  return randomBytes(byteCount)
}
