/**
 * Plays histories against real daemons, and reads what came of them: through the daemons, and straight
 * from the tiers.
 */

import {
  type BatchWriter,
  column,
  type LarderClient,
  type WriteAck,
} from '../../src/client/index.js'
import { readRowHeader, tombstoneLayoutId } from '../../src/codec/row-version.js'
import { RowBatch, rowState, tierCode } from '../../src/tiers/row-batch.js'
import { plainForm } from '../../src/tiers/row-form.js'
import type { Tier } from '../../src/tiers/tier.js'
import {
  type AccountView,
  accountViews,
  type History,
  type HistoryBatch,
  type HistoryDelete,
  type Standing,
  standBatch,
  standDelete,
  standingKey,
} from './sim-history.js'
import { never, plainKeys } from './tier-rows.js'

/** What playing a history came to. */
export interface Played {
  readonly standing: Standing
  /** Acknowledgements that were not durable and visible, or had an error. */
  readonly badAcks: readonly WriteAck[]
  /** Batches for which two acknowledgements named different sequences. */
  readonly changedSequences: readonly string[]
}

/** Plays every writer of `history` at once, each over the client of its index, round robin. */
export async function playHistory(
  clients: readonly LarderClient[],
  history: History,
): Promise<Played> {
  const standing: Standing = new Map()
  const sequences = new Map<string, bigint>()
  const badAcks: WriteAck[] = []
  const changedSequences: string[] = []
  const take = (batch: HistoryBatch, ack: WriteAck) => {
    if (!ack.durable || !ack.visible || ack.error !== undefined) badAcks.push(ack)
    if ((sequences.get(batch.batchId) ?? ack.sequence) !== ack.sequence) {
      changedSequences.push(batch.batchId)
    }
    sequences.set(batch.batchId, ack.sequence)
    standBatch(standing, batch, ack.sequence)
  }
  const play = async (client: LarderClient, steps: History['writers'][number]) => {
    const writer = client.openWriter()
    for (const step of steps) {
      if (step.kind === 'batch') take(step, await writeHistoryBatch(writer, step))
      else standDelete(standing, step, await deleteKeys(client, step))
    }
    await writer.close()
  }
  await Promise.all(history.writers.map((steps, index) => play(clientAt(clients, index), steps)))
  return { standing, badAcks, changedSequences }
}

/** Sends every batch of `history` once more; resolves with the rows that were stored. */
export async function replayBatches(client: LarderClient, history: History): Promise<number> {
  const writer = client.openWriter()
  const batches = new Map(
    history.writers.flat().flatMap((step) => (step.kind === 'batch' ? [[step.batchId, step]] : [])),
  )
  let storedCount = 0
  for (const batch of [...batches.values()].reverse()) {
    storedCount += (await writeHistoryBatch(writer, batch)).storedCount
  }
  await writer.close()
  return storedCount
}

export function writeHistoryBatch(writer: BatchWriter, batch: HistoryBatch): Promise<WriteAck> {
  const { batchId, view, rows, sequence } = batch
  return writer.write({
    batchId,
    view,
    schemaVersion: 1,
    sequence,
    keys: [
      column.strings(
        'id',
        rows.map(({ key }) => key),
      ),
    ],
    eventTimesUs: BigInt64Array.from(rows, ({ eventTimeUs }) => eventTimeUs),
    features: [
      column.int64(
        'mark',
        rows.map(({ mark }) => mark),
      ),
      column.strings(
        'text',
        rows.map(({ key, mark }) => `${key} ${mark}`),
      ),
    ],
  })
}

/** Deletes and resolves with the sequence of the tombstones. */
export async function deleteKeys(client: LarderClient, step: HistoryDelete): Promise<bigint> {
  const keys = [column.strings('id', step.keys)]
  const request = { entity: 'account', keys, eventTimeUs: step.eventTimeUs }
  let sequence = 0n
  for await (const progress of client.deleteEntities(request)) sequence = progress.sequence
  return sequence
}

function clientAt(clients: readonly LarderClient[], index: number): LarderClient {
  const client = clients[index % clients.length]
  if (client === undefined) throw new RangeError('a history is played against at least one daemon')
  return client
}

/** What a reader sees of every key: `view key` to status, mark and event time. */
export async function readAllMarks(
  client: LarderClient,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const seen = new Map<string, string>()
  for (const view of accountViews) {
    const result = await client.getFeatures({
      view,
      keys: [column.strings('id', keys)],
      includeRows: true,
    })
    const mark = result.columns.find(({ name }) => name === `${view}.mark`)
    const text = result.columns.find(({ name }) => name === `${view}.text`)
    for (const [row, key] of keys.entries()) {
      const eventTimeUs = result.origins[0]?.eventTimesUs[row]
      const words = [mark?.statusAt(row), mark?.valueAt(row), text?.valueAt(row), eventTimeUs]
      seen.set(standingKey(view, key), words.join(' '))
    }
  }
  return seen
}

/** What `readAllMarks` must see where `standing` stands. */
export function marksOf(standing: Standing, keys: readonly string[]): Map<string, string> {
  const expected = new Map<string, string>()
  for (const view of accountViews) {
    for (const key of keys) {
      const row = standing.get(standingKey(view, key))
      const words =
        row?.mark === undefined
          ? ['notFound', null, null, 0]
          : ['present', row.mark, `${key} ${row.mark}`, row.eventTimeUs]
      expected.set(standingKey(view, key), words.join(' '))
    }
  }
  return expected
}

/** A row as a tier holds it. */
export interface TierRow {
  /** Event time, write sequence, and whether it is a tombstone. */
  readonly version: string
  readonly rowHex: string
}

/** Each key's row in one tier, read straight from it; absent keys are left out. */
export async function readTierRows(
  tier: Tier,
  generation: number,
  keys: { readonly view: AccountView; readonly names: readonly string[] },
): Promise<Map<string, TierRow>> {
  const batch = plainKeys(keys.names.map((name) => ({ generation, key: Buffer.from(name) })))
  const into = new RowBatch(batch.count)
  const slots = Uint32Array.from(keys.names.keys())
  const failure = await tier.read(batch, slots, into, tierCode.warm, never)
  if (failure !== undefined) throw failure
  const rows = new Map<string, TierRow>()
  for (const [slot, name] of keys.names.entries()) {
    if (into.states[slot] !== rowState.row) continue
    const row = Buffer.from(into.rowAt(slot))
    const { eventTimeUs, sequence, layoutId } = readRowHeader(row, plainForm.versions)
    const kind = layoutId === tombstoneLayoutId ? 'deleted' : 'row'
    const version = `${eventTimeUs}/${sequence}/${kind}`
    rows.set(standingKey(keys.view, name), { version, rowHex: row.toString('hex') })
  }
  return rows
}

/** What `readTierRows` must find of `view`, by key. */
export function versionsOf(standing: Standing, view: AccountView): Map<string, string> {
  return new Map(
    [...standing]
      .filter(([place]) => place.startsWith(`${view} `))
      .map(([place, { eventTimeUs, sequence, mark }]) => [
        place,
        `${eventTimeUs}/${sequence}/${mark === undefined ? 'deleted' : 'row'}`,
      ]),
  )
}
