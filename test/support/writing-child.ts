/**
 * A process that writes batches to a warm tier for ever, for the kill tests: prints a batch's number as
 * soon as its write returned, which is when its rows must survive anything.
 *
 * Usage: run-typescript.mjs writing-child.ts URL GENERATION
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../src/clock.js'
import { systemPrng } from '../../src/prng.js'
import { openWarmTier } from '../../src/tiers/open-tier.js'
import { batchEntries } from './kill-batches.js'
import { never, writeEntries } from './tier-rows.js'

const [url = '', generation = ''] = process.argv.slice(3)
const { tier } = await openWarmTier(url, { clock: systemClock, prng: systemPrng }, never)
for (let batch = 0; ; batch++) {
  await writeEntries(tier, batchEntries(Number(generation), batch))
  writeSync(process.stdout.fd, `${batch}\n`)
}
