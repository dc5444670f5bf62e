/**
 * The one error class for what the world can get wrong.
 *
 * A `LarderError` has a code from a closed set, a message that names the thing, the value and the
 * bound, optional details for programs, and a `cause` for the log, which is never sent to a caller.
 * `server/status.ts` maps codes to gRPC statuses; nothing else may.
 */
import { inspect } from 'node:util'

/** Every code, with what it tells the caller to do. */
const errorCodes = {
  invalid_argument: 'the request is wrong as it stands: correct it',
  bad_definitions: 'the definitions are wrong: each problem has a file, line and column',
  bad_model: 'the model file cannot be used: see the offset and the excerpt',
  bad_config: 'the configuration is wrong: correct larder.yaml, the variable or the flag',
  bad_file: 'the input file cannot be read or lacks something',
  corrupt_row: 'stored bytes are not a row of their layout',
  not_found: 'no such view, service, model, version or layout',
  conflict: 'somebody else changed it first: read again and retry',
  refused: 'the change is refused as it stands: the message says what allows it',
  resource_exhausted: 'over a limit: send less, or later',
  hot_out_of_memory: 'the hot tier is full: rows are durable but not visible there',
  unavailable: 'a tier or the daemon is not there now: retry',
  deadline_exceeded: 'the deadline passed first',
  cancelled: 'the caller went away',
  internal: 'a bug in Larder: please report it',
} as const

export type ErrorCode = keyof typeof errorCodes

/** Machine-readable facts about an error; keys are names, values are plain. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>

export interface LarderErrorOptions {
  readonly cause?: unknown
  readonly details?: ErrorDetails
}

export class LarderError extends Error {
  override readonly name = 'LarderError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: LarderErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  /** The one funnel: whatever was thrown becomes a `LarderError`; ours pass unchanged. */
  static from(thrown: unknown): LarderError {
    if (thrown instanceof LarderError) return thrown
    const name = thrown instanceof Error ? thrown.name : ''
    if (name === 'AbortError') {
      return new LarderError('cancelled', 'the call was cancelled', { cause: thrown })
    }
    if (name === 'TimeoutError') {
      return new LarderError('deadline_exceeded', 'the deadline passed first', { cause: thrown })
    }
    const message = thrown instanceof Error ? thrown.message : textOf(thrown)
    return new LarderError('internal', message, { cause: thrown })
  }
}

/** Not `String`, which throws for an object without a prototype. */
function textOf(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : inspect(thrown)
}
