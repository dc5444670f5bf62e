/**
 * Bytes of whole rows: what a profile makes of their values, behind a layout id and a version.
 */
import type { JudgedProfile } from './choose-profile.js'

/** Of event time and sequence in full. */
export const fullVersionBytes = 16

export interface RowHead {
  readonly layoutId: number
  readonly versionBytes: number
}

/** Of a row on average. */
export function rowBytesOf(
  { bodyBytes }: JudgedProfile,
  { layoutId, versionBytes }: RowHead,
): number {
  return (layoutId < 128 ? 1 : 2) + versionBytes + bodyBytes
}
