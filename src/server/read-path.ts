/**
 * The read path: a planned read becomes typed columns.
 *
 * plan -> fetch -> decode. A row that is missing, late or corrupt is not an error here: the cells say
 * so. Rows in a layout that the plan's snapshot does not know are told, for the caller to reload the
 * registry and start over.
 */

import type { JudgingClock } from '../clock.js'
import { type DecodedRows, decodeRows } from '../codec/row-decode.js'
import type { FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { keepStoredMs } from '../tiers/expiry.js'
import type { FetchPlan } from '../tiers/fetch-plan.js'
import { type FetchDeadline, type FetchTiers, fetchRows } from '../tiers/fetch-rows.js'
import { placements } from '../tiers/placement.js'
import { type RowBatch, rowState } from '../tiers/row-batch.js'
import type { RowForm } from '../tiers/row-form.js'
import { decoderOf } from './decoders.js'
import type { ReadPlan, RoleRead, ViewRead } from './plan-read.js'
import { rowFormsOf } from './row-forms.js'

export interface ReadObserver {
  /** A stored row that is not a row of its layout. `key` is the entity key, in hex. */
  corruptRow(view: string, key: string, reason: string): void
}

export interface ReadTools {
  readonly tiers: FetchTiers
  readonly clock: JudgingClock
  readonly observer: ReadObserver
}

/** What a role's rows were: for each row of the request, event time (0: none) and tier code. */
export interface RoleRows {
  readonly role: string
  readonly view: string
  readonly eventTimesUs: BigInt64Array
  readonly tiers: Uint8Array
}

export interface ReadResult {
  /** In the plan's feature order. */
  readonly columns: readonly FeatureColumn[]
  readonly roles: readonly RoleRows[]
  /** Rows whose layout the plan's snapshot does not know. */
  readonly unknownLayouts: readonly UnknownLayout[]
}

export interface UnknownLayout {
  readonly view: string
  /** The entity key, in hex. */
  readonly key: string
  readonly layoutId: number
}

/** Fetches and decodes everything `plan` names. */
export async function readFeatures(
  tools: ReadTools,
  plan: ReadPlan,
  deadline: FetchDeadline,
): Promise<ReadResult> {
  const nowUs = tools.clock.nowUs()
  const batch = await fetchRows(tools.tiers, fetchPlanOf(plan, nowUs), deadline)
  const byName = new Map<string, FeatureColumn>()
  const roles: RoleRows[] = []
  const unknownLayouts: UnknownLayout[] = []
  // A row that several roles share is told once.
  const toldSlots = new Set<number>()
  for (const role of plan.roles) {
    const decoded = decodeRole(plan, role, batch, nowUs)
    for (const column of decoded.columns) byName.set(column.name, column)
    for (const { slot, reason } of decoded.corrupt) {
      if (toldSlots.has(slot)) continue
      toldSlots.add(slot)
      tools.observer.corruptRow(role.view.name, keyHex(role.read, slot), reason)
    }
    for (const { slot, layoutId } of decoded.unknownLayouts) {
      if (toldSlots.has(slot)) continue
      toldSlots.add(slot)
      unknownLayouts.push({ view: role.view.name, key: keyHex(role.read, slot), layoutId })
    }
    roles.push(rowsOfRole(role, batch, decoded))
  }
  return {
    columns: plan.features.map(({ name }) => columnNamed(byName, name)),
    roles,
    unknownLayouts,
  }
}

function decodeRole(plan: ReadPlan, role: RoleRead, batch: RowBatch, nowUs: bigint): DecodedRows {
  const features = plan.features.filter((feature) => feature.role === role.role)
  const { ttlUs, retentionUs, onStale } = role.view
  const slots =
    role.read.start === 0 ? role.slots : role.slots.map((slot) => slot + role.read.start)
  return decodeRows(
    decoderOf(role.view, features),
    batch,
    { nowUs, ttlUs, retentionUs, onStale },
    { slots },
  )
}

function rowsOfRole(role: RoleRead, batch: RowBatch, decoded: DecodedRows): RoleRows {
  const { eventTimesUs } = decoded
  const tiers = new Uint8Array(role.slots.length)
  // Plain loops where there is a step per row: an array's own `from` costs several times as much.
  for (let row = 0; row < tiers.length; row++) {
    const slot = role.read.start + (role.slots[row] ?? 0)
    // A tombstone, or a row past retention, is no row to a reader: it has no event time either.
    if (batch.states[slot] !== rowState.row || eventTimesUs[row] === 0n) continue
    tiers[row] = batch.tiers[slot] ?? 0
  }
  return {
    role: role.role,
    view: role.view.name,
    eventTimesUs,
    tiers,
  }
}

function columnNamed(byName: ReadonlyMap<string, FeatureColumn>, name: string): FeatureColumn {
  const column = byName.get(name)
  if (column === undefined) throw new LarderError('internal', `no column was made for '${name}'`)
  return column
}

/** The keys of all views of a plan, in one batch. */
export function fetchPlanOf(plan: ReadPlan, nowUs: bigint): FetchPlan {
  const count = plan.reads.reduce((sum, read) => sum + read.count, 0)
  const offsets = new Uint32Array(count + 1)
  const warmGenerations = new Float64Array(count)
  const hotGenerations = new Float64Array(count)
  const warmForms = new Map<number, RowForm>()
  const hotForms = new Map<number, RowForm>()
  let base = 0
  for (const { view, start, count: readCount, keyOffsets } of plan.reads) {
    warmGenerations.fill(view.generation, start, start + readCount)
    hotGenerations.fill(view.hotGeneration, start, start + readCount)
    const { warm, hot } = rowFormsOf(view)
    warmForms.set(view.generation, warm)
    hotForms.set(view.hotGeneration, hot)
    for (let key = 1; key <= readCount; key++) offsets[start + key] = base + (keyOffsets[key] ?? 0)
    base += keyOffsets[readCount] ?? 0
  }
  const bytes = Buffer.concat(plan.reads.map((read) => read.keyBytes))
  return {
    warmKeys: { count, generations: warmGenerations, bytes, offsets, forms: warmForms },
    hotKeys: { count, generations: hotGenerations, bytes, offsets, forms: hotForms },
    ranges: plan.reads.map(({ view, start, count: readCount }) => ({
      start,
      end: start + readCount,
      readsHot: placements[view.latencyClass].readsHot,
      fillsHot: placements[view.latencyClass].fillsHot,
      keepRowMs: (row) =>
        keepStoredMs(row, { retentionUs: view.retentionUs, nowUs }, rowFormsOf(view).warm.versions),
    })),
  }
}

function keyHex(read: ViewRead, slot: number): string {
  const index = slot - read.start
  const key = read.keyBytes.subarray(read.keyOffsets[index], read.keyOffsets[index + 1])
  return Buffer.from(key).toString('hex')
}
