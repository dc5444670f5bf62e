/**
 * A real Redis Cluster for tests: nodes of `redis-server` on free loopback ports, every slot served.
 *
 * The idea: each node is a `startRedis` with cluster settings, so that killing, restarting and stopping
 * one works as it does for a single server; this file only introduces them to each other and moves
 * slots between them, step by step, so that a test can look at a slot that lies half here, half there.
 */
import { Redis } from 'ioredis'
import { systemClock } from '../../src/clock.js'
import { startRedis } from './redis-server.js'
import { freePort, type TestServer } from './server-process.js'

const slotCount = 16_384
const servingCount = 3
const readyTimeoutMs = 30_000
const readyPollMs = 50
/** A node that is silent for longer is failed: a busy machine's pauses stay below. */
const nodeTimeoutMs = 3000
const migrateTimeoutMs = 10_000

/** One node: its server, and the id the others know it by. */
export interface TestClusterNode {
  readonly server: TestServer
  readonly port: number
  readonly id: string
}

/** A slot on its way from one node to another. */
export interface SlotMigration {
  /** Moves up to `keyCountMax` keys and returns how many went. */
  moveKeys(keyCountMax: number): Promise<number>
  /** Moves what is left, tells every node the new owner and lets go of its connections. */
  finish(): Promise<void>
}

export interface TestRedisCluster {
  /** `redis+cluster://…`, naming the first node only. */
  readonly url: string
  readonly nodes: readonly TestClusterNode[]
  /** The index of the node that serves `slot`, as the nodes say it. */
  ownerOf(slot: number): Promise<number>
  /** Declares `slot` to be moving to `nodes[to]`; no key has moved yet. */
  startMigration(slot: number, to: number): Promise<SlotMigration>
  /** Makes `nodes[replica]`, which serves nothing, a replica of `nodes[primary]`, with all its rows. */
  replicate(replica: number, primary: number): Promise<void>
  /** Resolves once every node says that all slots are served. */
  waitUntilOk(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a cluster of three nodes, each with an even share of the slots and no replica, and of
 * `idleCount` further ones that serve nothing yet. `extraArgs` as of `startRedis`, for every node.
 */
export async function startRedisCluster(
  idleCount: number,
  extraArgs: readonly string[] = [],
): Promise<TestRedisCluster> {
  const started = Array.from({ length: servingCount + idleCount }, () => startNode(extraArgs))
  const servers = await Promise.all(started)
  const nodes = await Promise.all(
    servers.map(async (server) => ({ ...server, id: await idOf(server.port) })),
  )
  await Promise.all(nodes.slice(0, servingCount).map(({ port }, index) => addShare(port, index)))
  const [first, ...others] = nodes
  if (first === undefined) throw new Error('a cluster has at least one node')
  for (const { port, busPort } of others) {
    await ask(first.port, ['CLUSTER', 'MEET', '127.0.0.1', port, busPort])
  }
  await waitUntilOk(nodes)
  return {
    url: `redis+cluster://127.0.0.1:${first.port}`,
    nodes,
    ownerOf: (slot) => ownerOf(nodes, slot),
    startMigration: (slot, to) => startMigration(nodes, slot, to),
    replicate: (replica, primary) => replicate(nodes[replica], nodes[primary]),
    waitUntilOk: () => waitUntilOk(nodes),
    async stop() {
      await Promise.all(nodes.map(({ server }) => server.stop()))
    },
  }
}

async function startNode(
  extraArgs: readonly string[],
): Promise<Omit<TestClusterNode, 'id'> & { readonly busPort: number }> {
  // The bus would by default listen 10,000 ports above, where nobody knows what is free.
  const busPort = await freePort()
  const server = await startRedis([
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(nodeTimeoutMs)],
    // One lost node must not stop the others: what Larder asks of a cluster in production too.
    ...['--cluster-require-full-coverage', 'no'],
    // A node without slots stays one: it would become a replica of whom it gave its last to.
    ...['--cluster-allow-replica-migration', 'no'],
    // A new replica is served at once: nobody else is coming.
    ...['--repl-diskless-sync-delay', '0'],
    ...extraArgs,
  ])
  return { server, port: Number(new URL(server.url).port), busPort }
}

async function addShare(port: number, index: number): Promise<void> {
  const start = (at: number) => Math.floor((at * slotCount) / servingCount)
  await ask(port, ['CLUSTER', 'ADDSLOTSRANGE', start(index), start(index + 1) - 1])
}

async function idOf(port: number): Promise<string> {
  return String(await ask(port, ['CLUSTER', 'MYID']))
}

async function waitUntilOk(nodes: readonly TestClusterNode[]): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + readyTimeoutMs
  for (const { port } of nodes) {
    for (;;) {
      const info = String(await ask(port, ['CLUSTER', 'INFO']).catch(String))
      const known = `cluster_known_nodes:${nodes.length}\r\n`
      const isOk = /^cluster_state:ok\r$/m.test(info) && info.includes(known)
      if (isOk && info.includes(`cluster_slots_ok:${slotCount}\r\n`)) break
      if (systemClock.monotonicMs() > deadlineMs) throw new Error(`no cluster came up:\n${info}`)
      await systemClock.sleep(readyPollMs)
    }
  }
}

async function ownerOf(nodes: readonly TestClusterNode[], slot: number): Promise<number> {
  const [first] = nodes
  const ranges = await ask(first?.port ?? 0, ['CLUSTER', 'SLOTS'])
  if (!Array.isArray(ranges)) throw new Error('CLUSTER SLOTS gave no list')
  const range = ranges.find(([from, to]) => from <= slot && slot <= to)
  return nodes.findIndex(({ port }) => port === range?.[2]?.[1])
}

async function startMigration(
  nodes: readonly TestClusterNode[],
  slot: number,
  to: number,
): Promise<SlotMigration> {
  const source = nodes[await ownerOf(nodes, slot)]
  const target = nodes[to]
  if (source === undefined || target === undefined || source === target) {
    throw new Error(`slot ${slot} cannot move to node ${to}`)
  }
  await ask(target.port, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id])
  await ask(source.port, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id])
  const client = new Redis(source.port, '127.0.0.1')
  const moveKeys = async (keyCountMax: number): Promise<number> => {
    const keys = await client.callBuffer('CLUSTER', 'GETKEYSINSLOT', slot, keyCountMax)
    if (!Array.isArray(keys) || keys.length === 0) return 0
    const address = ['127.0.0.1', target.port, '', 0, migrateTimeoutMs]
    await client.call('MIGRATE', ...address, 'KEYS', ...keys)
    return keys.length
  }
  return {
    moveKeys,
    async finish() {
      while ((await moveKeys(100)) > 0);
      client.disconnect()
      // The new owner first: otherwise the old one would for a moment send everybody back and forth.
      const others = nodes.filter((node) => node !== target)
      for (const { port } of [target, ...others]) {
        await ask(port, ['CLUSTER', 'SETSLOT', slot, 'NODE', target.id])
      }
    },
  }
}

async function replicate(
  replica: TestClusterNode | undefined,
  primary: TestClusterNode | undefined,
): Promise<void> {
  if (replica === undefined || primary === undefined) throw new Error('no such node')
  await ask(replica.port, ['CLUSTER', 'REPLICATE', primary.id])
  const deadlineMs = systemClock.monotonicMs() + readyTimeoutMs
  while (!/^master_link_status:up\r$/m.test(String(await ask(replica.port, ['INFO'])))) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error('no replica came up')
    await systemClock.sleep(readyPollMs)
  }
}

/** One command on a connection of its own. */
async function ask(port: number, [command, ...args]: readonly (string | number)[]) {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  try {
    return await client.call(String(command), ...args)
  } finally {
    client.disconnect()
  }
}
