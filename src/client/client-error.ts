/**
 * What a call through the client can fail with.
 *
 * One class with a closed code set: the gRPC status in lower case, as the daemon chose it. The client
 * stands alone, so this is not the daemon's `LarderError`. It must never hide the daemon's message:
 * that names the thing, the value and the bound, one problem per line.
 */
import { type ServiceError, status } from '@grpc/grpc-js'

export type LarderClientErrorCode =
  | 'cancelled'
  | 'unknown'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'data_loss'
  | 'unauthenticated'

export interface LarderClientErrorDetails {
  /** The daemon that answered last, or was tried last; undefined where the request never left. */
  readonly address?: string
  /** How often the call was tried. */
  readonly attemptCount?: number
  /** The daemon's own code, finer than the status; undefined where the daemon did not answer. */
  readonly larderCode?: string
}

export class LarderClientError extends Error {
  override readonly name = 'LarderClientError'
  readonly code: LarderClientErrorCode
  readonly details: LarderClientErrorDetails

  constructor(
    code: LarderClientErrorCode,
    message: string,
    options: { readonly details?: LarderClientErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }
}

/** A request that is wrong before it is sent. */
export function invalidRequest(message: string): LarderClientError {
  return new LarderClientError('invalid_argument', message)
}

export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown && 'metadata' in thrown
}

/** Turns what grpc-js handed over into the client's own error. */
export function clientErrorOf(
  error: ServiceError,
  details: LarderClientErrorDetails,
): LarderClientError {
  const code = codeOfStatus[error.code] ?? 'unknown'
  const where = code === 'unavailable' ? `${details.address}: ` : ''
  const larderCode = error.metadata.get('larder-code')[0]
  return new LarderClientError(code, `${where}${reasonOf(error)}`, {
    details: larderCode === undefined ? details : { ...details, larderCode: String(larderCode) },
    cause: error,
  })
}

/** grpc-js wraps what went wrong with a connection in words about itself. */
const connectionFailure =
  /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/s

function reasonOf({ details, message }: ServiceError): string {
  return connectionFailure.exec(details)?.[1] ?? (details || message)
}

const codeOfStatus: Readonly<Record<number, LarderClientErrorCode>> = {
  [status.CANCELLED]: 'cancelled',
  [status.UNKNOWN]: 'unknown',
  [status.INVALID_ARGUMENT]: 'invalid_argument',
  [status.DEADLINE_EXCEEDED]: 'deadline_exceeded',
  [status.NOT_FOUND]: 'not_found',
  [status.ALREADY_EXISTS]: 'already_exists',
  [status.PERMISSION_DENIED]: 'permission_denied',
  [status.RESOURCE_EXHAUSTED]: 'resource_exhausted',
  [status.FAILED_PRECONDITION]: 'failed_precondition',
  [status.ABORTED]: 'aborted',
  [status.OUT_OF_RANGE]: 'out_of_range',
  [status.UNIMPLEMENTED]: 'unimplemented',
  [status.INTERNAL]: 'internal',
  [status.UNAVAILABLE]: 'unavailable',
  [status.DATA_LOSS]: 'data_loss',
  [status.UNAUTHENTICATED]: 'unauthenticated',
}
