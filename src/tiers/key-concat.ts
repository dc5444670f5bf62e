/**
 * Builds blobs and key batches from single pieces, as a scan or a pick hands them over.
 */
import type { GenerationKeys, KeyBatch } from './key-batch.js'
import type { RowForms } from './row-form.js'

export interface SingleKey {
  readonly generation: number
  readonly key: Uint8Array
}

/** Byte strings as one blob: string i is `bytes[offsets[i] .. offsets[i + 1])`. Copies them. */
export function concatBytes(pieces: readonly Uint8Array[]): {
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
} {
  const offsets = new Uint32Array(pieces.length + 1)
  for (const [index, piece] of pieces.entries()) {
    offsets[index + 1] = (offsets[index] ?? 0) + piece.byteLength
  }
  const bytes = new Uint8Array(offsets[pieces.length] ?? 0)
  for (const [index, piece] of pieces.entries()) bytes.set(piece, offsets[index])
  return { bytes, offsets }
}

/** One batch of `keys`, in their order; copies them. `forms` has the form of each generation. */
export function concatKeys(keys: readonly SingleKey[], forms: RowForms): KeyBatch {
  return { ...concatGenerationKeys(keys), forms }
}

/** `keys` in one blob, in their order; copies them. */
export function concatGenerationKeys(keys: readonly SingleKey[]): GenerationKeys {
  return {
    count: keys.length,
    generations: Float64Array.from(keys, ({ generation }) => generation),
    ...concatBytes(keys.map(({ key }) => key)),
  }
}
