/**
 * The SQL texts of the warm tier, and the few that differ between PostgreSQL and CockroachDB.
 *
 * One text serves both wherever it can; what cannot is a field of `SqlDialect`. CockroachDB's own
 * binary was never run with these texts: they follow its documentation and are golden-tested.
 */
import { sqlReclaimedRowsMax } from '../limits.js'

export type SqlDialectName = 'postgresql' | 'cockroachdb'

/** What differs. */
export interface SqlDialect {
  readonly name: SqlDialectName
  /** DDL that follows the statements of a migration, by the migration's name. */
  readonly ddlAfter: Readonly<Record<string, readonly string[]>>
  /** Deletes a bounded number of expired rows; undefined where the database does so by itself. */
  readonly reclaim: string | undefined
  /** One row: estimated rows (or less than 0), bytes. Undefined where only a scan could tell. */
  readonly stats: string | undefined
  /** One row: fsync, synchronous_commit. Undefined where commits are always synced. */
  readonly durability: string | undefined
}

const postgresql: SqlDialect = {
  name: 'postgresql',
  ddlAfter: {
    '000002-rows': [
      'CREATE INDEX IF NOT EXISTS feature_rows_expires_at ON larder.feature_rows (expires_at)',
    ],
  },
  // The outer condition repeats the inner: a row written anew meanwhile must stay.
  reclaim: `DELETE FROM larder.feature_rows
WHERE expires_at < $1::TIMESTAMPTZ AND (generation, ekey) IN (
  SELECT generation, ekey FROM larder.feature_rows
  WHERE expires_at < $1::TIMESTAMPTZ ORDER BY expires_at LIMIT ${sqlReclaimedRowsMax})`,
  stats: `SELECT reltuples::INT8, pg_total_relation_size(oid)
FROM pg_class WHERE oid = 'larder.feature_rows'::regclass`,
  durability: `SELECT current_setting('fsync'), current_setting('synchronous_commit')`,
}

const cockroachdb: SqlDialect = {
  name: 'cockroachdb',
  ddlAfter: {
    // The default of 100 rows a second and node would fall behind any real load.
    '000002-rows': [
      `ALTER TABLE larder.feature_rows SET (ttl_expiration_expression = 'expires_at', \
ttl_job_cron = '@hourly', ttl_delete_rate_limit = 10000)`,
    ],
  },
  reclaim: undefined,
  stats: undefined,
  durability: undefined,
}

/** The dialects by name. */
export const sqlDialects = Object.freeze({ postgresql, cockroachdb }) satisfies Record<
  SqlDialectName,
  SqlDialect
>

/** The dialect of the server that calls itself `version`, as `SELECT version()` tells it. */
export function dialectOfVersion(version: string): SqlDialect {
  return version.includes('CockroachDB') ? cockroachdb : postgresql
}

/** The rows' statements, the same for both. Slots travel along, so that rows match by key. */
export const rowStatements = Object.freeze({
  read: `SELECT k.slot, t.encoded_row
FROM unnest($1::INT8[], $2::BYTEA[], $3::INT8[]) AS k (generation, ekey, slot)
JOIN larder.feature_rows AS t ON t.generation = k.generation AND t.ekey = k.ekey`,

  write: `INSERT INTO larder.feature_rows AS t
  (generation, ekey, event_time, sequence, expires_at, encoded_row)
SELECT * FROM unnest($1::INT8[], $2::BYTEA[], $3::INT8[], $4::INT8[], $5::TIMESTAMPTZ[], $6::BYTEA[])
ON CONFLICT (generation, ekey) DO UPDATE SET
  event_time = excluded.event_time, sequence = excluded.sequence,
  expires_at = excluded.expires_at, encoded_row = excluded.encoded_row
WHERE (t.event_time, t.sequence) < (excluded.event_time, excluded.sequence)`,

  remove: `DELETE FROM larder.feature_rows
WHERE (generation, ekey) IN (SELECT * FROM unnest($1::INT8[], $2::BYTEA[]))`,

  scan: `SELECT ekey, encoded_row FROM larder.feature_rows
WHERE generation = $1 AND ekey > $2 ORDER BY ekey LIMIT $3`,
})
