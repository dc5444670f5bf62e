/**
 * The daemon's own account of itself, for `larder doctor`.
 */
import type { GetStatusResponse } from '../gen/larder/v1/admin.js'
import type { AdminTools } from './admin-service.js'
import { isLoopback } from './config-settings.js'
import { describeTiers } from './tier-status.js'

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
    findings: [...(state?.modelReports.findings() ?? [])],
  }
}
