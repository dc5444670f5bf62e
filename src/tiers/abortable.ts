/**
 * Waiting for a store under a signal.
 *
 * A store's answer may come late or never; its caller's deadline comes on time. What arrives after the
 * signal is dropped, also when it is an error, so that no late rejection is left unhandled.
 */
import { LarderError } from '../errors.js'
import type { RowBatch, TierCode } from './row-batch.js'

/** `work`'s result, or `deadline_exceeded` or `cancelled` as soon as `signal` fires. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortError(signal))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Throws like `untilAborted` where `signal` has fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal)
}

/** Why a fired signal ended the work: its own LarderError, a deadline, or a caller who went away. */
export function abortError(signal: AbortSignal): LarderError {
  const reason: unknown = signal.reason
  if (reason instanceof LarderError) return reason
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError'
  return timedOut
    ? new LarderError('deadline_exceeded', 'the deadline passed first', { cause: reason })
    : new LarderError('cancelled', 'the call was cancelled', { cause: reason })
}

/** Leaves every slot of `slots` failed: what a read that got no answer owes its caller. */
export function failSlots(into: RowBatch, slots: Uint32Array, from: TierCode): void {
  for (const slot of slots) into.setFailed(slot, from)
}
