/** How well LZ4 does on a value: what is asked before a profile lets values be compressed. */
import { loadAddon } from '../native.js'

/** Bytes of the value as the encoder compresses it; those of the value where that saves none. */
export function lz4Bytes(value: Uint8Array): number {
  const compressedBytes = loadAddon().lz4CompressedBytes(value)
  return compressedBytes === 0 ? value.byteLength : compressedBytes
}
