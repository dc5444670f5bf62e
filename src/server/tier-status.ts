/**
 * What a daemon's tiers are and how they are set up, as the status and the log at the start tell it.
 */
import { LarderError } from '../errors.js'
import type { TierStatus } from '../gen/larder/v1/admin.js'
import type { FeatureView } from '../registry/snapshot.js'
import type { Tier } from '../tiers/tier.js'
import { bucketFindings } from './bucket-findings.js'
import type { DaemonState } from './daemon-state.js'

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
