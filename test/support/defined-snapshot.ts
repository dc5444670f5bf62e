/**
 * Snapshots from definitions as a user writes them, for tests of what stands on the registry.
 */
import { createRegistry } from '../../src/registry/registry.js'
import type { FeatureService, FeatureView, Snapshot } from '../../src/registry/snapshot.js'
import { createMemoryRegistryStore } from './memory-registry-store.js'

/** What is served after `text` alone was applied to an empty registry. */
export async function snapshotOf(text: string): Promise<Snapshot> {
  return await snapshotAfter([text])
}

/** What is served after each of `texts` was applied, one after the other, drops allowed. */
export async function snapshotAfter(texts: readonly string[]): Promise<Snapshot> {
  const signal = new AbortController().signal
  const registry = createRegistry(createMemoryRegistryStore(), { fingerprint: sumOf })
  for (const text of texts) {
    const source = { kind: 'files' as const, files: [{ path: 'features.yaml', text }] }
    const expectedVersion = registry.current().version
    await registry.apply({ source, allowDrop: true, expectedVersion }, signal)
  }
  return registry.current()
}

/** The named view. Throws where there is none. */
export function viewOf(snapshot: Snapshot, name: string): FeatureView {
  const view = snapshot.views.get(name)
  if (view === undefined) throw new Error(`no view ${name}`)
  return view
}

/** The named service. Throws where there is none. */
export function serviceOf(snapshot: Snapshot, name: string): FeatureService {
  const service = snapshot.services.get(name)
  if (service === undefined) throw new Error(`no service ${name}`)
  return service
}

/** Any function of the bytes will do for a test. */
function sumOf(bytes: Uint8Array): bigint {
  let sum = 0n
  for (const byte of bytes) sum = BigInt.asUintN(64, sum * 31n + BigInt(byte))
  return sum
}
