/**
 * A call's deadline, as a signal and as an instant on the clock's monotonic scale.
 *
 * A deadline that the caller brought is met a little early: what could be read until then still has to
 * be encoded and sent, and a reply that comes too late is worth nothing.
 */
import type { Clock } from '../clock.js'
import { replyMarginMsMax, replyMarginShare } from '../limits.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'

export interface CallDeadline extends FetchDeadline {
  /** The call is over: neither the deadline nor its caller's leaving fires any more. */
  end(): void
}

/** What of a gRPC call tells its deadline and its end. */
export interface CancellableCall {
  getDeadline(): Date | number
  on(event: 'cancelled', listener: () => void): unknown
}

/**
 * The call's deadline, or `defaultTimeoutMs` from now where it brought none. To be ended with the call:
 * grpc-js says `cancelled` after every call, and an abort that nobody waits for costs as much as others.
 */
export function deadlineOf(
  call: CancellableCall,
  clock: Clock,
  defaultTimeoutMs: number,
): CallDeadline {
  const deadline = call.getDeadline()
  const untilMs = (deadline instanceof Date ? deadline.getTime() : deadline) - clock.nowMs()
  const timeoutMs = Number.isFinite(untilMs) ? withoutReply(untilMs) : defaultTimeoutMs
  const leftMs = Math.min(timeoutMs, timeoutMsMax)
  const controller = new AbortController()
  const timer = clock.after(Math.ceil(leftMs), () => {
    controller.abort(new DOMException('the deadline passed', 'TimeoutError'))
  })
  let isOver = false
  call.on('cancelled', () => {
    timer.stop()
    if (!isOver) controller.abort()
  })
  return {
    atMs: clock.monotonicMs() + leftMs,
    signal: controller.signal,
    end() {
      timer.stop()
      isOver = true
    },
  }
}

/** What is left for the work itself, in milliseconds. */
function withoutReply(untilMs: number): number {
  return Math.max(0, untilMs - Math.min(replyMarginMsMax, untilMs * replyMarginShare))
}

/** Node's timers take no longer delays. */
const timeoutMsMax = 2 ** 31 - 1

/** A signal that fires when the caller goes away, or the call is over. */
export function cancelSignalOf(call: CancellableCall): AbortSignal {
  const controller = new AbortController()
  call.on('cancelled', () => controller.abort())
  return controller.signal
}
