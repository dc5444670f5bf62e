/**
 * The registry store's contract as tests: `src/registry/registry-store.ts` says it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { daemonIdsMax } from '../../src/limits.js'
import type { RegistryStore } from '../../src/registry/registry-store.js'
import { never } from '../support/tier-rows.js'

/** A store under test on empty storage, and the same storage opened once more. */
export interface RegistryStoreUnderTest {
  readonly store: RegistryStore
  readonly close: () => Promise<void>
}

/** Declares the contract's tests. `open` opens the storage named by `freshUrl`. */
export function describeRegistryStoreContract(
  name: string,
  freshUrl: () => Promise<string>,
  open: (url: string) => Promise<RegistryStoreUnderTest>,
): void {
  describe(`registry store contract: ${name}`, () => {
    let url: string
    let under: RegistryStoreUnderTest
    let store: RegistryStore

    beforeAll(async () => {
      url = await freshUrl()
      under = await open(url)
      store = under.store
    })
    afterAll(() => under?.close())

    test('seeds stay over a reopen, differ between stores, and fit 64 bits', async () => {
      const again = await open(url)
      expect(again.store.seeds).toEqual(store.seeds)
      await again.close()
      const other = await open(await freshUrl())
      expect(other.store.seeds).not.toEqual(store.seeds)
      await other.close()
      const seeds = [store.seeds.hotKey, store.seeds.hotCheck, store.seeds.warmSpread]
      expect(seeds.every((seed) => seed >= 0n && seed < 2n ** 64n)).toBe(true)
      expect(new Set(seeds).size).toBe(3)
    })

    test('openers at once make one set of seeds', async () => {
      const together = await freshUrl()
      const opened = await Promise.all([1, 2, 3, 4].map(() => open(together)))
      const [first] = opened
      expect(opened.map(({ store: { seeds } }) => seeds)).toEqual(
        opened.map(() => first?.store.seeds),
      )
      await Promise.all(opened.map(({ close }) => close()))
    })

    describe('documents', () => {
      test('are numbered from 1 and come back as they were', async () => {
        expect(await store.latestVersion(never)).toBe(0)
        expect(await store.readDocument(1, never)).toBeUndefined()
        const text = JSON.stringify({ text: 'ünïcode \\ "quotes" \n', long: 'x'.repeat(300_000) })
        await store.appendDocument(1, text, never)
        expect(await store.latestVersion(never)).toBe(1)
        expect(await store.readDocument(1, never)).toEqual({ version: 1, documentJson: text })
        await store.appendDocument(2, '{}', never)
        expect(await store.latestVersion(never)).toBe(2)
        expect(await store.readDocument(1, never)).toEqual({ version: 1, documentJson: text })
      })

      test.each([
        { title: 'a version that is there', ahead: 0 },
        { title: 'a version that leaves a gap', ahead: 2 },
      ])('$title is a conflict and changes nothing', async ({ ahead }) => {
        const latest = await store.latestVersion(never)
        const conflict = expect.objectContaining({ code: 'conflict' })
        await expect(store.appendDocument(latest + ahead, '{"another":1}', never)).rejects.toEqual(
          conflict,
        )
        expect(await store.latestVersion(never)).toBe(latest)
      })

      test('of appenders at once with one number, one succeeds', async () => {
        const next = (await store.latestVersion(never)) + 1
        const results = await Promise.allSettled(
          [1, 2, 3, 4, 5].map((writer) =>
            store.appendDocument(next, JSON.stringify({ writer }), never),
          ),
        )
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        expect(await store.latestVersion(never)).toBe(next)
      })
    })

    describe('daemon leases', () => {
      const nowMs = 1_000_000_000
      const durationMs = 15_000
      const lease = (holder: string, atMs = nowMs) =>
        store.leaseDaemon({ holder, nowMs: atMs, durationMs }, never)

      test('the lowest free id is leased, a past or released one again', async () => {
        const [first, second] = [await lease('first'), await lease('second')]
        expect([first, second]).toEqual([
          { daemonId: 0, holder: 'first' },
          { daemonId: 1, holder: 'second' },
        ])
        expect(await store.liveDaemons(nowMs, never)).toEqual([first, second])
        await store.releaseDaemon(first, never)
        expect(await store.liveDaemons(nowMs, never)).toEqual([second])
        expect(await lease('third')).toEqual({ daemonId: 0, holder: 'third' })
        expect(await store.liveDaemons(nowMs + durationMs, never)).toEqual([])
        expect(await lease('fourth', nowMs + durationMs)).toEqual({ daemonId: 0, holder: 'fourth' })
      })

      test('a lease is prolonged by its holder only, and lost to the next one', async () => {
        const laterMs = nowMs + 1_000_000
        const held = await lease('held', laterMs)
        const times = { nowMs: laterMs + 10_000, durationMs }
        expect(await store.renewDaemon(held, times, never)).toBe(true)
        expect(await store.liveDaemons(laterMs + 20_000, never)).toEqual([held])
        const stranger = { daemonId: held.daemonId, holder: 'stranger' }
        expect(await store.renewDaemon(stranger, times, never)).toBe(false)
        await store.releaseDaemon(stranger, never)
        expect(await store.liveDaemons(laterMs + 20_000, never)).toEqual([held])
        const next = await lease('next', laterMs + 100_000)
        expect(next.daemonId).toBe(held.daemonId)
        expect(await store.renewDaemon(held, times, never)).toBe(false)
      })

      test('daemons that start at once get different ids; when all are taken, that is told', async () => {
        const muchLaterMs = nowMs + 10_000_000
        const leases: number[] = []
        for (let start = 0; start < daemonIdsMax; start += 16) {
          const together = Array.from({ length: 16 }, (_, index) =>
            lease(`daemon ${start + index}`, muchLaterMs),
          )
          leases.push(...(await Promise.all(together)).map(({ daemonId }) => daemonId))
        }
        expect(new Set(leases).size).toBe(daemonIdsMax)
        await expect(lease('one too many', muchLaterMs)).rejects.toMatchObject({
          code: 'resource_exhausted',
        })
      })
    })

    describe('batches', () => {
      test('the first sequence given to a batch stands', async () => {
        const record = (batchId: string, sequence: bigint) =>
          store.recordBatch({ batchId, sequence, receivedAtMs: 1000 }, never)
        expect(await record('a', 7n)).toBe(7n)
        expect(await record('a', 8n)).toBe(7n)
        expect(await record('b', 2n ** 64n - 1n)).toBe(2n ** 64n - 1n)
        expect(await record('b', 1n)).toBe(2n ** 64n - 1n)
        expect(await record('ünïcode/\0 id'.replace('\0', ' '), 0n)).toBe(0n)
        const together = await Promise.all([11n, 12n, 13n].map((sequence) => record('c', sequence)))
        expect(new Set(together).size).toBe(1)
      })

      test('batches are forgotten by when they came', async () => {
        const record = (batchId: string, sequence: bigint, receivedAtMs: number) =>
          store.recordBatch({ batchId, sequence, receivedAtMs }, never)
        await store.forgetBatches(Number.MAX_SAFE_INTEGER, never)
        await record('old', 1n, 5000)
        await record('young', 2n, 6000)
        expect(await store.forgetBatches(6000, never)).toBe(1)
        expect(await record('old', 3n, 7000)).toBe(3n)
        expect(await record('young', 4n, 7000)).toBe(2n)
        expect(await store.forgetBatches(5000, never)).toBe(0)
      })
    })

    test('every call under a fired signal throws cancelled', async () => {
      const fired = AbortSignal.abort()
      const calls = [
        store.latestVersion(fired),
        store.readDocument(1, fired),
        store.appendDocument(99, '{}', fired),
        store.liveDaemons(0, fired),
        store.forgetBatches(0, fired),
      ]
      const results = await Promise.allSettled(calls)
      const cancelled = {
        status: 'rejected',
        reason: expect.objectContaining({ code: 'cancelled' }),
      }
      expect(results).toEqual(calls.map(() => cancelled))
    })
  })
}
