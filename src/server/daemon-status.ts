/**
 * The daemon's own account of itself, for `larder doctor`.
 */
import { LarderError } from '../errors.js'
import type { GetStatusResponse, TierStatus } from '../gen/larder/v1/admin.js'
import type { FeatureView } from '../registry/snapshot.js'
import type { Tier } from '../tiers/tier.js'
import type { AdminTools } from './admin-service.js'
import { bucketFindings } from './bucket-findings.js'
import { isLoopback } from './config-settings.js'
import type { DaemonState } from './daemon-state.js'

/** Asks every tier, and says what an operator should know. */
export async function describeDaemon(
  tools: AdminTools,
  version: string,
  signal: AbortSignal,
): Promise<GetStatusResponse> {
  const { config, clock, health } = tools
  const state = tools.openedState()
  const tiers = state === undefined ? [] : await describeTiers(state, signal)
  const listenAddresses = [...tools.listenAddresses()]
  return {
    version,
    nodeVersion: process.version,
    uptimeMs: BigInt(Math.round(clock.monotonicMs() - tools.startedAtMs)),
    ready: health.notReadyReason === undefined,
    notReadyReason: health.notReadyReason ?? '',
    registryVersion: BigInt(state?.registry.current().version ?? 0),
    daemonId: state?.lease.daemonId ?? 0,
    tiers,
    listenAddresses,
    exposed: !listenAddresses.every(isLoopback),
    frozenClockUs: config.clockAtUs ?? 0n,
    findings: [],
  }
}

/** Both tiers, or the one that serves both roles. */
export async function describeTiers(
  state: DaemonState,
  signal: AbortSignal,
): Promise<TierStatus[]> {
  const views = [...state.registry.current().views.values()]
  const warm = await describeTier('warm', state.warm, [], signal)
  if (state.hot === undefined) return [warm]
  return [await describeTier('hot', state.hot, views, signal), warm]
}

async function describeTier(
  role: string,
  tier: Tier,
  views: readonly FeatureView[],
  signal: AbortSignal,
): Promise<TierStatus> {
  const known = { role, url: tier.displayUrl }
  try {
    const stats = await tier.stats(signal)
    return {
      ...known,
      serverVersion: stats.serverVersion,
      reachable: true,
      problem: '',
      rowCount: BigInt(stats.rowCount ?? -1),
      storedBytes: BigInt(stats.storedBytes ?? -1),
      findings: [...stats.findings, ...bucketFindings(views, stats.listpackLimits)],
    }
  } catch (thrown) {
    return {
      ...known,
      serverVersion: '',
      reachable: false,
      problem: LarderError.from(thrown).message,
      rowCount: -1n,
      storedBytes: -1n,
      findings: [],
    }
  }
}
