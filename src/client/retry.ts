/**
 * When a call is tried again, and how long to wait first.
 *
 * Exponential backoff with full jitter: the wait is drawn evenly between nothing and a ceiling that
 * doubles with each round, so that clients which failed together do not come back together. Which calls
 * may be repeated at all is the caller's to say; nothing here knows.
 */
import type { Prng } from '../prng.js'

export interface RetryPolicy {
  /** Tries in all, the first included; 1 turns retries off. */
  readonly attemptsMax: number
  /** Ceiling of the wait before the first repetition. */
  readonly baseDelayMs: number
  /** Ceiling of every wait. */
  readonly maxDelayMs: number
}

/** Four tries wait at most 350 ms in all: a daemon that restarts takes longer, a lost packet less. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  attemptsMax: 4,
  baseDelayMs: 50,
  maxDelayMs: 2000,
})

/** Milliseconds to wait before repetition number `round` (0 is the first). */
export function backoffMs(policy: RetryPolicy, round: number, prng: Prng): number {
  const ceilingMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** round)
  return prng.next() * ceilingMs
}
