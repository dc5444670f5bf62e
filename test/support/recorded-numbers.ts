/**
 * Numbers that a library recorded into a file, one array behind the other without padding.
 */
import { readFileSync } from 'node:fs'

export interface RecordedNumbers {
  /** The next `count` values of `valueBytes` each, for a typed array of that width. */
  take(count: number, valueBytes: number): ArrayBuffer
  /** Bytes that were not taken. */
  leftBytes(): number
}

export function openRecorded(url: URL): RecordedNumbers {
  const bytes = Uint8Array.from(readFileSync(url))
  let offset = 0
  return {
    take(count, valueBytes) {
      const part = bytes.slice(offset, offset + count * valueBytes).buffer
      offset += count * valueBytes
      return part
    },
    leftBytes: () => bytes.length - offset,
  }
}
