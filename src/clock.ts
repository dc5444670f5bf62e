/**
 * Time, as an argument.
 *
 * Two clocks exist side by side. The **judging clock** decides freshness and retention and may be
 * frozen for replays (`clock: { at: … }` in larder.yaml). The **system clock** runs sequences, leases,
 * deadlines, sweeps and metrics and is never frozen. This file and `prng.ts` are the only ones that
 * touch the machine's own time and randomness.
 */

/** A timer that can be stopped. */
export interface Timer {
  stop(): void
}

export interface Clock {
  /** Microseconds since the Unix epoch, as bigint: the unit of event times. */
  nowUs(): bigint
  /** Milliseconds since the Unix epoch. */
  nowMs(): number
  /** Milliseconds that only ever go forward, with fractions, for measuring durations. */
  monotonicMs(): number
  /** Resolves after `delayMs`, or rejects with the signal's reason. Never keeps the process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** A signal that fires after `delayMs`. Never keeps the process alive. */
  timeout(delayMs: number): AbortSignal
  /** Calls `fire` after `delayMs` unless stopped before. Never keeps the process alive. */
  after(delayMs: number, fire: () => void): Timer
  /** Calls `tick` every `periodMs` until stopped. Never keeps the process alive. */
  every(periodMs: number, tick: () => void): Timer
}

/** The machine's own time. */
export const systemClock: Clock = {
  nowUs: () => BigInt(Date.now()) * 1000n,
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, delayMs)
      timer.unref()
      signal?.addEventListener('abort', stop, { once: true })
    })
  },
  timeout: (delayMs) => AbortSignal.timeout(delayMs),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs)
    timer.unref()
    return { stop: () => clearTimeout(timer) }
  },
  every(periodMs, tick) {
    const timer = setInterval(tick, periodMs)
    timer.unref()
    return { stop: () => clearInterval(timer) }
  },
}

/** Lets the event loop do what else is ready, then goes on: for long work in pieces. Takes no time itself. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What judges freshness: only an instant, never timers. */
export interface JudgingClock {
  nowUs(): bigint
  /** True when time stands still: a replay. */
  readonly frozen: boolean
}

/** The judging clock of ordinary service: the system's time. */
export function createLiveClock(clock: Clock): JudgingClock {
  return { nowUs: () => clock.nowUs(), frozen: false }
}

/** A judging clock that stands at `atUs` for ever, for replays. */
export function createFrozenClock(atUs: bigint): JudgingClock {
  return { nowUs: () => atUs, frozen: true }
}
