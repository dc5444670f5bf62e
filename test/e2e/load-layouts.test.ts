/**
 * Loads that learn, through a real daemon: what is stored is what was in the files, in fewer bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import { runCaptured } from '../support/captured-io.js'
import {
  type E2eDaemon,
  freshTiers,
  nowUs,
  startDaemon,
  type TierUrls,
} from '../support/e2e-daemon.js'
import { freshLmdbUrl, freshRedisUrl } from '../support/test-servers.js'

const rowCount = 3000
const definitions = `
entities:
  - { name: user, keys: { user: string } }
feature_views:
  - name: usage
    entity: user
    latency_class: standard
    ttl: 30d
    retention: 30d
    features: &features
      - { name: clicks, type: int32 }
      - { name: share, type: float32 }
      - { name: plan, type: categorical }
      - { name: pages, type: "list<int16>" }
  - name: dense
    entity: user
    latency_class: realtime
    ttl: 30d
    retention: 30d
    packing: bucket
    expected_entities: ${rowCount}
    features: *features
`

/** Rows of users \`from\` and on, one a second before the daemon's noon. */
function usersSql({ from = 0, count = rowCount, clicks = 'i % 500' } = {}): string {
  return `SELECT 'user-' || i AS "user", TIMESTAMP '2024-05-01 12:00:00' - INTERVAL (i) SECOND AS at,
    CASE WHEN i % 20 = 0 THEN NULL ELSE (${clicks})::INTEGER END AS clicks,
    round(i / 3000, 3)::FLOAT AS share,
    ['free', 'pro', 'team'][1 + i % 3] AS plan,
    [j % 50 for j in range(i % 4)]::SMALLINT[] AS pages
    FROM range(${from}, ${from + count}) t(i)`
}

function userOf(index: number, clicks = index % 500) {
  return {
    clicks: index % 20 === 0 ? null : clicks,
    share: Math.fround(Number((index / 3000).toFixed(3))),
    plan: ['free', 'pro', 'team'][index % 3],
    pages: Array.from({ length: index % 4 }, (_, page) => page),
  }
}

function corrected(index: number) {
  return userOf(index, (index + 7) % 500)
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-load-layouts-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function writeParquet(name: string, select: string): Promise<string> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`COPY (${select}) TO '${join(folder, name)}'`)
  connection.closeSync()
  return name
}

/** A daemon with its command line. */
function cliOf(daemon: E2eDaemon) {
  return async (...argv: string[]) => {
    const address = ['--address', daemon.running.grpcAddress, '--json']
    const captured = await runCaptured([...argv, ...address], { cwd: folder })
    expect({ ...captured, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    return JSON.parse(captured.stdout)
  }
}

/** The stored features of users, and from which tiers they came. */
async function readUsers(daemon: E2eDaemon, view: string, indexes: readonly number[]) {
  const keys = [
    column.strings(
      'user',
      indexes.map((index) => `user-${index}`),
    ),
  ]
  const found = await daemon.client.getFeatures({ view, keys, includeRows: true })
  return indexes.map((_, row) =>
    Object.fromEntries(
      found.columns.map(({ name, valueAt }) => [name.slice(name.indexOf('.') + 1), valueAt(row)]),
    ),
  )
}

const someUsers = [0, 1, 2, 3, 19, 20, 999, 1500, rowCount - 1]

describe('on embedded tiers', () => {
  let daemon: E2eDaemon
  let larder: ReturnType<typeof cliOf>

  beforeAll(async () => {
    daemon = await startDaemon({ tiers: await freshTiers('embedded'), definitions })
    larder = cliOf(daemon)
  })
  afterAll(() => daemon.stop())

  async function usageView() {
    const { views } = await daemon.client.registry()
    return views.find(({ name }) => name === 'usage')
  }

  test('a load writes its rows in the layout that it learned', async () => {
    await writeParquet('users.parquet', usersSql())
    const loaded = await larder('load', 'usage', 'users.parquet', '--event-time', 'at')
    expect(loaded).toMatchObject({ stored_count: rowCount, encoding: { is_new: true } })
    expect((await usageView())?.layouts).toMatchObject([
      { profileId: 0 },
      { profileId: 1 },
      { id: loaded.encoding.layout_id, profileId: 1, version: { eventUnitUs: 1_000_000n } },
    ])
    expect(await readUsers(daemon, 'usage', someUsers)).toEqual(someUsers.map((i) => userOf(i)))
    const codec = await larder('codec', 'usage')
    const [stored] = codec.costs
    expect(Math.abs(stored.row_bytes - loaded.encoding.row_bytes)).toBeLessThan(1)
    expect(stored.row_bytes).toBeLessThan(loaded.encoding.plain_row_bytes / 2)
  })

  test('the same load again stores nothing and registers nothing', async () => {
    const before = await daemon.client.registry()
    const loaded = await larder('load', 'usage', 'users.parquet', '--event-time', 'at')
    expect(loaded).toMatchObject({
      stored_count: 0,
      superseded_count: rowCount,
      encoding: { profile_id: 1, is_new: false },
    })
    expect((await daemon.client.registry()).registryVersion).toBe(before.registryVersion)
  })

  test('a later load corrects rows at the same event times', async () => {
    await writeParquet('corrected.parquet', usersSql({ count: 1200, clicks: '(i + 7) % 500' }))
    const loaded = await larder('load', 'usage', 'corrected.parquet', '--event-time', 'at')
    expect(loaded).toMatchObject({ stored_count: 1200, encoding: { profile_id: 1 } })
    const expected = someUsers.map((i) => (i < 1200 ? corrected(i) : userOf(i)))
    expect(await readUsers(daemon, 'usage', someUsers)).toEqual(expected)
    // The first load once more does not undo it.
    await larder('load', 'usage', 'users.parquet', '--event-time', 'at')
    expect(await readUsers(daemon, 'usage', someUsers)).toEqual(expected)
  })

  test('a row that fits no load is written all the same, and is newer', async () => {
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: 'single',
      view: 'usage',
      schemaVersion: (await usageView())?.schemaVersion ?? 0,
      keys: [column.strings('user', ['user-1'])],
      features: [
        column.int32('clicks', [-2_147_483_648]),
        column.float32('share', [Number.NaN]),
        column.fromValues('plan', 'categorical', ['never seen']),
        column.fromValues('pages', 'list<int16>', [[32_767, -1]]),
      ],
      eventTimesUs: BigInt64Array.of(nowUs + 1n),
    })
    await writer.close()
    expect(ack).toMatchObject({ storedCount: 1, durable: true })
    expect(await readUsers(daemon, 'usage', [1, 2])).toEqual([
      { clicks: -2_147_483_648, share: Number.NaN, plan: 'never seen', pages: [32_767, -1] },
      corrected(2),
    ])
  })

  test('a load without learning is stored too, and a few rows learn nothing', async () => {
    await writeParquet('more.parquet', usersSql({ from: 10_000, count: 1500 }))
    const loaded = await larder('load', 'usage', 'more.parquet', '--event-time', 'at', '--no-learn')
    expect(loaded).toMatchObject({ stored_count: 1500, encoding: null })
    await writeParquet('few.parquet', usersSql({ from: 20_000, count: 10 }))
    const few = await larder('load', 'usage', 'few.parquet', '--event-time', 'at')
    expect(few).toMatchObject({ stored_count: 10, encoding: null })
    expect(await readUsers(daemon, 'usage', [10_001, 20_003])).toEqual([
      userOf(10_001),
      userOf(20_003),
    ])
  })

  test('learning by hand registers a profile once', async () => {
    const dry = await larder(
      'codec',
      'learn',
      'dense',
      '--input',
      'users.parquet',
      '--event-time',
      'at',
      '--dry-run',
    )
    expect(dry).toMatchObject({ registered: false, profile_id: null })
    const learned = await larder(
      'codec',
      'learn',
      'dense',
      '--input',
      'users.parquet',
      '--event-time',
      'at',
    )
    expect(learned).toMatchObject({ registered: true, profile_id: 1, sample_row_count: rowCount })
    const again = await larder(
      'codec',
      'learn',
      'dense',
      '--input',
      'users.parquet',
      '--event-time',
      'at',
    )
    expect(again).toMatchObject({ registered: false, profile_id: null })
  })

  test('a view without stored rows says where else to learn from', async () => {
    const address = ['--address', daemon.running.grpcAddress]
    const { exitCode, stderr } = await runCaptured(['codec', 'dense', ...address])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'has no stored rows: load some, or learn from files with `larder codec',
    )
  })
})

describe('a view in buckets, on Redis', () => {
  let tiers: TierUrls
  let daemon: E2eDaemon

  beforeAll(async () => {
    tiers = { hot: await freshRedisUrl(), warm: freshLmdbUrl() }
    daemon = await startDaemon({ tiers, definitions })
  })
  afterAll(() => daemon.stop())

  test('is loaded in whole buckets, from which rows are read', async () => {
    const larder = cliOf(daemon)
    await writeParquet('users.parquet', usersSql())
    const argv = ['--event-time', 'at', '--batch-rows', '500']
    expect(await larder('load', 'dense', 'users.parquet', ...argv)).toMatchObject({
      stored_count: rowCount,
      invisible_count: 0,
    })
    const redis = new Redis(tiers.hot)
    const keys = await redis.keysBuffer('*')
    const types = await Promise.all(keys.map((key) => redis.type(key)))
    const hashes = keys.filter((_, index) => types[index] === 'hash')
    const counts = await Promise.all(hashes.map((key) => redis.hlen(key)))
    redis.disconnect()
    expect(types).not.toContain('string')
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rowCount)
    expect(hashes.length).toBeLessThanOrEqual(Math.ceil(rowCount / 32))
    expect(await readUsers(daemon, 'dense', someUsers)).toEqual(someUsers.map((i) => userOf(i)))
  })
})
