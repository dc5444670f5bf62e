/**
 * What profiles are learned from and judged on: rows of a view as columns.
 */
import type { FeatureColumn } from '../column.js'
import type { FeatureType } from '../feature-type.js'
import type { CompressedBytes } from './learn-texts.js'

/** Rows of a view as columns, found by name. Columns of a list type must hold lists, and so on. */
export interface ProfileSample {
  readonly rowCount: number
  readonly columns: readonly FeatureColumn[]
}

export interface LearnedFeatureType {
  readonly id: number
  readonly name: string
  readonly type: FeatureType
}

export interface LearnOptions {
  /** Measures LZ4; without it no values are compressed. */
  readonly compressedBytes?: CompressedBytes
}
