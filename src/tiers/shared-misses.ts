/**
 * Which rows are being read from warm right now, so that concurrent misses for one key are fetched
 * once.
 *
 * Only for views that hot serves: there a write leaves its row in hot before it is acknowledged, so a
 * reader that starts after the acknowledgement finds it there and never joins an older read.
 */
import { entityKeyAt, generationAt, type KeyBatch } from './key-batch.js'
import type { RowBatch } from './row-batch.js'

/** A slot of another request's batch, and the end of the read that fills it. */
export interface SharedMiss {
  readonly from: RowBatch
  readonly fromSlot: number
  readonly done: Promise<void>
}

export class SharedMisses {
  readonly #underWay = new Map<string, SharedMiss>()

  /** The read under way for this key, if there is one. */
  find(keys: KeyBatch, slot: number): SharedMiss | undefined {
    return this.#underWay.size === 0 ? undefined : this.#underWay.get(keyText(keys, slot))
  }

  /** Lets others join the read of `slots` into `from` until `done`. */
  announce(keys: KeyBatch, slots: readonly number[], from: RowBatch, done: Promise<void>): void {
    const texts = slots.map((slot) => keyText(keys, slot))
    for (const [index, text] of texts.entries()) {
      this.#underWay.set(text, { from, fromSlot: slots[index] ?? 0, done })
    }
    const forget = () => {
      for (const text of texts) {
        // A later read may have been announced since: others join that one.
        if (this.#underWay.get(text)?.done === done) this.#underWay.delete(text)
      }
    }
    done.then(forget, forget)
  }
}

function keyText(keys: KeyBatch, slot: number): string {
  const bytes = entityKeyAt(keys, slot)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return `${generationAt(keys, slot)}:${text}`
}
