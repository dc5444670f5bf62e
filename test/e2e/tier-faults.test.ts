/**
 * A tier that goes away while the daemon serves, or is not there when it starts: statuses and reasons,
 * never exceptions, and everything is back when the tier is.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, createLarderClient, type LarderClient } from '../../src/client/index.js'
import {
  type E2eDaemon,
  freshTiers,
  nowUs,
  startDaemon,
  startUnready,
} from '../support/e2e-daemon.js'
import { createModelsFolder, putModel, sumModel } from '../support/e2e-models.js'
import { startPostgres } from '../support/postgres-server.js'
import { startRedis } from '../support/redis-server.js'
import type { TestServer } from '../support/server-process.js'
import { freshLmdbUrl, freshPostgresUrl } from '../support/test-servers.js'

const view = (name: string, latencyClass: string) => `
  - name: ${name}
    entity: user
    latency_class: ${latencyClass}
    ttl: 1h
    retention: 2d
    features: [{ name: clicks, type: int32, default: 7 }]`
const definitions = `
entities: [{ name: user, keys: { user: string } }]
feature_views:${view('live', 'realtime')}${view('slow', 'relaxed')}
feature_services: [{ name: both, views: [{ view: live }, { view: slow }] }]
`

const ann = [column.strings('user', ['ann'])]
const patient = { timeout: 20_000 }

/** Batches go out once each, so that a test sees the first acknowledgement. */
function impatientClient(daemon: E2eDaemon): LarderClient {
  const addresses = daemon.running.grpcAddress
  return createLarderClient({ addresses, retry: { attemptsMax: 1 }, deadlineMs: 20_000 })
}

async function write(client: LarderClient, viewName: string, clicks: number, timeUs = nowUs) {
  const writer = client.openWriter()
  const ack = await writer.write({
    batchId: `${viewName} ${clicks}`,
    view: viewName,
    schemaVersion: 1,
    keys: ann,
    features: [column.int32('clicks', [clicks])],
    eventTimesUs: BigInt64Array.of(timeUs),
  })
  await writer.close()
  return ack
}

/** Status, value and tier of Ann's clicks in one view. */
async function cellOf(client: LarderClient, viewName: string) {
  const request = { view: viewName, keys: ann, includeRows: true }
  const { columns, origins } = await client.getFeatures(request)
  return [columns[0]?.statusAt(0), columns[0]?.valueAt(0), origins[0]?.tierAt(0)]
}

describe('Redis is killed while the daemon serves', () => {
  let redis: TestServer
  let daemon: E2eDaemon
  let client: LarderClient

  beforeAll(async () => {
    redis = await startRedis()
    const tiers = { hot: redis.url, warm: await freshPostgresUrl() }
    daemon = await startDaemon({ tiers, definitions })
    client = impatientClient(daemon)
  })
  afterAll(async () => {
    client.close()
    await daemon.stop()
    await redis.stop()
  })

  // Each step starts from the state that the one before it left.
  test('before: reads come from hot, and batches are durable and visible', async () => {
    expect(await write(client, 'live', 1)).toMatchObject({ durable: true, visible: true })
    expect(await cellOf(client, 'live')).toEqual(['present', 1, 'hot'])
  })

  test('reads fall to warm', async () => {
    await redis.kill()
    expect(await cellOf(client, 'live')).toEqual(['present', 1, 'warm'])
  })

  test('a batch is durable, not visible, and says why', async () => {
    const ack = await write(client, 'live', 2, nowUs + 1n)
    expect(ack).toMatchObject({ durable: true, visible: false, storedCount: 1, error: undefined })
    expect(ack.notVisibleReason).toContain(redis.url)
    expect(await cellOf(client, 'live')).toEqual(['present', 2, 'warm'])
  })

  test('status and metrics tell', async () => {
    const { tiers } = await client.status()
    expect(tiers.map(({ role, reachable }) => [role, reachable])).toEqual([
      ['hot', false],
      ['warm', true],
    ])
    const { text } = await daemon.fetchHttp('/metrics')
    expect(text).toMatch(/^larder_tier_failures_total\{tier="hot",code="unavailable"\} [1-9]/m)
    expect(text).toMatch(/^larder_batches_total\{outcome="not_visible"\} 1$/m)
  })

  test('once Redis is back, a retry of the same batch makes it visible', async () => {
    await redis.restart()
    await expect
      .poll(async () => (await write(client, 'live', 2, nowUs + 1n)).visible, patient)
      .toBe(true)
    expect(await cellOf(client, 'live')).toEqual(['present', 2, 'hot'])
  })
})

describe('PostgreSQL is killed while the daemon serves', () => {
  let postgres: TestServer
  let modelsFolder: string
  let daemon: E2eDaemon
  let client: LarderClient

  beforeAll(async () => {
    postgres = await startPostgres()
    const { hot } = await freshTiers('servers')
    modelsFolder = createModelsFolder()
    putModel(modelsFolder, 'sum', 1, sumModel({ 'live.clicks': 1, 'slow.clicks': 100 }))
    const tiers = { hot, warm: postgres.url }
    daemon = await startDaemon({ tiers, definitions, modelsFolder })
    client = impatientClient(daemon)
    await write(client, 'live', 1)
    await write(client, 'slow', 1)
  })
  afterAll(async () => {
    client.close()
    await daemon.stop()
    await postgres.stop()
    rmSync(modelsFolder, { recursive: true })
  })

  async function predict(failOnUnavailable: boolean) {
    const request = { models: ['sum'], keys: ann, failOnUnavailable }
    const [prediction] = (await client.predict(request)).predictions
    return [prediction?.scores[0], prediction?.defaults.unavailableCount]
  }

  // Each step starts from the state that the one before it left.
  test('before: predictions read both tiers', async () => {
    expect(await predict(true)).toEqual([101, 0])
  })

  test('rows in hot are served, the others are UNAVAILABLE', async () => {
    await postgres.kill()
    expect(await cellOf(client, 'live')).toEqual(['present', 1, 'hot'])
    const result = await client.getFeatures({ service: 'both', keys: ann, applyDefaults: true })
    expect(result.columns.map((cells) => cells.statusAt(0))).toEqual(['present', 'unavailable'])
    expect(result.columns[1]?.values).toEqual({ class: 'f64', values: Float64Array.of(7) })
  })

  test('predictions take defaults, and count why', async () => {
    expect(await predict(false)).toEqual([701, 1])
  })

  test('a caller who asks for it gets an error instead', async () => {
    await expect(predict(true)).rejects.toMatchObject({ code: 'unavailable' })
    const failing = client.getFeatures({ service: 'both', keys: ann, failOnUnavailable: true })
    await expect(failing).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("feature 'slow.clicks', row 0"),
    })
  })

  test('batches and deletes fail as retryable, with a reason that names the tier', async () => {
    const ack = await write(client, 'slow', 2, nowUs + 1n)
    expect(ack).toMatchObject({ durable: false, visible: false, storedCount: 0 })
    expect(ack.error).toMatchObject({ code: 'unavailable', retryable: true })
    expect(ack.error?.message).toContain('127.0.0.1')
    const deleting = async () => {
      for await (const _ of client.deleteEntities({ entity: 'user', keys: ann })) {
        // It fails before any progress.
      }
    }
    await expect(deleting()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('everything is back when PostgreSQL is', async () => {
    await postgres.restart()
    const acknowledged = async () => (await write(client, 'slow', 2, nowUs + 1n)).durable
    await expect.poll(acknowledged, patient).toBe(true)
    expect(await cellOf(client, 'slow')).toEqual(['present', 2, 'warm'])
    expect(await cellOf(client, 'live')).toEqual(['present', 1, 'hot'])
  })
})

describe('a daemon whose warm tier is gone', () => {
  test('stops, and closes what it can', async () => {
    const postgres = await startPostgres()
    const { hot } = await freshTiers('servers')
    const daemon = await startDaemon({ tiers: { hot, warm: postgres.url }, definitions })
    await postgres.kill()
    await expect(daemon.stop()).resolves.toBeUndefined()
    await postgres.stop()
  })
})

describe('a daemon that waits for its tiers', () => {
  test('stops when told to', async () => {
    const tiers = { hot: 'memory:', warm: 'postgresql://nobody@127.0.0.1:1/nothing' }
    const daemon = await startUnready({ tiers })
    const ready = expect(daemon.running.ready).rejects
    await expect(daemon.stop()).resolves.toBeUndefined()
    await ready.toMatchObject({ code: 'unavailable' })
  })
})

describe.each([
  ['Redis', startRedis, (url: string) => ({ hot: url, warm: freshLmdbUrl() })],
  ['PostgreSQL', startPostgres, (url: string) => ({ hot: 'memory:', warm: url })],
] as const)('%s is down when the daemon starts', (_, start, tiersOf) => {
  let server: TestServer
  let daemon: E2eDaemon

  beforeAll(async () => {
    server = await start()
    await server.kill()
    daemon = await startUnready({ tiers: tiersOf(server.url) })
  })
  afterAll(async () => {
    await daemon.stop()
    await server.stop()
  })

  const port = () => new URL(server.url).port

  test('it is alive, not ready, and says which tier it waits for', async () => {
    await expect
      .poll(async () => (await daemon.fetchHttp('/readyz')).text, patient)
      .toContain(port())
    expect(await daemon.fetchHttp('/readyz')).toMatchObject({ status: 503 })
    expect(await daemon.fetchHttp('/healthz')).toMatchObject({ status: 200 })
    expect(await daemon.client.health()).toBe('not_serving')
    const status = await daemon.client.status()
    expect(status.ready).toBe(false)
    expect(status.notReadyReason).toContain(port())
  })

  test('calls are refused as unavailable, with the same reason', async () => {
    const client = impatientClient(daemon)
    const reading = client.getFeatures({ view: 'live', keys: ann })
    await expect(reading).rejects.toMatchObject({ code: 'unavailable' })
    await expect(reading).rejects.toThrow(port())
    expect((await write(client, 'live', 1)).error).toMatchObject({
      code: 'unavailable',
      retryable: true,
    })
    client.close()
  })

  test('it becomes ready as soon as the tier is there, and serves', async () => {
    await server.restart()
    await daemon.running.ready
    expect(await daemon.fetchHttp('/readyz')).toMatchObject({ status: 200 })
    expect(await daemon.client.health()).toBe('serving')
    await daemon.apply(definitions)
    expect(await write(daemon.client, 'live', 1)).toMatchObject({ durable: true, visible: true })
    expect(await cellOf(daemon.client, 'live')).toEqual(['present', 1, 'hot'])
  })
})

describe('two daemons on one LMDB folder', () => {
  test.each([
    ['memory: beside memory:', true, true],
    ['memory: beside LMDB in both roles', false, true],
    ['LMDB in both roles beside memory:', true, false],
  ])('%s is refused, in words that say what to do', async (_, firstHasMemory, secondHasMemory) => {
    const warm = freshLmdbUrl()
    const hot = (hasMemory: boolean) => (hasMemory ? 'memory:' : warm)
    const first = await startDaemon({ tiers: { hot: hot(firstHasMemory), warm } })
    const second = await startUnready({ tiers: { hot: hot(secondHasMemory), warm } })
    await expect(second.running.ready).rejects.toMatchObject({ code: 'refused' })
    await expect(second.running.ready).rejects.toThrow(/another daemon .*hot must be shared/)
    await expect(second.client.registry()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('another daemon'),
    })
    expect((await first.client.status()).ready).toBe(true)
    await second.stop()
    await first.stop()
  })

  test('LMDB in both roles serves two, each what the other wrote', async () => {
    const warm = freshLmdbUrl()
    const first = await startDaemon({ tiers: { hot: warm, warm }, definitions })
    const second = await startDaemon({ tiers: { hot: warm, warm } })
    expect(await write(first.client, 'live', 5)).toMatchObject({ durable: true, visible: true })
    expect(await cellOf(second.client, 'live')).toEqual(['present', 5, 'warm'])
    await first.stop()
    await second.stop()
  })

  test('a folder whose daemon has stopped is free for memory: again', async () => {
    const warm = freshLmdbUrl()
    const first = await startDaemon({ tiers: { hot: 'memory:', warm }, definitions })
    await first.stop()
    const second = await startDaemon({ tiers: { hot: 'memory:', warm } })
    expect((await second.client.registry()).views).toHaveLength(2)
    await second.stop()
  })
})
