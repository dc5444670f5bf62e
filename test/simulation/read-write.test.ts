/**
 * The real read, write and delete paths, simulated: seeded histories over faulty tiers in simulated time,
 * against a plain model.
 *
 * Acknowledged writes are never lost, and never hidden longer than their class allows; statuses are
 * right; every layout of tiers gives the same answer. A failure prints its seed: `LARDER_FUZZ_SEED` with it and
 * `LARDER_FUZZ_RUNS=100` plays that one history again.
 */
import { describe, expect, test } from 'vitest'
import { runSimulation } from '../support/sim-run.js'

const firstSeed = Number(process.env['LARDER_FUZZ_SEED'] ?? 1)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
/** Histories of each kind: one for so many runs of a plain fuzz test, since each is thousands of steps. */
const historyCount = Math.min(10_000, Math.max(1, Math.round(fuzzRuns / 100)))

describe(`from seed ${firstSeed} on, ${historyCount} histories`, () => {
  test.each([
    { name: 'hot and warm, without faults', faultShare: 0, hasHot: true },
    { name: 'hot and warm, with faults', faultShare: 0.15, hasHot: true },
    { name: 'warm alone, without faults', faultShare: 0, hasHot: false },
    { name: 'warm alone, with faults', faultShare: 0.15, hasHot: false },
  ])('$name', { timeout: 120_000 + 500 * historyCount }, async ({ faultShare, hasHot }) => {
    for (let seed = firstSeed; seed < firstSeed + historyCount; seed++) {
      const problems = await runSimulation({ seed, faultShare, hasHot })
      expect({ seed, problems }).toEqual({ seed, problems: [] })
    }
  })
})
