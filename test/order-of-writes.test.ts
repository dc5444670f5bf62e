/**
 * Order of writes: whatever the interleaving of writers, retries, corrections at equal event times, late
 * rows, deletes and daemons, every tier ends with the same version of every row, the model's.
 *
 * The steps of a history come from a seed (`LARDER_FUZZ_SEED`); how they interleave is the machine's
 * doing, which the model does not mind: it works from the sequences that were acknowledged.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import type { LarderClient } from '../src/client/index.js'
import { systemClock } from '../src/clock.js'
import { fingerprint } from '../src/codec/store-key.js'
import { createSeededPrng } from '../src/prng.js'
import { createRegistry } from '../src/registry/registry.js'
import type { Snapshot } from '../src/registry/snapshot.js'
import { openHotTier, openWarmTier } from '../src/tiers/open-tier.js'
import type { Tier } from '../src/tiers/tier.js'
import { type SimDaemon, startSimDaemon } from './support/sim-daemon.js'
import {
  accountDefinitions,
  accountViews,
  createHistory,
  type HistoryBatch,
  historyNowUs,
} from './support/sim-history.js'
import {
  deleteKeys,
  marksOf,
  playHistory,
  readAllMarks,
  readTierRows,
  replayBatches,
  versionsOf,
  writeHistoryBatch,
} from './support/sim-writers.js'
import { freshLmdbUrl, freshPostgresUrl, freshRedisUrl } from './support/test-servers.js'
import { never, plainKeys } from './support/tier-rows.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const seeds = [0, 1, 2, 3].map((offset) => seed + offset)

interface Layout {
  readonly name: string
  readonly daemonCount: number
  /** The URLs of hot and warm, with storage of their own. */
  readonly urls: () => Promise<{ readonly hot: string; readonly warm: string }>
}

const layouts: readonly Layout[] = [
  {
    name: 'two daemons on Redis and PostgreSQL',
    daemonCount: 2,
    urls: async () => ({ hot: await freshRedisUrl(), warm: await freshPostgresUrl() }),
  },
  {
    name: 'two daemons on one LMDB',
    daemonCount: 2,
    urls: async () => {
      const url = freshLmdbUrl()
      return { hot: url, warm: url }
    },
  },
  {
    name: 'one daemon with memory over LMDB',
    daemonCount: 1,
    urls: async () => ({ hot: 'memory:', warm: freshLmdbUrl() }),
  },
]

/** The tiers of a layout, opened beside its daemons: hot is undefined where it is the daemon's own memory. */
interface OpenTiers {
  readonly warm: Tier
  readonly hot: Tier | undefined
  readonly snapshot: Snapshot
  close(): Promise<void>
}

async function openTiers(urls: {
  readonly hot: string
  readonly warm: string
}): Promise<OpenTiers> {
  const context = { clock: systemClock, prng: createSeededPrng(seed) }
  const { tier: warm, registry: store } = await openWarmTier(urls.warm, context, never)
  const seeds = store.seeds
  const isShared = !urls.hot.startsWith('memory:')
  const hot = isShared ? await openHotTier(urls.hot, { ...context, seeds, warm }, never) : undefined
  const snapshot = await createRegistry(store, { fingerprint }).refresh(never)
  return {
    warm,
    hot,
    snapshot,
    async close() {
      if (hot !== warm) await hot?.close()
      await warm.close()
    },
  }
}

describe.each(layouts)('$name', ({ daemonCount, urls }) => {
  let daemons: SimDaemon[]
  let tiers: OpenTiers
  let tierUrls: Awaited<ReturnType<Layout['urls']>>

  beforeAll(async () => {
    tierUrls = await urls()
    daemons = []
    for (let count = 0; count < daemonCount; count++) {
      daemons.push(await startSimDaemon({ ...tierUrls, clockAtUs: historyNowUs }))
    }
    await daemons[0]?.client.apply({ files: [accountDefinitions] })
    for (const { client } of daemons) await untilApplied(client)
    tiers = await openTiers(tierUrls)
  })

  afterAll(async () => {
    await tiers?.close()
    for (const daemon of daemons) await daemon.stop()
  })

  /** Every version in every tier, by tier; and where the bytes of the two differ. */
  async function rowsOfTiers(view: (typeof accountViews)[number], names: readonly string[]) {
    const known = tiers.snapshot.views.get(view)
    const warm = await readTierRows(tiers.warm, known?.generation ?? 0, { view, names })
    if (tiers.hot === undefined || known?.latencyClass === 'relaxed') return [warm]
    return [warm, await readTierRows(tiers.hot, known?.hotGeneration ?? 0, { view, names })]
  }

  /** Makes hot lose a row, where it is a store of its own: shared, or the memory of a daemon. */
  async function loseHot(view: (typeof accountViews)[number], key: string): Promise<void> {
    if (tiers.hot === undefined) {
      for (const daemon of daemons) await daemon.stop()
      daemons = [await startSimDaemon({ ...tierUrls, clockAtUs: historyNowUs })]
    } else if (tiers.hot !== tiers.warm) {
      const generation = tiers.snapshot.views.get(view)?.hotGeneration ?? 0
      await tiers.hot.remove(plainKeys([{ generation, key: Buffer.from(key) }]), never)
    }
  }

  /** Writes batches one after the other through the first daemon. */
  async function writeAll(batches: readonly HistoryBatch[]): Promise<void> {
    const [first] = daemons
    assert(first !== undefined, 'a layout has a daemon')
    const writer = first.client.openWriter()
    for (const batch of batches) await writeHistoryBatch(writer, batch)
    await writer.close()
  }

  test.each(seeds)('seed %d: every tier and every reader ends with the same rows', async (seed) => {
    const spec = { name: `h${seed}`, keyCount: 9, writerCount: 5, stepsPerWriter: 16 }
    const history = createHistory(spec, createSeededPrng(seed))
    const clients = daemons.map(({ client }) => client)
    const { standing, badAcks, changedSequences } = await playHistory(clients, history)
    expect(badAcks).toEqual([])
    expect(changedSequences).toEqual([])

    const expectEnd = async () => {
      for (const view of accountViews) {
        const rowsByTier = await rowsOfTiers(view, history.keys)
        for (const rows of rowsByTier) {
          const versions = [...rows].map(([place, { version }]) => [place, version] as const)
          expect(new Map(versions)).toEqual(versionsOf(standing, view))
          expect(rows).toEqual(rowsByTier[0])
        }
      }
      for (const client of clients) {
        expect(await readAllMarks(client, history.keys)).toEqual(marksOf(standing, history.keys))
      }
    }
    await expectEnd()

    // A whole replay, in another order and through the other daemon, stores nothing.
    for (const client of clients) expect(await replayBatches(client, history)).toBe(0)
    await expectEnd()
  })

  test('one batch sent by all daemons at once is one batch', async () => {
    const batches = Array.from({ length: 20 }, (_, index): HistoryBatch => {
      const rows = [{ key: 'raced', eventTimeUs: historyNowUs, mark: BigInt(index) }]
      return { kind: 'batch', batchId: `race ${index}`, view: 'fast', rows, sequence: 0n }
    })
    const writers = [...daemons, ...daemons].map(({ client }) => client.openWriter())
    for (const batch of batches) {
      const acks = await Promise.all(writers.map((writer) => writeHistoryBatch(writer, batch)))
      expect(new Set(acks.map(({ sequence }) => sequence)).size).toBe(1)
      expect(acks.reduce((sum, ack) => sum + ack.storedCount, 0)).toBe(1)
    }
    for (const writer of writers) await writer.close()
    const rowsByTier = await rowsOfTiers('fast', ['raced'])
    for (const rows of rowsByTier) expect(rows).toEqual(rowsByTier[0])
  })

  test('an old row stays hidden where hot lost the newer one', async () => {
    const batch = (mark: bigint, eventTimeUs: bigint): HistoryBatch => {
      const rows = [{ key: 'lost', eventTimeUs, mark }]
      return { kind: 'batch', batchId: `lost ${mark}`, view: 'fast', rows, sequence: 0n }
    }
    const old = batch(1n, historyNowUs - 1_000_000n)
    await writeAll([old, batch(2n, historyNowUs)])
    await loseHot('fast', 'lost')
    // A retry, and a late row of its own: neither may bring the old row back.
    await writeAll([old, batch(3n, historyNowUs - 2_000_000n)])
    for (const { client } of daemons) {
      expect((await readAllMarks(client, ['lost'])).get('fast lost')).toMatch(/^present 2 /)
    }
  })

  test('a delete without an event time takes away a row of the near future', async () => {
    const [first] = daemons
    assert(first !== undefined, 'a layout has a daemon')
    const rows = [{ key: 'early', eventTimeUs: historyNowUs + 60_000_000n, mark: 1n }]
    await writeAll([{ kind: 'batch', batchId: 'early', view: 'plain', rows, sequence: 0n }])
    expect((await readAllMarks(first.client, ['early'])).get('plain early')).toMatch(/^present 1 /)
    await deleteKeys(first.client, { kind: 'delete', keys: ['early'], eventTimeUs: 0n })
    for (const { client } of daemons) {
      expect((await readAllMarks(client, ['early'])).get('plain early')).toMatch(/^notFound/)
    }
  })
})

/** A daemon takes up what another one applied within a second. */
async function untilApplied(client: LarderClient): Promise<void> {
  while ((await client.registry()).registryVersion === 0n) await systemClock.sleep(50)
}
