/**
 * A fetch plan: the keys of one request over all its views, as one frozen value.
 */
import type { KeyBatch } from './key-batch.js'

/** The keys of one view in a fetch: slots `start` (inclusive) to `end` (exclusive). */
export interface FetchRange {
  readonly start: number
  readonly end: number
  readonly readsHot: boolean
  readonly fillsHot: boolean
  /** Milliseconds to keep a row of this view in hot, by its own bytes. Throws `corrupt_row`. */
  readonly keepRowMs: (row: Uint8Array) => number
}

export interface FetchPlan {
  /** The same keys, in the same slots, under the generations they have in each tier. */
  readonly hotKeys: KeyBatch
  readonly warmKeys: KeyBatch
  /** In slot order, without gaps. */
  readonly ranges: readonly FetchRange[]
}

export function rangeOfSlot(plan: FetchPlan, slot: number): FetchRange {
  const range = plan.ranges.find((candidate) => slot < candidate.end)
  if (range === undefined) throw new RangeError(`slot ${slot} lies in no range of its plan`)
  return range
}
