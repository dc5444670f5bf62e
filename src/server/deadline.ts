/**
 * A call's deadline, as a signal and as an instant on the clock's monotonic scale.
 */
import type { Clock } from '../clock.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'

/** What of a gRPC call tells its deadline and its end. */
export interface CancellableCall {
  getDeadline(): Date | number
  on(event: 'cancelled', listener: () => void): unknown
}

/** The call's deadline, or `defaultTimeoutMs` from now where it brought none. */
export function deadlineOf(
  call: CancellableCall,
  clock: Clock,
  defaultTimeoutMs: number,
): FetchDeadline {
  const { signal: cancelled } = cancelSignalOf(call)
  const deadline = call.getDeadline()
  const untilMs = (deadline instanceof Date ? deadline.getTime() : deadline) - clock.nowMs()
  const timeoutMs = Number.isFinite(untilMs) ? Math.max(0, untilMs) : defaultTimeoutMs
  const leftMs = Math.min(timeoutMs, timeoutMsMax)
  return {
    atMs: clock.monotonicMs() + leftMs,
    signal: AbortSignal.any([cancelled, clock.timeout(Math.ceil(leftMs))]),
  }
}

/** Node's timers take no longer delays. */
const timeoutMsMax = 2 ** 31 - 1

/** A controller whose signal fires when the caller goes away; it may be fired otherwise too. */
export function cancelSignalOf(call: CancellableCall): AbortController {
  const controller = new AbortController()
  call.on('cancelled', () => controller.abort())
  return controller
}
