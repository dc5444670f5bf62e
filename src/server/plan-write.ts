/**
 * Plans a write: checks a batch whole against the view's schema version and encodes its rows. Pure.
 *
 * All-or-nothing: every bad row is found before anything is stored. Rows of one batch that name the
 * same entity are settled here: the highest event time wins, then the last in the batch.
 */

import { didYouMean } from '../closest-name.js'
import { dedupeKeys, encodeEntityKeys } from '../codec/entity-key.js'
import { encodeRows, type RowProblem, type RowProblems } from '../codec/row-encode.js'
import type { RowLayout } from '../codec/row-layout.js'
import { type WireColumn, wireCellCount } from '../column.js'
import { LarderError } from '../errors.js'
import { formatInstant } from '../instant.js'
import { badRowsToldMax, futureBoundMs } from '../limits.js'
import type { FeatureView, Schema } from '../registry/snapshot.js'
import { keepRowMs, keepStoredMs } from '../tiers/expiry.js'
import { withGeneration } from '../tiers/key-batch.js'
import { placements } from '../tiers/placement.js'
import type { StorePlan } from '../tiers/store-rows.js'
import { indexColumns, type Keys, pickKeys } from './plan-read.js'
import { rowFormsOf } from './row-forms.js'

/** A batch as it arrived, not yet checked against its view. */
export interface WriteBatch {
  readonly batchId: string
  readonly view: string
  readonly schemaVersion: number
  readonly keys: readonly WireColumn[]
  readonly eventTimesUs: BigInt64Array
  readonly features: readonly WireColumn[]
  /** 0 where the daemon is to assign it. */
  readonly sequence: bigint
  readonly ackTimeoutMs: number
}

/** Rows that were refused: the first of them, and how many there are. */
export interface BadRows {
  readonly badRows: readonly RowProblem[]
  readonly badRowCount: number
}

export interface WriteContext {
  readonly view: FeatureView
  /** In which rows of the batch's schema version are written, each in the first that can hold it. */
  readonly layouts: readonly RowLayout[]
  readonly schema: Schema
  /** The judging clock's now. */
  readonly nowUs: bigint
  readonly sequence: bigint
}

/** The schema version a batch names. Throws `invalid_argument` with the current one where it is unknown. */
export function findSchema(view: FeatureView, schemaVersion: number): Schema {
  const schema = view.schemas.find((known) => known.version === schemaVersion)
  if (schema !== undefined) return schema
  throw new LarderError(
    'invalid_argument',
    `view '${view.name}' has no readable schema version ${schemaVersion}; the current one is ` +
      `${view.schemas.at(-1)?.version}`,
  )
}

/** The plan of storing `batch`, or its bad rows. Throws `invalid_argument` where the batch itself is wrong. */
export function planWrite(batch: WriteBatch, context: WriteContext): StorePlan | BadRows {
  const { view, schema, layouts, nowUs, sequence } = context
  const rowCount = batch.eventTimesUs.length
  const keys = encodeEntityKeys(view.entity.keys, keyColumns(batch, view, rowCount), rowCount)
  const encoded = encodeRows(layouts, {
    columns: featureColumns(batch, view, schema, rowCount),
    eventTimesUs: batch.eventTimesUs,
    sequence,
    rowCount,
  })
  const parts = [
    findBadEventTimes(batch.eventTimesUs, view, nowUs),
    badRowsOf(keys),
    badRowsOf(encoded),
  ]
  const bad = joinProblems(parts, rowCount)
  if ('problems' in keys || 'problems' in encoded || bad.badRowCount > 0) return bad
  const rows = { count: rowCount, bytes: encoded.rows, offsets: encoded.rowOffsets }
  return planStore({ count: rowCount, ...keys }, rows, batch.eventTimesUs, { view, nowUs })
}

function planStore(
  keys: Keys,
  rows: Keys,
  eventTimesUs: BigInt64Array,
  { view, nowUs }: { view: FeatureView; nowUs: bigint },
): StorePlan {
  const winners = findWinners(keys, eventTimesUs)
  const all = winners.length === keys.count
  const keptKeys = all ? keys : pickKeys(keys, winners, winners.length)
  const keptRows = all ? rows : pickKeys(rows, winners, winners.length)
  const forms = rowFormsOf(view)
  const keepMs = Float64Array.from(winners, (row) =>
    keepRowMs({ eventTimeUs: eventTimesUs[row] ?? 0n, retentionUs: view.retentionUs, nowUs }),
  )
  return {
    writes: {
      keys: withGeneration(keptKeys, view.generation, forms.warm),
      rows: keptRows.bytes,
      rowOffsets: keptRows.offsets,
      keepMs,
    },
    hotKeys: placements[view.latencyClass].writesHot
      ? withGeneration(keptKeys, view.hotGeneration, forms.hot)
      : undefined,
    keepRowMs: (row) =>
      keepStoredMs(row, { retentionUs: view.retentionUs, nowUs }, forms.warm.versions),
  }
}

/** For each distinct key the row that stands: the highest event time, then the last. */
function findWinners(keys: Keys, eventTimesUs: BigInt64Array): Uint32Array {
  const { uniqueCount, slots, firstRows } = dedupeKeys(keys)
  const winners = firstRows.slice(0, uniqueCount)
  if (uniqueCount === keys.count) return winners
  for (const [row, slot] of slots.entries()) {
    const standing = eventTimesUs[winners[slot] ?? 0] ?? 0n
    if ((eventTimesUs[row] ?? 0n) >= standing) winners[slot] = row
  }
  return winners
}

function keyColumns(batch: WriteBatch, view: FeatureView, rowCount: number): WireColumn[] {
  const byName = indexColumns(batch.keys, 'key column')
  const names = view.entity.keys.map((key) => key.name)
  refuseUnknown(byName.keys(), names, `entity '${view.entity.name}' has no join key`)
  return names.map((name) => {
    const column = byName.get(name)
    if (column !== undefined) return checkCellCount(column, rowCount)
    throw new LarderError('invalid_argument', `key column '${name}' of '${view.name}' is missing`)
  })
}

function featureColumns(
  batch: WriteBatch,
  view: FeatureView,
  schema: Schema,
  rowCount: number,
): WireColumn[] {
  const byName = indexColumns(batch.features, 'feature column')
  const names = schema.features.map((feature) => feature.name)
  const owner = `view '${view.name}', schema version ${schema.version}`
  refuseUnknown(byName.keys(), names, `${owner}, has no feature`)
  return names.map((name) => {
    const column = byName.get(name)
    if (column !== undefined) return checkCellCount(column, rowCount)
    throw new LarderError(
      'invalid_argument',
      `${owner}: feature column '${name}' is missing; a batch carries every feature, null where unknown`,
    )
  })
}

function refuseUnknown(given: Iterable<string>, known: readonly string[], what: string): void {
  for (const name of given) {
    if (known.includes(name)) continue
    throw new LarderError('invalid_argument', `${what} '${name}'${didYouMean(name, known)}`)
  }
}

function checkCellCount(column: WireColumn, rowCount: number): WireColumn {
  const cellCount = wireCellCount(column.values)
  if (cellCount === rowCount) return column
  throw new LarderError(
    'invalid_argument',
    `ragged columns: '${column.name}' has ${cellCount ?? 'a broken number of'} cells, ` +
      `event_times has ${rowCount}`,
  )
}

function badRowsOf(encoded: object | RowProblems): BadRows {
  if (!('problems' in encoded)) return { badRows: [], badRowCount: 0 }
  return { badRows: encoded.problems, badRowCount: encoded.problemCount }
}

/**
 * The bad rows of all `parts` in row order, each with the first thing that is wrong with it. A row that
 * is bad in several ways counts once; more than once only where a part has more than it lists.
 */
function joinProblems(parts: readonly BadRows[], rowCount: number): BadRows {
  const listed = parts.flatMap((part) => part.badRows)
  const byRow = new Map<number, RowProblem>()
  for (const problem of listed) {
    if (!byRow.has(problem.rowIndex)) byRow.set(problem.rowIndex, problem)
  }
  const inOrder = [...byRow.values()].sort((a, b) => a.rowIndex - b.rowIndex)
  const countedTwice = listed.length - byRow.size
  const counted = parts.reduce((sum, part) => sum + part.badRowCount, 0) - countedTwice
  return {
    badRows: inOrder.slice(0, badRowsToldMax),
    badRowCount: Math.min(counted, rowCount),
  }
}

/** Event times past retention would be gone at once; those far in the future would shadow later writes. */
function findBadEventTimes(eventTimesUs: BigInt64Array, view: FeatureView, nowUs: bigint): BadRows {
  const latestUs = nowUs + BigInt(futureBoundMs) * 1000n
  const earliestUs = nowUs - view.retentionUs
  const badRows: RowProblem[] = []
  let badRowCount = 0
  for (let rowIndex = 0; rowIndex < eventTimesUs.length; rowIndex++) {
    const timeUs = eventTimesUs[rowIndex] ?? 0n
    if (timeUs <= latestUs && timeUs >= earliestUs) continue
    badRowCount++
    if (badRows.length >= badRowsToldMax) continue
    const reason =
      timeUs > latestUs
        ? `event time ${formatInstant(timeUs)} is further in the future than ${futureBoundMs / 1000} s allow ` +
          `(at most ${formatInstant(latestUs)})`
        : `event time ${formatInstant(timeUs)} is expired: older than retention allows ` +
          `(at least ${formatInstant(earliestUs)})`
    badRows.push({ rowIndex, column: 'event_times', reason })
  }
  return { badRows, badRowCount }
}
