/**
 * Placement: which tiers a view's rows live in, by its latency class. Pure.
 *
 * For now a class maps plainly to tiers; warm always holds every row and is authoritative. A miss in
 * hot is never final: it goes on to warm.
 */
import type { LatencyClass } from '../registry/snapshot.js'

export interface Placement {
  /** Reads ask hot first. */
  readonly readsHot: boolean
  /** A row found in warm is copied into hot. */
  readonly fillsHot: boolean
  /** Writes reach hot after warm; an acknowledgement's `visible` waits for it. */
  readonly writesHot: boolean
}

const inHotAndWarm: Placement = { readsHot: true, fillsHot: true, writesHot: true }
const inWarm: Placement = { readsHot: false, fillsHot: false, writesHot: false }

/** Every latency class has its placement: a new one does not compile without. */
export const placements = {
  realtime: inHotAndWarm,
  // A write leaves its row in hot too, so that no slow reader's fill can hide it.
  standard: inHotAndWarm,
  relaxed: inWarm,
} as const satisfies Record<LatencyClass, Placement>
