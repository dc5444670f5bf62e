/**
 * The tier contract as tests: `src/tiers/tier.ts` says it, every implementation passes it.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  encodeVersionOnlyRow,
  fenceLayoutId,
  tombstoneLayoutId,
} from '../../src/codec/row-version.js'
import { entityKeyBytesMax, rowBytesMax } from '../../src/limits.js'
import { createSeededPrng } from '../../src/prng.js'
import { rowState, tierCode } from '../../src/tiers/row-batch.js'
import type { Tier } from '../../src/tiers/tier.js'
import {
  entry,
  holdsRows,
  keysOf,
  never,
  newestOf,
  readEntries,
  readSlots,
  readStates,
  reclaimAll,
  scanKeys,
  scanTexts,
  type TestEntry,
  textsOf,
  writeEntries,
} from '../support/tier-rows.js'
import { testLayouts } from './tier-layouts.contract.js'

/** A tier under test, and time for it to notice expiries by. */
export interface TierUnderTest {
  readonly tier: Tier
  /** Lets `ms` of the tier's own time pass. */
  readonly elapse: (ms: number) => Promise<void>
  readonly canScan: boolean
  /** False where a row may outlive its expiry for longer than a test waits. */
  readonly expiresOnTime: boolean
  /** False where versions stand beside the rows, so that no stored row's layout need be known. */
  readonly readsStoredVersions: boolean
}

const hourMs = 3600 * 1000
const hot = tierCode.hot

/** Declares the contract's tests for the tier that `open` opens, with storage of its own. */
export function describeTierContract(name: string, open: () => Promise<TierUnderTest>): void {
  describe(`tier contract: ${name}`, () => {
    let under: TierUnderTest
    let tier: Tier
    let nextGeneration = 1
    /** Every test has generations of its own, so that tests share one store. */
    const freshGeneration = () => nextGeneration++

    beforeAll(async () => {
      under = await open()
      tier = under.tier
    })
    afterAll(() => tier?.close())

    describe('read and write', () => {
      test('a written row comes back byte for byte, an unknown key is absent', async () => {
        const generation = freshGeneration()
        const row = entry({ generation, key: 'a', body: 'first' })
        expect(await writeEntries(tier, [row])).toBe(1)
        const unknown = entry({ generation, key: 'b' })
        expect(await readEntries(tier, [row, unknown])).toEqual([row.row, undefined])
        expect(await readStates(tier, [row, unknown])).toEqual([rowState.row, rowState.absent])
      })

      test('only the slots asked for are touched, and say which tier they came from', async () => {
        const generation = freshGeneration()
        const entries = ['a', 'b', 'c'].map((key) => entry({ generation, key }))
        await writeEntries(tier, entries)
        const { into } = await readSlots(tier, entries, Uint32Array.of(2, 0))
        expect([...into.states]).toEqual([rowState.row, rowState.pending, rowState.row])
        expect([...into.tiers]).toEqual([hot, tierCode.none, hot])
        expect(Buffer.compare(into.rowAt(2), entries[2]?.row ?? Buffer.alloc(0))).toBe(0)
      })

      test('no slots and no rows are no work', async () => {
        expect(await writeEntries(tier, [])).toBe(0)
        expect(await readEntries(tier, [])).toEqual([])
        await expect(tier.remove(keysOf([]), never)).resolves.toBeUndefined()
      })

      test.each([
        { title: 'the longest key', key: Buffer.alloc(entityKeyBytesMax, 0x61) },
        { title: 'a key just above the raw bound of hot', key: Buffer.alloc(41, 0x62) },
        { title: 'a key of NUL bytes', key: Buffer.alloc(7) },
        { title: 'a key of one NUL byte', key: Buffer.alloc(1) },
        { title: 'a key with NUL bytes inside', key: Buffer.from('a\0b\0\0c') },
        { title: 'the empty key', key: Buffer.alloc(0) },
        { title: 'a key of 0xff bytes', key: Buffer.alloc(12, 0xff) },
        { title: 'a key that is not UTF-8', key: Buffer.from([0xc3, 0x28, 0x80]) },
      ])('keeps a row under $title', async ({ key }) => {
        const generation = freshGeneration()
        const row = entry({ generation, key })
        const neighbour = entry({
          generation,
          key: Buffer.concat([key, Buffer.from('x')]).subarray(-entityKeyBytesMax),
        })
        const others = neighbour.key.equals(row.key) ? [] : [neighbour]
        await writeEntries(tier, [row, ...others])
        expect(await readEntries(tier, [row, ...others])).toEqual(
          [row, ...others].map((written) => written.row),
        )
      })

      test('keeps a row of the greatest size', async () => {
        const generation = freshGeneration()
        const big = entry({ generation, key: 'big', body: Buffer.alloc(rowBytesMax - 17, 0xab) })
        expect(big.row.byteLength).toBe(rowBytesMax)
        await writeEntries(tier, [big])
        expect(await holdsRows(tier, [big])).toBe(true)
      })

      test('one batch spans many generations, which never mix', async () => {
        const entries = Array.from({ length: 300 }, (_, index) =>
          entry({ generation: freshGeneration(), key: 'same', body: `row ${index}` }),
        )
        entries.push(entry({ generation: Number.MAX_SAFE_INTEGER - 1, key: 'same' }))
        expect(await writeEntries(tier, entries)).toBe(entries.length)
        expect(await readEntries(tier, entries)).toEqual(entries.map(({ row }) => row))
      })

      test("large batches are stored whole: several of every tier's steps", async () => {
        const generation = freshGeneration()
        const entries = Array.from({ length: 10_000 }, (_, index) =>
          entry({ generation, key: `key ${(index * 7919) % 10_000}`, body: `row ${index}` }),
        )
        expect(await writeEntries(tier, entries)).toBe(entries.length)
        const sample = entries.filter((_, index) => index % 10 === 0)
        expect(await readEntries(tier, sample)).toEqual(sample.map(({ row }) => row))
        expect(await writeEntries(tier, entries)).toBe(0)
      })

      test('a batch of big rows is stored whole: steps are bounded by bytes too', async () => {
        const generation = freshGeneration()
        const entries = Array.from({ length: 12 }, (_, index) =>
          entry({ generation, key: `big ${index}`, body: Buffer.alloc(900_000, index) }),
        )
        expect(await writeEntries(tier, entries)).toBe(entries.length)
        expect(await holdsRows(tier, entries)).toBe(true)
      })
    })

    describe('order of writes', () => {
      const base = { eventTimeUs: 1_000_000n, sequence: 5n }
      test.each([
        {
          title: 'a later event time',
          second: { eventTimeUs: 1_000_001n, sequence: 1n },
          wins: true,
        },
        {
          title: 'the same event time, a higher sequence',
          second: { eventTimeUs: 1_000_000n, sequence: 6n },
          wins: true,
        },
        { title: 'the same version again', second: base, wins: false },
        {
          title: 'the same event time, a lower sequence',
          second: { eventTimeUs: 1_000_000n, sequence: 4n },
          wins: false,
        },
        {
          title: 'an earlier event time, a higher sequence',
          second: { eventTimeUs: 999_999n, sequence: 9n },
          wins: false,
        },
        {
          title: 'a negative event time',
          second: { eventTimeUs: -1n, sequence: 2n ** 64n - 1n },
          wins: false,
        },
        {
          title: 'the greatest sequence',
          second: { eventTimeUs: 1_000_000n, sequence: 2n ** 64n - 1n },
          wins: true,
        },
        {
          title: 'a sequence above 2^63',
          second: { eventTimeUs: 1_000_000n, sequence: 2n ** 63n },
          wins: true,
        },
        {
          title: 'the greatest event time',
          second: { eventTimeUs: 2n ** 63n - 1n, sequence: 0n },
          wins: true,
        },
        {
          title: 'the smallest event time',
          second: { eventTimeUs: -(2n ** 63n), sequence: 0n },
          wins: false,
        },
      ])('$title: wins $wins', async ({ second: version, wins }) => {
        const generation = freshGeneration()
        const first = entry({ generation, key: 'k', version: base, body: 'first' })
        const second = entry({ generation, key: 'k', version, body: 'second' })
        await writeEntries(tier, [first])
        expect(await writeEntries(tier, [second])).toBe(wins ? 1 : 0)
        expect(await readEntries(tier, [first])).toEqual([wins ? second.row : first.row])
      })

      test('versions that differ in one bit anywhere are told apart', async () => {
        const generation = freshGeneration()
        const low = { eventTimeUs: 0n, sequence: 0n }
        const bits = Array.from({ length: 127 }, (_, bit) => BigInt(bit))
        const newer = bits.map((bit) =>
          entry({
            generation,
            key: `bit ${bit}`,
            version:
              bit < 64n
                ? { eventTimeUs: 0n, sequence: 1n << bit }
                : { eventTimeUs: 1n << (bit - 64n), sequence: 0n },
          }),
        )
        const older = bits.map((bit) => entry({ generation, key: `bit ${bit}`, version: low }))
        await writeEntries(tier, newer)
        expect(await writeEntries(tier, older)).toBe(0)
        expect(await readEntries(tier, older)).toEqual(newer.map(({ row }) => row))
      })

      test('tombstones and fences are rows like others', async () => {
        const generation = freshGeneration()
        const old = entry({ generation, key: 'k', version: { eventTimeUs: 1n, sequence: 1n } })
        const gone: TestEntry = {
          ...old,
          row: Buffer.from(
            encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: 2n, sequence: 1n }),
          ),
        }
        const fence: TestEntry = {
          ...old,
          row: Buffer.from(encodeVersionOnlyRow(fenceLayoutId, { eventTimeUs: 3n, sequence: 1n })),
        }
        for (const written of [old, gone, fence]) {
          expect(await writeEntries(tier, [written])).toBe(1)
          expect(await readEntries(tier, [old])).toEqual([written.row])
        }
        expect(await writeEntries(tier, [gone])).toBe(0)
      })

      test('a row of a long layout id is compared like one of a short id', async () => {
        const generation = freshGeneration()
        const newer = entry({
          generation,
          key: 'k',
          layoutId: 2,
          version: { eventTimeUs: 9n, sequence: 1n },
        })
        const older = entry({
          generation,
          key: 'k',
          layoutId: 2 ** 32 - 1,
          version: { eventTimeUs: 8n, sequence: 1n },
        })
        await writeEntries(tier, [newer])
        expect(await writeEntries(tier, [older])).toBe(0)
        const newest = entry({
          generation,
          key: 'k',
          layoutId: 2 ** 32 - 1,
          version: { eventTimeUs: 10n, sequence: 1n },
        })
        expect(await writeEntries(tier, [newest])).toBe(1)
        expect(await writeEntries(tier, [newer])).toBe(0)
        expect(await readEntries(tier, [newer])).toEqual([newest.row])
      })

      testLayouts(() => under, freshGeneration)

      test('stored rows are counted, superseded ones are not', async () => {
        const generation = freshGeneration()
        const at = (key: string, sequence: bigint) =>
          entry({ generation, key, version: { eventTimeUs: 7n, sequence } })
        await writeEntries(tier, [at('a', 5n), at('b', 5n), at('c', 5n)])
        expect(await writeEntries(tier, [at('a', 6n), at('b', 4n), at('c', 5n), at('d', 1n)])).toBe(
          2,
        )
      })

      test('writers at once end with the newest version of every row', async () => {
        const generation = freshGeneration()
        const prng = createSeededPrng(20_010_615)
        const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`)
        const batches = Array.from({ length: 24 }, (_, batch) =>
          keys
            .filter(() => prng.below(3) > 0)
            .map((key) => {
              const version = { eventTimeUs: BigInt(prng.below(4)), sequence: BigInt(batch) }
              return entry({ generation, key, version, body: `batch ${batch}` })
            }),
        )
        await Promise.all(batches.map((batch) => writeEntries(tier, batch)))
        const newest = keys.map((key) => newestOf(batches.flat(), key))
        expect(await readEntries(tier, newest)).toEqual(newest.map(({ row }) => row))
      })

      test('any order of any writes ends alike', async () => {
        const writes = fc.array(
          fc.record({
            key: fc.constantFrom('a', 'b', 'c'),
            eventTimeUs: fc.bigInt({ min: -2n, max: 2n }),
            sequence: fc.bigInt({ min: 0n, max: 3n }),
          }),
          { minLength: 1, maxLength: 8 },
        )
        await fc.assert(
          fc.asyncProperty(writes, async (history) => {
            const generation = freshGeneration()
            const entries = history.map(({ key, ...version }) =>
              entry({
                generation,
                key,
                version,
                body: `${version.eventTimeUs} ${version.sequence}`,
              }),
            )
            for (const written of entries) await writeEntries(tier, [written])
            const newest = [...new Set(history.map(({ key }) => key))].map((key) =>
              newestOf(entries, key),
            )
            expect(await readEntries(tier, newest)).toEqual(newest.map(({ row }) => row))
          }),
          { numRuns: 25, seed: 3 },
        )
        expect.hasAssertions()
      })
    })

    describe('remove, expiry, scan', () => {
      test('a removed row is absent, whatever its version, and can be written again', async () => {
        const generation = freshGeneration()
        const [gone, kept] = [
          entry({ generation, key: 'gone' }),
          entry({ generation, key: 'kept' }),
        ]
        await writeEntries(tier, [gone, kept])
        await tier.remove(keysOf([gone, entry({ generation, key: 'unknown' })]), never)
        expect(await readEntries(tier, [gone, kept])).toEqual([undefined, kept.row])
        expect(await writeEntries(tier, [gone])).toBe(1)
      })

      test('a row is reclaimed after its expiry and never before', async () => {
        const generation = freshGeneration()
        const short = entry({ generation, key: 'short', keepMs: 500 })
        const long = entry({ generation, key: 'long', keepMs: hourMs })
        await writeEntries(tier, [short, long])
        await under.elapse(1500)
        await reclaimAll(tier)
        const left = under.expiresOnTime ? undefined : short.row
        expect(await readEntries(tier, [short, long])).toEqual([left, long.row])
        await reclaimAll(tier)
        expect(await readEntries(tier, [long])).toEqual([long.row])
      })

      test('a newer write prolongs a row, an older one does not shorten it', async () => {
        const generation = freshGeneration()
        const version = (eventTimeUs: bigint) => ({ eventTimeUs, sequence: 1n })
        const first = entry({ generation, key: 'k', version: version(1n), keepMs: 500 })
        const newer = entry({ generation, key: 'k', version: version(2n), keepMs: hourMs })
        const older = entry({ generation, key: 'k', version: version(0n), keepMs: 1 })
        for (const written of [first, newer, older]) await writeEntries(tier, [written])
        await under.elapse(1500)
        await reclaimAll(tier)
        expect(await readEntries(tier, [first])).toEqual([newer.row])
      })

      test('a scan hands over every row of its generation once, tombstones included', async () => {
        const [generation, other] = [freshGeneration(), freshGeneration()]
        const entries = Array.from({ length: 2500 }, (_, index) =>
          entry({ generation, key: `key ${index}` }),
        )
        const gone = {
          ...entry({ generation, key: 'gone' }),
          row: Buffer.from(
            encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: 2n, sequence: 1n }),
          ),
        }
        await writeEntries(tier, [...entries, gone, entry({ generation: other, key: 'other' })])
        expect(await scanTexts(tier, generation)).toEqual(
          under.canScan ? textsOf([...entries, gone]) : undefined,
        )
      })

      test('a scan of an empty generation ends at once; one under writes sees each row once', async () => {
        expect(await scanTexts(tier, freshGeneration())).toEqual(under.canScan ? [] : undefined)
        const generation = freshGeneration()
        const at = (sequence: bigint) =>
          Array.from({ length: 1500 }, (_, index) =>
            entry({ generation, key: `key ${index}`, version: { eventTimeUs: 1n, sequence } }),
          )
        await writeEntries(tier, at(1n))
        const keys = await scanKeys(tier, generation, () => writeEntries(tier, at(2n)))
        expect(keys).toEqual(
          under.canScan
            ? at(1n)
                .map(({ key }) => key.toString('latin1'))
                .sort()
            : undefined,
        )
      })
    })

    describe('failures and lifetime', () => {
      test('a read under a fired signal leaves its slots failed and says why, once', async () => {
        const entries = ['a', 'b'].map((key) => entry({ generation: freshGeneration(), key }))
        await writeEntries(tier, entries)
        const { into, failure } = await readSlots(
          tier,
          entries,
          Uint32Array.of(0, 1),
          AbortSignal.abort(),
        )
        expect([...into.states]).toEqual([rowState.failed, rowState.failed])
        expect(failure).toMatchObject({ code: 'cancelled' })
      })

      test('a read whose signal fires meanwhile answers at once, as failed or with rows', async () => {
        const entries = [entry({ generation: freshGeneration(), key: 'a' })]
        await writeEntries(tier, entries)
        const caller = new AbortController()
        const reading = readSlots(tier, entries, Uint32Array.of(0), caller.signal)
        caller.abort()
        const { into } = await reading
        expect([rowState.row, rowState.failed]).toContain(into.states[0])
      })

      test('every other call under a fired signal throws cancelled', async () => {
        const one = [entry({ generation: freshGeneration(), key: 'a' })]
        const fired = AbortSignal.abort()
        const cancelled = expect.objectContaining({ code: 'cancelled' })
        await expect(writeEntries(tier, one, fired)).rejects.toEqual(cancelled)
        await expect(tier.remove(keysOf(one), fired)).rejects.toEqual(cancelled)
        await expect(tier.reclaim(fired)).rejects.toEqual(cancelled)
        await expect(tier.ping(fired)).rejects.toEqual(cancelled)
        await expect(tier.stats(fired)).rejects.toEqual(cancelled)
        expect(await readEntries(tier, one)).toEqual([undefined])
      })

      test('a deadline that passed is told as such', async () => {
        const passed = AbortSignal.abort(new DOMException('too late', 'TimeoutError'))
        await expect(tier.ping(passed)).rejects.toMatchObject({ code: 'deadline_exceeded' })
      })

      test('answers a ping and tells its version and sizes', async () => {
        await expect(tier.ping(never)).resolves.toBeUndefined()
        const stats = await tier.stats(never)
        expect(stats.serverVersion).toMatch(/[a-z]+ .*[0-9]/)
        expect(stats.rowCount ?? 1).toBeGreaterThan(0)
        expect(stats.storedBytes ?? 1).toBeGreaterThan(0)
        expect(stats.findings).toEqual([])
      })

      test('closes twice, and then answers nothing', async () => {
        const { tier: second } = await open()
        await second.close()
        await expect(second.close()).resolves.toBeUndefined()
        const one = [entry({ generation: 1, key: 'a' })]
        const { into, failure } = await readSlots(second, one, Uint32Array.of(0))
        expect(into.states[0]).toBe(rowState.failed)
        expect(failure).toMatchObject({ code: 'unavailable' })
        await expect(writeEntries(second, one)).rejects.toMatchObject({ code: 'unavailable' })
        await expect(second.ping(never)).rejects.toMatchObject({ code: 'unavailable' })
      })
    })
  })
}
