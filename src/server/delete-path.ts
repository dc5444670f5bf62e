/**
 * The delete path: tombstones for entities, in every view of exactly that entity.
 *
 * A tombstone is a row like any other: it wins by version, and hides what is older for as long as
 * anything older could still arrive. Deleting by part of a composite key looks for the entities in
 * warm, which keeps the raw keys.
 */
import type { Clock, JudgingClock } from '../clock.js'
import { didYouMean } from '../closest-name.js'
import { decodeEntityKey, dedupeKeys } from '../codec/entity-key.js'
import {
  encodeVersionOnlyRow,
  layoutIdOf,
  readRowHeader,
  tombstoneLayoutId,
} from '../codec/row-version.js'
import type { WireColumn } from '../column.js'
import type { JoinKey } from '../declared.js'
import { LarderError } from '../errors.js'
import { ackTimeoutMsDefault, futureBoundMs } from '../limits.js'
import type { Entity, FeatureView, Snapshot } from '../registry/snapshot.js'
import { keepStoredMs, keepTombstoneMs } from '../tiers/expiry.js'
import { entityKeyAt, withGeneration } from '../tiers/key-batch.js'
import { placements } from '../tiers/placement.js'
import { RowBatch, rowState, tierCode } from '../tiers/row-batch.js'
import { type StoreTiers, storeRows } from '../tiers/store-rows.js'
import { writesOf } from '../tiers/tier.js'
import { countRows, encodeKeys, indexColumns, type Keys, pickKeys } from './plan-read.js'
import { rowFormsOf } from './row-forms.js'
import type { Sequencer } from './sequencer.js'

export interface DeleteTools {
  readonly tiers: StoreTiers
  readonly sequencer: Sequencer
  readonly assertMayWrite: () => void
  readonly judgingClock: JudgingClock
  readonly clock: Clock
  readonly batchRowsMax: number
}

export interface DeleteRequest {
  readonly entity: string
  readonly keys: readonly WireColumn[]
  /** 0 where each row's tombstone takes the later of now and its stored event time. */
  readonly eventTimeUs: bigint
  readonly partial: boolean
}

export interface DeleteProgress {
  readonly scannedCount: number
  readonly deletedCount: number
  readonly durable: boolean
  readonly visible: boolean
  readonly sequence: bigint
  readonly done: boolean
}

/** Deletes, telling progress after each step; the last has `done`. Throws what is wrong, or failed. */
export async function* deleteEntities(
  tools: DeleteTools,
  snapshot: Snapshot,
  request: DeleteRequest,
  signal: AbortSignal,
): AsyncGenerator<DeleteProgress> {
  const entity = findEntity(snapshot, request.entity)
  const nowUs = tools.judgingClock.nowUs()
  assertEventTime(request.eventTimeUs, nowUs)
  const given = parseKeys(entity, request, tools.batchRowsMax)
  tools.assertMayWrite()
  const views = [...snapshot.views.values()].filter((view) => view.entity.name === entity.name)
  const context: DeleteContext = {
    tools,
    sequence: tools.sequencer.next(),
    nowUs,
    eventTimeUs: request.eventTimeUs,
    signal,
  }
  let total: DeleteProgress = {
    scannedCount: 0,
    deletedCount: 0,
    durable: true,
    visible: true,
    sequence: context.sequence,
    done: false,
  }
  for (const view of views) {
    const steps =
      given.keys.length === entity.keys.length
        ? deleteExactly(context, view, given.encoded)
        : deleteMatching(context, view, given)
    for await (const step of steps) {
      total = addStep(total, step)
      yield total
    }
  }
  yield { ...total, done: true }
}

interface DeleteContext {
  readonly tools: DeleteTools
  readonly sequence: bigint
  readonly nowUs: bigint
  readonly eventTimeUs: bigint
  readonly signal: AbortSignal
}

interface GivenKeys {
  /** The join keys that were given, in the entity's order. */
  readonly keys: readonly JoinKey[]
  /** Their values' canonical bytes, each distinct combination once. */
  readonly encoded: Keys
}

type DeleteStep = Pick<DeleteProgress, 'scannedCount' | 'deletedCount' | 'durable' | 'visible'>

function addStep(total: DeleteProgress, step: DeleteStep): DeleteProgress {
  return {
    ...total,
    scannedCount: total.scannedCount + step.scannedCount,
    deletedCount: total.deletedCount + step.deletedCount,
    durable: total.durable && step.durable,
    visible: total.visible && step.visible,
  }
}

async function* deleteExactly(context: DeleteContext, view: FeatureView, keys: Keys) {
  yield { scannedCount: 0, ...(await writeTombstones(context, view, keys)) }
}

async function* deleteMatching(
  context: DeleteContext,
  view: FeatureView,
  given: GivenKeys,
): AsyncGenerator<DeleteStep> {
  const { tools, signal } = context
  const wanted = wantedTexts(given)
  const scan = tools.tiers.warm.scan(view.generation, signal)
  if (scan === undefined) {
    throw new LarderError(
      'refused',
      `the warm tier (${tools.tiers.warm.kind}) cannot list its keys: name all join keys`,
    )
  }
  for await (const { keys, rows } of scan) {
    const matching: number[] = []
    for (const [index, row] of rows.entries()) {
      if (ignoreCorrupt(() => layoutIdOf(row)) === tombstoneLayoutId) continue
      const text = projectedText(view.entity, given.keys, entityKeyAt(keys, index))
      if (wanted.has(text)) matching.push(index)
    }
    const scannedCount = rows.length
    if (matching.length === 0) {
      yield { scannedCount, deletedCount: 0, durable: true, visible: true }
      continue
    }
    const matched = pickKeys(keys, Uint32Array.from(matching), matching.length)
    yield { scannedCount, ...(await writeTombstones(context, view, matched)) }
  }
}

async function writeTombstones(context: DeleteContext, view: FeatureView, keys: Keys) {
  const { tools, sequence, nowUs, signal } = context
  const { tiers, clock } = tools
  const forms = rowFormsOf(view)
  const warmKeys = withGeneration(keys, view.generation, forms.warm)
  const eventTimes = await tombstoneTimes(context, view, keys)
  const rows = eventTimes.map((eventTimeUs, slot) => ({
    slot,
    row: encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs, sequence }),
    keepMs: keepTombstoneMs({ eventTimeUs, retentionUs: view.retentionUs, nowUs }),
  }))
  const isInHot = placements[view.latencyClass].writesHot
  const hotKeys = isInHot ? withGeneration(keys, view.hotGeneration, forms.hot) : undefined
  const result = await storeRows(
    tiers,
    {
      writes: writesOf(warmKeys, rows),
      hotKeys,
      keepRowMs: (row) =>
        keepStoredMs(row, { retentionUs: view.retentionUs, nowUs }, forms.warm.versions),
    },
    { signal, hotSignal: AbortSignal.any([signal, clock.timeout(ackTimeoutMsDefault)]) },
  )
  const { storedCount, durable, visible } = result
  return { deletedCount: storedCount, durable, visible }
}

/** The event time of each key's tombstone: the caller's, or the later of now and the stored row's. */
async function tombstoneTimes(
  context: DeleteContext,
  view: FeatureView,
  keys: Keys,
): Promise<bigint[]> {
  const { tools, nowUs, eventTimeUs, signal } = context
  const slots = Uint32Array.from({ length: keys.count }, (_, slot) => slot)
  if (eventTimeUs !== 0n) return Array.from(slots, () => eventTimeUs)
  const stored = new RowBatch(keys.count)
  const form = rowFormsOf(view).warm
  const warmKeys = withGeneration(keys, view.generation, form)
  const failure = await tools.tiers.warm.read(warmKeys, slots, stored, tierCode.warm, signal)
  if (failure !== undefined) throw LarderError.from(failure)
  return Array.from(slots, (slot) => {
    if (stored.states[slot] !== rowState.row) return nowUs
    const row = stored.rowAt(slot)
    const storedUs = ignoreCorrupt(() => readRowHeader(row, form.versions))?.eventTimeUs ?? nowUs
    return storedUs > nowUs ? storedUs : nowUs
  })
}

/** What `read` reads of a row; undefined for a corrupt row, which gives way to any tombstone. */
function ignoreCorrupt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof LarderError && thrown.code === 'corrupt_row') return undefined
    throw thrown
  }
}

function findEntity(snapshot: Snapshot, name: string): Entity {
  const entity = snapshot.entities.get(name)
  if (entity !== undefined) return entity
  throw new LarderError(
    'not_found',
    `no entity '${name}'${didYouMean(name, snapshot.entities.keys())}`,
  )
}

function assertEventTime(eventTimeUs: bigint, nowUs: bigint): void {
  const latestUs = nowUs + BigInt(futureBoundMs) * 1000n
  if (eventTimeUs >= 0n && eventTimeUs <= latestUs) return
  throw new LarderError(
    'invalid_argument',
    `event_time ${eventTimeUs} us must lie between 0 and ${latestUs} us`,
  )
}

function parseKeys(entity: Entity, request: DeleteRequest, rowsMax: number): GivenKeys {
  const byName = indexColumns(request.keys, 'key column')
  const names = entity.keys.map((key) => key.name)
  for (const name of byName.keys()) {
    if (names.includes(name)) continue
    throw new LarderError(
      'invalid_argument',
      `entity '${entity.name}' has no join key '${name}'${didYouMean(name, names)}`,
    )
  }
  const keys = entity.keys.filter((key) => byName.has(key.name))
  if (keys.length === 0) {
    throw new LarderError('invalid_argument', `name at least one join key of '${entity.name}'`)
  }
  if (keys.length < entity.keys.length && !request.partial) {
    const missing = names.filter((name) => !byName.has(name)).join(', ')
    throw new LarderError(
      'invalid_argument',
      `join keys ${missing} of '${entity.name}' are missing; set partial to delete every match`,
    )
  }
  const rowCount = countRows(request.keys, rowsMax)
  const columns = keys.flatMap((key) => byName.get(key.name) ?? [])
  const all = encodeKeys(keys, columns, rowCount)
  const { uniqueCount, firstRows } = dedupeKeys(all)
  return { keys, encoded: pickKeys(all, firstRows, uniqueCount) }
}

/** The wanted combinations of key values, as texts that `projectedText` makes too. */
function wantedTexts({ keys, encoded }: GivenKeys): ReadonlySet<string> {
  const texts = new Set<string>()
  for (let index = 0; index < encoded.count; index++) {
    const bytes = encoded.bytes.subarray(encoded.offsets[index], encoded.offsets[index + 1])
    texts.add(valuesText(decodeEntityKey(keys, bytes)))
  }
  return texts
}

/** The values of `keys` in an entity key, as one text. */
function projectedText(entity: Entity, keys: readonly JoinKey[], entityKey: Uint8Array): string {
  const values = decodeEntityKey(entity.keys, entityKey)
  return valuesText(values.filter((_, index) => keys.some((key) => key === entity.keys[index])))
}

function valuesText(values: readonly unknown[]): string {
  return values
    .map((value) => {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
      return `${text.length}:${text}`
    })
    .join(',')
}
