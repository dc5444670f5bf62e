/**
 * Row versions: what orders the writes of a row.
 *
 * A version is (event time, write sequence); the greater one wins in every tier, an equal one is the
 * same write come again. Every row starts with its layout id and its version, so that a tier can
 * compare rows knowing only the version formats of their view's layouts:
 *
 *   layout id   varint (LEB128, 1 to 5 bytes; per view; 0 tombstone, 1 fence)
 *   version     full, or as the layout's compact format says
 *
 *   full        8 bytes, big-endian, microseconds as int64 with the sign bit flipped
 *               8 bytes, big-endian, sequence as u64
 *   compact     0 to 6 bytes, big-endian: n; event time = base + unit x n, sequence is the layout's
 *
 * With the sign bit flipped, comparing the 16 bytes of full versions is comparing the versions.
 */
import { LarderError } from '../errors.js'
import type { CompactVersion, VersionTable } from '../version-format.js'

export interface RowVersion {
  readonly eventTimeUs: bigint
  readonly sequence: bigint
}

/** Layout ids with a meaning of their own; a view's layouts start at `firstLayoutId`. */
export const tombstoneLayoutId = 0
export const fenceLayoutId = 1
export const firstLayoutId = 2

/** Bytes of a layout id and a version, at most: enough of any row to read its header. */
export const rowHeaderBytesMax = 5 + 16

const fullVersionBytes = 16
const layoutIdBytesMax = 5
const layoutIdMax = 0xffff_ffff

/** A tombstone or a fence: the row of `layoutId` with a version and nothing else. */
export function encodeVersionOnlyRow(
  layoutId: typeof tombstoneLayoutId | typeof fenceLayoutId,
  version: RowVersion,
): Uint8Array {
  const row = Buffer.alloc(1 + fullVersionBytes)
  row[0] = layoutId
  row.writeBigUInt64BE(BigInt.asUintN(64, version.eventTimeUs) ^ (1n << 63n), 1)
  row.writeBigUInt64BE(version.sequence, 9)
  return row
}

/**
 * The row's layout id and version. Throws `corrupt_row` where the bytes cannot be a row, and what
 * `isUnknownLayout` knows where `versions` lacks the layout.
 */
export function readRowHeader(
  row: Uint8Array,
  versions: VersionTable,
): RowVersion & { readonly layoutId: number } {
  const { layoutId, versionStart, compact } = findVersion(row, versions)
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  if (compact === undefined) {
    return {
      layoutId,
      eventTimeUs: BigInt.asIntN(64, view.getBigUint64(versionStart) ^ (1n << 63n)),
      sequence: view.getBigUint64(versionStart + 8),
    }
  }
  let steps = 0
  for (let index = 0; index < compact.eventBytes; index++) {
    steps = steps * 256 + view.getUint8(versionStart + index)
  }
  return {
    layoutId,
    eventTimeUs: compact.eventBaseUs + compact.eventUnitUs * BigInt(steps),
    sequence: compact.sequence,
  }
}

/** The row's layout id, known or not. Throws `corrupt_row`. */
export function layoutIdOf(row: Uint8Array): number {
  return readLayoutId(row).layoutId
}

/**
 * Negative, zero or positive as row `a`'s version is older than, equal to or newer than `b`'s. Throws
 * what `readRowHeader` throws.
 */
export function compareRowVersions(a: Uint8Array, b: Uint8Array, versions: VersionTable): number {
  const aFound = findVersion(a, versions)
  const bFound = findVersion(b, versions)
  // Two of one format compare as their bytes do.
  if (aFound.compact === bFound.compact)
    return Buffer.compare(versionOf(a, aFound), versionOf(b, bFound))
  const aHeader = readRowHeader(a, versions)
  const bHeader = readRowHeader(b, versions)
  return (
    compareNumbers(aHeader.eventTimeUs, bHeader.eventTimeUs) ||
    compareNumbers(aHeader.sequence, bHeader.sequence)
  )
}

/** The error of a stored row whose layout a newer registry version may know. */
export function unknownLayout(layoutId: number): LarderError {
  return new LarderError(
    'unavailable',
    `layout ${layoutId} of a stored row is not known here yet: the registry has moved on; try again`,
    { details: { unknownLayoutId: layoutId } },
  )
}

/** True for the errors of `unknownLayout`: `unavailable`, with the layout's id in their details. */
export function isUnknownLayout(thrown: unknown): boolean {
  return thrown instanceof LarderError && thrown.details['unknownLayoutId'] !== undefined
}

interface FoundVersion {
  readonly layoutId: number
  readonly versionStart: number
  readonly compact: CompactVersion | undefined
}

function findVersion(row: Uint8Array, versions: VersionTable): FoundVersion {
  const { layoutId, versionStart } = readLayoutId(row)
  if (layoutId > versions.layoutIdMax) throw unknownLayout(layoutId)
  const compact = versions.compact.get(layoutId)
  const found = { layoutId, versionStart, compact }
  if (row.byteLength < versionStart + versionBytesOf(found)) throw noVersion(row)
  return found
}

function versionBytesOf({ compact }: FoundVersion): number {
  return compact === undefined ? fullVersionBytes : compact.eventBytes
}

function versionOf(row: Uint8Array, found: FoundVersion): Uint8Array {
  return row.subarray(found.versionStart, found.versionStart + versionBytesOf(found))
}

function readLayoutId(row: Uint8Array): Omit<FoundVersion, 'compact'> {
  let layoutId = 0
  let scale = 1
  for (let offset = 0; offset < Math.min(layoutIdBytesMax, row.byteLength); offset++) {
    const byte = row[offset] ?? 0
    layoutId += (byte & 0x7f) * scale
    scale *= 128
    if (byte >= 0x80) continue
    if (layoutId > layoutIdMax) break
    return { layoutId, versionStart: offset + 1 }
  }
  throw noVersion(row)
}

function noVersion(row: Uint8Array): LarderError {
  return new LarderError('corrupt_row', `a row of ${row.byteLength} bytes has no whole version`)
}

function compareNumbers(a: bigint, b: bigint): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
