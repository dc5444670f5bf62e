/**
 * Larder's error codes as gRPC statuses: the one place that knows both.
 */
import { status as grpcStatus, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { ErrorCode, LarderError } from '../errors.js'

const statusOfCode = {
  invalid_argument: grpcStatus.INVALID_ARGUMENT,
  bad_definitions: grpcStatus.INVALID_ARGUMENT,
  bad_model: grpcStatus.FAILED_PRECONDITION,
  bad_config: grpcStatus.FAILED_PRECONDITION,
  bad_file: grpcStatus.INVALID_ARGUMENT,
  corrupt_row: grpcStatus.DATA_LOSS,
  not_found: grpcStatus.NOT_FOUND,
  conflict: grpcStatus.ABORTED,
  refused: grpcStatus.FAILED_PRECONDITION,
  resource_exhausted: grpcStatus.RESOURCE_EXHAUSTED,
  hot_out_of_memory: grpcStatus.RESOURCE_EXHAUSTED,
  unavailable: grpcStatus.UNAVAILABLE,
  deadline_exceeded: grpcStatus.DEADLINE_EXCEEDED,
  cancelled: grpcStatus.CANCELLED,
  internal: grpcStatus.INTERNAL,
} as const satisfies Record<ErrorCode, grpcStatus>

/** Codes after which the same call may succeed later. */
const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'deadline_exceeded',
  'cancelled',
  'conflict',
  'hot_out_of_memory',
])

export function isRetryable(error: LarderError): boolean {
  return retryableCodes.has(error.code)
}

/**
 * What a caller is sent: the status, the message, and Larder's own code in the trailer
 * `larder-code`. The cause stays here. A long message is cut.
 */
export function toServiceError(error: LarderError): ServiceError {
  const metadata = new Metadata()
  metadata.set('larder-code', error.code)
  const message = cutMessage(error.message)
  return Object.assign(new Error(message), {
    code: statusOfCode[error.code],
    details: message,
    metadata,
  })
}

/**
 * The message travels percent-encoded in a trailer, of which a client takes 64 KiB at most and the
 * names in it may be the caller's own: 9 bytes a character, and room for the rest.
 */
const messageCharsMax = 4096

/** Well-formed too: a cut may leave half a character, which cannot be encoded. */
function cutMessage(message: string): string {
  const cut = message.length > messageCharsMax ? `${message.slice(0, messageCharsMax)}…` : message
  return cut.replace(/\p{Surrogate}/gu, '\ufffd')
}
