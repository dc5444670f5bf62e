/**
 * What a tier must know of the rows of a generation, beyond their bytes.
 */
import { type Packing, stringPacking } from '../packing.js'
import type { VersionTable } from '../version-format.js'

export interface RowForm {
  /** Where the tier is Redis. */
  readonly packing: Packing
  readonly versions: VersionTable
}

/** By generation. */
export type RowForms = ReadonlyMap<number, RowForm>

/** Every layout id known, all versions in full, one key per row. */
export const plainForm: RowForm = Object.freeze({
  packing: stringPacking,
  versions: Object.freeze({ layoutIdMax: 0xffff_ffff, compact: new Map() }),
})
