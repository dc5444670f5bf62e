import { describe, expect, test } from 'vitest'
import { freshLmdbUrl, freshRedisUrl } from '../../test/support/test-servers.js'
import { never } from '../../test/support/tier-rows.js'
import { systemClock } from '../clock.js'
import { LarderError } from '../errors.js'
import { memoryTierBytesDefault } from '../limits.js'
import { systemPrng } from '../prng.js'
import { MemoryTier } from './memory-tier.js'
import { openHotTier, openWarmTier, parseTierUrl } from './open-tier.js'

const context = { clock: systemClock, prng: systemPrng }
const supported =
  'supported are memory:, lmdb:PATH, redis://, rediss://, redis+cluster://, postgresql:// and cockroachdb://'

describe('parseTierUrl', () => {
  test.each([
    {
      text: 'memory:',
      url: { kind: 'memory', displayUrl: 'memory:', bytesMax: memoryTierBytesDefault },
    },
    {
      text: 'memory:?max_bytes=2000000',
      url: { kind: 'memory', displayUrl: 'memory:?max_bytes=2000000', bytesMax: 2_000_000 },
    },
    { text: 'lmdb:/var/x', url: { kind: 'lmdb', displayUrl: 'lmdb:/var/x', folder: '/var/x' } },
    {
      text: 'lmdb:/var/y/../x',
      url: { kind: 'lmdb', displayUrl: 'lmdb:/var/x', folder: '/var/x' },
    },
    {
      text: 'redis://h:1/2',
      url: { kind: 'redis', displayUrl: 'redis://h:1/2', url: 'redis://h:1/2' },
    },
    {
      text: 'rediss://user:p@ss@h:1',
      url: { kind: 'rediss', displayUrl: 'rediss://user:***@h:1', url: 'rediss://user:p@ss@h:1' },
    },
    {
      text: 'redis://:secret@h',
      url: { kind: 'redis', displayUrl: 'redis://:***@h', url: 'redis://:secret@h' },
    },
    {
      text: 'redis+cluster://user:p@ss@a:1,b:2',
      url: {
        kind: 'redis+cluster',
        displayUrl: 'redis+cluster://user:***@a:1,b:2',
        seeds: ['a:1', 'b:2'],
        username: 'user',
        password: 'p@ss',
      },
    },
    {
      text: 'postgres://u:secret@h:5432/d?sslmode=require',
      url: {
        kind: 'postgresql',
        displayUrl: 'postgres://u:***@h:5432/d?sslmode=require',
        url: 'postgres://u:secret@h:5432/d?sslmode=require',
      },
    },
    {
      text: 'postgresql://h/d?user=u&password=secret&host=/tmp',
      url: {
        kind: 'postgresql',
        displayUrl: 'postgresql://h/d?user=u&password=***&host=/tmp',
        url: 'postgresql://h/d?user=u&password=secret&host=/tmp',
      },
    },
    {
      text: 'cockroachdb://root@h:26257/d',
      url: {
        kind: 'cockroachdb',
        displayUrl: 'cockroachdb://root@h:26257/d',
        url: 'postgresql://root@h:26257/d',
      },
    },
  ])('takes $text apart', ({ text, url }) => {
    expect(parseTierUrl(text)).toEqual(url)
  })

  test.each([
    { text: '', problem: `tier : is not a tier's URL; ${supported}` },
    { text: 'mysql://h/d', problem: `tier mysql://h/d: is not a tier's URL; ${supported}` },
    { text: '/var/lib/x', problem: `tier /var/lib/x: is not a tier's URL; ${supported}` },
    {
      text: 'redis+cluster://user:secret@h:1,h:port',
      problem:
        "tier redis+cluster://user:***@h:1,h:port: has the node 'h:port'; a node is HOST or HOST:PORT, with a port from 1 to 65535",
    },
    {
      text: 'redis+sentinel://u:secret@h:1',
      problem: `tier redis+sentinel://u:***@h:1: redis+sentinel:// is not supported yet; ${supported}`,
    },
    {
      text: 'memory:?max_bytes=many',
      problem: 'tier memory:?max_bytes=many: is not memory: or memory:?max_bytes=BYTES',
    },
    {
      text: 'memory:?max_bytes=1000',
      problem: 'tier memory:?max_bytes=1000: max_bytes is 1000; at least 1048576 are needed',
    },
    { text: 'lmdb:', problem: 'tier lmdb:: names no folder; write lmdb:PATH' },
    {
      text: 'redis://h/cache',
      problem: 'tier redis://h/cache: has the database cache; it must be a number',
    },
    {
      text: 'redis://h?family=6',
      problem: 'tier redis://h?family=6: has parameters, ?family=6, and none are supported',
    },
    {
      text: 'postgresql:h/d',
      problem: 'tier postgresql:h/d: is not of the form SCHEME://USER:PASSWORD@HOST:PORT/NAME',
    },
    {
      text: 'postgresql://u:sec ret@h:port/d',
      problem:
        'tier postgresql://u:***@h:port/d: is not of the form SCHEME://USER:PASSWORD@HOST:PORT/NAME',
    },
  ])('refuses $text', ({ text, problem }) => {
    expect(() => parseTierUrl(text)).toThrow(new LarderError('bad_config', problem))
  })
})

/** For hot tiers that do not look at their warm one. */
const overMemory = {
  ...context,
  seeds: { hotKey: 1n, hotCheck: 2n, warmSpread: 3n },
  warm: new MemoryTier({
    displayUrl: 'memory:',
    bytesMax: memoryTierBytesDefault,
    clock: systemClock,
  }),
}

describe('roles', () => {
  test.each([
    { url: 'redis://127.0.0.1', problem: 'Redis is not supported in the warm role yet' },
    { url: 'redis+cluster://h:1', problem: 'Redis is not supported in the warm role yet' },
    { url: 'memory:', problem: 'memory: keeps nothing over a restart' },
  ])('$url cannot be warm', async ({ url, problem }) => {
    await expect(openWarmTier(url, context, never)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining(problem),
    })
  })

  test('LMDB is hot only as the warm tier itself; SQL never is', async () => {
    const url = freshLmdbUrl()
    const { tier: warm, registry } = await openWarmTier(url, context, never)
    const hotContext = { ...context, seeds: registry.seeds, warm }
    expect(await openHotTier(`${url}/`, hotContext, never)).toBe(warm)
    for (const other of [freshLmdbUrl(), 'postgresql://h/d']) {
      await expect(openHotTier(other, hotContext, never)).rejects.toMatchObject({
        code: 'bad_config',
      })
    }
    await warm.close()
  })

  test('a database that is not there is unavailable, with the reason and without the password', async () => {
    const opening = openWarmTier('postgresql://u:secret@127.0.0.1:1/d', context, never)
    await expect(opening).rejects.toMatchObject({
      code: 'unavailable',
      message: 'postgresql://u:***@127.0.0.1:1/d: connect ECONNREFUSED 127.0.0.1:1',
    })
  })

  test('a cluster none of whose nodes is there is unavailable, with every reason', async () => {
    const url = 'redis+cluster://u:secret@127.0.0.1:1,127.0.0.1:2'
    await expect(openHotTier(url, overMemory, never)).rejects.toMatchObject({
      code: 'unavailable',
      message:
        'redis+cluster://u:***@127.0.0.1:1,127.0.0.1:2: ' +
        'node 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; ' +
        'node 127.0.0.1:2: connect ECONNREFUSED 127.0.0.1:2',
    })
  })

  test('a server that is in no cluster is told as such', async () => {
    const url = (await freshRedisUrl()).replace(/^redis:(.*)\/\d+$/, 'redis+cluster:$1')
    await expect(openHotTier(url, overMemory, never)).rejects.toMatchObject({
      code: 'bad_config',
      message: `tier ${url}: the server is in no cluster: write redis://`,
    })
  })

  test('opening gives up when its signal fires', async () => {
    const fired = AbortSignal.abort()
    const cancelled = expect.objectContaining({ code: 'cancelled' })
    await expect(openWarmTier('postgresql://127.0.0.1:1/d', context, fired)).rejects.toEqual(
      cancelled,
    )
  })
})
