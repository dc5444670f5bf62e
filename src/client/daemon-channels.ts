/**
 * Connections to one or several daemons, and the one way to make a call over them.
 *
 * Calls go round robin. One that finds its daemon `unavailable` moves to the next address; once every
 * address was tried, it waits with backoff before the next round. All tries share one deadline, which
 * travels with the call. It must never repeat a call that its caller has not marked as safe.
 */
import {
  type CallOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import type { Clock } from '../clock.js'
import { AdminServiceClient } from '../gen/larder/v1/admin.js'
import { IngestServiceClient } from '../gen/larder/v1/ingest.js'
import { ServingServiceClient } from '../gen/larder/v1/serving.js'
import { messageBytesMax } from '../limits.js'
import type { Prng } from '../prng.js'
import { clientErrorOf, invalidRequest, LarderClientError } from './client-error.js'
import { backoffMs, type RetryPolicy } from './retry.js'

/** The services of one daemon, over one connection. */
export interface Daemon {
  readonly address: string
  readonly serving: ServingServiceClient
  readonly ingest: IngestServiceClient
  readonly admin: AdminServiceClient
}

export interface CallContext {
  readonly clock: Clock
  readonly prng: Prng
  readonly retry: RetryPolicy
}

/** Starts a unary call of one daemon: a method of a generated client, bound to its request. */
export type StartCall<Response> = (
  daemon: Daemon,
  metadata: Metadata,
  options: CallOptions,
  done: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall

export interface CallOptionsOf<Response> {
  readonly start: StartCall<Response>
  /** Total for all tries. */
  readonly deadlineMs: number
  /** The call changes nothing, or changes the same thing when repeated. */
  readonly repeatable: boolean
}

const channelOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  // The client's own retries know which calls are safe; the channel's do not.
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
}

export class DaemonChannels {
  readonly #daemons: readonly Daemon[]
  readonly #context: CallContext
  #nextIndex = 0

  constructor(addresses: readonly string[], context: CallContext) {
    if (addresses.length === 0) throw invalidRequest('no address of a daemon was given')
    this.#daemons = addresses.map(connect)
    this.#context = context
  }

  /** How many daemons there are to turn to. */
  get daemonCount(): number {
    return this.#daemons.length
  }

  /** The daemon whose turn it is. */
  next(): Daemon {
    const daemon = this.#daemons[this.#nextIndex % this.#daemons.length]
    this.#nextIndex = (this.#nextIndex + 1) % this.#daemons.length
    if (daemon === undefined) throw new LarderClientError('internal', 'there is no daemon to call')
    return daemon
  }

  /** Waits before try number `attemptCount + 1`: not at all until every daemon was tried. */
  async pause(attemptCount: number, signal?: AbortSignal): Promise<void> {
    if (attemptCount % this.#daemons.length !== 0) return
    const round = attemptCount / this.#daemons.length - 1
    const { clock, prng, retry } = this.#context
    await clock.sleep(backoffMs(retry, round, prng), signal).catch((cause: unknown) => {
      throw new LarderClientError('cancelled', 'the call was cancelled', { cause })
    })
  }

  /**
   * Makes a unary call; `LarderClientError` when it fails for good.
   * `signal` cancels it, on the daemon too.
   */
  async call<Response>(options: CallOptionsOf<Response>, signal?: AbortSignal): Promise<Response> {
    const { clock, retry } = this.#context
    const deadline = clock.nowMs() + options.deadlineMs
    const attemptsMax = options.repeatable ? Math.max(retry.attemptsMax, this.daemonCount) : 1
    for (let attemptCount = 1; ; attemptCount += 1) {
      const daemon = this.next()
      const outcome = await callOnce(daemon, options.start, deadline, signal)
      if ('response' in outcome) return outcome.response
      const error = clientErrorOf(outcome.error, { address: daemon.address, attemptCount })
      if (error.code !== 'unavailable' || attemptCount >= attemptsMax) throw error
      await this.pause(attemptCount, signal)
      if (clock.nowMs() >= deadline) throw error
    }
  }

  close(): void {
    for (const daemon of this.#daemons) daemon.serving.close()
  }
}

type Outcome<Response> = { readonly response: Response } | { readonly error: ServiceError }

function callOnce<Response>(
  daemon: Daemon,
  start: StartCall<Response>,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<Outcome<Response>> {
  return new Promise((resolve) => {
    const call = start(daemon, new Metadata(), { deadline }, (error, response) => {
      signal?.removeEventListener('abort', cancel)
      resolve(error === null ? { response } : { error })
    })
    const cancel = () => call.cancel()
    if (signal?.aborted) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
  })
}

function connect(address: string): Daemon {
  if (!/^[^\s/]+:\d+$/.test(address)) {
    throw invalidRequest(`address "${address}" is not HOST:PORT, such as 127.0.0.1:6570`)
  }
  const plain = credentials.createInsecure()
  const serving = new ServingServiceClient(address, plain, channelOptions)
  const shared = { channelOverride: serving.getChannel() }
  return {
    address,
    serving,
    ingest: new IngestServiceClient(address, plain, shared),
    admin: new AdminServiceClient(address, plain, shared),
  }
}
