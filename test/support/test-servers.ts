/**
 * Tier URLs for tests, each with storage of its own on the run's shared servers.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { inject } from 'vitest'
import { redisDatabaseCount } from './redis-server.js'
import type { BrokerReply, ServerKind } from './servers.setup.js'

/** An empty folder for LMDB, which goes with the run. */
export function freshLmdbUrl(): string {
  return `lmdb:${mkdtempSync(join(dirname(inject('serverBroker')), 'lmdb-'))}`
}

/** An empty database on the shared Redis. */
export async function freshRedisUrl(): Promise<string> {
  const url = await serverUrl('redis')
  const client = new Redis(url)
  // Database 0 only counts which databases were handed out, over all test processes.
  const database = await client.incr('larder:test:databases')
  client.disconnect()
  if (database >= redisDatabaseCount)
    throw new Error(`all ${redisDatabaseCount} databases are used`)
  return `${url}/${database}`
}

/** An empty database on the shared PostgreSQL. */
export async function freshPostgresUrl(): Promise<string> {
  const url = await serverUrl('postgresql')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return url.replace(/\/postgres$/, `/${name}`)
}

/** Asks the broker for a server, which starts it for the first who asks. */
function serverUrl(kind: ServerKind): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(inject('serverBroker'), () => socket.write(`${kind}\n`))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.once('error', reject)
    socket.once('end', () => {
      const reply: BrokerReply = JSON.parse(text)
      if ('url' in reply) resolve(reply.url)
      else reject(new Error(reply.error))
    })
  })
}
