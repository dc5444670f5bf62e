/**
 * Rows put straight into a daemon's tiers, behind its back: what a crash or a bug might leave there.
 */

import type { RequestColumn } from '../../src/client/index.js'
import { systemClock } from '../../src/clock.js'
import { encodeEntityKeys } from '../../src/codec/entity-key.js'
import { fingerprint } from '../../src/codec/store-key.js'
import { createSeededPrng } from '../../src/prng.js'
import { createRegistry } from '../../src/registry/registry.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'
import type { FeatureView } from '../../src/registry/snapshot.js'
import { parseColumns } from '../../src/server/messages.js'
import { openWarmTier, type WarmTier } from '../../src/tiers/open-tier.js'
import type { TierUrls } from './e2e-daemon.js'
import { entry, never, writeEntries } from './tier-rows.js'

/** Which row: the view, and a column of one cell for each join key, in order. */
export interface StoredRow {
  readonly view: string
  readonly join: readonly RequestColumn[]
}

/** Opens the warm tier beside the daemon that uses it, and closes it after `use`. */
export async function withWarmTier<T>(
  { warm }: TierUrls,
  use: (opened: WarmTier) => Promise<T>,
): Promise<T> {
  const context = { clock: systemClock, prng: createSeededPrng(1) }
  const opened = await openWarmTier(warm, context, never)
  try {
    return await use(opened)
  } finally {
    await opened.tier.close()
  }
}

/** Replaces a row in warm by one with a newer version whose values are cut short. */
export async function corruptWarmRow(
  tiers: TierUrls,
  stored: StoredRow & { readonly eventTimeUs: bigint },
): Promise<void> {
  await withWarmTier(tiers, async (opened) => {
    const { generation, key } = await placeOf(opened, stored)
    const version = { eventTimeUs: stored.eventTimeUs, sequence: 2n ** 62n }
    const cut = entry({ generation, key, version, body: Buffer.of(0xff) })
    const storedCount = await writeEntries(opened.tier, [cut])
    if (storedCount !== 1) throw new Error('the corrupt row was older than what is there')
  })
}

/** How many rows a view has in warm, tombstones included. */
export async function countStored(tiers: TierUrls, viewName: string): Promise<number> {
  return await withWarmTier(tiers, async ({ tier, registry }) => {
    const { generation } = await viewOf(registry, viewName)
    let rowCount = 0
    for await (const { rows } of tier.scan(generation, never) ?? []) rowCount += rows.length
    return rowCount
  })
}

/** Where a row lies in warm, and under which generation in hot. */
export async function placeOf(
  { registry: store }: WarmTier,
  { view: viewName, join }: StoredRow,
): Promise<{ readonly generation: number; readonly hotGeneration: number; readonly key: Buffer }> {
  const view = await viewOf(store, viewName)
  const keys = encodeEntityKeys(view.entity.keys, parseColumns(join, 'key column'), 1)
  if ('problems' in keys) throw new Error('the key cannot be encoded')
  const { generation, hotGeneration } = view
  return { generation, hotGeneration, key: Buffer.from(keys.bytes) }
}

async function viewOf(store: RegistryStore, name: string): Promise<FeatureView> {
  const registry = createRegistry(store, { fingerprint })
  await registry.refresh(never)
  const view = registry.current().views.get(name)
  if (view === undefined) throw new Error(`no view ${name}`)
  return view
}
