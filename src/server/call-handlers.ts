/**
 * The frame around every RPC: it times the call, and turns whatever is thrown into a gRPC status.
 */
import {
  status as grpcStatus,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'
import type { Admit } from './admission.js'
import type { DaemonMetrics } from './daemon-metrics.js'
import { deadlineOf } from './deadline.js'
import type { DaemonLog } from './log.js'
import { toServiceError } from './status.js'

export interface CallFrame {
  readonly clock: Clock
  readonly metrics: DaemonMetrics
  readonly log: DaemonLog
  /** Deadline of calls that bring none, by kind of call. */
  readonly timeoutMs: number
  readonly admit: Admit
}

/** A unary RPC whose answer `answer` makes. */
export function unary<Request, Response>(
  frame: CallFrame,
  rpc: string,
  answer: (request: Request, deadline: FetchDeadline) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const ended = startCall(frame, rpc)
    const deadline = deadlineOf(call, frame.clock, frame.timeoutMs)
    const admitted = async () => {
      const leave = frame.admit()
      try {
        return await answer(call.request, deadline)
      } finally {
        leave()
      }
    }
    admitted()
      .finally(deadline.end)
      .then(
        (response) => {
          ended(undefined)
          callback(null, response)
        },
        (thrown: unknown) => callback(ended(thrown) ?? null),
      )
  }
}

/** An RPC that answers with a stream, which `answer` makes. */
export function serverStreaming<Request, Response>(
  frame: CallFrame,
  rpc: string,
  answer: (request: Request, deadline: FetchDeadline) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const ended = startCall(frame, rpc)
    const deadline = deadlineOf(call, frame.clock, frame.timeoutMs)
    const send = async () => {
      const leave = frame.admit()
      try {
        for await (const message of answer(call.request, deadline)) call.write(message)
      } finally {
        leave()
      }
    }
    send()
      .finally(deadline.end)
      .then(
        () => {
          ended(undefined)
          call.end()
        },
        (thrown: unknown) => call.emit('error', ended(thrown)),
      )
  }
}

/** Starts timing; the returned function ends the call and gives the error to send, if there is one. */
export function startCall({ clock, metrics, log }: CallFrame, rpc: string) {
  const startMs = clock.monotonicMs()
  return (thrown: unknown) => {
    const durationMs = clock.monotonicMs() - startMs
    if (thrown === undefined) {
      metrics.callEnded(rpc, 'OK', durationMs)
      return undefined
    }
    const error = LarderError.from(thrown)
    const serviceError = toServiceError(error)
    metrics.callEnded(rpc, grpcStatus[serviceError.code] ?? 'UNKNOWN', durationMs)
    if (error.code === 'internal') log.error({ rpc, error: error.cause ?? error }, error.message)
    return serviceError
  }
}
