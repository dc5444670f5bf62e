/**
 * A stream of batches to one daemon, with an acknowledgement for each.
 *
 * At most `inFlightMax` batches are under way; `write` waits for its turn beyond that. When the stream
 * breaks, every batch without an acknowledgement is sent again over a new stream, to the next daemon,
 * under its own batch id, so that what was stored already stays as it is. It must never resolve a write
 * that the daemon did not acknowledge.
 */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type { WriteFeaturesRequest, WriteFeaturesResponse } from '../gen/larder/v1/ingest.js'
import { batchesInFlightMax } from '../limits.js'
import { clientErrorOf, invalidRequest, LarderClientError } from './client-error.js'
import type { CallContext, DaemonChannels } from './daemon-channels.js'
import { bytesOf } from './encode-scalars.js'
import { backoffMs } from './retry.js'

/** A batch of rows of one view; columns come from `column`, one per join key and feature. */
export type WriteBatch = Pick<
  WriteFeaturesRequest,
  'batchId' | 'view' | 'schemaVersion' | 'keys' | 'features'
> & {
  /** One event time per row, in microseconds. */
  readonly eventTimesUs: BigInt64Array
  /** The batch's write sequence; left out, the daemon assigns it. */
  readonly sequence?: bigint
}

/** What became of a batch; `error` is set where it was refused or failed, and `badRows` says why. */
export type WriteAck = WriteFeaturesResponse

export interface BatchWriterOptions {
  /** Batches under way at once, by default as many as the daemon works on; more wait. */
  readonly inFlightMax?: number
  /** How long an acknowledgement may wait for `visible`; 0 leaves it to the daemon (5 s). */
  readonly ackTimeoutMs?: number
  /** How long one write may take in all, repetitions included. */
  readonly deadlineMs?: number
}

interface PendingWrite {
  readonly request: WriteFeaturesRequest
  readonly resolve: (ack: WriteAck) => void
  readonly reject: (error: LarderClientError) => void
  readonly expiry: AbortController
  attemptCount: number
}

type Stream = ClientDuplexStream<WriteFeaturesRequest, WriteFeaturesResponse>

/** Twelve default acknowledgement timeouts: room for repetitions while a daemon restarts. */
const deadlineMsDefault = 60_000

export class BatchWriter {
  readonly #channels: DaemonChannels
  readonly #context: CallContext
  readonly #options: Required<BatchWriterOptions>
  readonly #inFlight = new Map<string, PendingWrite>()
  readonly #waiting: PendingWrite[] = []
  #stream: Stream | undefined
  #failuresInARow = 0
  #reconnecting = false
  #closed = false
  #wakeIdle: (() => void)[] = []

  constructor(channels: DaemonChannels, context: CallContext, options: BatchWriterOptions) {
    this.#channels = channels
    this.#context = context
    this.#options = {
      inFlightMax: options.inFlightMax ?? batchesInFlightMax,
      ackTimeoutMs: options.ackTimeoutMs ?? 0,
      deadlineMs: options.deadlineMs ?? deadlineMsDefault,
    }
  }

  /**
   * Sends a batch; resolves with its acknowledgement, which may be a refusal. Errors:
   * `invalid_argument` for a batch id that is under way, `unavailable` when no daemon took the batch
   * after every retry, `deadline_exceeded`, `cancelled` by `close`.
   */
  write(batch: WriteBatch): Promise<WriteAck> {
    if (this.#closed) return Promise.reject(closedError())
    const isUnderWay = (pending: PendingWrite) => pending.request.batchId === batch.batchId
    if (this.#inFlight.has(batch.batchId) || this.#waiting.some(isUnderWay)) {
      return Promise.reject(invalidRequest(`batch "${batch.batchId}" is already under way`))
    }
    return new Promise((resolve, reject) => {
      const request = requestOf(batch, this.#options.ackTimeoutMs)
      const expiry = new AbortController()
      const pending = { request, resolve, reject, expiry, attemptCount: 0 }
      this.#waiting.push(pending)
      this.#expire(pending)
      this.#pump()
    })
  }

  /** Resolves when a write would start at once: the back-pressure for callers that make batches. */
  async ready(): Promise<void> {
    while (this.#inFlight.size + this.#waiting.length >= this.#options.inFlightMax) {
      await new Promise<void>((resolve) => this.#wakeIdle.push(resolve))
    }
  }

  /** Waits for what is under way, then ends the stream. */
  async close(): Promise<void> {
    while (this.#inFlight.size + this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#wakeIdle.push(resolve))
    }
    this.#closed = true
    this.#stream?.end()
    this.#stream = undefined
  }

  /** Ends the stream now; writes without an acknowledgement fail as `cancelled`. */
  abort(): void {
    this.#closed = true
    const stream = this.#stream
    this.#stream = undefined
    this.#failAll(closedError())
    stream?.cancel()
  }

  /** Moves waiting batches into flight as far as the bound allows. */
  #pump(): void {
    if (this.#reconnecting) return
    while (this.#inFlight.size < this.#options.inFlightMax) {
      const pending = this.#waiting.shift()
      if (pending === undefined) return
      this.#inFlight.set(pending.request.batchId, pending)
      this.#send(pending)
    }
  }

  #send(pending: PendingWrite): void {
    pending.attemptCount += 1
    try {
      this.#stream ??= this.#open()
    } catch (cause) {
      // A call is refused before it starts only where the client was closed under its writer.
      this.#settle(pending)
      pending.reject(closedError(cause))
      return
    }
    this.#stream.write(pending.request)
  }

  #open(): Stream {
    const daemon = this.#channels.next()
    const stream = daemon.ingest.writeFeatures()
    const isCurrent = () => this.#stream === stream
    stream.on('data', (ack: WriteAck) => this.#acknowledge(ack))
    stream.on('error', (error: ServiceError) => {
      if (!isCurrent()) return
      const attemptCount = this.#failuresInARow + 1
      this.#broke(clientErrorOf(error, { address: daemon.address, attemptCount }))
    })
    stream.on('end', () => {
      if (isCurrent()) this.#broke(endedError(daemon.address))
    })
    return stream
  }

  #acknowledge(ack: WriteAck): void {
    this.#failuresInARow = 0
    const pending = this.#inFlight.get(ack.batchId)
    if (pending === undefined) return
    const { retry } = this.#context
    if (ack.error?.retryable === true && pending.attemptCount < retry.attemptsMax) {
      void this.#repeat(pending)
      return
    }
    this.#settle(pending)
    pending.resolve(ack)
    this.#pump()
  }

  /** The daemon failed a batch but says that it may succeed later. */
  async #repeat(pending: PendingWrite): Promise<void> {
    const { clock, prng, retry } = this.#context
    await clock.sleep(backoffMs(retry, pending.attemptCount - 1, prng))
    if (this.#inFlight.get(pending.request.batchId) !== pending || this.#reconnecting) return
    this.#send(pending)
  }

  #broke(error: LarderClientError): void {
    this.#stream = undefined
    if (this.#inFlight.size === 0) return
    this.#failuresInARow += 1
    const attemptsMax = Math.max(this.#context.retry.attemptsMax, this.#channels.daemonCount)
    if (!isBreak(error) || this.#failuresInARow >= attemptsMax) {
      this.#failuresInARow = 0
      this.#failAll(error)
      return
    }
    this.#reconnecting = true
    void this.#resend()
  }

  async #resend(): Promise<void> {
    await this.#channels.pause(this.#failuresInARow)
    this.#reconnecting = false
    if (this.#closed) return
    for (const pending of this.#inFlight.values()) this.#send(pending)
    this.#pump()
  }

  #expire(pending: PendingWrite): void {
    const { deadlineMs } = this.#options
    const { signal } = pending.expiry
    const message = `batch "${pending.request.batchId}" was not acknowledged within ${deadlineMs} ms`
    const expired = () => {
      this.#settle(pending)
      pending.reject(new LarderClientError('deadline_exceeded', message))
      this.#pump()
    }
    // The sleep is rejected only by our own abort, when the write is settled first.
    this.#context.clock.sleep(deadlineMs, signal).then(expired, () => undefined)
  }

  #failAll(error: LarderClientError): void {
    const failed = [...this.#inFlight.values(), ...this.#waiting]
    for (const pending of failed) {
      this.#settle(pending)
      pending.reject(error)
    }
  }

  #settle(pending: PendingWrite): void {
    this.#inFlight.delete(pending.request.batchId)
    const waitingIndex = this.#waiting.indexOf(pending)
    if (waitingIndex >= 0) this.#waiting.splice(waitingIndex, 1)
    pending.expiry.abort()
    const woken = this.#wakeIdle
    this.#wakeIdle = []
    for (const wake of woken) wake()
  }
}

/** Did the stream or its daemon go away, rather than the daemon refuse it? */
function isBreak(error: LarderClientError): boolean {
  return error.code === 'unavailable' || error.code === 'internal' || error.code === 'cancelled'
}

function requestOf(batch: WriteBatch, ackTimeoutMs: number): WriteFeaturesRequest {
  const { eventTimesUs, sequence, ...rest } = batch
  return {
    ...rest,
    eventTimes: bytesOf(eventTimesUs),
    sequence: sequence ?? 0n,
    ackTimeoutMs,
  }
}

function endedError(address: string): LarderClientError {
  return new LarderClientError('unavailable', `${address}: the daemon ended the stream`, {
    details: { address },
  })
}

function closedError(cause?: unknown): LarderClientError {
  return new LarderClientError('cancelled', 'the writer was closed', { cause })
}
