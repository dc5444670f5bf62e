/**
 * vitest's global set-up: real servers for the tests that ask for one.
 *
 * The idea: a run of one small test should not wait for PostgreSQL to start. So nothing starts here but
 * a broker on a Unix socket; the first test that asks it for a kind of server has it started, all share
 * it, and it is stopped when the run ends. `test-servers.ts` is the side that asks.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.js'
import { startRedis } from './redis-server.js'
import type { TestServer } from './server-process.js'

/** The kinds of shared servers. */
const serverKinds = { redis: () => startRedis(), postgresql: startPostgres } as const
export type ServerKind = keyof typeof serverKinds

/** What the broker answers, as one line of JSON. */
export type BrokerReply = { readonly url: string } | { readonly error: string }

declare module 'vitest' {
  export interface ProvidedContext {
    /** The broker's socket. */
    serverBroker: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-broker-'))
  const socketPath = join(folder, 'broker.sock')
  const started = new Map<ServerKind, Promise<TestServer>>()
  const broker = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (asked) => {
      answer(started, asked.toString().trim()).then((reply) => socket.end(JSON.stringify(reply)))
    })
  })
  await new Promise<void>((resolve) => broker.listen(socketPath, resolve))
  project.provide('serverBroker', socketPath)
  return async () => {
    broker.close()
    const servers = await Promise.allSettled(started.values())
    for (const server of servers) if (server.status === 'fulfilled') await server.value.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function answer(
  started: Map<ServerKind, Promise<TestServer>>,
  asked: string,
): Promise<BrokerReply> {
  const kind = asked === 'redis' || asked === 'postgresql' ? asked : undefined
  if (kind === undefined) return { error: `no such server: ${asked}` }
  const server = started.get(kind) ?? serverKinds[kind]()
  started.set(kind, server)
  try {
    return { url: (await server).url }
  } catch (error) {
    return { error: `${kind} did not start: ${error instanceof Error ? error.message : error}` }
  }
}
