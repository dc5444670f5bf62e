/**
 * The RPC RegisterLayout: a request's profile and version -> a layout of the registry.
 *
 * Rows of a layout with a compact version share one sequence, their load's. It is given here before any
 * row is written, and remembered under the load's id as a batch's is under its own, so that the same load
 * again has the same sequence and finds the same layout.
 */
import type { Clock } from '../clock.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { LarderError } from '../errors.js'
import type { RegisterLayoutRequest, RegisterLayoutResponse } from '../gen/larder/v1/admin.js'
import { parseProfileText } from '../profile-json.js'
import type { Registry } from '../registry/registry.js'
import type { RegistryStore } from '../registry/registry-store.js'
import { findView } from './read-target.js'
import { batchIdOfLoad } from './remembered-id.js'
import type { Sequencer } from './sequencer.js'

export interface RegisterLayoutTools {
  readonly registry: Registry
  readonly registryStore: RegistryStore
  readonly sequencer: Sequencer
  /** Throws `unavailable` while this daemon does not hold its lease. */
  readonly assertMayWrite: () => void
  readonly clock: Clock
}

/**
 * Registers the layout that `request` asks for, or finds it. Throws `invalid_argument` for a request
 * without a profile, or with only one of version and load id, and what `Registry.registerLayout` throws.
 */
export async function registerLayout(
  tools: RegisterLayoutTools,
  request: RegisterLayoutRequest,
  signal: AbortSignal,
): Promise<RegisterLayoutResponse> {
  const { view, schemaVersion, version } = request
  const profile = parseProfileChoice(request)
  const batchId = parseLoad(request)
  tools.assertMayWrite()
  // Before a sequence is given: a misspelt view leaves nothing behind.
  findView(await tools.registry.refresh(signal), view)
  const sequence = batchId === undefined ? 0n : await sequenceOf(tools, batchId, signal)
  const versionFormat = version === undefined ? 'full' : { ...version, sequence }
  const registered = await tools.registry.registerLayout(
    { view, schemaVersion, profile, versionFormat },
    signal,
  )
  return {
    registryVersion: BigInt(registered.version),
    layoutId: registered.layoutId,
    profileId: registered.profileId,
    sequence,
  }
}

function parseProfileChoice({ profile }: RegisterLayoutRequest): EncodingProfile | number {
  switch (profile?.$case) {
    case 'profileJson':
      return parseProfileText(profile.value)
    case 'profileId':
      return profile.value
    case undefined:
      throw new LarderError('invalid_argument', 'the request names no profile')
  }
}

/** The batch id that stands for the request's load; undefined where rows of no load are meant. */
function parseLoad({ version, loadId }: RegisterLayoutRequest): string | undefined {
  if (version !== undefined) return batchIdOfLoad(loadId)
  if (loadId === '') return undefined
  throw new LarderError('invalid_argument', `load_id '${loadId}' goes with a version only`)
}

function sequenceOf(
  { registryStore, sequencer, clock }: RegisterLayoutTools,
  batchId: string,
  signal: AbortSignal,
): Promise<bigint> {
  const proposal = { batchId, sequence: sequencer.next(), receivedAtMs: clock.nowMs() }
  return registryStore.recordBatch(proposal, signal)
}
