/**
 * The contract suites on every tier, each on a real store, opened by URL as the daemon does.
 */
import { afterAll } from 'vitest'
import { systemClock } from '../src/clock.js'
import { createSeededPrng } from '../src/prng.js'
import { openHotTier, openWarmTier } from '../src/tiers/open-tier.js'
import {
  describeRegistryStoreContract,
  type RegistryStoreUnderTest,
} from './contracts/registry-store.contract.js'
import { describeTierContract, type TierUnderTest } from './contracts/tier.contract.js'
import { startRedis } from './support/redis-server.js'
import type { TestServer } from './support/server-process.js'
import { createTestClock } from './support/test-clock.js'
import { freshLmdbUrl, freshPostgresUrl, freshRedisUrl } from './support/test-servers.js'
import { never, withPacking } from './support/tier-rows.js'

/** Few enough for rows of a batch to share them. */
const buckets = { kind: 'bucket', bucketCount: 300 } as const
const usual = { canScan: true, expiresOnTime: true, readsStoredVersions: true }

let bucketServer: TestServer | undefined
afterAll(() => bucketServer?.stop())

/** A server of its own, whose hashes may hold the contract's largest rows as listpacks. */
async function bucketServerUrl(): Promise<string> {
  bucketServer ??= await startRedis(['--hash-max-listpack-value', '2000000'])
  return bucketServer.url
}

describeTierContract('memory', () => openHot('memory:'))
describeTierContract('lmdb', () => openWarm(freshLmdbUrl()))
describeTierContract('redis', async () => openRedis(await freshRedisUrl()))
describeTierContract('redis, in buckets', async () => {
  const under = await openRedis(await bucketServerUrl())
  return { ...under, tier: withPacking(under.tier, buckets), expiresOnTime: false }
})
describeTierContract('postgresql', async () => ({
  ...(await openWarm(await freshPostgresUrl())),
  readsStoredVersions: false,
}))

describeRegistryStoreContract('lmdb', async () => freshLmdbUrl(), openRegistry)
describeRegistryStoreContract('postgresql', freshPostgresUrl, openRegistry)

async function openRegistry(url: string): Promise<RegistryStoreUnderTest> {
  const context = { clock: createTestClock(), prng: createSeededPrng(1) }
  const { tier, registry } = await openWarmTier(url, context, never)
  return { store: registry, close: () => tier.close() }
}

async function openWarm(url: string): Promise<TierUnderTest> {
  const clock = createTestClock()
  const { tier } = await openWarmTier(url, { clock, prng: createSeededPrng(1) }, never)
  return { tier, elapse: async (ms) => clock.advance(ms), ...usual }
}

/** Redis keeps its own time, so that the time a test lets pass is real. */
async function openRedis(url: string): Promise<TierUnderTest> {
  const elapse = (ms: number) => systemClock.sleep(ms)
  return { ...(await openHot(url)), elapse, canScan: false }
}

/** A hot tier with the seeds of an LMDB that holds nothing else. */
async function openHot(url: string): Promise<TierUnderTest> {
  const clock = createTestClock()
  const context = { clock, prng: createSeededPrng(1) }
  const warm = await openWarmTier(freshLmdbUrl(), context, never)
  const seeds = warm.registry.seeds
  const tier = await openHotTier(url, { ...context, seeds, warm: warm.tier }, never)
  return { tier, elapse: async (ms) => clock.advance(ms), ...usual }
}
