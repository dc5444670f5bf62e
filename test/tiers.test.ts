/**
 * The contract suites on every tier, each on a real store, opened by URL as the daemon does.
 */
import { systemClock } from '../src/clock.js'
import { createSeededPrng } from '../src/prng.js'
import { openHotTier, openWarmTier } from '../src/tiers/open-tier.js'
import {
  describeRegistryStoreContract,
  type RegistryStoreUnderTest,
} from './contracts/registry-store.contract.js'
import { describeTierContract, type TierUnderTest } from './contracts/tier.contract.js'
import { createTestClock } from './support/test-clock.js'
import { freshLmdbUrl, freshPostgresUrl, freshRedisUrl } from './support/test-servers.js'
import { never } from './support/tier-rows.js'

describeTierContract('memory', () => openHot('memory:'))
describeTierContract('lmdb', () => openWarm(freshLmdbUrl()))
// Redis keeps its own time, so that the time a test lets pass is real.
describeTierContract('redis', async () => ({
  ...(await openHot(await freshRedisUrl())),
  elapse: (ms) => systemClock.sleep(ms),
  canScan: false,
}))
describeTierContract('postgresql', async () => openWarm(await freshPostgresUrl()))

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
  return { tier, elapse: async (ms) => clock.advance(ms), canScan: true }
}

/** A hot tier with the seeds of an LMDB that holds nothing else. */
async function openHot(url: string): Promise<TierUnderTest> {
  const clock = createTestClock()
  const context = { clock, prng: createSeededPrng(1) }
  const warm = await openWarmTier(freshLmdbUrl(), context, never)
  const seeds = warm.registry.seeds
  const tier = await openHotTier(url, { ...context, seeds, warm: warm.tier }, never)
  return { tier, elapse: async (ms) => clock.advance(ms), canScan: true }
}
