/**
 * A planned file -> its rows in ranges of fixed places, so that every run of a load cuts it the same.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { type CollectedRows, RowCollector, streamChunks } from './row-collector.js'

/** Yields `rangeRows` rows at a time, in the file's order. Errors: `bad_file`. */
export async function* readRanges(
  connection: DuckDBConnection,
  target: LoadTarget,
  plan: FilePlan,
  rangeRows: number,
): AsyncGenerator<CollectedRows> {
  const collector = new RowCollector(target, plan)
  for await (const chunk of streamChunks(connection, plan, plan.sql)) {
    for (let from = 0; from < chunk.rowCount; ) {
      const to = Math.min(chunk.rowCount, from + rangeRows - collector.rowCount)
      collector.append(chunk, from, to)
      from = to
      if (collector.rowCount === rangeRows) yield collector.take()
    }
  }
  if (collector.rowCount > 0) yield collector.take()
}
