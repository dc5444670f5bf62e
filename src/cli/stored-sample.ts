/**
 * Some rows of a view as they are stored, to learn from and to measure.
 */
import type { LarderClient, SampleResult } from '../client/index.js'
import type { FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { type SampledRows, sampleRowsFor } from './load-sample.js'

export interface StoredSample extends SampledRows {
  /** Bytes of the sampled rows and of their entity keys, on average. */
  readonly rowBytes: number
  readonly keyBytes: number
  /** Rows that were looked at. */
  readonly scannedRowCount: number
  readonly isWholeView: boolean
}

/** Errors: `not_found` where nothing is stored, `conflict` where the view changed meanwhile. */
export async function sampleView(
  client: LarderClient,
  view: FeatureView,
  signal: AbortSignal,
): Promise<StoredSample> {
  const rowCountMax = sampleRowsFor(view.features.length)
  const sample = await client.sampleRows({ view: view.name, rowCountMax }, signal)
  const { rowCount, eventTimesUs, scannedRowCount, isWholeView } = sample
  if (rowCount === 0) {
    throw new LarderError(
      'not_found',
      `view "${view.name}" has no stored rows: load some, or learn from files with ` +
        `\`larder codec learn ${view.name} --input FILE\``,
    )
  }
  return {
    rowCount,
    columns: featureColumns(view, sample),
    eventTimesUs,
    rowBytes: meanOf(sample.rowBytes),
    keyBytes: meanOf(sample.keyBytes),
    scannedRowCount,
    isWholeView,
  }
}

/** In the view's order. */
function featureColumns(view: FeatureView, sample: SampleResult): FeatureColumn[] {
  const byName = new Map(sample.features.map((column) => [column.name, column]))
  return view.features.map(({ name }) => {
    const column = byName.get(name)
    if (column !== undefined && sample.schemaVersion === view.schemaVersion) return column
    throw new LarderError('conflict', `view "${view.name}" was changed meanwhile: try again`)
  })
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length
}
