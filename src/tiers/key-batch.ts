/**
 * The keys of a batch: for each, a generation and the entity key's canonical bytes, in one blob.
 *
 * A generation is a number that the registry never gives twice: it stands for one full load of one
 * view, so that (generation, entity key) names a row everywhere.
 */
import type { RowForms } from './row-form.js'

export interface KeyBatch {
  readonly count: number
  /** The form of each generation's rows. */
  readonly forms: RowForms
  /** The generation of each key. */
  readonly generations: Float64Array
  readonly bytes: Uint8Array
  /** `count + 1` offsets: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: Uint32Array
}

/** The entity key of key `index`: a view into the batch, not a copy. */
export function entityKeyAt(keys: KeyBatch, index: number): Uint8Array {
  return keys.bytes.subarray(keys.offsets[index], keys.offsets[index + 1])
}

/** The generation of key `index`. */
export function generationAt(keys: KeyBatch, index: number): number {
  return keys.generations[index] ?? 0
}

/** The same keys, all under one generation. */
export function withGeneration(keys: Omit<KeyBatch, 'generations'>, generation: number): KeyBatch {
  return { ...keys, generations: new Float64Array(keys.count).fill(generation) }
}
