/**
 * A registry over a store in memory, to which definitions were applied, for tests of what changes it.
 */
import { fingerprint } from '../../src/codec/store-key.js'
import { createRegistry, type Registry } from '../../src/registry/registry.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'

/** The registry after `text` alone was applied, drops allowed where something was there before. */
export async function applyDefinitions(store: RegistryStore, text: string): Promise<Registry> {
  const registry = createRegistry(store, { fingerprint })
  const source = { kind: 'files' as const, files: [{ path: 'features.yaml', text }] }
  const signal = new AbortController().signal
  await registry.apply({ source, allowDrop: true, expectedVersion: 0 }, signal)
  return registry
}
