/**
 * Row versions: what orders the writes of a row.
 *
 * A version is (event time, write sequence); the greater one wins in every tier, an equal one is the
 * same write come again. Every row starts with its layout id and its version, so that a tier can
 * compare rows without knowing anything else of them:
 *
 *   layout id   varint (LEB128, 1 to 5 bytes; per view; 0 tombstone, 1 fence)
 *   event time  8 bytes, big-endian, microseconds as int64 with the sign bit flipped
 *   sequence    8 bytes, big-endian, u64
 *
 * With the sign bit flipped, comparing the 16 bytes is comparing the versions.
 */
import { LarderError } from '../errors.js'

export interface RowVersion {
  readonly eventTimeUs: bigint
  readonly sequence: bigint
}

/** Layout ids with a meaning of their own; a view's layouts start at `firstLayoutId`. */
export const tombstoneLayoutId = 0
export const fenceLayoutId = 1
export const firstLayoutId = 2

const versionBytes = 16
const layoutIdBytesMax = 5

/** A tombstone or a fence: the row of `layoutId` with a version and nothing else. */
export function encodeVersionOnlyRow(
  layoutId: typeof tombstoneLayoutId | typeof fenceLayoutId,
  version: RowVersion,
): Uint8Array {
  const row = Buffer.alloc(1 + versionBytes)
  row[0] = layoutId
  row.writeBigUInt64BE(BigInt.asUintN(64, version.eventTimeUs) ^ (1n << 63n), 1)
  row.writeBigUInt64BE(version.sequence, 9)
  return row
}

/** The row's layout id and version. Throws `corrupt_row` where the bytes cannot be a row. */
export function readRowHeader(row: Uint8Array): RowVersion & { readonly layoutId: number } {
  const offset = versionOffset(row)
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  return {
    layoutId: readLayoutId(row, offset),
    eventTimeUs: BigInt.asIntN(64, view.getBigUint64(offset) ^ (1n << 63n)),
    sequence: view.getBigUint64(offset + 8),
  }
}

/** Negative, zero or positive as row `a`'s version is older than, equal to or newer than `b`'s. */
export function compareRowVersions(a: Uint8Array, b: Uint8Array): number {
  const aStart = versionOffset(a)
  const bStart = versionOffset(b)
  return Buffer.compare(
    a.subarray(aStart, aStart + versionBytes),
    b.subarray(bStart, bStart + versionBytes),
  )
}

/** Where the version starts: behind the layout id's varint. */
function versionOffset(row: Uint8Array): number {
  for (let offset = 0; offset < layoutIdBytesMax; offset++) {
    if (((row[offset] ?? 0) & 0x80) !== 0) continue
    if (row.byteLength < offset + 1 + versionBytes) break
    return offset + 1
  }
  throw new LarderError('corrupt_row', `a row of ${row.byteLength} bytes has no whole version`)
}

function readLayoutId(row: Uint8Array, endOffset: number): number {
  let layoutId = 0
  for (let offset = endOffset - 1; offset >= 0; offset--) {
    layoutId = layoutId * 128 + ((row[offset] ?? 0) & 0x7f)
  }
  return layoutId
}
