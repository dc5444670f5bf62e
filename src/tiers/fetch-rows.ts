/**
 * Runs a plan's reads: one fetch per tier for all views of a request, falling through from hot to
 * warm for what hot lacked.
 *
 * Slots that cannot be answered in time are left failed; nothing here throws for a tier's failure.
 */
import type { Clock } from '../clock.js'
import { warmReadFloorMs } from '../limits.js'
import { untilAborted } from './abortable.js'
import { type FetchPlan, rangeOfSlot } from './fetch-plan.js'
import type { HotFiller } from './hot-filler.js'
import type { KeyBatch } from './key-batch.js'
import { RowBatch, rowState, tierCode } from './row-batch.js'
import type { SharedMiss, SharedMisses } from './shared-misses.js'
import type { Tier } from './tier.js'
import type { TierObserver, TierRole } from './tier-observer.js'

/** What a fetch works with. `hot` is undefined where one tier serves both roles. */
export interface FetchTiers {
  readonly hot: { readonly tier: Tier; readonly filler: HotFiller } | undefined
  readonly warm: Tier
  readonly misses: SharedMisses
  readonly clock: Clock
  readonly observer: TierObserver
}

/** When a fetch must be over, on the clock's monotonic scale, and the signal that says so. */
export interface FetchDeadline {
  readonly atMs: number
  readonly signal: AbortSignal
}

interface JoinedSlot {
  readonly slot: number
  readonly miss: SharedMiss
}

/** Fills a batch with one slot per key of `plan`. The caller owns the batch. */
export async function fetchRows(
  tiers: FetchTiers,
  plan: FetchPlan,
  deadline: FetchDeadline,
): Promise<RowBatch> {
  const into = new RowBatch(plan.warmKeys.count)
  if (tiers.hot !== undefined) {
    const slots = slotsInHot(plan)
    await readTier(tiers, 'hot', { keys: plan.hotKeys, slots, into }, deadline.signal)
  }
  const missing = slotsWithoutRow(into)
  if (missing.length === 0) return into
  if (deadline.atMs - tiers.clock.monotonicMs() < warmReadFloorMs) {
    for (const slot of missing) into.setFailed(slot, tierCode.warm)
    return into
  }
  await readMissing(tiers, plan, { missing, into }, deadline.signal)
  return into
}

async function readMissing(
  tiers: FetchTiers,
  plan: FetchPlan,
  { missing, into }: { missing: readonly number[]; into: RowBatch },
  signal: AbortSignal,
): Promise<void> {
  const own: number[] = []
  const joined: JoinedSlot[] = []
  for (const slot of missing) {
    const miss = canShare(tiers, plan, slot) ? tiers.misses.find(plan.warmKeys, slot) : undefined
    if (miss === undefined) own.push(slot)
    else joined.push({ slot, miss })
  }
  await readOwn(tiers, plan, { own, into }, signal)
  const ended = await awaitShared(joined, signal)
  for (const { slot, miss } of joined) {
    if (ended.has(miss.done)) copyShared(miss, slot, into)
    else into.setFailed(slot, tierCode.warm)
  }
  // The other request's read may have failed for a reason of its own, such as an early deadline.
  const again = joined.map(({ slot }) => slot).filter((slot) => isFailed(into, slot))
  if (!signal.aborted) await readOwn(tiers, plan, { own: again, into }, signal)
}

async function readOwn(
  tiers: FetchTiers,
  plan: FetchPlan,
  { own, into }: { own: readonly number[]; into: RowBatch },
  signal: AbortSignal,
): Promise<void> {
  if (own.length === 0) return
  const slots = Uint32Array.from(own)
  const readAtMs = tiers.clock.monotonicMs()
  const read = readTier(tiers, 'warm', { keys: plan.warmKeys, slots, into }, signal)
  const shared = own.filter((slot) => canShare(tiers, plan, slot))
  tiers.misses.announce(plan.warmKeys, shared, into, read)
  await read
  tiers.hot?.filler.start(plan, slots, into, readAtMs)
}

async function readTier(
  { hot, warm, clock, observer }: FetchTiers,
  role: TierRole,
  reads: { readonly keys: KeyBatch; readonly slots: Uint32Array; readonly into: RowBatch },
  signal: AbortSignal,
): Promise<void> {
  const tier = role === 'hot' ? hot?.tier : warm
  if (tier === undefined || reads.slots.length === 0) return
  const startMs = clock.monotonicMs()
  const failure = await tier.read(reads.keys, reads.slots, reads.into, tierCode[role], signal)
  if (failure !== undefined) observer.tierFailed(role, failure)
  let rowCount = 0
  for (const slot of reads.slots) if (reads.into.states[slot] === rowState.row) rowCount++
  const durationMs = clock.monotonicMs() - startMs
  observer.tierRead(role, { keyCount: reads.slots.length, rowCount, durationMs })
}

/**
 * The reads among `joined` that ended before `signal` fired. Until one has, its slots say nothing: they
 * may still hold what hot answered.
 */
async function awaitShared(
  joined: readonly JoinedSlot[],
  signal: AbortSignal,
): Promise<ReadonlySet<Promise<void>>> {
  const ended = new Set<Promise<void>>()
  const reads = new Set(joined.map(({ miss }) => miss.done))
  const all = Promise.all(Array.from(reads, (done) => done.then(() => ended.add(done))))
  // However the wait ends, what has not ended by then is failed.
  await untilAborted(all, signal).catch(() => undefined)
  return ended
}

function copyShared(miss: SharedMiss, slot: number, into: RowBatch): void {
  const state = miss.from.states[miss.fromSlot]
  if (state === rowState.row) into.setRow(slot, miss.from.rowAt(miss.fromSlot), tierCode.warm)
  else if (state === rowState.absent) into.setAbsent(slot, tierCode.warm)
  else into.setFailed(slot, tierCode.warm)
}

function canShare(tiers: FetchTiers, plan: FetchPlan, slot: number): boolean {
  return tiers.hot !== undefined && rangeOfSlot(plan, slot).readsHot
}

function isFailed(batch: RowBatch, slot: number): boolean {
  return batch.states[slot] === rowState.failed
}

function slotsInHot(plan: FetchPlan): Uint32Array {
  const slots: number[] = []
  for (const range of plan.ranges) {
    if (!range.readsHot) continue
    for (let slot = range.start; slot < range.end; slot++) slots.push(slot)
  }
  return Uint32Array.from(slots)
}

/** Slots that still need warm: not asked yet, absent from hot, or failed there. */
function slotsWithoutRow(batch: RowBatch): number[] {
  const slots: number[] = []
  for (let slot = 0; slot < batch.count; slot++) {
    if (batch.states[slot] !== rowState.row) slots.push(slot)
  }
  return slots
}
