/**
 * The write path: one batch in, one acknowledgement out.
 *
 * validate and encode (all or nothing) -> remember the batch's sequence -> store: warm, then hot ->
 * acknowledge. A retry with the same batch id uses the sequence of the first try, so it changes
 * nothing that is there and completes what is not.
 */
import type { Clock, JudgingClock } from '../clock.js'
import { LarderError } from '../errors.js'
import { ackTimeoutMsDefault, ackTimeoutMsMax } from '../limits.js'
import type { RegistryStore } from '../registry/registry-store.js'
import type { Snapshot } from '../registry/snapshot.js'
import { type StoreResult, type StoreTiers, storeRows } from '../tiers/store-rows.js'
import { writeLayoutsOf } from './decoders.js'
import { type BadRows, findSchema, planWrite, type WriteBatch } from './plan-write.js'
import { findView } from './read-target.js'
import { assertBatchId } from './remembered-id.js'
import { assertSequenceInBound, type Sequencer } from './sequencer.js'

export interface WriteTools {
  readonly tiers: StoreTiers
  readonly registryStore: RegistryStore
  readonly sequencer: Sequencer
  /** Throws `unavailable` while this daemon does not hold its lease. */
  readonly assertMayWrite: () => void
  readonly judgingClock: JudgingClock
  readonly clock: Clock
  readonly batchRowsMax: number
}

export interface WriteAck extends BadRows {
  readonly batchId: string
  readonly sequence: bigint
  readonly durable: boolean
  readonly visible: boolean
  readonly rowCount: number
  readonly storedCount: number
  /** Why the batch was refused or failed. */
  readonly error: LarderError | undefined
  /** Why a durable batch is not visible. */
  readonly hotFailure: LarderError | undefined
}

/** Writes one batch. Never throws for what the world can get wrong: the acknowledgement says it. */
export async function writeBatch(
  tools: WriteTools,
  snapshot: Snapshot,
  batch: WriteBatch,
  signal: AbortSignal,
): Promise<WriteAck> {
  const refused = (error: LarderError, bad: BadRows = noBadRows): WriteAck => ({
    batchId: batch.batchId,
    sequence: 0n,
    durable: false,
    visible: false,
    rowCount: batch.eventTimesUs.length,
    storedCount: 0,
    ...bad,
    error,
    hotFailure: undefined,
  })
  try {
    const planned = await planWithSequence(tools, snapshot, batch, signal)
    if ('badRows' in planned) return refused(badRowsError(planned, batch), planned)
    const result = await storeRows(tools.tiers, planned.plan, {
      signal,
      hotSignal: AbortSignal.any([signal, tools.clock.timeout(ackTimeoutOf(batch))]),
    })
    return acknowledge(batch, planned.sequence, result)
  } catch (thrown) {
    return refused(LarderError.from(thrown))
  }
}

async function planWithSequence(
  tools: WriteTools,
  snapshot: Snapshot,
  batch: WriteBatch,
  signal: AbortSignal,
) {
  assertBatchShape(tools, batch)
  const view = findView(snapshot, batch.view)
  const schema = findSchema(view, batch.schemaVersion)
  const nowUs = tools.judgingClock.nowUs()
  const planUnder = (sequence: bigint) => {
    const layouts = writeLayoutsOf(view, schema, sequence)
    return planWrite(batch, { view, schema, layouts, nowUs, sequence })
  }
  const isAssigned = batch.sequence !== 0n
  const proposed = isAssigned ? batch.sequence : tools.sequencer.next()
  const plan = planUnder(proposed)
  if ('badRows' in plan) return plan
  tools.assertMayWrite()
  if (isAssigned) return { plan, sequence: proposed }
  const sequence = await tools.registryStore.recordBatch(
    { batchId: batch.batchId, sequence: proposed, receivedAtMs: tools.clock.nowMs() },
    signal,
  )
  if (sequence === proposed) return { plan, sequence }
  // A retry: its rows carry the sequence of the first try.
  const again = planUnder(sequence)
  return 'badRows' in again ? again : { plan: again, sequence }
}

function assertBatchShape(tools: WriteTools, batch: WriteBatch): void {
  assertBatchId(batch.batchId)
  const rowCount = batch.eventTimesUs.length
  if (rowCount === 0) throw new LarderError('invalid_argument', 'the batch has no rows')
  if (rowCount > tools.batchRowsMax) {
    throw new LarderError(
      'resource_exhausted',
      `the batch has ${rowCount} rows, at most ${tools.batchRowsMax} are allowed: split it`,
    )
  }
  if (batch.ackTimeoutMs > ackTimeoutMsMax) {
    throw new LarderError(
      'invalid_argument',
      `ack_timeout_ms is ${batch.ackTimeoutMs}, at most ${ackTimeoutMsMax} is allowed`,
    )
  }
  if (batch.sequence !== 0n) assertSequenceInBound(batch.sequence, tools.clock.nowMs())
}

function ackTimeoutOf(batch: WriteBatch): number {
  return batch.ackTimeoutMs === 0 ? ackTimeoutMsDefault : batch.ackTimeoutMs
}

function acknowledge(batch: WriteBatch, sequence: bigint, result: StoreResult): WriteAck {
  return {
    batchId: batch.batchId,
    sequence,
    durable: result.durable,
    visible: result.visible,
    rowCount: batch.eventTimesUs.length,
    storedCount: result.storedCount,
    ...noBadRows,
    error: undefined,
    hotFailure: result.hotFailure,
  }
}

const noBadRows: BadRows = { badRows: [], badRowCount: 0 }

function badRowsError({ badRowCount, badRows }: BadRows, batch: WriteBatch): LarderError {
  const [first] = badRows
  return new LarderError(
    'invalid_argument',
    `${badRowCount} of ${batch.eventTimesUs.length} rows are bad, nothing of the batch is stored; ` +
      `first: row ${first?.rowIndex}, ${first?.column}: ${first?.reason}`,
  )
}
