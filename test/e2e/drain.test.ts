/**
 * How calls end: in time, cancelled, or while the daemon shuts down; and what it tells of itself.
 *
 * A lock on PostgreSQL's table of rows holds reads and writes back for as long as a test wants.
 */
import { Client, credentials } from '@grpc/grpc-js'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { column, type WriteBatch } from '../../src/client/index.js'
import { systemClock } from '../../src/clock.js'
import { cellStatus } from '../../src/column.js'
import {
  GetFeaturesRequest,
  GetFeaturesResponse,
  ServingServiceService,
} from '../../src/gen/larder/v1/serving.js'
import { drainMsMax } from '../../src/limits.js'
import { type E2eDaemon, freshTiers, nowUs, startDaemon } from '../support/e2e-daemon.js'
import { freshPostgresUrl } from '../support/test-servers.js'

const definitions = `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: slow
    entity: user
    latency_class: relaxed
    ttl: 1h
    retention: 2d
    features: [{ name: clicks, type: int32 }]
`
const ann = [column.strings('user', ['ann'])]
const read = { view: 'slow', keys: ann }
const bareRead = GetFeaturesRequest.fromPartial({
  target: { $case: 'view', value: 'slow' },
  keys: ann,
})
const { getFeatures } = ServingServiceService
const batch: WriteBatch = {
  batchId: 'batch',
  view: 'slow',
  schemaVersion: 1,
  keys: ann,
  features: [column.int32('clicks', [1])],
  eventTimesUs: BigInt64Array.of(nowUs),
}

/** A lock that other sessions' reads and writes of rows wait for. */
interface RowLock {
  /** Resolves once another session waits for the lock. */
  whenWaitedFor(): Promise<void>
  release(): Promise<void>
}

async function lockRows(url: string): Promise<RowLock> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN')
  await client.query('LOCK TABLE larder.feature_rows IN ACCESS EXCLUSIVE MODE')
  let isHeld = true
  return {
    async whenWaitedFor() {
      const waiting = async () => {
        const text = 'SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted'
        return Number((await client.query(text)).rows[0]?.waiting)
      }
      await expect.poll(waiting).toBeGreaterThan(0)
    },
    async release() {
      if (!isHeld) return
      isHeld = false
      await client.end()
    },
  }
}

describe('a daemon whose reads are held back', () => {
  let daemon: E2eDaemon
  let lock: RowLock

  beforeEach(async () => {
    const warm = await freshPostgresUrl()
    const limits = { readTimeoutMs: 300 }
    daemon = await startDaemon({ tiers: { hot: 'memory:', warm }, definitions, limits })
    await writeOnce()
    lock = await lockRows(warm)
  })
  afterEach(async () => {
    await lock.release()
    await daemon.stop()
  })

  async function writeOnce() {
    const writer = daemon.client.openWriter()
    const ack = await writer.write(batch)
    await writer.close()
    return ack
  }

  test('a read without a deadline gets the daemon’s: its cells are UNAVAILABLE', async () => {
    const reply = await daemon.call(getFeatures, bareRead, Number.POSITIVE_INFINITY)
    expect([...(GetFeaturesResponse.decode(reply).columns[0]?.status ?? [])]).toEqual([
      cellStatus.unavailable,
    ])
  })

  test('a caller’s deadline leaves time for a reply that says what was late', async () => {
    const reply = await daemon.call(getFeatures, bareRead, 1000)
    expect([...(GetFeaturesResponse.decode(reply).columns[0]?.status ?? [])]).toEqual([
      cellStatus.unavailable,
    ])
    await lock.release()
    expect((await daemon.client.getFeatures(read)).columns[0]?.valueAt(0)).toBe(1)
  })

  test('a cancelled call is over at once; the daemon serves on', async () => {
    const abort = new AbortController()
    const reading = daemon.client.getFeatures(read, abort.signal)
    await lock.whenWaitedFor()
    abort.abort()
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' })
    await lock.release()
    expect((await daemon.client.getFeatures(read)).columns[0]?.valueAt(0)).toBe(1)
  })

  test('a drain finishes the read under way and refuses new calls', async () => {
    const reading = daemon.client.getFeatures(read)
    await lock.whenWaitedFor()
    const stopped = daemon.running.stop()
    await expect
      .poll(async () => (await daemon.fetchHttp('/readyz')).text)
      .toContain('shutting down')
    const refused = daemon.client.getFeatures(read)
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
    await lock.release()
    expect((await reading).columns[0]?.valueAt(0)).toBe(1)
    await stopped
  })

  test('a drain acknowledges the batch under way, and ends the stream', async () => {
    const writer = daemon.client.openWriter()
    const writing = writer.write({ ...batch, batchId: 'under way' })
    await lock.whenWaitedFor()
    const stopped = daemon.running.stop()
    await lock.release()
    expect(await writing).toMatchObject({ batchId: 'under way', durable: true })
    await stopped
    await writer.close()
  })

  test('an idle stream of batches does not hold a drain up', async () => {
    const writer = daemon.client.openWriter()
    await lock.release()
    await writer.write({ ...batch, batchId: 'before the drain' })
    const startMs = systemClock.monotonicMs()
    await daemon.running.stop()
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(drainMsMax)
    writer.abort()
  })

  test('calls that never end do not stop a daemon from stopping', async () => {
    const stuck = daemon.call(getFeatures, bareRead, 120_000)
    const cutOff = expect(stuck).rejects.toThrow(/UNAVAILABLE|CANCELLED/)
    await lock.whenWaitedFor()
    await expect(daemon.running.stop()).resolves.toBeUndefined()
    await cutOff
  }, 45_000)
})

describe('what a daemon tells of itself', () => {
  let daemon: E2eDaemon

  beforeEach(async () => {
    daemon = await startDaemon({ tiers: await freshTiers('embedded'), definitions })
  })
  afterEach(() => daemon.stop())

  test('reflection lists its services', async () => {
    const channel = new Client(daemon.running.grpcAddress, credentials.createInsecure())
    const call = channel.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes.toString('latin1'),
    )
    // ServerReflectionRequest { list_services: "" }
    call.write(Buffer.of(0x3a, 0))
    const reply = await new Promise<string>((resolve, reject) => {
      call.on('data', resolve)
      call.on('error', reject)
    })
    call.end()
    channel.close()
    for (const name of ['ServingService', 'IngestService', 'AdminService']) {
      expect(reply).toContain(`larder.v1.${name}`)
    }
  })

  test('health, liveness and readiness agree, until it stops', async () => {
    expect(await daemon.client.health()).toBe('serving')
    expect(await daemon.fetchHttp('/healthz')).toMatchObject({ status: 200 })
    expect(await daemon.fetchHttp('/readyz')).toMatchObject({ status: 200 })
    const { text } = await daemon.fetchHttp('/metrics')
    expect(text).toMatch(/^larder_ready 1$/m)
    await daemon.running.stop()
    await expect(daemon.client.health()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(daemon.fetchHttp('/readyz')).rejects.toThrow()
  })

  test('its status names versions, tiers and the clock that stands still', async () => {
    const status = await daemon.client.status()
    expect(status).toMatchObject({ ready: true, exposed: false, frozenClockUs: nowUs })
    expect(status.tiers.map(({ role, reachable }) => [role, reachable])).toEqual([
      ['hot', true],
      ['warm', true],
    ])
  })

  test('stopping twice is stopping once', async () => {
    await Promise.all([daemon.running.stop(), daemon.running.stop()])
    await expect(daemon.running.stop()).resolves.toBeUndefined()
  })
})
