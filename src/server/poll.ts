/**
 * A step that is done again and again. A step that still runs is not started twice; a failure is told
 * when it begins and when it is over, not at every try.
 */
import type { Clock, Timer } from '../clock.js'
import { LarderError } from '../errors.js'
import { pollTimeoutMs } from '../limits.js'
import type { DaemonLog } from './log.js'

export interface Poll {
  /** What the step does, for the log: `looking for newer models`. */
  readonly what: string
  readonly periodMs: number
  readonly step: (signal: AbortSignal) => Promise<unknown>
}

/** Does the step every `periodMs` until stopped. */
export function startPoll(clock: Clock, log: DaemonLog, { what, periodMs, step }: Poll): Timer {
  let isRunning = false
  let isFailing = false
  const run = async () => {
    try {
      await step(clock.timeout(Math.max(periodMs, pollTimeoutMs)))
      if (isFailing) log.info({}, `${what} works again`)
      isFailing = false
    } catch (thrown) {
      const error = LarderError.from(thrown)
      if (!isFailing) log.warn({ error }, `${what} fails and is tried again: ${error.message}`)
      isFailing = true
    }
    isRunning = false
  }
  return clock.every(periodMs, () => {
    if (isRunning) return
    isRunning = true
    void run()
  })
}
