/**
 * A clock whose time of day a test moves; its timers stay the machine's own.
 */
import { type Clock, systemClock } from '../../src/clock.js'

export interface TestClock extends Clock {
  /** Moves the time of day forward. */
  advance(ms: number): void
}

/** A clock that starts at the machine's time and runs ahead of it by what it was advanced. */
export function createTestClock(): TestClock {
  let aheadMs = 0
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    nowUs: () => systemClock.nowUs() + BigInt(aheadMs) * 1000n,
    advance(ms) {
      aheadMs += ms
    },
  }
}
