/**
 * Write sequences: numbers that order batches, unique over all daemons.
 *
 *   63 .. 22  milliseconds since 2020-01-01T00:00:00Z (41 bits used until 2089, so it fits an int64)
 *   21 .. 10  a counter within the millisecond
 *    9 ..  0  the daemon's id, leased from the registry
 *
 * A clock that steps back never makes a sequence smaller: the last millisecond is kept until the clock
 * has caught up.
 */

import { assert } from '../assert.js'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { daemonIdsMax, futureBoundMs } from '../limits.js'

const epochMs = Date.UTC(2020, 0, 1)
const daemonBits = 10n
const counterBits = 12n
const counterMax = (1 << Number(counterBits)) - 1
const sequenceMax = (1n << 63n) - 1n

assert(daemonIdsMax === 1 << Number(daemonBits), "a daemon's id fits its bits of a sequence")

export interface Sequencer {
  /** The next sequence: greater than every one before it. */
  next(): bigint
}

/** Sequences for one daemon. `daemonId` is what it leases now. */
export function createSequencer(clock: Clock, daemonId: () => number): Sequencer {
  let lastMs = 0
  let counter = 0
  return {
    next() {
      const nowMs = clock.nowMs() - epochMs
      if (nowMs > lastMs) {
        lastMs = nowMs
        counter = 0
      } else if (counter === counterMax) {
        lastMs++
        counter = 0
      } else {
        counter++
      }
      const high = (BigInt(lastMs) << counterBits) | BigInt(counter)
      return (high << daemonBits) | BigInt(daemonId())
    },
  }
}

/**
 * Checks a sequence that a client brought. Throws `invalid_argument` where it does not fit an int64 or
 * lies further in the future than the bound: it would shadow later writes.
 */
export function assertSequenceInBound(sequence: bigint, nowMs: number): void {
  const latest = BigInt(nowMs - epochMs + futureBoundMs) << (counterBits + daemonBits)
  if (sequence <= sequenceMax && sequence <= latest) return
  throw new LarderError(
    'invalid_argument',
    `sequence ${sequence} lies further in the future than ${futureBoundMs / 1000} s allow ` +
      `(at most ${latest} now): later writes would not show`,
  )
}
