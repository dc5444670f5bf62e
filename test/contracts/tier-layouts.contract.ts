/**
 * The part of the tier contract that is about layouts: rows are in the order of their versions, however
 * their layouts write those.
 */
import { expect, test } from 'vitest'
import { createSeededPrng, type Prng } from '../../src/prng.js'
import { entry, formOf, newestOf, readEntries, writeEntries } from '../support/tier-rows.js'
import type { TierUnderTest } from './tier.contract.js'

/** Layouts beside the plain one: of a load a second apart, of one of one instant, of any time. */
const form = formOf(
  new Map([
    [3, { eventBaseUs: 1_000_000n, eventUnitUs: 1_000_000n, eventBytes: 1, sequence: 3n }],
    [4, { eventBaseUs: 2_000_000n, eventUnitUs: 1n, eventBytes: 0, sequence: 2n ** 63n }],
    [300, { eventBaseUs: -5n, eventUnitUs: 1n, eventBytes: 6, sequence: 4n }],
  ]),
)

const anyTimes = [-5n, 999_999n, 1_000_000n, 1_000_001n, 2_000_000n, 256_000_000n]
/** What rows of each layout can say. No two of one version are of different layouts. */
const layouts = [
  { layoutId: 2, sequences: [0n, 1n, 2n, 5n], times: anyTimes },
  { layoutId: 3, sequences: [3n], times: [1_000_000n, 2_000_000n, 256_000_000n] },
  { layoutId: 4, sequences: [2n ** 63n], times: [2_000_000n] },
  { layoutId: 300, sequences: [4n], times: anyTimes },
]

/** Declares the tests, for the tier that `under` returns once they run. */
export function testLayouts(under: () => TierUnderTest, freshGeneration: () => number): void {
  test('rows of any layouts are in the order of their versions', async () => {
    const prng = createSeededPrng(1968)
    const generation = freshGeneration()
    const entries = Array.from({ length: 400 }, () => {
      const { layoutId, sequences, times } = draw(prng, layouts)
      const version = { eventTimeUs: draw(prng, times), sequence: draw(prng, sequences) }
      return entry({ generation, key: `key ${prng.below(5)}`, layoutId, version, form })
    })
    for (const written of entries) await writeEntries(under().tier, [written])
    const newest = Array.from({ length: 5 }, (_, index) => newestOf(entries, `key ${index}`))
    expect(await readEntries(under().tier, newest)).toEqual(newest.map(({ row }) => row))
  })

  test('a stored row of a layout that is not known here stays, and is told', async () => {
    const { tier, readsStoredVersions } = under()
    const generation = freshGeneration()
    const stored = entry({
      generation,
      key: 'k',
      layoutId: 300,
      form,
      version: { eventTimeUs: 0n, sequence: 4n },
    })
    await writeEntries(tier, [stored])
    const newer = ['k', 'other'].map((key) => entry({ generation, key, form: formOf(new Map()) }))
    const outcome = await writeEntries(tier, newer).catch((thrown) => thrown.details)
    expect(outcome).toEqual(readsStoredVersions ? { unknownLayoutId: 300 } : 2)
    const left = readsStoredVersions ? stored : newer[0]
    expect(await readEntries(tier, [stored])).toEqual([left?.row])
  })
}

function draw<T>(prng: Prng, choices: readonly T[]): T {
  const choice = choices[prng.below(choices.length)]
  if (choice === undefined) throw new RangeError('there is something to choose from')
  return choice
}
