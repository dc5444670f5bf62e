/**
 * What rows take in a Redis of their own: `used_memory` and resident memory, before and after.
 *
 * Each layout gets a fresh server, because memory that another layout freed would be used again. The
 * loading client is gone before memory is read, and with it its buffers; reading back comes last.
 */
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { skipped, startRedis, withStarted } from './started.mjs'

/** Settings of a server, by name: Redis' own, and with room for what users raise. */
export const listpackLimits = Object.freeze({
  default: [],
  raised: ['--hash-max-listpack-value', '1024', '--hash-max-listpack-entries', '512'],
})

/**
 * Starts a server with `settings`, runs `stages`, which are `[name, load]`, one after the other, and
 * resolves with the bytes by stage that all rows take after its `load(url)`. `rehearse(url)` loads a few rows
 * first, which go again: what Redis then still counts as used, scripts and buffers, it keeps for any
 * number of rows. Resident memory has no such allowance: it is against the server as it started, so that
 * few rows seem to take more of it than many. `verify(url)` reads back.
 */
export async function measureUsage({ settings, rehearse, stages, verify }) {
  return await withStarted(async (started) => {
    const { url, pid } = await startRedis(started, settings)
    // One client to the end: what Redis uses depends on who is connected.
    return await withClient(url, async (client) => {
      await stopLatencyTracking(client)
      const freshRssBytes = rssOf(pid)
      await rehearse(url)
      await client.flushall('SYNC')
      const emptyUsedBytes = await readUsedBytes(client)
      const usages = {}
      for (const [name, load] of stages) {
        await load(url)
        const usedBytes = (await readUsedBytes(client)) - emptyUsedBytes
        usages[name] = { usedBytes, rssBytes: rssOf(pid) - freshRssBytes }
      }
      await verify(url)
      return usages
    })
  })
}

/** The version and the listpack limits of a server with `settings`. */
export async function describeServer(settings) {
  return await withStarted(async (started) => {
    const { url } = await startRedis(started, settings)
    return await withClient(url, async (client) => {
      const numberOf = async (name) => Number((await client.config('GET', name))[1])
      return {
        version: /^redis_version:(\S+)/m.exec(await client.info('server'))[1],
        allocator: /^mem_allocator:(\S+)/m.exec(await client.info('memory'))[1],
        listpackEntries: await numberOf('hash-max-listpack-entries'),
        listpackValueBytes: await numberOf('hash-max-listpack-value'),
      }
    })
  })
}

/** A case that is skipped where redis-server is not installed. */
export function unlessMissing(measure) {
  return async (caseName, effort) => {
    try {
      return await measure(caseName, effort)
    } catch (error) {
      if (error.path === 'redis-server') return skipped('redis-server is not installed')
      throw error
    }
  }
}

/** Runs `use` with a client of the server, and closes it. */
export async function withClient(url, use) {
  const client = new Redis(url)
  try {
    return await use(client)
  } finally {
    await client.quit()
  }
}

/** Since 7.0 a command's first call costs 24 KB for its histogram, whatever it does. */
async function stopLatencyTracking(client) {
  const [name] = await client.config('GET', 'latency-tracking')
  if (name !== undefined) await client.config('SET', name, 'no')
}

/** Memory once nobody else is connected and it stands still: tables that grow are moved little by little. */
async function readUsedBytes(client) {
  const settledMs = 110
  const triesMax = 100
  let usedBytes = Number.NaN
  for (let tries = 0; tries < triesMax; tries++) {
    const info = await client.info()
    const next = Number(/^used_memory:(\d+)/m.exec(info)[1])
    if (next === usedBytes && /^connected_clients:1\r$/m.test(info)) return usedBytes
    usedBytes = next
    await new Promise((resolve) => setTimeout(resolve, settledMs))
  }
  throw new Error(`Redis' used_memory does not come to rest: ${usedBytes} bytes`)
}

function rssOf(pid) {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])
}
