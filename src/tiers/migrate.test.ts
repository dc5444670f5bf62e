import { expect, test } from 'vitest'
import { createTestClock, type TestClock } from '../../test/support/test-clock.js'
import { freshPostgresUrl } from '../../test/support/test-servers.js'
import { never } from '../../test/support/tier-rows.js'
import { createSeededPrng } from '../prng.js'
import { loadMigrations, type Migration, migrate } from './migrate.js'
import { sqlDialects } from './sql-dialect.js'
import { SqlPool } from './sql-pool.js'

const dialect = sqlDialects.postgresql
const migrations = loadMigrations()

async function freshPool(clock: TestClock = createTestClock()): Promise<SqlPool> {
  const connectionString = await freshPostgresUrl()
  return new SqlPool({ connectionString, displayUrl: 'test', clock, prng: createSeededPrng(1) })
}

const run = (pool: SqlPool, list: readonly Migration[] = migrations, holder = 'test') =>
  migrate(pool, { dialect, migrations: list, holder }, never)

async function appliedVersions(pool: SqlPool): Promise<(string | undefined)[]> {
  const text = 'SELECT version FROM larder.schema_migrations ORDER BY version'
  return (await pool.run({ text }, never)).rows.map(([version]) => version)
}

const extra = (statements: readonly string[]): Migration => ({
  version: 900_000,
  name: '900000-extra',
  checksum: 'extra',
  statements,
})

test('migrations are numbered without gaps', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
  expect(migrations.every(({ name }) => /^[0-9]{6}-[a-z-]+$/.test(name))).toBe(true)
})

test('each is applied once, and again is no work', async () => {
  const pool = await freshPool()
  await run(pool)
  await run(pool)
  expect(await appliedVersions(pool)).toEqual(migrations.map(({ version }) => String(version)))
  await pool.close()
})

test.each([1, 2, 3, 4, 5, 6])('daemons that start at once apply each once, round %i', async () => {
  const pool = await freshPool()
  const counted = extra(['CREATE TABLE larder.only_once (id INT8)'])
  const starts = Array.from({ length: 8 }, (_, index) =>
    run(pool, [...migrations, counted], `daemon ${index}`),
  )
  await expect(Promise.all(starts)).resolves.toHaveLength(8)
  await pool.close()
})

test('a newer schema is refused untouched', async () => {
  const pool = await freshPool()
  await run(pool, [...migrations, extra([])])
  await expect(run(pool)).rejects.toMatchObject({
    code: 'refused',
    message: `test has schema version 900000; this Larder knows up to ${migrations.length}: upgrade it`,
  })
  await pool.close()
})

test('a schema made by another text of a migration is refused', async () => {
  const pool = await freshPool()
  await run(pool)
  const changed = migrations.map((migration) => ({ ...migration, checksum: 'changed' }))
  await expect(run(pool, changed)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('by another text of 000001-registry'),
  })
  await pool.close()
})

test('a migration that failed half-way is completed by the next start', async () => {
  const pool = await freshPool()
  const half = 'CREATE TABLE IF NOT EXISTS larder.half (id INT8)'
  await expect(run(pool, [...migrations, extra([half, 'SELECT 1/0'])])).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('division by zero'),
  })
  await run(pool, [...migrations, extra([half])])
  expect(await appliedVersions(pool)).toContain('900000')
  await pool.close()
})

test('the lease of a daemon that died while migrating runs out', async () => {
  const clock = createTestClock()
  const pool = await freshPool(clock)
  await run(pool)
  const values = [clock.nowMs() + 100_000]
  const text = `INSERT INTO larder.schema_lock (id, holder, until_ms) VALUES (1, 'dead', $1)`
  await pool.run({ text, values }, never)
  const waiting = run(pool, [...migrations, extra([])])
  clock.advance(200_000)
  await waiting
  expect(await appliedVersions(pool)).toContain('900000')
  await pool.close()
})
