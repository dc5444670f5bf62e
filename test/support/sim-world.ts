/**
 * A simulated installation: two daemons, which are the real read, write and delete paths, on one pair of
 * simulated tiers in simulated time.
 */
import { createLiveClock } from '../../src/clock.js'
import { fingerprint } from '../../src/codec/store-key.js'
import { LarderError } from '../../src/errors.js'
import { batchRowsMax } from '../../src/limits.js'
import { createSeededPrng, type Prng } from '../../src/prng.js'
import { createRegistry } from '../../src/registry/registry.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'
import type { Snapshot } from '../../src/registry/snapshot.js'
import type { ReadTools } from '../../src/server/read-path.js'
import { createSequencer } from '../../src/server/sequencer.js'
import type { WriteTools } from '../../src/server/write-path.js'
import type { FetchTiers } from '../../src/tiers/fetch-rows.js'
import { HotFiller } from '../../src/tiers/hot-filler.js'
import { SharedMisses } from '../../src/tiers/shared-misses.js'
import type { TierObserver } from '../../src/tiers/tier-observer.js'
import { createMemoryRegistryStore } from './memory-registry-store.js'
import { SimClock } from './sim-clock.js'
import { SimTier } from './sim-tier.js'
import { never } from './tier-rows.js'

/** Definitions of the simulation: one view of each class, with lives so short that rows age and go. */
const definitions = {
  path: 'sim.yaml',
  text: `
entities:
  - { name: thing, keys: { id: string } }
feature_views:
  - { name: fast, entity: thing, latency_class: realtime, ttl: 1m, retention: 10m, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
  - { name: plain, entity: thing, latency_class: standard, ttl: 1m, retention: 10m, on_stale: default, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
  - { name: slow, entity: thing, latency_class: relaxed, ttl: 1m, retention: 10m, features: [{ name: mark, type: int64 }, { name: text, type: string }] }
feature_services:
  - { name: all, views: [{ view: fast }, { view: plain }, { view: slow }] }
`,
}

export interface WorldSpec {
  readonly seed: number
  /** The share of calls to tiers and registry that go wrong, 0 to 1. */
  readonly faultShare: number
  /** False where warm serves both roles. */
  readonly hasHot: boolean
}

export interface SimDaemon {
  readonly write: WriteTools
  readonly read: ReadTools
  /** Resolves when its fills are over. */
  settled(): Promise<void>
}

export interface World {
  readonly clock: SimClock
  readonly prng: Prng
  readonly snapshot: Snapshot
  readonly hot: SimTier | undefined
  readonly warm: SimTier
  readonly daemons: readonly SimDaemon[]
  /** The sequence that stands for each batch id that was remembered. */
  readonly sequences: ReadonlyMap<string, bigint>
  /** Reading tools over other tiers than the daemons', such as warm alone. */
  readersOver(hot: SimTier | undefined): ReadTools
  heal(): void
}

const startMs = Date.UTC(2026, 0, 1)
const daemonCount = 2

export async function createWorld({ seed, faultShare, hasHot }: WorldSpec): Promise<World> {
  const prng = createSeededPrng(seed)
  const clock = new SimClock(startMs)
  const store = createMemoryRegistryStore()
  const registry = createRegistry(store, { fingerprint })
  const source = { kind: 'files', files: [definitions] } as const
  const { snapshot } = await registry.apply({ source, allowDrop: false, expectedVersion: 0 }, never)
  const shared = { clock, prng, faultShare }
  const warm = new SimTier({ ...shared, name: 'warm', durable: true, runsFull: false })
  const hot = hasHot
    ? new SimTier({ ...shared, name: 'hot', durable: false, runsFull: true })
    : undefined
  const sequences = new Map<string, bigint>()
  const faulty = { faultShare }
  const registryStore = faultyStore(store, { clock, prng, faulty, sequences })
  const readersOver = (tier: SimTier | undefined) => readTools(clock, tier, warm)
  const daemons = Array.from({ length: daemonCount }, (_, id): SimDaemon => {
    const read = readersOver(hot)
    const write: WriteTools = {
      tiers: { hot, warm, clock, observer: deafObserver },
      registryStore,
      sequencer: createSequencer(clock, () => id),
      assertMayWrite: () => undefined,
      judgingClock: createLiveClock(clock),
      clock,
      batchRowsMax,
    }
    return { write, read, settled: async () => read.tiers.hot?.filler.settled() }
  })
  const heal = () => {
    faulty.faultShare = 0
    for (const tier of [warm, hot]) tier?.heal()
  }
  return { clock, prng, snapshot, hot, warm, daemons, sequences, readersOver, heal }
}

function readTools(clock: SimClock, hot: SimTier | undefined, warm: SimTier): ReadTools {
  const tiers: FetchTiers = {
    hot: hot && { tier: hot, filler: new HotFiller(hot, clock, deafObserver) },
    warm,
    misses: new SharedMisses(),
    clock,
    observer: deafObserver,
  }
  const observer = {
    corruptRow(view: string, key: string, reason: string) {
      throw new Error(`the simulation stores no corrupt rows: ${view} ${key}: ${reason}`)
    },
  }
  return { tiers, clock: createLiveClock(clock), observer }
}

const deafObserver: TierObserver = {
  tierRead: () => undefined,
  tierWritten: () => undefined,
  tierFailed: () => undefined,
  filled: () => undefined,
}

/** A registry store whose memory of batches is as slow and as faulty as a tier. */
function faultyStore(
  store: RegistryStore,
  options: {
    readonly clock: SimClock
    readonly prng: Prng
    readonly faulty: { readonly faultShare: number }
    readonly sequences: Map<string, bigint>
  },
): RegistryStore {
  const { clock, prng, faulty, sequences } = options
  const mayFail = async () => {
    await clock.sleep(prng.below(20))
    if (prng.next() < faulty.faultShare / 2) throw new LarderError('unavailable', 'no registry')
  }
  return {
    ...store,
    async recordBatch(batch, signal) {
      await mayFail()
      const sequence = await store.recordBatch(batch, signal)
      sequences.set(batch.batchId, sequence)
      await mayFail()
      return sequence
    },
  }
}
