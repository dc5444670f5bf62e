/**
 * A clock on which nothing happens by itself: a test moves it, and its timers fire then.
 */
import type { Clock } from '../../src/clock.js'

export interface ManualClock extends Clock {
  /** Moves all time forward and fires what is due, in order. */
  advance(ms: number): void
  /** Moves the time of day only, as an operator or NTP may, also backwards. */
  stepTimeOfDay(ms: number): void
}

interface Due {
  readonly atMs: number
  readonly fire: () => void
}

/** A clock that stands at `startMs` (Unix time); its monotonic time starts at 0. */
export function createManualClock(startMs: number): ManualClock {
  let monotonicMs = 0
  let dayMs = startMs
  let pending: readonly Due[] = []
  const schedule = (delayMs: number, fire: () => void) => {
    const due = { atMs: monotonicMs + delayMs, fire }
    pending = [...pending, due].sort((a, b) => a.atMs - b.atMs)
    return () => {
      pending = pending.filter((other) => other !== due)
    }
  }
  return {
    nowMs: () => dayMs,
    nowUs: () => BigInt(dayMs) * 1000n,
    monotonicMs: () => monotonicMs,
    sleep: (delayMs) => new Promise((resolve) => void schedule(delayMs, resolve)),
    timeout(delayMs) {
      const controller = new AbortController()
      schedule(delayMs, () => controller.abort(new DOMException('late', 'TimeoutError')))
      return controller.signal
    },
    after: (delayMs, fire) => ({ stop: schedule(delayMs, fire) }),
    every(periodMs, tick) {
      let cancel = () => {}
      const again = () => {
        cancel = schedule(periodMs, () => {
          again()
          tick()
        })
      }
      again()
      return { stop: () => cancel() }
    },
    stepTimeOfDay(ms) {
      dayMs += ms
    },
    advance(ms) {
      const endMs = monotonicMs + ms
      for (let due = pending[0]; due !== undefined && due.atMs <= endMs; due = pending[0]) {
        dayMs += due.atMs - monotonicMs
        monotonicMs = due.atMs
        pending = pending.slice(1)
        due.fire()
      }
      dayMs += endMs - monotonicMs
      monotonicMs = endMs
    },
  }
}
