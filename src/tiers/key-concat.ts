/**
 * Builds a key batch from single keys: what a scan hands over.
 */
import type { KeyBatch } from './key-batch.js'

export interface SingleKey {
  readonly generation: number
  readonly key: Uint8Array
}

/** One batch of `keys`, in their order; copies them. */
export function concatKeys(keys: readonly SingleKey[]): KeyBatch {
  const offsets = new Uint32Array(keys.length + 1)
  const generations = new Float64Array(keys.length)
  keys.forEach(({ generation, key }, index) => {
    generations[index] = generation
    offsets[index + 1] = (offsets[index] ?? 0) + key.byteLength
  })
  const bytes = new Uint8Array(offsets[keys.length] ?? 0)
  keys.forEach(({ key }, index) => {
    bytes.set(key, offsets[index])
  })
  return { count: keys.length, generations, bytes, offsets }
}
