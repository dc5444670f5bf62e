/**
 * The caller-owned batch that a read fills: one byte arena, and for each key a place in it and a state.
 *
 * A request owns its batch until it releases it; several tiers may fill slots of one batch, one
 * after the other (hot, then warm for what hot lacked). Rows are copied in: a tier's own buffers are
 * free again when its read returns. What a tier received for this batch alone, it may give up instead.
 */
import { assert } from '../assert.js'

/** The state of a slot. `pending` is where every slot starts. */
export const rowState = { pending: 0, row: 1, absent: 2, failed: 3 } as const

/** Which tier a slot's row, absence or failure came from: the codes of `larder.v1.TierName`. */
export const tierCode = { none: 0, near: 1, hot: 2, warm: 3 } as const
export type TierCode = (typeof tierCode)[keyof typeof tierCode]

const nothing = new Uint8Array(0)

export class RowBatch {
  readonly count: number
  /** `rowState` codes. */
  readonly states: Uint8Array
  /** `tierCode` codes. */
  readonly tiers: Uint8Array
  /** Row i is `arena[starts[i] .. starts[i] + lengths[i])` where its state is `row`. */
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  readonly #firstArenaBytes: number
  #arena: Uint8Array = nothing
  #used = 0

  constructor(count: number, rowBytesExpected = 128) {
    this.count = count
    this.#firstArenaBytes = Math.max(64, count * rowBytesExpected)
    this.states = new Uint8Array(count)
    this.tiers = new Uint8Array(count)
    this.starts = new Uint32Array(count)
    this.lengths = new Uint32Array(count)
  }

  /** All rows' bytes. A `setRow` may replace it: ask again after every write. */
  get arena(): Uint8Array {
    return this.#arena
  }

  /** Copies in the row that is `block` from `rowStart` on: a block is copied whole, to make no view of it. */
  setRow(slot: number, block: Uint8Array, tier: TierCode, rowStart = 0): void {
    const start = this.append(block)
    this.setAppended(slot, start + rowStart, block.byteLength - rowStart, tier)
  }

  /**
   * As `append`, but a first block becomes the arena itself: for memory that nobody changes as long as
   * the batch lives, such as what was received for it.
   */
  adopt(block: Uint8Array): number {
    if (this.#used > 0) return this.append(block)
    this.#arena = block
    this.#used = block.byteLength
    return 0
  }

  /** Copies in a block of many rows and returns where in the arena it starts. */
  append(block: Uint8Array): number {
    const start = this.#used
    this.#reserve(block.byteLength)
    this.#arena.set(block, start)
    this.#used += block.byteLength
    return start
  }

  /** The row of `slot` is `rowBytes` bytes at `start` of the arena, which `append` copied in. */
  setAppended(slot: number, start: number, rowBytes: number, tier: TierCode): void {
    assert(slot < this.count, 'a row lands in a slot of its batch')
    assert(start + rowBytes <= this.#used, 'a row lies in what was copied in')
    this.states[slot] = rowState.row
    this.tiers[slot] = tier
    this.starts[slot] = start
    this.lengths[slot] = rowBytes
  }

  setAbsent(slot: number, tier: TierCode): void {
    this.states[slot] = rowState.absent
    this.tiers[slot] = tier
  }

  setFailed(slot: number, tier: TierCode): void {
    this.states[slot] = rowState.failed
    this.tiers[slot] = tier
  }

  /** The row of `slot`: a view into the arena. Only where its state is `row`. */
  rowAt(slot: number): Uint8Array {
    assert(this.states[slot] === rowState.row, 'only a slot with a row has bytes')
    const start = this.starts[slot] ?? 0
    return this.#arena.subarray(start, start + (this.lengths[slot] ?? 0))
  }

  #reserve(byteCount: number): void {
    const needed = this.#used + byteCount
    if (needed <= this.#arena.byteLength) return
    const grown = new Uint8Array(
      Math.max(needed, this.#firstArenaBytes, this.#arena.byteLength * 2),
    )
    grown.set(this.#arena.subarray(0, this.#used))
    this.#arena = grown
  }
}
