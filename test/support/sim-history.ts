/**
 * Seeded histories of writes and deletes, and the plain model of what must stand at their end.
 *
 * The idea: times and keys are few, so that histories are full of equal event times, corrections,
 * duplicates and late rows; every row carries a mark of its own, so that the one that stands can be
 * told. The model knows nothing but "the greatest (event time, sequence) of a key stands".
 */
import { hotRawKeyBytesMax } from '../../src/limits.js'
import type { Prng } from '../../src/prng.js'

/** Where the judging clock of the histories stands: 2001-06-15T18:00:00Z. */
export const historyNowUs = 992_628_000_000_000n
const secondUs = 1_000_000n
/** Event times are this many seconds back at most. */
const secondsBackMax = 5

/** The views that every account has, one of each latency class. */
export const accountViews = ['fast', 'plain', 'slow'] as const
export type AccountView = (typeof accountViews)[number]

/** Definitions of the histories' entity and views. */
export const accountDefinitions = {
  path: 'accounts.yaml',
  text: `
entities:
  - { name: account, keys: { id: string } }
feature_views:
  - { name: fast, entity: account, latency_class: realtime, ttl: 1d, retention: 30d, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
  - { name: plain, entity: account, latency_class: standard, ttl: 1d, retention: 30d, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
  - { name: slow, entity: account, latency_class: relaxed, ttl: 1d, retention: 30d, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
`,
}

export interface HistoryRow {
  readonly key: string
  readonly eventTimeUs: bigint
  /** Told apart from every other row's of the history. */
  readonly mark: bigint
}

export interface HistoryBatch {
  readonly kind: 'batch'
  readonly batchId: string
  readonly view: AccountView
  readonly rows: readonly HistoryRow[]
  /** 0 where the daemon is to assign it. */
  readonly sequence: bigint
}

export interface HistoryDelete {
  readonly kind: 'delete'
  readonly keys: readonly string[]
  /** 0 where the daemon takes the later of now and the stored event time. */
  readonly eventTimeUs: bigint
}

export type HistoryStep = HistoryBatch | HistoryDelete

export interface History {
  readonly keys: readonly string[]
  /** What each writer does, one step after the other; a batch may stand in several places: a retry. */
  readonly writers: readonly (readonly HistoryStep[])[]
}

export interface HistorySpec {
  /** Tells the keys and batch ids of one history from another's. */
  readonly name: string
  readonly keyCount: number
  readonly writerCount: number
  readonly stepsPerWriter: number
}

/** A history made of `prng`'s numbers alone. */
export function createHistory(spec: HistorySpec, prng: Prng): History {
  const keys = Array.from({ length: spec.keyCount }, (_, index) => keyName(spec.name, index))
  const batches: HistoryBatch[] = []
  let mark = 0n
  const nextRow = (): HistoryRow => {
    mark += 1n
    return { key: pick(keys, prng), eventTimeUs: randomTimeUs(prng), mark }
  }
  const nextBatch = (): HistoryBatch => {
    const batch: HistoryBatch = {
      kind: 'batch',
      batchId: `${spec.name}/batch ${batches.length}`,
      view: pick(accountViews, prng),
      rows: Array.from({ length: 1 + prng.below(12) }, nextRow),
      // A sequence of the client's own is older than every one that a daemon makes.
      sequence: prng.below(4) === 0 ? BigInt(batches.length + 1) : 0n,
    }
    batches.push(batch)
    return batch
  }
  const nextStep = (): HistoryStep => {
    const dice = prng.below(10)
    if (dice === 0) {
      const eventTimeUs = prng.below(3) === 0 ? 0n : randomTimeUs(prng)
      return { kind: 'delete', keys: distinct(keys, prng), eventTimeUs }
    }
    return dice < 4 && batches.length > 0 ? pick(batches, prng) : nextBatch()
  }
  // Step by step over all writers: a retry may come before, with or after the first try.
  const writers = Array.from({ length: spec.writerCount }, (): HistoryStep[] => [])
  for (let step = 0; step < spec.stepsPerWriter; step++) {
    for (const writer of writers) writer.push(nextStep())
  }
  return { keys, writers }
}

/** Every third key is so long that hot keeps its hash. */
function keyName(historyName: string, index: number): string {
  return `${historyName}/${index}`.padEnd(index % 3 === 0 ? hotRawKeyBytesMax + 20 : 0, '.')
}

/** What stands for one key of one view: the version, and the mark unless it is deleted. */
export interface StandingRow {
  readonly eventTimeUs: bigint
  readonly sequence: bigint
  /** Undefined for a tombstone. */
  readonly mark: bigint | undefined
}

/** The model: what stands, by view and key. */
export type Standing = Map<string, StandingRow>

export function standingKey(view: AccountView, key: string): string {
  return `${view} ${key}`
}

/** Takes a batch that was acknowledged with `sequence` into the model. */
export function standBatch(standing: Standing, batch: HistoryBatch, sequence: bigint): void {
  const winners = new Map<string, HistoryRow>()
  for (const row of batch.rows) {
    const rival = winners.get(row.key)
    if (rival === undefined || row.eventTimeUs >= rival.eventTimeUs) winners.set(row.key, row)
  }
  for (const { key, eventTimeUs, mark } of winners.values()) {
    stand(standing, standingKey(batch.view, key), { eventTimeUs, sequence, mark })
  }
}

/** Takes a delete that was acknowledged with `sequence` into the model. */
export function standDelete(standing: Standing, deleted: HistoryDelete, sequence: bigint): void {
  // No event time of a history lies after now, so that now is the later of the two.
  const eventTimeUs = deleted.eventTimeUs === 0n ? historyNowUs : deleted.eventTimeUs
  for (const view of accountViews) {
    for (const key of deleted.keys) {
      stand(standing, standingKey(view, key), { eventTimeUs, sequence, mark: undefined })
    }
  }
}

function stand(standing: Standing, place: string, row: StandingRow): void {
  const rival = standing.get(place)
  const isNewer =
    rival === undefined ||
    row.eventTimeUs > rival.eventTimeUs ||
    (row.eventTimeUs === rival.eventTimeUs && row.sequence > rival.sequence)
  if (isNewer) standing.set(place, row)
}

function randomTimeUs(prng: Prng): bigint {
  return historyNowUs - secondUs * BigInt(prng.below(secondsBackMax + 1))
}

function distinct(keys: readonly string[], prng: Prng): string[] {
  const picked = keys.filter(() => prng.below(keys.length) < 2)
  return picked.length === 0 ? [pick(keys, prng)] : picked
}

export function pick<T>(items: readonly T[], prng: Prng): T {
  const item = items[prng.below(items.length)]
  if (item === undefined) throw new RangeError('there is nothing to pick from')
  return item
}
