/**
 * Runs a plan's writes: warm first, for it is what an acknowledgement's `durable` means; then hot.
 *
 * A hot step that fails or is late leaves the batch durable and not visible; its retry repeats the
 * hot step, because every write is conditional on the row's version. Nothing is removed from a hot tier
 * that is full: an older write under way could then land there and hide what was visible. What warm did not store, because
 * it holds newer rows, never reaches hot: there the newer rows may be gone.
 */
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import type { KeyBatch } from './key-batch.js'
import { RowBatch, rowState, tierCode } from './row-batch.js'
import { allIndices } from './row-writes.js'
import { type RowWrites, type SlotWrite, type Tier, writesOf } from './tier.js'
import type { TierObserver, TierRole } from './tier-observer.js'

/** What a store works with. `hot` is undefined where one tier serves both roles. */
export interface StoreTiers {
  readonly hot: Tier | undefined
  readonly warm: Tier
  readonly clock: Clock
  readonly observer: TierObserver
}

/** A batch's rows, under the names they have in each tier. */
export interface StorePlan {
  readonly writes: RowWrites
  /** The same keys under their hot generations; undefined where the view is not kept in hot. */
  readonly hotKeys: KeyBatch | undefined
  /** Milliseconds to keep a row of the view in hot, by its own bytes. Throws `corrupt_row`. */
  readonly keepRowMs: (row: Uint8Array) => number
}

export interface StoreResult {
  readonly storedCount: number
  readonly durable: boolean
  readonly visible: boolean
  /** Why not visible. */
  readonly hotFailure: LarderError | undefined
}

/**
 * Writes `plan`. Throws what warm throws: the batch is then not acknowledged, and its retry completes
 * it. `signal` bounds the warm step; `hotSignal` bounds the wait for `visible`.
 */
export async function storeRows(
  tiers: StoreTiers,
  plan: StorePlan,
  signals: { readonly signal: AbortSignal; readonly hotSignal: AbortSignal },
): Promise<StoreResult> {
  const { storedCount } = await writeTier(tiers, 'warm', plan.writes, signals.signal)
  const durable = tiers.warm.durable
  if (tiers.hot === undefined || plan.hotKeys === undefined) {
    return { storedCount, durable, visible: true, hotFailure: undefined }
  }
  try {
    const isNewest = storedCount === plan.writes.keys.count
    const hotWrites = isNewest
      ? { ...plan.writes, keys: plan.hotKeys }
      : await readNewest(tiers.warm, plan, plan.hotKeys, signals.hotSignal)
    await writeTier(tiers, 'hot', hotWrites, signals.hotSignal)
    return { storedCount, durable, visible: true, hotFailure: undefined }
  } catch (thrown) {
    const hotFailure = LarderError.from(thrown)
    tiers.observer.tierFailed('hot', hotFailure)
    return { storedCount, durable, visible: false, hotFailure }
  }
}

/**
 * What warm holds of the plan's keys, as writes to hot. A row that warm had a newer version of must not
 * reach hot by itself: hot may have lost the newer one, and would serve the old one from then on.
 */
async function readNewest(
  warm: Tier,
  { writes: { keys }, keepRowMs }: StorePlan,
  hotKeys: KeyBatch,
  signal: AbortSignal,
): Promise<RowWrites> {
  const newest = new RowBatch(keys.count)
  const failure = await warm.read(keys, allIndices(keys.count), newest, tierCode.warm, signal)
  if (failure !== undefined) throw failure
  const rows: SlotWrite[] = []
  for (let slot = 0; slot < keys.count; slot++) {
    if (newest.states[slot] !== rowState.row) continue
    const row = newest.rowAt(slot)
    rows.push({ slot, row, keepMs: keepRowMs(row) })
  }
  return writesOf(hotKeys, rows)
}

async function writeTier(
  tiers: StoreTiers,
  role: TierRole,
  writes: RowWrites,
  signal: AbortSignal,
): Promise<{ readonly storedCount: number }> {
  const tier = role === 'hot' ? tiers.hot : tiers.warm
  if (tier === undefined) return { storedCount: 0 }
  const startMs = tiers.clock.monotonicMs()
  const { storedCount } = await tier.write(writes, signal)
  const durationMs = tiers.clock.monotonicMs() - startMs
  tiers.observer.tierWritten(role, { rowCount: writes.keys.count, storedCount, durationMs })
  return { storedCount }
}
