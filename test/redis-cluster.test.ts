import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../src/clock.js'
import { shardCount } from '../src/codec/store-key.js'
import { createSeededPrng } from '../src/prng.js'
import { MemoryTier } from '../src/tiers/memory-tier.js'
import { openHotTier } from '../src/tiers/open-tier.js'
import { slotOfShard } from '../src/tiers/redis-shards.js'
import { rowState } from '../src/tiers/row-batch.js'
import type { Tier } from '../src/tiers/tier.js'
import { describeTierContract } from './contracts/tier.contract.js'
import { startRedisCluster, type TestRedisCluster } from './support/redis-cluster.js'
import { startRedis } from './support/redis-server.js'
import { freePort } from './support/server-process.js'
import {
  entry,
  keysOf,
  never,
  readSlots,
  type TestEntry,
  withPacking,
  writeEntries,
} from './support/tier-rows.js'

const packings = [
  { name: 'string', packing: { kind: 'string' } },
  { name: 'bucket', packing: { kind: 'bucket', bucketCount: 150 } },
] as const

let cluster: TestRedisCluster

beforeAll(async () => {
  // Buckets may hold the contract's largest rows, about which a tier would otherwise complain.
  cluster = await startRedisCluster(1, ['--hash-max-listpack-value', '2000000'])
})
afterAll(() => cluster.stop())

/** A tier on the cluster, as a daemon opens it. */
function openTier(url = cluster.url): Promise<Tier> {
  const clock = systemClock
  const context = {
    clock,
    prng: createSeededPrng(11),
    seeds: { hotKey: 1n, hotCheck: 2n, warmSpread: 3n },
    warm: new MemoryTier({ displayUrl: 'memory:', bytesMax: 2 ** 24, clock }),
  }
  return openHotTier(url, context, never)
}

/** Rows of one generation. */
interface Rows {
  readonly generation: number
  readonly keys: readonly string[]
}

/** Above all generations of the contract. */
let nextGeneration = 1_000_000

function freshRows(rowCount: number): Rows {
  const keys = Array.from({ length: rowCount }, (_, at) => `key ${String(at).padStart(5, '0')}`)
  return { generation: nextGeneration++, keys }
}

function entriesOf({ generation, keys }: Rows, sequence: number, picked = keys): TestEntry[] {
  const version = { eventTimeUs: 1n, sequence: BigInt(sequence) }
  return picked.map((key) => entry({ generation, key, version, body: `${key} at ${sequence}` }))
}

/** What a read of all of `rows` found: for each key its row's body, or the slot's state. */
async function read(
  tier: Tier,
  rows: Rows,
  signal = never,
): Promise<{ readonly found: (string | number)[]; readonly failure: Error | undefined }> {
  const slots = Uint32Array.from(rows.keys, (_, slot) => slot)
  const { into, failure } = await readSlots(tier, entriesOf(rows, 0), slots, signal)
  const found = Array.from(into.states, (state, slot) =>
    state === rowState.row
      ? Buffer.from(into.rowAt(slot)).subarray(rowHeaderBytes).toString()
      : state,
  )
  return { found, failure }
}

/** Of `entry`'s rows: a layout id of one byte and a full version. */
const rowHeaderBytes = 17
const bodiesAt = ({ keys }: Rows, sequence: number) => keys.map((key) => `${key} at ${sequence}`)
/** The sequence in a row's body; -1 where there is no row. */
const sequenceIn = (found: string | number) => Number(String(found).split(' at ')[1] ?? -1)

/** Runs a command on `nodes[index]`. */
async function onNode(index: number, command: string, ...args: (string | number)[]) {
  const client = new Redis(cluster.nodes[index]?.port ?? 0)
  try {
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}

function onAllNodes(command: string, ...args: string[]): Promise<unknown[]> {
  return Promise.all(cluster.nodes.map((_, index) => onNode(index, command, ...args)))
}

/** How often the nodes have run `command` in all. */
async function callCount(command: string): Promise<number> {
  const infos = await onAllNodes('INFO', 'commandstats')
  return infos.reduce<number>((sum, info) => {
    const calls = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(String(info))?.[1]
    return sum + Number(calls ?? 0)
  }, 0)
}

/** One after the other: nodes that send each other keys at once wait for each other. */
async function inTurn<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) await run(item)
}

describe.each(packings)('on an empty cluster', ({ name, packing }) => {
  beforeAll(() => onAllNodes('FLUSHALL'))
  describeTierContract(`redis+cluster, ${name}`, async () => ({
    tier: withPacking(await openTier(), packing),
    elapse: (ms) => systemClock.sleep(ms),
    canScan: false,
    expiresOnTime: name === 'string',
    readsStoredVersions: true,
  }))
})

describe.each(packings)('rows in the packing $name', ({ name, packing }) => {
  let tier: Tier

  beforeAll(async () => {
    tier = withPacking(await openTier(), packing)
  })
  afterAll(() => tier.close())

  test('lie on all nodes, and 200 of them take at most a command per shard', async () => {
    const rows = freshRows(1000)
    expect(await writeEntries(tier, entriesOf(rows, 1))).toBe(1000)
    const some = { ...rows, keys: rows.keys.slice(0, 200) }
    await read(tier, some)
    const command = name === 'string' ? 'mget' : 'evalsha'
    const before = await callCount(command)
    expect((await read(tier, some)).found).toEqual(bodiesAt(some, 1))
    expect((await callCount(command)) - before).toBeGreaterThan(32)
    expect((await callCount(command)) - before).toBeLessThanOrEqual(shardCount)
    const counts = (await onAllNodes('DBSIZE')).slice(0, 3)
    expect(Math.min(...counts.map(Number))).toBeGreaterThan(0)
  })

  test('stay right and readable while their slots move, under reads and writes', async () => {
    const rows = freshRows(600)
    const prng = createSeededPrng(5)
    const acked = new Map(rows.keys.map((key) => [key, -1]))
    const slots = [3, 30, 60].map(slotOfShard)
    // To the neighbour, and to the node that serves nothing and that no client knows yet.
    const targets = [1, 3, 0]
    const migrations = await Promise.all(
      slots.map((slot, index) => cluster.startMigration(slot, targets[index] ?? 0)),
    )
    const other = withPacking(await openTier(), packing)
    const redirected = await callCount('asking')
    for (let round = 0; round < 15; round++) {
      // First writes of keys too: those are born on the node that their slot moves to.
      const pick = () => rows.keys.filter(() => prng.below(4) === 0)
      const [first, second] = [pick(), pick()]
      const ackedBefore = [...acked.values()]
      const [{ found, failure }] = await Promise.all([
        read(tier, rows),
        writeEntries(tier, entriesOf(rows, 2 * round + 1, second)),
        writeEntries(tier, entriesOf(rows, 2 * round, first)),
        inTurn(migrations, (migration) => migration.moveKeys(1)),
      ])
      for (const key of first) acked.set(key, 2 * round)
      for (const key of second) acked.set(key, 2 * round + 1)
      expect(failure).toBeUndefined()
      expect(found.filter((seen, at) => sequenceIn(seen) < (ackedBefore[at] ?? 0))).toEqual([])
      expect((await read(tier, rows)).found.map(sequenceIn)).toEqual([...acked.values()])
    }
    expect(await callCount('asking')).toBeGreaterThan(redirected)
    await inTurn(migrations, (migration) => migration.finish())
    expect(await Promise.all(slots.map(cluster.ownerOf))).toEqual(targets)
    // One client has seen the slots move, the other has not.
    for (const client of [other, tier]) {
      expect((await read(client, rows)).found.map(sequenceIn)).toEqual([...acked.values()])
    }
    expect(await writeEntries(other, entriesOf(rows, 100))).toBe(600)
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 100))
    await other.close()
    const moves = await Promise.all(slots.map((slot, at) => cluster.startMigration(slot, at)))
    await inTurn(moves, (move) => move.finish())
  })

  test('are removed on whatever nodes they lie', async () => {
    const rows = freshRows(300)
    await writeEntries(tier, entriesOf(rows, 1))
    const gone = { ...rows, keys: rows.keys.slice(0, 200) }
    await tier.remove(keysOf(entriesOf(gone, 0)), never)
    const { found } = await read(tier, rows)
    expect(found).toEqual([
      ...gone.keys.map(() => rowState.absent),
      ...bodiesAt(rows, 1).slice(200),
    ])
  })
})

describe('a node that is lost', () => {
  const lost = 1
  let tier: Tier
  let rows: Rows
  /** For each row whether it lies on the node that is lost. */
  let isLost: boolean[]

  beforeAll(async () => {
    tier = await openTier()
    rows = freshRows(300)
    await writeEntries(tier, entriesOf(rows, 1))
    const stored = await onNode(lost, 'KEYS', '*')
    const keys = new Set(Array.isArray(stored) ? stored.map((key) => String(key).slice(-9)) : [])
    isLost = rows.keys.map((key) => keys.has(key))
    expect(isLost.filter(Boolean).length).toBeGreaterThan(50)
    expect(isLost.filter(Boolean).length).toBeLessThan(150)
  })
  afterAll(() => tier.close())

  const bodiesOr = (state: number, sequence: number) =>
    bodiesAt(rows, sequence).map((body, at) => (isLost[at] === true ? state : body))

  test('because it stopped fails its own keys at the deadline, and the others answer', async () => {
    process.kill(cluster.nodes[lost]?.server.pid ?? 0, 'SIGSTOP')
    const { found, failure } = await read(tier, rows, AbortSignal.timeout(100))
    process.kill(cluster.nodes[lost]?.server.pid ?? 0, 'SIGCONT')
    expect(found).toEqual(bodiesOr(rowState.failed, 1))
    expect(failure).toMatchObject({ code: 'deadline_exceeded' })
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 1))
  })

  test('because it died fails its own keys at once, says which it is, and comes back', async () => {
    const { server, port } = cluster.nodes[lost] ?? {}
    await server?.kill()
    const reason = expect.objectContaining({
      code: 'unavailable',
      message: expect.stringContaining(`${cluster.url}: node 127.0.0.1:${port}: `),
    })
    const { found, failure } = await read(tier, rows)
    expect(found).toEqual(bodiesOr(rowState.failed, 1))
    expect(failure).toEqual(reason)
    await expect(writeEntries(tier, entriesOf(rows, 2))).rejects.toEqual(reason)
    expect((await read(tier, rows)).found).toEqual(bodiesOr(rowState.failed, 2))
    const { findings } = await tier.stats(never)
    expect(findings).toEqual([expect.stringContaining(`node 127.0.0.1:${port}: `)])
    await expect(tier.ping(never)).rejects.toEqual(reason)
    await server?.restart()
    await cluster.waitUntilOk()
    await vi.waitFor(() => writeEntries(tier, entriesOf(rows, 2)), { timeout: 20_000 })
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 2))
    expect((await tier.stats(never)).findings).toEqual([])
  })
})

describe('operating a cluster', () => {
  test('a setting by which one lost node stops all is told', async () => {
    const tier = await openTier()
    const setting = 'cluster-require-full-coverage'
    await onNode(2, 'CONFIG', 'SET', setting, 'yes')
    expect((await tier.stats(never)).findings).toEqual([
      'cluster-require-full-coverage is yes: one lost node stops all reads; set it to no',
    ])
    await onNode(2, 'CONFIG', 'SET', setting, 'no')
    expect((await tier.stats(never)).findings).toEqual([])
    await tier.close()
  })

  test('any one node of the URL that answers will do', async () => {
    const silentPort = await freePort()
    const silent = createServer().listen(silentPort, '127.0.0.1')
    const busPort = await freePort()
    const lone = await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(busPort)])
    const others = `127.0.0.1:1,127.0.0.1:${silentPort},${new URL(lone.url).host}`
    await expect(openTier(`redis+cluster://${others}`)).rejects.toMatchObject({
      code: 'unavailable',
      message:
        `redis+cluster://${others}: node 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; ` +
        `node 127.0.0.1:${silentPort}: no answer within 1000 ms; ` +
        `node ${new URL(lone.url).host}: knows no node that serves slots`,
    })
    const tier = await openTier(cluster.url.replace('//', `//${others},`))
    await expect(tier.ping(never)).resolves.toBeUndefined()
    expect(tier).toMatchObject({ kind: 'redis+cluster' })
    await tier.close()
    await lone.stop()
    silent.close()
  })

  test('every node asks for the password', async () => {
    const clients = cluster.nodes.map(({ port }) => new Redis(port))
    await Promise.all(clients.map((client) => client.config('SET', 'requirepass', 'secret')))
    const withPassword = (password: string) => cluster.url.replace('//', `//:${password}@`)
    await expect(openTier()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('NOAUTH'),
    })
    await expect(openTier(withPassword('wrong'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/:\*\*\*@.*WRONGPASS/),
    })
    const tier = await openTier(withPassword('secret'))
    const rows = freshRows(100)
    await writeEntries(tier, entriesOf(rows, 1))
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 1))
    await tier.close()
    await Promise.all(clients.map((client) => client.config('SET', 'requirepass', '')))
    for (const client of clients) client.disconnect()
  })
})

describe('a node that has a replica', () => {
  test('is followed by it: rows are readable again, and writable', async () => {
    const [primary, replica] = [2, 3]
    const tier = await openTier()
    const rows = freshRows(300)
    await writeEntries(tier, entriesOf(rows, 1))
    await cluster.replicate(replica, primary)
    await cluster.nodes[primary]?.server.kill()
    await vi.waitFor(
      async () => expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 1)),
      { timeout: 30_000, interval: 100 },
    )
    expect(await writeEntries(tier, entriesOf(rows, 2))).toBe(300)
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 2))
    expect(await cluster.ownerOf(slotOfShard(shardCount - 1))).toBe(replica)
    await cluster.nodes[primary]?.server.restart()
    await cluster.waitUntilOk()
    expect((await read(tier, rows)).found).toEqual(bodiesAt(rows, 2))
    await tier.close()
  })
})
