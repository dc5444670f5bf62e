import { describe, expect, test } from 'vitest'
import { createTestClock } from '../../test/support/test-clock.js'
import {
  entry,
  holdsRows,
  keysOf,
  never,
  readEntries,
  reclaimAll,
  writeEntries,
} from '../../test/support/tier-rows.js'
import { MemoryTier } from './memory-tier.js'

const bytesMax = 1_000_000

function createTier() {
  const clock = createTestClock()
  return { clock, tier: new MemoryTier({ bytesMax, displayUrl: 'memory:', clock }) }
}

/** Rows of a little over 10,300 bytes each, so that 97 fit. */
function bigRows(count: number, keepMs = 3_600_000) {
  return Array.from({ length: count }, (_, index) =>
    entry({ generation: 1, key: `k${index}`, body: Buffer.alloc(9_980), keepMs }),
  )
}

describe('the memory tier', () => {
  test('a write over the bound is hot_out_of_memory and evicts nothing', async () => {
    const { tier } = createTier()
    await writeEntries(tier, bigRows(90))
    await expect(writeEntries(tier, bigRows(120))).rejects.toMatchObject({
      code: 'hot_out_of_memory',
      message: expect.stringContaining('of 1000000 bytes used'),
    })
    expect(await holdsRows(tier, bigRows(90))).toBe(true)
    expect((await tier.stats(never)).storedBytes).toBeLessThanOrEqual(bytesMax)
  })

  test('a full tier makes room from what is expired', async () => {
    const { tier, clock } = createTier()
    await writeEntries(tier, bigRows(90, 1000))
    clock.advance(2000)
    const fresh = bigRows(95).map((row) => ({ ...row, generation: 2 }))
    expect(await writeEntries(tier, fresh)).toBe(95)
    expect(await holdsRows(tier, fresh)).toBe(true)
  })

  test('replacing a row takes only what it grows by', async () => {
    const { tier } = createTier()
    const versions = Array.from({ length: 8 }, (_, index) =>
      entry({
        generation: 1,
        key: 'same',
        body: Buffer.alloc(900_000),
        version: { eventTimeUs: BigInt(index), sequence: 1n },
      }),
    )
    for (const version of versions) expect(await writeEntries(tier, [version])).toBe(1)
    expect((await tier.stats(never)).rowCount).toBe(1)
  })

  test('removals and reclaims give back all that was taken', async () => {
    const { tier, clock } = createTier()
    const [kept, removed] = [bigRows(40, 10), bigRows(80).slice(40)]
    await writeEntries(tier, [...kept, ...removed])
    await tier.remove(keysOf(removed), never)
    clock.advance(1000)
    await reclaimAll(tier)
    expect(await tier.stats(never)).toMatchObject({ rowCount: 0, storedBytes: 0 })
    expect(await readEntries(tier, kept.slice(0, 1))).toEqual([undefined])
  })
})
