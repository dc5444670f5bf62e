/**
 * What a connection does with the answers of nodes, on nodes that answer what a test says. How it fares
 * with real ones is `test/redis-cluster.test.ts`'s.
 */
import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../test/support/server-process.js'
import { never } from '../../test/support/tier-rows.js'
import { systemClock } from '../clock.js'
import { redisClusterLookMsMin, redisRedirectionsMax } from '../limits.js'
import { connectRedisCluster, type RedisClusterConnection } from './redis-cluster-connection.js'
import type { RedisCommand } from './redis-connection.js'
import { slotCount, slotOfShard } from './redis-shards.js'

/** A node that answers, in Redis' protocol, what `answer` says, and keeps what it was asked. */
interface ScriptedNode {
  readonly port: number
  readonly asked: string[]
  answer: (command: string) => string
}

const nodes: Server[] = []
let connection: RedisClusterConnection | undefined
afterEach(() => {
  connection?.close()
  for (const node of nodes.splice(0)) node.close()
})

async function startNode(): Promise<ScriptedNode> {
  const node: ScriptedNode = { port: await freePort(), asked: [], answer: () => '+OK\r\n' }
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      for (const command of commandsIn(chunk.toString())) {
        const name = command.split(' ')[0]?.toLowerCase()
        const isOfClient = name === 'client' || name === 'info'
        if (!isOfClient) node.asked.push(command)
        socket.write(isOfClient ? bulk('redis_version:7.0.0\r\n') : node.answer(command))
      }
    })
  })
  nodes.push(server)
  await new Promise<void>((resolve) => server.listen(node.port, '127.0.0.1', resolve))
  return node
}

/** Commands whose arguments hold neither a line's end nor a star; arguments joined by spaces. */
function commandsIn(text: string): string[] {
  const commands = text.split(/\*\d+\r\n/).slice(1)
  return commands.map((lines) =>
    lines
      .split(/\r\n/)
      .filter((_, at) => at % 2 === 1)
      .join(' '),
  )
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`

/** CLUSTER SLOTS' answer where `node` serves all slots. */
function servesAll({ port }: ScriptedNode): string {
  return `*1\r\n*3\r\n:0\r\n:${slotCount - 1}\r\n*2\r\n${bulk('127.0.0.1')}:${port}\r\n`
}

function get(key: string, shard = 0): RedisCommand {
  return { name: 'get', shard, bytes: Buffer.from(`*2\r\n${bulk('get')}${bulk(key)}`) }
}

/** `first` serves all slots, and answers other commands by `answer`; so does `second`, by `+OK`. */
let nowMs = 0
/** Only the pause between two looks goes by this time. */
const clock = { ...systemClock, monotonicMs: () => nowMs }

function connect(node: ScriptedNode): Promise<RedisClusterConnection> {
  const seeds = [`127.0.0.1:${node.port}`]
  return connectRedisCluster({ seeds, username: undefined, password: undefined, clock }, never)
}

async function startPair(answer: (command: string, second: ScriptedNode) => string) {
  const [first, second] = [await startNode(), await startNode()]
  first.answer = (command) =>
    command === 'cluster SLOTS' ? servesAll(first) : answer(command, second)
  connection = await connect(first)
  return { first, second, connection }
}

const slot = slotOfShard(0)
const ok = Buffer.from('OK')

describe('redirections', () => {
  test('ASK is followed once, right behind ASKING, and is not remembered', async () => {
    const { second, connection } = await startPair((command, { port }) =>
      command === 'get b' ? `-ASK ${slot} 127.0.0.1:${port}\r\n` : '+1\r\n',
    )
    const one = Buffer.from('1')
    const commands = [get('a'), get('b'), get('c')]
    expect(await connection.send(commands, never)).toEqual([one, ok, one])
    expect(await connection.send(commands, never)).toEqual([one, ok, one])
    expect(second.asked).toEqual(['ASKING', 'get b', 'ASKING', 'get b'])
  })

  test('MOVED is followed and believed for its slot only', async () => {
    const { first, second, connection } = await startPair((command, { port }) =>
      command === 'get a' ? `-MOVED ${slot} 127.0.0.1:${port}\r\n` : '+1\r\n',
    )
    expect(await connection.send([get('a'), get('b', 1)], never)).toEqual([ok, Buffer.from('1')])
    expect(await connection.send([get('a'), get('b', 1)], never)).toEqual([ok, Buffer.from('1')])
    expect(second.asked).toEqual(['get a', 'get a'])
    expect(first.asked.filter((command) => command === 'get a')).toHaveLength(1)
  })

  test('going round in circles ends with the last redirection', async () => {
    const { first, second, connection } = await startPair(
      (_, { port }) => `-MOVED ${slot} 127.0.0.1:${port}\r\n`,
    )
    second.answer = () => `-MOVED ${slot} 127.0.0.1:${first.port}\r\n`
    const [answer] = await connection.send([get('a')], never)
    expect(answer).toMatchObject({ message: expect.stringMatching(/^MOVED/) })
    const asked = [...first.asked, ...second.asked].filter((command) => command === 'get a')
    expect(asked).toHaveLength(redisRedirectionsMax + 1)
  })

  test.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'NOSCRIPT No matching script. Please use EVAL.',
    'CLUSTERDOWN Hash slot not served',
    'OOM command not allowed',
  ])('%s is handed back, and the command not sent again', async (message) => {
    const { first, connection } = await startPair(() => `-${message}\r\n`)
    expect(await connection.send([get('a')], never)).toEqual([expect.objectContaining({ message })])
    expect(first.asked.filter((command) => command === 'get a')).toHaveLength(1)
  })
})

describe('what is known of the cluster', () => {
  test('is looked at again when a slot has no node, but not with every request', async () => {
    const { first, connection } = await startPair(() => '+1\r\n')
    const all = first.answer
    const none = '-CLUSTERDOWN Hash slot not served\r\n'
    first.answer = (command) => (command === 'cluster SLOTS' ? all(command) : none)
    const looks = () => first.asked.filter((command) => command === 'cluster SLOTS').length
    expect(looks()).toBe(1)
    const sendOften = async () => {
      for (let round = 0; round < 20; round++) await connection.send([get('a')], never)
    }
    await sendOften()
    expect(looks()).toBe(1)
    nowMs += redisClusterLookMsMin
    await sendOften()
    await vi.waitFor(() => expect(looks()).toBe(2))
  })

  test('every node is asked for what has no keys', async () => {
    const { first, second, connection } = await startPair(() => '+1\r\n')
    const half = slotCount / 2
    const range = (from: number, to: number, { port }: ScriptedNode) =>
      `*3\r\n:${from}\r\n:${to}\r\n*2\r\n${bulk('')}:${port}\r\n`
    first.answer = () => `*2\r\n${range(0, half - 1, first)}${range(half, half + 99, second)}`
    second.answer = () => '-ERR unknown command\r\n'
    const other = await connect(first)
    const error = { message: `node 127.0.0.1:${second.port}: ERR unknown command` }
    expect(await other.sendToAll('dbsize', [], never)).toEqual([
      expect.any(Array),
      expect.objectContaining(error),
    ])
    expect(await other.findings(never)).toEqual(['8092 of 16384 slots are served by no node'])
    expect(await other.send([get('a', 63)], never)).toEqual([
      expect.objectContaining({ message: `no node serves slot ${slotOfShard(63)}` }),
    ])
    other.close()
    expect(connection.lostBecause()).toBeUndefined()
  })
})
