/**
 * `larder.v1.IngestService`: message -> path -> message.
 *
 * A stream of batches has a few of them under way at once and is paused beyond that, so that a fast
 * writer waits instead of filling memory. A drain finishes what was taken and ends the stream.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { LarderError } from '../errors.js'
import type {
  DeleteEntitiesRequest,
  DeleteEntitiesResponse,
  IngestServiceServer,
  WriteFeaturesRequest,
  WriteFeaturesResponse,
} from '../gen/larder/v1/ingest.js'
import { batchesInFlightMax, writeTimeoutMs } from '../limits.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'
import { type CallFrame, serverStreaming, startCall } from './call-handlers.js'
import type { DaemonState } from './daemon-state.js'
import { cancelSignalOf } from './deadline.js'
import { type DeleteProgress, deleteEntities } from './delete-path.js'
import { parseColumns, parseInt64s } from './messages.js'
import type { WriteBatch } from './plan-write.js'
import { isRetryable } from './status.js'
import { type WriteAck, type WriteTools, writeBatch } from './write-path.js'

export interface IngestTools extends CallFrame {
  /** Throws `unavailable` while the daemon is not ready. */
  readonly state: () => DaemonState
  readonly batchRowsMax: number
  /** Fires when the daemon drains. */
  readonly draining: AbortSignal
}

type WriteCall = ServerDuplexStream<WriteFeaturesRequest, WriteFeaturesResponse>

export function createIngestService(tools: IngestTools): IngestServiceServer {
  return {
    writeFeatures: (call) => serveWrites(tools, call),
    deleteEntities: serverStreaming(tools, 'DeleteEntities', (request, deadline) =>
      serveDelete(tools, request, deadline),
    ),
  }
}

function serveWrites(tools: IngestTools, call: WriteCall): void {
  const ended = startCall(tools, 'WriteFeatures')
  let leave: () => void
  try {
    leave = tools.admit()
  } catch (thrown) {
    call.emit('error', ended(thrown))
    return
  }
  const cancelled = cancelSignalOf(call)
  const underWay = new Set<Promise<void>>()
  let isOver = false
  const finish = async (thrown: unknown) => {
    if (isOver) return
    isOver = true
    call.pause()
    await Promise.all(underWay)
    leave()
    tools.draining.removeEventListener('abort', onDrain)
    const error = ended(thrown)
    if (error === undefined) call.end()
    else call.emit('error', error)
  }
  const onDrain = () => {
    void finish(new LarderError('unavailable', 'the daemon is shutting down: send the rest again'))
  }
  const take = async (request: WriteFeaturesRequest) => {
    const ack = await answerBatch(tools, request, cancelled)
    if (!cancelled.aborted) call.write(formatAck(ack))
  }
  call.on('data', (request: WriteFeaturesRequest) => {
    if (isOver) return
    const step = take(request).finally(() => {
      underWay.delete(step)
      if (!isOver && underWay.size < batchesInFlightMax) call.resume()
    })
    underWay.add(step)
    if (underWay.size >= batchesInFlightMax) call.pause()
  })
  call.on('end', () => void finish(undefined))
  call.on('error', (thrown) => void finish(thrown))
  call.on('cancelled', () => void finish(new LarderError('cancelled', 'the caller went away')))
  if (tools.draining.aborted) onDrain()
  else tools.draining.addEventListener('abort', onDrain, { once: true })
}

async function answerBatch(
  tools: IngestTools,
  request: WriteFeaturesRequest,
  cancelled: AbortSignal,
): Promise<WriteAck> {
  const signal = AbortSignal.any([cancelled, tools.clock.timeout(writeTimeoutMs)])
  let ack: WriteAck
  try {
    const state = tools.state()
    const batch = parseBatch(request)
    ack = await writeBatch(writeToolsOf(tools, state), state.registry.current(), batch, signal)
  } catch (thrown) {
    ack = refuse(request, LarderError.from(thrown))
  }
  tools.metrics.batchEnded(outcomeOf(ack), ack.rowCount)
  if (ack.error?.code === 'internal') {
    tools.log.error({ error: ack.error.cause ?? ack.error }, ack.error.message)
  }
  return ack
}

function writeToolsOf(tools: IngestTools, state: DaemonState): WriteTools {
  return {
    tiers: {
      hot: state.hot,
      warm: state.warm,
      clock: tools.clock,
      observer: tools.metrics.tierObserver,
    },
    registryStore: state.registryStore,
    sequencer: state.sequencer,
    assertMayWrite: state.lease.assertHeld,
    judgingClock: state.judgingClock,
    clock: tools.clock,
    batchRowsMax: tools.batchRowsMax,
  }
}

function parseBatch(request: WriteFeaturesRequest): WriteBatch {
  return {
    batchId: request.batchId,
    view: request.view,
    schemaVersion: request.schemaVersion,
    keys: parseColumns(request.keys, 'key column'),
    eventTimesUs: parseInt64s(request.eventTimes, 'event_times'),
    features: parseColumns(request.features, 'feature column'),
    sequence: request.sequence,
    ackTimeoutMs: request.ackTimeoutMs,
  }
}

function refuse(request: WriteFeaturesRequest, error: LarderError): WriteAck {
  return {
    batchId: request.batchId,
    sequence: 0n,
    durable: false,
    visible: false,
    rowCount: Math.floor(request.eventTimes.byteLength / 8),
    storedCount: 0,
    badRows: [],
    badRowCount: 0,
    error,
    hotFailure: undefined,
  }
}

function outcomeOf(ack: WriteAck): 'stored' | 'not_visible' | 'refused' | 'failed' {
  if (ack.durable) return ack.visible ? 'stored' : 'not_visible'
  return ack.error !== undefined && isRetryable(ack.error) ? 'failed' : 'refused'
}

function formatAck(ack: WriteAck): WriteFeaturesResponse {
  const { error } = ack
  return {
    batchId: ack.batchId,
    sequence: ack.sequence,
    durable: ack.durable,
    visible: ack.visible,
    rowCount: ack.rowCount,
    storedCount: ack.storedCount,
    badRows: ack.badRows.map(({ rowIndex, column, reason }) => ({
      index: rowIndex,
      column,
      reason,
    })),
    badRowCount: ack.badRowCount,
    error:
      error === undefined
        ? undefined
        : { code: error.code, message: error.message, retryable: isRetryable(error) },
    notVisibleReason: ack.hotFailure?.message ?? '',
  }
}

async function* serveDelete(
  tools: IngestTools,
  request: DeleteEntitiesRequest,
  deadline: FetchDeadline,
): AsyncGenerator<DeleteEntitiesResponse> {
  const state = tools.state()
  const steps = deleteEntities(
    writeToolsOf(tools, state),
    state.registry.current(),
    {
      entity: request.entity,
      keys: parseColumns(request.keys, 'key column'),
      eventTimeUs: request.eventTime,
      partial: request.partial,
    },
    deadline.signal,
  )
  for await (const step of steps) yield formatProgress(step)
}

function formatProgress(step: DeleteProgress): DeleteEntitiesResponse {
  return {
    ...step,
    scannedCount: BigInt(step.scannedCount),
    deletedCount: BigInt(step.deletedCount),
  }
}
