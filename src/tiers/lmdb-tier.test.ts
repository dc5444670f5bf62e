import { type ChildProcess, spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { killedWriterLosesNothing } from '../../test/support/kill-writer.js'
import { createTestClock } from '../../test/support/test-clock.js'
import { freshLmdbUrl } from '../../test/support/test-servers.js'
import {
  entry,
  holdsRows,
  never,
  readEntries,
  reclaimAll,
  writeEntries,
} from '../../test/support/tier-rows.js'
import { LarderError } from '../errors.js'
import { entityKeyBytesMax } from '../limits.js'
import { createSeededPrng } from '../prng.js'
import { openLmdbRegistryStore } from './lmdb-registry-store.js'
import { type LmdbStore, openLmdbStore } from './lmdb-store.js'
import { LmdbTier } from './lmdb-tier.js'

const folderOf = (url: string) => url.slice('lmdb:'.length)

describe('the LMDB tier', () => {
  test('keeps its rows over a reopen, also in a folder with a dot in its name', async () => {
    const folder = `${folderOf(freshLmdbUrl())}/data.v1`
    const clock = createTestClock()
    const row = entry({ generation: 3, key: 'k' })
    const first = new LmdbTier({ store: openLmdbStore(folder), clock })
    await writeEntries(first, [row])
    await first.close()
    const second = new LmdbTier({ store: openLmdbStore(folder), clock })
    expect(await readEntries(second, [row])).toEqual([row.row])
    await second.close()
  })

  test('a folder that cannot be made is told with its reason', () => {
    expect(() => openLmdbStore('/dev/null/nowhere')).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining('lmdb:/dev/null/nowhere cannot be opened'),
      }),
    )
  })

  test('an entity key over the bound is refused before LMDB sees it, and nothing is stored', async () => {
    const tier = new LmdbTier({
      store: openLmdbStore(folderOf(freshLmdbUrl())),
      clock: createTestClock(),
    })
    const good = entry({ generation: 1, key: 'good' })
    const long = entry({ generation: 1, key: Buffer.alloc(entityKeyBytesMax + 1) })
    await expect(writeEntries(tier, [good, long])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'an entity key has 1025 bytes; at most 1024 are allowed',
    })
    expect(await readEntries(tier, [good])).toEqual([undefined])
    await tier.close()
  })

  test('reclaims a store larger than one step, over several calls', async () => {
    const clock = createTestClock()
    const tier = new LmdbTier({ store: openLmdbStore(folderOf(freshLmdbUrl())), clock })
    const entries = Array.from({ length: 24_000 }, (_, index) =>
      entry({
        generation: 1 + (index % 3),
        key: `key ${index}`,
        keepMs: index % 2 === 0 ? 10 : 3_600_000,
      }),
    )
    await writeEntries(tier, entries)
    clock.advance(1000)
    await reclaimAll(tier)
    expect((await tier.stats(never)).rowCount).toBe(12_000)
    expect(
      await holdsRows(
        tier,
        entries.filter((_, index) => index % 2 === 1),
      ),
    ).toBe(true)
    await tier.close()
  })

  test('a corrupt stored row comes back as it is and gives way to any write', async () => {
    const store = openLmdbStore(folderOf(freshLmdbUrl()))
    const tier = new LmdbTier({ store, clock: createTestClock() })
    const row = entry({ generation: 1, key: 'k' })
    const key = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0x6b])
    store.rows.putSync(key, Buffer.from([0, 0, 0, 0, 0, 0, 0xff, 0xff]))
    expect(await readEntries(tier, [row])).toEqual([Buffer.from([0xff, 0xff])])
    expect(await writeEntries(tier, [row])).toBe(1)
    expect(await readEntries(tier, [row])).toEqual([row.row])
    await tier.close()
  })

  test('kill -9 of a writing process loses no row whose write returned', async () => {
    const lost = await killedWriterLosesNothing(freshLmdbUrl(), createSeededPrng(15))
    expect(lost).toEqual({ lostBatches: [], ackedEnough: true })
  })
})

describe('the LMDB registry store', () => {
  const lease = (store: LmdbStore, holder: string) =>
    openLmdbRegistryStore(store, never).then((registry) =>
      registry.leaseDaemon({ holder, nowMs: 1000, durationMs: 15_000 }, never),
    )

  test('the lease of a process that is gone counts as past, that of a living one does not', async () => {
    const store = openLmdbStore(folderOf(freshLmdbUrl()))
    const gonePid = await pidOfEndedProcess()
    expect(await lease(store, `pid:${gonePid}:abc`)).toMatchObject({ daemonId: 0 })
    expect(await lease(store, `pid:${process.pid}:def`)).toMatchObject({ daemonId: 0 })
    expect(await lease(store, 'pid:not-a-number:ghi')).toMatchObject({ daemonId: 1 })
    expect(await lease(store, 'another')).toMatchObject({ daemonId: 2 })
    await store.close()
  })

  test('a newer format is refused', async () => {
    const store = openLmdbStore(folderOf(freshLmdbUrl()))
    store.registry.putSync(['format'], '2')
    await expect(openLmdbRegistryStore(store, never)).rejects.toEqual(
      new LarderError(
        'refused',
        `${store.displayUrl} has format 2; this Larder knows up to 1: upgrade it`,
      ),
    )
    await store.close()
  })
})

function pidOfEndedProcess(): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  return new Promise((resolve) => child.once('exit', () => resolve(child.pid ?? 0)))
}
