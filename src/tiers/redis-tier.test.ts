import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startRedis } from '../../test/support/redis-server.js'
import type { TestServer } from '../../test/support/server-process.js'
import { freshRedisUrl } from '../../test/support/test-servers.js'
import {
  entry,
  holdsRows,
  keysOf,
  never,
  readEntries,
  readSlots,
  type TestEntry,
  writeEntries,
} from '../../test/support/tier-rows.js'
import { expiryJitterShare } from '../limits.js'
import { createSeededPrng } from '../prng.js'
import type { RedisCommand, RedisConnection } from './redis-connection.js'
import { redisFindings, serverVersionOf, usedMemoryOf } from './redis-findings.js'
import { openRedisServerConnection } from './redis-server-connection.js'
import { openRedisTier, RedisTier } from './redis-tier.js'
import { rowState } from './row-batch.js'
import { plainForm } from './row-form.js'

const seeds = { hotKey: 1n, hotCheck: 2n, warmSpread: 3n }
const open = (url: string): Promise<RedisTier> =>
  openRedisTier({ url, kind: 'redis', displayUrl: url, seeds, prng: createSeededPrng(7) }, never)

function manyEntries(count: number, body: string | Buffer): TestEntry[] {
  return Array.from({ length: count }, (_, index) =>
    entry({ generation: 1, key: `k${index}`, body }),
  )
}

describe('the Redis tier on the shared server', () => {
  let url: string
  let tier: RedisTier
  let client: Redis

  beforeAll(async () => {
    url = await freshRedisUrl()
    tier = await open(url)
    client = new Redis(url)
  })
  afterAll(async () => {
    client.disconnect()
    await tier.close()
  })

  test('writes again after the server forgot the script', async () => {
    const entries = manyEntries(1200, 'flushed')
    await client.script('FLUSH')
    expect(await writeEntries(tier, entries)).toBe(1200)
    await client.script('FLUSH')
    expect(await writeEntries(tier, entries)).toBe(0)
    expect(await holdsRows(tier, entries)).toBe(true)
  })

  test('hands Redis a duration, never less than asked and at most the jitter more', async () => {
    const keepMs = 1_000_000
    const entries = Array.from({ length: 50 }, (_, index) =>
      entry({ generation: 2, key: `${index}`, keepMs }),
    )
    await writeEntries(tier, entries)
    const expiries = await Promise.all(
      entries.map(({ key }) => client.pttl(Buffer.concat([Buffer.from([1, 2]), key]))),
    )
    // Some of the time is over when Redis is asked: a minute is more than any test machine takes.
    expect(Math.min(...expiries)).toBeGreaterThan(keepMs - 60_000)
    expect(Math.max(...expiries)).toBeLessThanOrEqual(keepMs * (1 + expiryJitterShare) + 1)
    expect(new Set(expiries.map((ms) => Math.round(ms / 1000))).size).toBeGreaterThan(10)
  })

  test("another entity's row under the same hash is absent, and counted", async () => {
    const hashed = entry({ generation: 3, key: 'x'.repeat(100) })
    await writeEntries(tier, [hashed])
    const [key = ''] = await client.keysBuffer('\x02\x03*')
    const stored = (await client.getBuffer(key)) ?? Buffer.alloc(0)
    await client.set(key, Buffer.concat([Buffer.alloc(8, 0xee), stored.subarray(8)]))
    expect(await readEntries(tier, [hashed])).toEqual([undefined])
    expect((await tier.stats(never)).findings).toEqual([
      "1 reads met another entity's row under their hash",
    ])
  })

  test('a stored value that is no row comes back as it is and gives way to any write', async () => {
    const row = entry({ generation: 4, key: 'k' })
    await client.set(Buffer.from([1, 4, 0x6b]), Buffer.from([0xff, 0xff]))
    expect(await readEntries(tier, [row])).toEqual([Buffer.from([0xff, 0xff])])
    expect(await writeEntries(tier, [row])).toBe(1)
    expect(await readEntries(tier, [row])).toEqual([row.row])
  })

  test('a row that is none of its form is a bug that stops, and nothing is stored', async () => {
    const [good, bad] = ['good', 'bad'].map((key) => entry({ generation: 6, key }))
    if (good === undefined || bad === undefined) throw new Error('there are two')
    const cut = { ...bad, row: bad.row.subarray(0, 16) }
    await expect(writeEntries(tier, [good, cut])).rejects.toMatchObject({ code: 'corrupt_row' })
    expect(await readEntries(tier, [good, bad])).toEqual([undefined, undefined])
  })

  test('an unknown layout in the first of many calls is told', async () => {
    const form = { ...plainForm, versions: { layoutIdMax: 9, compact: new Map() } }
    const first = entry({ generation: 7, key: 'k0', layoutId: 9, form })
    await writeEntries(tier, [first])
    const older = { ...form, versions: { layoutIdMax: 8, compact: new Map() } }
    const entries = Array.from({ length: 1200 }, (_, index) =>
      entry({ generation: 7, key: `k${index}`, form: older }),
    )
    await expect(writeEntries(tier, entries)).rejects.toMatchObject({
      details: { unknownLayoutId: 9 },
    })
    expect(await holdsRows(tier, [first, ...entries.slice(1)])).toBe(true)
  })

  test('a bucket that cannot be read fails the slots asked for, and no other', async () => {
    const packing = { kind: 'bucket', bucketCount: 1 } as const
    const form = { ...plainForm, packing }
    const entries = ['a', 'b', 'c', 'd'].map((key) => entry({ generation: 8, key, form }))
    await client.set(Buffer.from([3, 8, 0, 0, 0, 0]), 'no hash')
    const { into, failure } = await readSlots(tier, entries, Uint32Array.of(3, 1))
    const { pending, failed } = rowState
    expect([...into.states]).toEqual([pending, failed, pending, failed])
    expect(failure).toMatchObject({ code: 'unavailable' })
  })

  test('a value of another Redis type under a key is told as unavailable', async () => {
    await client.lpush(Buffer.from([1, 5, 0x6b]), 'list')
    await expect(writeEntries(tier, [entry({ generation: 5, key: 'k' })])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('WRONGTYPE'),
    })
  })
})

describe('the Redis tier on a server of its own', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await startRedis(['--maxmemory', '8mb'])
  })
  afterAll(() => server.stop())

  test('a full server is hot_out_of_memory; reads and removals still work', async () => {
    const tier = await open(server.url)
    const small = manyEntries(1, 'small').map((written) => ({ ...written, generation: 2 }))
    await writeEntries(tier, small)
    const entries = manyEntries(400, Buffer.alloc(50_000))
    await expect(writeEntries(tier, entries)).rejects.toMatchObject({ code: 'hot_out_of_memory' })
    expect(await holdsRows(tier, small)).toBe(true)
    await tier.remove(keysOf(small), never)
    expect(await readEntries(tier, small)).toEqual([undefined])
    const client = new Redis(server.url)
    await client.flushall()
    client.disconnect()
    expect(await writeEntries(tier, entries.slice(0, 10))).toBe(10)
    await tier.close()
  })

  test('a server killed while serving fails slots and writes at once, then serves again', async () => {
    const tier = await open(server.url)
    const entries = manyEntries(3, 'row')
    await writeEntries(tier, entries)
    await server.kill()
    const { into, failure } = await readSlots(tier, entries, Uint32Array.of(0, 1, 2))
    expect([...into.states]).toEqual([rowState.failed, rowState.failed, rowState.failed])
    expect(failure).toMatchObject({ code: 'unavailable' })
    await expect(writeEntries(tier, entries)).rejects.toMatchObject({ code: 'unavailable' })
    await server.restart()
    await vi.waitFor(() => tier.ping(never), { timeout: 20_000 })
    expect(await readEntries(tier, entries)).toEqual([undefined, undefined, undefined])
    expect(await writeEntries(tier, entries)).toBe(3)
    await tier.close()
  })

  test('a server that is stopped, not gone, fails a read at its deadline', async () => {
    const tier = await open(server.url)
    const entries = manyEntries(1, 'row')
    process.kill(server.pid, 'SIGSTOP')
    const deadline = AbortSignal.timeout(50)
    const { into, failure } = await readSlots(tier, entries, Uint32Array.of(0), deadline)
    process.kill(server.pid, 'SIGCONT')
    expect(into.states[0]).toBe(rowState.failed)
    expect(failure).toMatchObject({ code: 'deadline_exceeded' })
    await expect(readEntries(tier, entries)).resolves.toHaveLength(1)
    await tier.close()
  })

  test('a server that is not there is unavailable, with the reason', async () => {
    await expect(open('redis://127.0.0.1:1')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
    })
  })
})

describe('a server that answers as one of a cluster whose slots move', () => {
  /** The shared server, but commands of several keys, or with `refused`, are answered by TRYAGAIN. */
  async function openMoving({ refused = 'no key has this' } = {}): Promise<{
    readonly tier: RedisTier
    readonly sent: string[][]
  }> {
    const url = await freshRedisUrl()
    const connection = await openRedisServerConnection(url, never)
    const sent: string[][] = []
    const moving: RedisConnection = {
      shardCount: 1,
      async send(commands, signal) {
        sent.push(commands.map(({ name }) => name))
        const isSent = (command: RedisCommand) =>
          hasOneKey(command) && !command.bytes.includes(refused)
        const answers = [...(await connection.send(commands.filter(isSent), signal))]
        return commands.map((command) =>
          isSent(command) ? (answers.shift() ?? null) : new Error('TRYAGAIN'),
        )
      },
      sendToAll: (name, args, signal) => connection.sendToAll(name, args, signal),
      findings: async () => ['slots are moving'],
      lostBecause: () => undefined,
      close: () => connection.close(),
    }
    const options = { kind: 'redis', displayUrl: url, seeds, prng: createSeededPrng(7) } as const
    return { tier: new RedisTier(moving, options), sent }
  }

  /** MGET and UNLINK count their keys by their arguments; a script's call says their number. */
  function hasOneKey({ name, bytes }: RedisCommand): boolean {
    const parts = bytes.toString('latin1').split('\r\n')
    if (name === 'mget' || name === 'unlink') return parts[0] === '*2'
    return !name.startsWith('eval') || parts[6] === '1'
  }

  test.each([
    { packing: 'string', form: plainForm },
    {
      packing: 'bucket',
      form: { ...plainForm, packing: { kind: 'bucket', bucketCount: 50 } } as const,
    },
  ])('each key is asked for by itself: packing $packing', async ({ form }) => {
    const { tier, sent } = await openMoving()
    const entries = manyEntries(20, 'row').map((written) => ({ ...written, form }))
    expect(await writeEntries(tier, entries)).toBe(20)
    expect(await writeEntries(tier, entries)).toBe(0)
    expect(await holdsRows(tier, entries)).toBe(true)
    await tier.remove(keysOf(entries), never)
    expect((await readEntries(tier, entries)).every((row) => row === undefined)).toBe(true)
    expect(Math.max(...sent.map((names) => names.length))).toBeGreaterThan(10)
    await tier.close()
  })

  test('a key that is refused by itself fails its own slot and every write of it', async () => {
    const { tier } = await openMoving({ refused: 'k2' })
    const entries = manyEntries(4, 'row')
    await writeEntries(
      tier,
      entries.filter((_, index) => index !== 2),
    )
    const { into, failure } = await readSlots(tier, entries, Uint32Array.of(3, 2, 0))
    const { row, pending, failed } = rowState
    expect([...into.states]).toEqual([row, pending, failed, row])
    expect(failure).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching('TRYAGAIN'),
    })
    const unavailable = expect.objectContaining({ code: 'unavailable' })
    for (const refused of [entries, entries.slice(2, 3)]) {
      await expect(writeEntries(tier, refused)).rejects.toEqual(unavailable)
      await expect(tier.remove(keysOf(refused), never)).rejects.toEqual(unavailable)
    }
    await tier.close()
  })

  test('what holds for all servers together is told', async () => {
    const { tier } = await openMoving()
    expect((await tier.stats(never)).findings).toEqual(['slots are moving'])
    await tier.close()
  })
})

describe('listpack limits', () => {
  test.each([
    { title: 'that are told', args: [], limits: { entriesMax: 512, valueBytesMax: 64 } },
    { title: 'that are not', args: ['--rename-command', 'CONFIG', ''], limits: 'unknown' },
  ])('$title', async ({ args, limits }) => {
    const server = await startRedis(args)
    const tier = await open(server.url)
    expect((await tier.stats(never)).listpackLimits).toEqual(limits)
    await tier.close()
    await server.stop()
  })
})

describe('findings', () => {
  test.each([
    {
      info: 'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\nrole:master\r\n',
      findings: [],
    },
    { info: 'redis_version:6.2.0\r\n', findings: [] },
    { info: 'redis_version:6.0.16\r\n', findings: ['redis 6.0.16 is older than 6.2'] },
    { info: 'redis_version:5.9.9\r\n', findings: ['redis 5.9.9 is older than 6.2'] },
    {
      info: 'redis_version:8.0.0\r\nmaxmemory_policy:allkeys-lru\r\n',
      findings: [
        'maxmemory-policy is allkeys-lru: resident rows may be evicted; set it to noeviction',
      ],
    },
    {
      info: 'redis_version:7.2.0\r\nrole:slave\r\n',
      findings: ['the server is a replica: writes will be refused; name its primary'],
    },
  ])('of $info', ({ info, findings }) => {
    expect(redisFindings(info, 1)).toEqual(findings)
  })

  test('a node of a cluster needs a URL that says so', () => {
    const info = 'redis_version:7.0.15\r\nredis_mode:cluster\r\n'
    expect(redisFindings(info, 1)).toEqual([
      'the server is in a cluster, and keys of other nodes are refused: write redis+cluster://',
    ])
    expect(redisFindings(info, 64)).toEqual([])
    expect(redisFindings(info.replace('cluster', 'standalone'), 1)).toEqual([])
  })

  test('the version is read from INFO', () => {
    expect(serverVersionOf('# Server\r\nredis_version:7.0.15\r\n')).toBe('redis 7.0.15')
  })

  test('so is the memory used', () => {
    expect(usedMemoryOf('# Memory\r\nused_memory:12345\r\nused_memory_rss:99\r\n')).toBe(12345)
    expect(usedMemoryOf('')).toBe(0)
  })
})
