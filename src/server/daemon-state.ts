/**
 * What a daemon serves with, once its tiers are open: registry, tiers, models, lease.
 *
 * `openDaemonState` opens all of it or nothing: what was opened before a failure is closed again.
 */
import { randomUUID } from 'node:crypto'
import { type Clock, createFrozenClock, createLiveClock, type JudgingClock } from '../clock.js'
import { fingerprint } from '../codec/store-key.js'
import { LarderError } from '../errors.js'
import { batchMemoryMs, modelPollMs, reclaimPeriodMs, registryPollMs } from '../limits.js'
import { ModelRepository } from '../predict/model-repository.js'
import { systemPrng } from '../prng.js'
import { createRegistry, type Registry } from '../registry/registry.js'
import type { RegistryStore } from '../registry/registry-store.js'
import type { FetchTiers } from '../tiers/fetch-rows.js'
import { HotFiller } from '../tiers/hot-filler.js'
import { openHotTier, openWarmTier } from '../tiers/open-tier.js'
import { SharedMisses } from '../tiers/shared-misses.js'
import type { Tier } from '../tiers/tier.js'
import type { Config } from './config.js'
import type { DaemonMetrics } from './daemon-metrics.js'
import { LeaseKeeper } from './lease-keeper.js'
import type { DaemonLog } from './log.js'
import { createModelReports, type ModelReports } from './model-reports.js'
import { type Poll, startPoll } from './poll.js'
import { createSequencer, type Sequencer } from './sequencer.js'

export interface DaemonState {
  readonly registry: Registry
  readonly registryStore: RegistryStore
  readonly models: ModelRepository
  readonly modelReports: ModelReports
  /** Undefined where one tier serves both roles. */
  readonly hot: Tier | undefined
  readonly warm: Tier
  readonly fetchTiers: FetchTiers
  readonly lease: LeaseKeeper
  readonly sequencer: Sequencer
  readonly judgingClock: JudgingClock
  /** Waits for fills under way, gives the lease back and closes the tiers. */
  close(): Promise<void>
}

export interface StateTools {
  readonly config: Config
  readonly clock: Clock
  readonly metrics: DaemonMetrics
  readonly log: DaemonLog
}

/** Things that are closed again, last opened first, when a later step fails. */
type Closers = (() => Promise<void>)[]

/** Opens tiers, registry and models. Throws `unavailable` where a tier cannot be reached. */
export async function openDaemonState(
  tools: StateTools,
  signal: AbortSignal,
): Promise<DaemonState> {
  const closers: Closers = []
  try {
    return await openAll(tools, closers, signal)
  } catch (thrown) {
    await closeAll(closers, tools.log)
    throw thrown
  }
}

async function openAll(
  tools: StateTools,
  closers: Closers,
  signal: AbortSignal,
): Promise<DaemonState> {
  const { config, clock, metrics, log } = tools
  const { tier: warm, registry: registryStore } = await openWarmTier(
    config.tiers.warm,
    { clock, prng: systemPrng },
    signal,
  )
  closers.push(() => warm.close())
  const onFailure = (error: LarderError) => {
    log.warn({ error }, `the lease could not be renewed: ${error.message}`)
  }
  const lease = await LeaseKeeper.open(
    { store: registryStore, clock, holder: leaseHolder(config), onFailure },
    signal,
  )
  closers.push(() => lease.close())
  // Only with a lease of its own: of two that start at once, at least one sees the other.
  await assertHotShared(tools, { registryStore, lease, warm }, signal)
  const hot = await openHot(tools, warm, registryStore, signal)
  if (hot !== undefined) closers.push(() => hot.close())
  const registry = createRegistry(registryStore, { fingerprint })
  registry.onSwap(({ version }) => metrics.setRegistryVersion(version))
  await registry.refresh(signal)
  const { modelsFolder: folder } = config
  const models = new ModelRepository({ folder, clock, kernel: config.trees.kernel })
  closers.push(() => models.close())
  const modelReports = createModelReports({ registry, models, metrics, log })
  modelReports.scanned(await models.load(signal))
  registry.onSwap(() => modelReports.registrySwapped())
  const filler = hot && new HotFiller(hot, clock, metrics.tierObserver)
  if (filler !== undefined) closers.push(() => filler.settled())
  const fetchTiers: FetchTiers = {
    hot: hot && filler && { tier: hot, filler },
    warm,
    misses: new SharedMisses(),
    clock,
    observer: metrics.tierObserver,
  }
  const state = {
    registry,
    registryStore,
    models,
    modelReports,
    hot,
    warm,
    fetchTiers,
    lease,
    sequencer: createSequencer(clock, () => lease.daemonId),
    judgingClock:
      config.clockAtUs === undefined ? createLiveClock(clock) : createFrozenClock(config.clockAtUs),
    close: () => closeAll(closers, log),
  }
  startPolling(tools, state, closers)
  return state
}

/** Closes everything: a tier that is gone, so that a lease cannot be given back, stops none of it. */
async function closeAll(closers: Closers, log: DaemonLog): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    await close().catch((thrown: unknown) => {
      log.warn({ error: thrown }, `closing failed: ${LarderError.from(thrown).message}`)
    })
  }
}

/** Undefined where the warm tier serves both roles. */
async function openHot(
  { config, clock }: StateTools,
  warm: Tier,
  { seeds }: RegistryStore,
  signal: AbortSignal,
): Promise<Tier | undefined> {
  const context = { seeds, clock, prng: systemPrng, warm }
  const hot = await openHotTier(config.tiers.hot, context, signal)
  return hot === warm ? undefined : hot
}

/** A hot tier inside one process goes stale behind another daemon's writes, whichever came first. */
async function assertHotShared(
  { config, clock }: StateTools,
  opened: {
    readonly registryStore: RegistryStore
    readonly lease: LeaseKeeper
    readonly warm: Tier
  },
  signal: AbortSignal,
): Promise<void> {
  const { registryStore, lease, warm } = opened
  const daemons = await registryStore.liveDaemons(clock.nowMs(), signal)
  const others = daemons.filter(({ daemonId }) => daemonId !== lease.daemonId)
  const other = others.find(({ holder }) => hasOwnHot(config) || holder.endsWith(ownHotMark))
  if (other === undefined) return
  const whose = hasOwnHot(config)
    ? `this daemon's tiers.hot is ${config.tiers.hot}`
    : 'its hot tier is its own'
  throw new LarderError(
    'refused',
    `another daemon (${other.holder}) serves ${warm.displayUrl}, and ${whose}: ` +
      'with several daemons, hot must be shared (redis://, or the same lmdb: URL as warm)',
  )
}

/** Ends the lease holder of a daemon whose hot tier is inside its process. */
const ownHotMark = ':memory'

function hasOwnHot({ tiers }: Config): boolean {
  return tiers.hot.startsWith('memory:')
}

function leaseHolder(config: Config): string {
  return `pid:${process.pid}:${randomUUID()}${hasOwnHot(config) ? ownHotMark : ''}`
}

/** Takes up newer definitions, models and expiries for as long as the daemon runs. */
function startPolling(
  { clock, log }: StateTools,
  state: Omit<DaemonState, 'close'>,
  closers: Closers,
): void {
  const poll = (periodMs: number, what: string, step: Poll['step']) => {
    const timer = startPoll(clock, log, { what, periodMs, step })
    closers.push(async () => timer.stop())
  }
  poll(registryPollMs, 'looking for a newer registry version', (signal) =>
    state.registry.refresh(signal),
  )
  poll(modelPollMs, 'looking for newer models', async () => {
    state.modelReports.scanned(await state.models.scan())
  })
  poll(reclaimPeriodMs, 'reclaiming expired rows', async (signal) => {
    await state.warm.reclaim(signal)
    await state.hot?.reclaim(signal)
    await state.registryStore.forgetBatches(clock.nowMs() - batchMemoryMs, signal)
  })
}
