/**
 * Some rows of a load, spread over all of its files, to learn from.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { readColumn } from '../client/response-column.js'
import type { FeatureColumn } from '../column.js'
import { learnCellsMax, learnSampleRowsMin, sampleRowsMax } from '../limits.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { type CollectedRows, RowCollector, streamChunks } from './row-collector.js'
import { concatColumns } from './row-columns.js'

/** Rows of a view, as an encoding profile is learned from them. */
export interface SampledRows {
  readonly rowCount: number
  /** One per feature of the view's current schema. */
  readonly columns: readonly FeatureColumn[]
  readonly eventTimesUs: BigInt64Array
}

/** How many rows teach enough about so many features without taking long. */
export function sampleRowsFor(featureCount: number): number {
  const rowCount = Math.floor(learnCellsMax / Math.max(1, featureCount))
  return Math.min(sampleRowsMax, Math.max(learnSampleRowsMin, rowCount))
}

/** The same rows on every run over the same files, of which `rowCount` or more are read. */
export async function sampleFiles(
  connection: DuckDBConnection,
  target: LoadTarget,
  plans: readonly FilePlan[],
  rowCount: number,
): Promise<SampledRows> {
  const share = Math.max(1, Math.ceil(rowCount / sampleRowsFor(target.view.features.length)))
  const pieces: CollectedRows[] = []
  for (const plan of plans) {
    const collector = new RowCollector(target, plan)
    for await (const chunk of streamChunks(connection, plan, plan.sampleSql(share))) {
      collector.append(chunk, 0, chunk.rowCount)
    }
    pieces.push(collector.take())
  }
  const times = pieces.flatMap(({ eventTimesUs }) => Array.from(eventTimesUs))
  const keyCount = target.keyTypes.length
  const columns = target.view.features.map(({ type }, index) => {
    const column = concatColumns(pieces.flatMap((piece) => piece.columns[keyCount + index] ?? []))
    return readColumn({ ...column, type }, times.length)
  })
  return { rowCount: times.length, columns, eventTimesUs: BigInt64Array.from(times) }
}
