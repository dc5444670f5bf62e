/**
 * The keys of a batch: for each, a generation and the entity key's canonical bytes, in one blob.
 *
 * A generation is a number that the registry never gives twice: it stands for one full load of one
 * view, so that (generation, entity key) names a row everywhere.
 */
import { assert } from '../assert.js'
import type { RowForm, RowForms } from './row-form.js'

/** Entity keys under their generations, as a scan hands them over. */
export interface GenerationKeys {
  readonly count: number
  /** The generation of each key. */
  readonly generations: Float64Array
  readonly bytes: Uint8Array
  /** `count + 1` offsets: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly offsets: Uint32Array
}

export interface KeyBatch extends GenerationKeys {
  /** The form of each generation's rows. */
  readonly forms: RowForms
}

/** The entity key of key `index`: a view into the batch, not a copy. */
export function entityKeyAt(keys: GenerationKeys, index: number): Uint8Array {
  return keys.bytes.subarray(keys.offsets[index], keys.offsets[index + 1])
}

/** The generation of key `index`. */
export function generationAt(keys: GenerationKeys, index: number): number {
  return keys.generations[index] ?? 0
}

/** The form of the row of key `index`. */
export function formAt(keys: KeyBatch, index: number): RowForm {
  const form = keys.forms.get(generationAt(keys, index))
  assert(form !== undefined, 'every generation of a key batch has its form')
  return form
}

/** The same keys, all under one generation, whose rows have `form`. */
export function withGeneration(
  keys: Omit<GenerationKeys, 'generations'>,
  generation: number,
  form: RowForm,
): KeyBatch {
  const { count, bytes, offsets } = keys
  const generations = new Float64Array(count).fill(generation)
  return { count, bytes, offsets, generations, forms: new Map([[generation, form]]) }
}
