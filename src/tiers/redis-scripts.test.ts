/**
 * What the scripts do at their edges, on a real Redis: stored bytes that are nearly rows, version tables
 * of several views in one call, event times that a double hardly holds, and what a bucket is swept for.
 */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRedis } from '../../test/support/redis-server.js'
import type { TestServer } from '../../test/support/server-process.js'
import {
  entry,
  formOf,
  never,
  readEntries,
  type TestEntry,
  writeEntries,
} from '../../test/support/tier-rows.js'
import { redisBucketSweptRowsMax } from '../limits.js'
import type { Packing } from '../packing.js'
import { createSeededPrng, type Prng } from '../prng.js'
import type { CompactVersion } from '../version-format.js'
import { openRedisTier, type RedisTier } from './redis-tier.js'
import type { RowForm } from './row-form.js'

const seeds = { hotKey: 1n, hotCheck: 2n, warmSpread: 3n }
const expiryUnitMs = 1_024_000
const expiryEpochMs = Date.UTC(2020, 0)
const oneBucket = { kind: 'bucket', bucketCount: 1 } as const

let server: TestServer
let client: Redis
let tier: RedisTier
/** Draws the least number every time: each of its writes looks through the whole bucket, if any may. */
let sweeper: RedisTier
let generation = 0

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.url)
  const open = (prng: Prng) => {
    const { url } = server
    return openRedisTier({ url, kind: 'redis', displayUrl: url, seeds, prng }, never)
  }
  tier = await open(createSeededPrng(7))
  sweeper = await open({ ...createSeededPrng(7), next: () => 0 })
})
afterAll(async () => {
  client?.disconnect()
  await tier?.close()
  await sweeper?.close()
  await server?.stop()
})
beforeEach(() => {
  generation += 2
})

const bucketKey = () => Buffer.from([3, generation, 0, 0, 0, 0])

/** Puts `value` where the row of `key` lies, in a bucket with an expiry that is far. */
async function putStored(packing: Packing, key: string, value: Buffer): Promise<void> {
  if (packing.kind === 'string') {
    await client.set(Buffer.concat([Buffer.from([1, generation]), Buffer.from(key)]), value)
  } else {
    await client.hset(bucketKey(), key, Buffer.concat([Buffer.alloc(3, 0xff), value]))
  }
}

const loads = formOf(
  new Map<number, CompactVersion>([
    [3, { eventBaseUs: 0n, eventUnitUs: 1_000_000n, eventBytes: 3, sequence: 5n }],
    // Unit times steps is beyond 2^53: only their sum with the base is exact in a double.
    [4, { eventBaseUs: 1n - 2n ** 53n, eventUnitUs: 63n, eventBytes: 6, sequence: 5n }],
  ]),
)

describe.each<{ name: string; packing: Packing }>([
  { name: 'string', packing: { kind: 'string' } },
  { name: 'bucket', packing: oneBucket },
])('packing $name', ({ packing }) => {
  const form: RowForm = { ...loads, packing }

  test.each([
    { title: 'a full version without its last byte', value: [2, ...new Array(15).fill(0xff)] },
    { title: 'a compact version without its last byte', value: [3, 0xff, 0xff] },
    { title: 'a layout id and nothing else', value: [3] },
    {
      title: 'a layout id of more than 32 bits',
      value: [0xff, 0xff, 0xff, 0xff, 0x10, ...new Array(16).fill(0xff)],
    },
  ])('a stored value gives way that is no row: $title', async ({ value }) => {
    const rows = ['before', 'k', 'behind'].map((key) => entry({ generation, key, form }))
    await putStored(packing, 'k', Buffer.from(value))
    expect(await writeEntries(tier, rows)).toBe(3)
    expect(await readEntries(tier, rows)).toEqual(rows.map(({ row }) => row))
  })

  test('a stored row whose version is all of it stands', async () => {
    const later = entry({ generation, key: 'k', form, layoutId: 3, body: '', version: at(9n, 5n) })
    const earlier = entry({ generation, key: 'k', form, version: at(8n, 6n) })
    await putStored(packing, 'k', later.row)
    expect(await writeEntries(tier, [earlier])).toBe(0)
    expect(await readEntries(tier, [earlier])).toEqual([later.row])
  })

  test('a row to be kept for no time at all is written all the same', async () => {
    const rows = ['a', 'b'].map((key) => entry({ generation, key, form, keepMs: 0 }))
    expect(await writeEntries(tier, rows)).toBe(2)
  })

  test('event times are exact where unit times steps is beyond 2^53', async () => {
    const eventTimeUs = 1n - 2n ** 53n + 63n * (2n ** 48n - 1n)
    const version = { eventTimeUs, sequence: 5n }
    const keys = ['lower', 'higher']
    const compact = keys.map((key) => entry({ generation, key, form, layoutId: 4, version }))
    await writeEntries(tier, compact)
    const [lower, higher] = [4n, 6n].map((sequence, index) =>
      entry({ generation, key: keys[index] ?? '', form, version: { eventTimeUs, sequence } }),
    )
    expect(await writeEntries(tier, [lower, higher].filter(isEntry))).toBe(1)
    expect(await readEntries(tier, compact)).toEqual([compact[0]?.row, higher?.row])
  })

  test('a version table says its layouts in any order', async () => {
    const falling: RowForm = {
      ...formOf(new Map([...loads.versions.compact].reverse())),
      packing,
    }
    const rows = [3, 4].map((layoutId) => {
      const eventTimeUs = layoutId === 3 ? 0n : 1n - 2n ** 53n
      const version = { eventTimeUs, sequence: 5n }
      return entry({ generation, key: `${layoutId}`, form: falling, layoutId, version })
    })
    expect(await writeEntries(tier, rows)).toBe(2)
    expect(await writeEntries(tier, rows)).toBe(0)
  })

  test('each row of a call is compared by the version table of its own view', async () => {
    const other: RowForm = {
      ...formOf(new Map([[3, { ...second, eventUnitUs: 1n, sequence: 9n }]])),
      packing,
    }
    const views = [
      { generation, form },
      { generation: generation + 1, form: other },
    ]
    const rowsAt = (steps: readonly [bigint, bigint]) =>
      views.map((view, index) => {
        const [unitUs, sequence] = index === 0 ? ([1_000_000n, 5n] as const) : ([1n, 9n] as const)
        const version = { eventTimeUs: unitUs * (steps[index] ?? 0n), sequence }
        return entry({ ...view, key: 'k', layoutId: 3, version })
      })
    const fulls = views.map((view) => entry({ ...view, key: 'k', version: at(2n, 1n) }))
    await writeEntries(tier, fulls)
    // Three seconds are later than two, three microseconds are not.
    const mixed = rowsAt([3n, 3n])
    expect(await writeEntries(tier, mixed)).toBe(1)
    expect(await readEntries(tier, mixed)).toEqual([mixed[0]?.row, fulls[1]?.row])
  })
})

const second = { eventBaseUs: 0n, eventUnitUs: 1_000_000n, eventBytes: 3 }
const at = (seconds: bigint, sequence: bigint) => ({ eventTimeUs: seconds * 1_000_000n, sequence })
const isEntry = (each: TestEntry | undefined): each is TestEntry => each !== undefined

describe('buckets', () => {
  const form: RowForm = { ...loads, packing: oneBucket }
  const rowOf = (key: string, sequence = 1n) =>
    entry({ generation, key, form, version: at(1n, sequence) })

  /** Makes the row of `key` one that expires with the unit of time `units` after the current one. */
  async function expireIn(key: string, units: number): Promise<void> {
    const [seconds = 0] = (await client.time()).map(Number)
    const value = (await client.hgetBuffer(bucketKey(), key)) ?? Buffer.alloc(3)
    value.writeUIntBE(Math.floor((seconds * 1000 - expiryEpochMs) / expiryUnitMs) + units, 0, 3)
    await client.hset(bucketKey(), key, value)
  }

  test("a row is gone with its expiry's unit, and not before", async () => {
    await writeEntries(tier, [rowOf('gone', 9n), rowOf('kept', 9n)])
    await expireIn('gone', 0)
    await expireIn('kept', 2)
    expect(await writeEntries(tier, [rowOf('gone'), rowOf('kept')])).toBe(1)
    expect(await readEntries(tier, [rowOf('gone'), rowOf('kept')])).toEqual([
      rowOf('gone').row,
      rowOf('kept', 9n).row,
    ])
  })

  test('the key lives as long as the longest row of a call, wherever that stands', async () => {
    const keepMs = [60_000, 36_000_000, 60_000]
    const rows = rowsNamed(3).map((row, index) => ({ ...row, keepMs: keepMs[index] ?? 0 }))
    await writeEntries(tier, rows)
    expect(await client.pttl(bucketKey())).toBeGreaterThan(36_000_000 - 60_000)
  })

  /** How often the scripts called `command` for `work`. */
  async function callsOf(command: string, work: () => Promise<unknown>): Promise<number> {
    await client.config('RESETSTAT')
    await work()
    const stats = await client.info('commandstats')
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  }

  test('raw and hashed keys in turn are two hashes, each written once', async () => {
    const rows = Array.from({ length: 20 }, (_, index) =>
      rowOf(`${index}${'x'.repeat((index % 2) * 50)}`),
    )
    expect(await callsOf('hset', () => writeEntries(tier, rows))).toBe(2)
    expect(await readEntries(tier, rows)).toEqual(rows.map(({ row }) => row))
  })

  test('one write in as many as the bucket has rows looks through all of them', async () => {
    await writeEntries(tier, rowsNamed(50))
    const sweepCount = await callsOf('hgetall', async () => {
      for (let sequence = 2n; sequence < 502n; sequence++) {
        await writeEntries(tier, [rowOf('row 0', sequence)])
      }
    })
    expect(sweepCount).toBeGreaterThan(2)
    expect(sweepCount).toBeLessThan(25)
  })

  test.each([
    { title: 'as many rows as may be is', rowCount: redisBucketSweptRowsMax, sweepCount: 1 },
    { title: 'more rows is never', rowCount: redisBucketSweptRowsMax + 1, sweepCount: 0 },
  ])('a bucket of $title looked through', async ({ rowCount, sweepCount }) => {
    await writeEntries(tier, rowsNamed(rowCount))
    const write = () => writeEntries(sweeper, [rowOf('row 0', 2n)])
    expect(await callsOf('hgetall', write)).toBe(sweepCount)
  })

  test('more expired rows than one HDEL takes all go at once, and no other', async () => {
    const rows = rowsNamed(2500)
    await writeEntries(tier, rows)
    const expired = rows.slice(0, 2200)
    const past = expired.flatMap(({ key, row }) => [key, Buffer.concat([Buffer.alloc(3), row])])
    await client.hset(bucketKey(), ...past)
    await writeEntries(sweeper, [rowOf('row 2499', 2n)])
    const left = rows.slice(2200).map(({ key }) => String(key))
    expect((await client.hkeys(bucketKey())).sort()).toEqual(left.sort())
  })

  const rowsNamed = (rowCount: number) =>
    Array.from({ length: rowCount }, (_, index) => rowOf(`row ${index}`))
})
