/**
 * Copies rows that warm had into hot, off the reply's path.
 *
 * A fill is conditional on the row's version, and carries the time its row was read: one that comes
 * too late is dropped, so that it can never hide a write acknowledged meanwhile. A fill that fails is
 * counted and told, never raised: the row stays in warm.
 */
import type { Clock } from '../clock.js'
import { isUnknownLayout } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import { fillAgeMsMax } from '../limits.js'
import { type FetchPlan, type FetchRange, rangeOfSlot } from './fetch-plan.js'
import { type RowBatch, rowState } from './row-batch.js'
import { type RowWrites, type SlotWrite, type Tier, writesOf } from './tier.js'
import type { TierObserver } from './tier-observer.js'

export class HotFiller {
  readonly #hot: Tier
  readonly #clock: Clock
  readonly #observer: TierObserver
  readonly #underWay = new Set<Promise<void>>()

  constructor(hot: Tier, clock: Clock, observer: TierObserver) {
    this.#hot = hot
    this.#clock = clock
    this.#observer = observer
  }

  /** Starts copying those of `slots` that hold a row and whose view is filled on read. */
  start(plan: FetchPlan, slots: Uint32Array, from: RowBatch, readAtMs: number): void {
    const rows = rowsToFill(plan, slots, from)
    if (rows.length === 0) return
    const fill = this.#store(writesOf(plan.hotKeys, rows), readAtMs)
    this.#underWay.add(fill)
    fill.finally(() => this.#underWay.delete(fill))
  }

  /** Resolves when every fill that was started is over. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #store(writes: RowWrites, readAtMs: number): Promise<void> {
    const leftMs = fillAgeMsMax - (this.#clock.monotonicMs() - readAtMs)
    if (leftMs <= 0) {
      this.#observer.filled('late', writes.keys.count)
      return
    }
    try {
      await this.#hot.write(writes, this.#clock.timeout(Math.ceil(leftMs)))
      this.#observer.filled('stored', writes.keys.count)
    } catch (thrown) {
      this.#observer.filled('failed', writes.keys.count)
      this.#observer.tierFailed('hot', LarderError.from(thrown))
    }
  }
}

function rowsToFill(plan: FetchPlan, slots: Uint32Array, from: RowBatch): SlotWrite[] {
  const rows: SlotWrite[] = []
  for (const slot of slots) {
    const range = rangeOfSlot(plan, slot)
    if (!range.fillsHot || from.states[slot] !== rowState.row) continue
    const row = from.rowAt(slot)
    const keepMs = keepMsOf(range, row)
    if (keepMs !== undefined) rows.push({ slot, row, keepMs })
  }
  return rows
}

/** A row whose header cannot be read is not copied: the decoder will say what is wrong with it. */
function keepMsOf(range: FetchRange, row: Uint8Array): number | undefined {
  try {
    return range.keepRowMs(row)
  } catch (thrown) {
    if (isUnknownLayout(thrown)) return undefined
    if (thrown instanceof LarderError && thrown.code === 'corrupt_row') return undefined
    throw thrown
  }
}
