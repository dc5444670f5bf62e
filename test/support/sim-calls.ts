/**
 * Calls of a daemon with bytes as they are, for tests that send what no client would.
 */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { systemClock } from '../../src/clock.js'
import { WriteFeaturesResponse } from '../../src/gen/larder/v1/ingest.js'
import { messageBytesMax } from '../../src/limits.js'

/** The RPCs that take rows or keys from outside. */
const rpcPaths = {
  getFeatures: '/larder.v1.ServingService/GetFeatures',
  predict: '/larder.v1.ServingService/Predict',
  writeFeatures: '/larder.v1.IngestService/WriteFeatures',
  deleteEntities: '/larder.v1.IngestService/DeleteEntities',
  sampleRows: '/larder.v1.AdminService/SampleRows',
  registerLayout: '/larder.v1.AdminService/RegisterLayout',
} as const
export type Rpc = keyof typeof rpcPaths

export interface Outcome {
  /** gRPC's name of the status. */
  readonly status: string
  /** Larder's own code, from the trailer or the acknowledgement; empty where there is none. */
  readonly code: string
  readonly message: string
  /** The last message of the answer. */
  readonly answer: Buffer | undefined
}

export interface RawCalls {
  /** Sends one request of `bytes` and resolves with how it ended; never rejects. */
  send(rpc: Rpc, bytes: Buffer): Promise<Outcome>
  close(): void
}

const asIs = (bytes: Buffer) => bytes

/** Calls with a deadline of `timeoutMs` each. */
export function createRawCalls(address: string, timeoutMs: number): RawCalls {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
  })
  const options = () => ({ deadline: systemClock.nowMs() + timeoutMs })
  const unary = (path: string, bytes: Buffer) =>
    new Promise<Outcome>((resolve) => {
      const done = (error: ServiceError | null, answer?: Buffer) =>
        resolve(outcomeOf(error ?? undefined, answer))
      client.makeUnaryRequest(path, asIs, asIs, bytes, new Metadata(), options(), done)
    })
  const streaming = (rpc: Rpc, bytes: Buffer) =>
    new Promise<Outcome>((resolve) => {
      let answer: Buffer | undefined
      const stream = client.makeBidiStreamRequest(
        rpcPaths[rpc],
        asIs,
        asIs,
        new Metadata(),
        options(),
      )
      stream.on('data', (message: Buffer) => {
        answer = message
      })
      stream.on('error', (error: ServiceError) => resolve(outcomeOf(error, answer)))
      stream.on('end', () => resolve(answerOutcome(rpc, answer)))
      stream.end(bytes)
    })
  return {
    send(rpc, bytes) {
      const isStream = rpc === 'writeFeatures' || rpc === 'deleteEntities'
      return isStream ? streaming(rpc, bytes) : unary(rpcPaths[rpc], bytes)
    },
    close: () => client.close(),
  }
}

function outcomeOf(error: ServiceError | undefined, answer: Buffer | undefined): Outcome {
  return {
    status: status[error?.code ?? status.OK] ?? '',
    code: String(error?.metadata?.get('larder-code')[0] ?? ''),
    message: error?.details ?? '',
    answer,
  }
}

/** A stream that ended well may still have refused its batch, or not have answered at all. */
function answerOutcome(rpc: Rpc, answer: Buffer | undefined): Outcome {
  if (answer === undefined) {
    return { status: 'OK', code: 'no answer', message: 'the stream ended without one', answer }
  }
  const error = rpc === 'writeFeatures' ? WriteFeaturesResponse.decode(answer).error : undefined
  return { status: 'OK', code: error?.code ?? '', message: error?.message ?? '', answer }
}
