/**
 * What the rows of a load have in common in their versions, found by reading all of their event times.
 *
 * A load's rows share one write sequence, so that two rows of one entity at one time would have the same
 * version, and which of them stands would be left to chance: such a load must not share it.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { greatestCommonDivisor } from '../codec/learn-numbers.js'
import { type EventTimes, measureEventTimes } from '../codec/learn-version.js'
import type { FilePlan } from './load-plan.js'
import { runSql } from './source-file.js'

/** Of the rows that the daemon takes, as far as keys and event times tell. */
export interface LoadVersions {
  readonly rowCount: number
  /** Rows with the entity and event time of another row. */
  readonly repeatedCount: number
  /** Undefined without rows. */
  readonly range: EventTimeRange | undefined
}

export interface EventTimeRange {
  readonly minUs: bigint
  readonly maxUs: bigint
}

/** Reads keys and event times of all files. Errors: `bad_file`. */
export async function scanVersions(
  connection: DuckDBConnection,
  plans: readonly FilePlan[],
): Promise<LoadVersions> {
  const [rowCount, distinctCount, minUs, maxUs] = await readBigints(
    connection,
    plans,
    'count(*), count(DISTINCT version), min(time), max(time)',
  )
  const range = minUs === undefined || maxUs === undefined ? undefined : { minUs, maxUs }
  const repeatedCount = Number((rowCount ?? 0n) - (distinctCount ?? 0n))
  return { rowCount: Number(rowCount ?? 0n), repeatedCount, range }
}

/**
 * The event times of all rows of the files, exactly. `sampled` are some of them: their step is nearly
 * always that of all, which one more reading confirms.
 */
export async function measureFiles(
  connection: DuckDBConnection,
  plans: readonly FilePlan[],
  { minUs, maxUs }: EventTimeRange,
  sampled: BigInt64Array,
): Promise<EventTimes> {
  let { stepUs } = measureEventTimes(BigInt64Array.from([minUs, ...sampled, maxUs]))
  while (stepUs > 1n) {
    const farthest = `max((time - ${minUs}) % ${stepUs})`
    const [remainder = 0n] = await readBigints(connection, plans, farthest)
    if (remainder === 0n) break
    stepUs = greatestCommonDivisor(stepUs, remainder)
  }
  return { minUs, maxUs, stepUs }
}

async function readBigints(
  connection: DuckDBConnection,
  plans: readonly FilePlan[],
  aggregates: string,
): Promise<(bigint | undefined)[]> {
  const rows = plans.map(({ versionsSql }) => `(${versionsSql})`).join(' UNION ALL ')
  const paths = plans.map(({ file }) => file.path).join(', ')
  const result = await runSql(connection, paths, `SELECT ${aggregates} FROM (${rows})`)
  const [values = []] = await result.getRows()
  return values.map((value) => (typeof value === 'bigint' ? value : undefined))
}
