/**
 * Brings a database's schema to what this Larder needs: the files of migrations/, each once, in order.
 *
 * Safe when several daemons start at once: a lease row, taken by one conditional upsert on either
 * database, lets one migrate while the others wait; should its daemon die, the lease runs out. Every
 * statement is safe to run twice, because a crash may fall between two. A schema that is newer, or
 * whose migrations are not ours, is refused untouched.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { LarderError } from '../errors.js'
import { migrationLeaseMs, migrationLeasePollMs } from '../limits.js'
import { untilAborted } from './abortable.js'
import type { SqlDialect } from './sql-dialect.js'
import { type SqlPool, sqlStateOf } from './sql-pool.js'

const folder = new URL('../../migrations/', import.meta.url)

export interface Migration {
  readonly version: number
  /** The file's name without its ending, such as `000001-registry`. */
  readonly name: string
  readonly checksum: string
  readonly statements: readonly string[]
}

/** The migrations of this Larder, oldest first. */
export function loadMigrations(): readonly Migration[] {
  const names = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return names.sort().map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    const name = file.slice(0, -'.sql'.length)
    const checksum = createHash('sha256').update(text).digest('hex')
    return { version: Number(name.slice(0, 6)), name, checksum, statements: statementsOf(text) }
  })
}

/**
 * Applies what is missing. Throws `refused` where the database's schema is not this Larder's or an
 * older one of it.
 */
export async function migrate(
  pool: SqlPool,
  options: {
    readonly dialect: SqlDialect
    readonly migrations: readonly Migration[]
    /** Tells this daemon's lease from others'. */
    readonly holder: string
  },
  signal: AbortSignal,
): Promise<void> {
  const { migrations, holder, dialect } = options
  const applied = await readApplied(pool, signal)
  if (applied !== undefined && pendingOf(pool, migrations, applied).length === 0) return
  if (applied === undefined) await createBookkeeping(pool, signal)
  await takeLease(pool, holder, signal)
  try {
    // Read again: whoever held the lease before may have applied some.
    const pending = pendingOf(pool, migrations, (await readApplied(pool, signal)) ?? new Map())
    for (const migration of pending) {
      for (const text of [...migration.statements, ...(dialect.ddlAfter[migration.name] ?? [])]) {
        if (!(await tryLease(pool, holder, signal))) throw lostLease(pool)
        await pool.run({ text }, signal)
      }
      await pool.run({ text: recordText, values: [migration.version, migration.checksum] }, signal)
    }
  } finally {
    await pool.run({ text: releaseText, values: [holder] }, signal)
  }
}

/** In this order: whoever finds the last one there may count on the others. */
const bookkeepingTexts = [
  'CREATE SCHEMA IF NOT EXISTS larder',
  'CREATE TABLE IF NOT EXISTS larder.schema_lock (id INT8 PRIMARY KEY, holder TEXT NOT NULL, until_ms INT8 NOT NULL)',
  'CREATE TABLE IF NOT EXISTS larder.schema_migrations (version INT8 PRIMARY KEY, checksum TEXT NOT NULL)',
]
const appliedText = 'SELECT version, checksum FROM larder.schema_migrations'
const recordText =
  'INSERT INTO larder.schema_migrations (version, checksum) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING'
const leaseText = `INSERT INTO larder.schema_lock AS l (id, holder, until_ms) VALUES (1, $1, $2)
ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
WHERE l.until_ms < $3 OR l.holder = excluded.holder`
const releaseText = 'DELETE FROM larder.schema_lock WHERE holder = $1'

/** Checksums by version; undefined where nothing of Larder is there yet. */
async function readApplied(
  pool: SqlPool,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string> | undefined> {
  try {
    const { rows } = await pool.run({ text: appliedText }, signal)
    return new Map(rows.map(([version, checksum]) => [Number(version), checksum ?? '']))
  } catch (thrown) {
    // Undefined table, invalid schema name.
    if (['42P01', '3F000'].includes(sqlStateOf(thrown) ?? '')) return undefined
    throw thrown
  }
}

/** What is still to apply, after a check that what was applied is ours. */
function pendingOf(
  pool: SqlPool,
  migrations: readonly Migration[],
  applied: ReadonlyMap<number, string>,
): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  const newest = Math.max(0, ...known.keys())
  for (const [version, checksum] of applied) {
    const migration = known.get(version)
    if (migration === undefined) {
      throw new LarderError(
        'refused',
        `${pool.displayUrl} has schema version ${version}; this Larder knows up to ${newest}: upgrade it`,
      )
    }
    if (migration.checksum !== checksum) {
      throw new LarderError(
        'refused',
        `${pool.displayUrl} was migrated by another text of ${migration.name}: use the Larder that made it`,
      )
    }
  }
  return migrations.filter(({ version }) => !applied.has(version))
}

/** Even with IF NOT EXISTS, PostgreSQL lets two creators at once collide: who lost tries again. */
async function createBookkeeping(pool: SqlPool, signal: AbortSignal): Promise<void> {
  const collisions = ['23505', '42710', '42P06', '42P07']
  for (const text of bookkeepingTexts) {
    try {
      await pool.run({ text }, signal)
    } catch (thrown) {
      if (!collisions.includes(sqlStateOf(thrown) ?? '')) throw thrown
      await pool.run({ text }, signal)
    }
  }
}

async function takeLease(pool: SqlPool, holder: string, signal: AbortSignal): Promise<void> {
  while (!(await tryLease(pool, holder, signal))) {
    await untilAborted(pool.clock.sleep(migrationLeasePollMs), signal)
  }
}

/** Takes or renews the lease; false where another daemon holds it. */
async function tryLease(pool: SqlPool, holder: string, signal: AbortSignal): Promise<boolean> {
  const nowMs = pool.clock.nowMs()
  const values = [holder, nowMs + migrationLeaseMs, nowMs]
  return (await pool.run({ text: leaseText, values }, signal)).rowCount === 1
}

function lostLease(pool: SqlPool): LarderError {
  return new LarderError('unavailable', `${pool.displayUrl}: another daemon took over migrating it`)
}

/** A file's statements: each ends with a semicolon at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .replace(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
