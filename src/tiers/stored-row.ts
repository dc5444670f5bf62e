/**
 * A row as the memory and LMDB tiers keep it: its expiry, then the row.
 *
 *   expiry  6 bytes, big-endian, milliseconds since the Unix epoch on the daemon's system clock
 *   row     the rest, as it was written
 *
 * One block of bytes per row, because an object beside it would cost more than a small row itself.
 */

import { compareRowVersions } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import type { VersionTable } from '../version-format.js'

/** Bytes that stand before the row. */
export const expiryBytes = 6
/** Later expiries are stored as this one, in the year 10889. */
const expiresAtMsMax = 2 ** 48 - 1

/** Writes expiry and row into `target` from its start; returns the bytes used. */
export function writeStoredRow(target: Buffer, row: Uint8Array, expiresAtMs: number): number {
  const storedExpiry = Math.min(Math.max(0, Math.ceil(expiresAtMs)), expiresAtMsMax)
  target.writeUIntBE(storedExpiry, 0, expiryBytes)
  target.set(row, expiryBytes)
  return expiryBytes + row.byteLength
}

/** The row in `stored`: a view, not a copy. */
export function rowOfStored(stored: Uint8Array): Uint8Array {
  return stored.subarray(expiryBytes)
}

/** True where the row's expiry is past at `nowMs`. */
export function isExpired(stored: Uint8Array, nowMs: number): boolean {
  const view = new DataView(stored.buffer, stored.byteOffset, expiryBytes)
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2) < nowMs
}

/**
 * True where `row` is newer than what is stored. Stored bytes that are no row give way to any row:
 * writing again is how a corrupt row is healed. Throws `unknownLayout` where a newer daemon stored it.
 */
export function supersedes(
  row: Uint8Array,
  stored: Uint8Array | undefined,
  versions: VersionTable,
): boolean {
  if (stored === undefined) return true
  try {
    return compareRowVersions(row, rowOfStored(stored), versions) > 0
  } catch (thrown) {
    if (thrown instanceof LarderError && thrown.code === 'corrupt_row') return true
    throw thrown
  }
}
