import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { killedWriterLosesNothing } from '../../test/support/kill-writer.js'
import { startPostgres } from '../../test/support/postgres-server.js'
import type { TestServer } from '../../test/support/server-process.js'
import { freshPostgresUrl } from '../../test/support/test-servers.js'
import {
  entry,
  holdsRows,
  never,
  readEntries,
  readSlots,
  reclaimAll,
  writeEntries,
} from '../../test/support/tier-rows.js'
import { systemClock } from '../clock.js'
import { createSeededPrng, systemPrng } from '../prng.js'
import { openWarmTier, type WarmTier } from './open-tier.js'
import { rowState } from './row-batch.js'

const context = { clock: systemClock, prng: systemPrng }
const open = (url: string): Promise<WarmTier> => openWarmTier(url, context, never)
const rows = Array.from({ length: 3 }, (_, index) => entry({ generation: 1, key: `k${index}` }))

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const result = await client.query(text)
  await client.end()
  return result.rows
}

describe('the SQL tier on the shared server', () => {
  test.each(['postgresql:', 'postgres:', 'POSTGRESQL:'])('opens a %s URL', async (scheme) => {
    const { tier } = await open((await freshPostgresUrl()).replace('postgresql:', scheme))
    expect(tier.kind).toBe('postgresql')
    expect(tier.durable).toBe(true)
    expect((await tier.stats(never)).serverVersion).toMatch(/^postgresql [0-9.]+$/)
    await tier.close()
  })

  test('a cockroachdb URL of a PostgreSQL is refused with the right one', async () => {
    const url = (await freshPostgresUrl()).replace('postgresql:', 'cockroachdb:')
    await expect(open(url)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('the server is postgresql: write postgresql://'),
    })
  })

  test('a database that commits without syncing is not durable, and says so', async () => {
    const url = await freshPostgresUrl()
    const name = new URL(url).pathname.slice(1)
    await ask(url, `ALTER DATABASE ${name} SET synchronous_commit = off`)
    const { tier } = await open(url)
    expect(tier.durable).toBe(false)
    expect((await tier.stats(never)).findings).toEqual([
      'synchronous_commit is off: acknowledged rows may be lost in a crash; set it to on',
    ])
    await tier.close()
  })

  test('keeps the raw key behind its hash, and version columns in the order of versions', async () => {
    const url = await freshPostgresUrl()
    const { tier } = await open(url)
    const version = { eventTimeUs: -5n, sequence: 2n ** 63n + 7n }
    await writeEntries(tier, [entry({ generation: 9, key: 'raw', version })])
    const stored = await ask(
      url,
      `SELECT generation, substr(ekey, 9) AS key, octet_length(ekey) AS bytes, event_time, sequence
       FROM larder.feature_rows`,
    )
    expect(stored).toEqual([
      { generation: '9', key: Buffer.from('raw'), bytes: 11, event_time: '-5', sequence: '7' },
    ])
    await tier.close()
  })

  test('reclaims more than one statement may, over several calls', async () => {
    const { tier } = await open(await freshPostgresUrl())
    const past = Array.from({ length: 2500 }, (_, index) =>
      entry({ generation: 1, key: `past ${index}`, keepMs: -1 }),
    )
    await writeEntries(tier, [...past, ...rows])
    expect(await tier.reclaim(never)).toBe(1000)
    await reclaimAll(tier)
    expect(
      await readEntries(
        tier,
        [past[0] ?? rows[0], ...rows].filter((row) => row !== undefined),
      ),
    ).toEqual([undefined, ...rows.map(({ row }) => row)])
    await tier.close()
  })

  test('a statement that waits for a lock fails at its deadline, and its connection is kept', async () => {
    const url = await freshPostgresUrl()
    const { tier } = await open(url)
    await writeEntries(tier, rows)
    const locker = new pg.Client({ connectionString: url })
    await locker.connect()
    await locker.query('BEGIN; LOCK TABLE larder.feature_rows IN ACCESS EXCLUSIVE MODE')
    const { into, failure } = await readSlots(
      tier,
      rows,
      Uint32Array.of(0),
      AbortSignal.timeout(50),
    )
    expect(into.states[0]).toBe(rowState.failed)
    expect(failure).toMatchObject({ code: 'deadline_exceeded' })
    await locker.query('COMMIT')
    await locker.end()
    expect(await holdsRows(tier, rows)).toBe(true)
    await tier.close()
  })

  test('a connection that the server ends is replaced, within the call', async () => {
    const url = await freshPostgresUrl()
    const { tier } = await open(url)
    await writeEntries(tier, rows)
    await ask(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'larder'`,
    )
    expect(await holdsRows(tier, rows)).toBe(true)
    await tier.close()
  })

  test('serialization failures are retried until the statement passes', async () => {
    const url = await freshPostgresUrl()
    const { tier } = await open(url)
    await ask(
      url,
      `CREATE SEQUENCE tries;
       CREATE FUNCTION fail_twice() RETURNS trigger AS $$ BEGIN
         IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'restart' USING ERRCODE = '40001'; END IF;
         RETURN NEW; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER fail BEFORE INSERT ON larder.feature_rows
         FOR EACH STATEMENT EXECUTE FUNCTION fail_twice()`.replace('RETURN NEW', 'RETURN NULL'),
    )
    expect(await writeEntries(tier, rows)).toBe(3)
    expect(await ask(url, 'SELECT last_value FROM tries')).toEqual([{ last_value: '3' }])
    await tier.close()
  })

  test('kill -9 of a writing process loses no row whose write returned', async () => {
    const lost = await killedWriterLosesNothing(await freshPostgresUrl(), createSeededPrng(16))
    expect(lost).toEqual({ lostBatches: [], ackedEnough: true })
  })
})

describe('the SQL tier on a server of its own', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a server killed while serving fails slots and writes, then serves what was acked', async () => {
    const { tier } = await open(server.url)
    await writeEntries(tier, rows)
    await server.kill()
    const { into, failure } = await readSlots(tier, rows, Uint32Array.of(0, 1, 2))
    expect([...into.states]).toEqual([rowState.failed, rowState.failed, rowState.failed])
    expect(failure).toMatchObject({ code: 'unavailable' })
    await expect(writeEntries(tier, rows)).rejects.toMatchObject({ code: 'unavailable' })
    await server.restart()
    await vi.waitFor(() => tier.ping(never), { timeout: 30_000 })
    expect(await holdsRows(tier, rows)).toBe(true)
    await tier.close()
  })
})
