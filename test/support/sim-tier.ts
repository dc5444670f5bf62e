/**
 * A tier in simulated time, behind a network that delays, reorders, fails and goes silent.
 *
 * The idea: a request arrives and takes effect some time after it was sent, whether or not anybody
 * still waits for the answer, so that every way in which a real store can surprise its caller
 * happens, and happens often. What is stored follows the contract to the letter.
 */
import { compareRowVersions } from '../../src/codec/row-version.js'
import { LarderError } from '../../src/errors.js'
import type { Prng } from '../../src/prng.js'
import { failSlots, untilAborted } from '../../src/tiers/abortable.js'
import {
  entityKeyAt,
  formAt,
  type GenerationKeys,
  generationAt,
  type KeyBatch,
} from '../../src/tiers/key-batch.js'
import { concatGenerationKeys } from '../../src/tiers/key-concat.js'
import type { RowBatch, TierCode } from '../../src/tiers/row-batch.js'
import { assertRows, keepMsOfWrite, rowOfWrite } from '../../src/tiers/row-writes.js'
import type { RowWrites, ScannedRows, Tier, TierStats, WriteResult } from '../../src/tiers/tier.js'
import type { SimClock } from './sim-clock.js'

export interface SimTierOptions {
  readonly name: string
  readonly durable: boolean
  readonly clock: SimClock
  readonly prng: Prng
  /** The share of calls that go wrong, 0 to 1. */
  readonly faultShare: number
  /** True where writes also fail because the store is full. */
  readonly runsFull: boolean
}

/** What goes wrong with a call: before it takes effect, half-way, after it, or with its answer. */
const faults = ['refused', 'torn', 'answer lost', 'silent'] as const
type Fault = (typeof faults)[number] | undefined

interface StoredRow {
  readonly row: Uint8Array
  readonly writtenAtMs: number
  readonly expiresAtMs: number
}

/** Most calls are quick; some are so slow that their callers give up. */
const quickMsMax = 20
const slowMsMax = 1500
const slowShare = 0.05

export class SimTier implements Tier {
  readonly kind = 'sim'
  readonly displayUrl: string
  readonly durable: boolean
  readonly #options: SimTierOptions
  readonly #rows = new Map<string, StoredRow>()
  #healed = false

  constructor(options: SimTierOptions) {
    this.#options = options
    this.displayUrl = `sim:${options.name}`
    this.durable = options.durable
  }

  /** From here on nothing goes wrong. */
  heal(): void {
    this.#healed = true
  }

  /** Drops about `share` of the rows that were written longer than `idleMs` ago. */
  evict(share: number, idleMs: number): void {
    const { clock, prng } = this.#options
    for (const [place, { writtenAtMs }] of this.#rows) {
      if (clock.nowMs() - writtenAtMs > idleMs && prng.next() < share) this.#rows.delete(place)
    }
  }

  async read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    try {
      const look = (slot: number) => this.#rowAt(placeOf(keys, slot))?.row
      const rows = await this.#call(async () => Array.from(slots, look), signal)
      for (const [index, slot] of slots.entries()) {
        const row = rows[index]
        if (row === undefined) into.setAbsent(slot, from)
        else into.setRow(slot, row, from)
      }
      return undefined
    } catch (thrown) {
      failSlots(into, slots, from)
      return LarderError.from(thrown)
    }
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    assertRows(writes)
    // What was sent is what arrives, whatever the caller does with its memory meanwhile.
    const sent = structuredClone(writes)
    return this.#call(async (fault) => {
      if (fault === 'torn' && this.#isFull()) throw this.#full()
      let storedCount = 0
      const tornAt = fault === 'torn' ? this.#options.prng.below(sent.keys.count) : undefined
      for (let index = 0; index < sent.keys.count; index++) {
        if (index === tornAt) throw this.#unavailable('broke off half-way')
        // Rows of one write become visible one after the other.
        if (this.#options.prng.below(8) === 0) await this.#travel(0)
        if (this.#put(sent, index)) storedCount++
      }
      return { storedCount }
    }, signal)
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    await this.#call(async () => {
      for (let index = 0; index < keys.count; index++) this.#rows.delete(placeOf(keys, index))
    }, signal)
  }

  async *scan(generation: number): AsyncGenerator<ScannedRows> {
    const prefix = `${generation}:`
    const places = [...this.#rows.keys()].filter((place) => place.startsWith(prefix))
    const keys = places.map((place) => Buffer.from(place.slice(prefix.length), 'latin1'))
    const rows = places.flatMap((place) => this.#rows.get(place)?.row ?? [])
    yield { keys: concatGenerationKeys(keys.map((key) => ({ generation, key }))), rows }
  }

  async reclaim(): Promise<number> {
    return 0
  }

  async ping(): Promise<void> {}

  async stats(): Promise<TierStats> {
    return { serverVersion: 'sim', rowCount: this.#rows.size, storedBytes: 0, findings: [] }
  }

  async close(): Promise<void> {}

  #put(writes: RowWrites, index: number): boolean {
    const place = placeOf(writes.keys, index)
    const row = rowOfWrite(writes, index)
    const stored = this.#rowAt(place)
    const { versions } = formAt(writes.keys, index)
    if (stored !== undefined && compareRowVersions(row, stored.row, versions) <= 0) return false
    const nowMs = this.#options.clock.nowMs()
    const expiresAtMs = nowMs + keepMsOfWrite(writes, index)
    this.#rows.set(place, { row, writtenAtMs: nowMs, expiresAtMs })
    return true
  }

  /** A row is gone the moment it may be: the worst that the contract allows. */
  #rowAt(place: string): StoredRow | undefined {
    const stored = this.#rows.get(place)
    return stored !== undefined && stored.expiresAtMs >= this.#options.clock.nowMs()
      ? stored
      : undefined
  }

  /** Sends a request that takes effect later, and waits for its answer as long as `signal` allows. */
  #call<T>(apply: (fault: Fault) => Promise<T>, signal: AbortSignal): Promise<T> {
    return untilAborted(this.#serve(apply), signal)
  }

  async #serve<T>(apply: (fault: Fault) => Promise<T>): Promise<T> {
    const fault = this.#drawFault()
    await this.#travel(slowShare)
    if (fault === 'refused') throw this.#unavailable('refused')
    const answer = await apply(fault)
    if (fault === 'silent') await new Promise<never>(() => {})
    await this.#travel(slowShare)
    if (fault === 'answer lost') throw this.#unavailable('the answer was lost')
    return answer
  }

  #drawFault(): Fault {
    const { prng, faultShare } = this.#options
    if (this.#healed || prng.next() >= faultShare) return undefined
    return faults[prng.below(faults.length)]
  }

  #isFull(): boolean {
    return this.#options.runsFull && this.#options.prng.below(2) === 0
  }

  #full(): LarderError {
    return new LarderError('hot_out_of_memory', `${this.displayUrl} is full`)
  }

  #travel(shareOfSlow: number): Promise<void> {
    const { prng, clock } = this.#options
    const isSlow = !this.#healed && prng.next() < shareOfSlow
    return clock.sleep(prng.below(isSlow ? slowMsMax : quickMsMax))
  }

  #unavailable(reason: string): LarderError {
    return new LarderError('unavailable', `${this.displayUrl}: ${reason}`)
  }
}

function placeOf(keys: GenerationKeys, index: number): string {
  const key = Buffer.from(entityKeyAt(keys, index)).toString('latin1')
  return `${generationAt(keys, index)}:${key}`
}
