/**
 * Kills a process in the middle of its writes to a warm tier, several times, and looks what is there.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.js'
import { type Prng, systemPrng } from '../../src/prng.js'
import { openWarmTier } from '../../src/tiers/open-tier.js'
import { batchEntries } from './kill-batches.js'
import { endProcess } from './server-process.js'
import { holdsRows, never } from './tier-rows.js'

const rounds = 3
const runner = fileURLToPath(new URL('run-typescript.mjs', import.meta.url))
const child = fileURLToPath(new URL('writing-child.ts', import.meta.url))

export interface KillOutcome {
  /** Batches whose write had returned and whose rows are not all there, as `generation/batch`. */
  readonly lostBatches: readonly string[]
  /** False where a process was killed before it had written anything: the test then proves nothing. */
  readonly ackedEnough: boolean
}

/** Rounds of: start a writer on `url`, kill it after a random number of acks, read what it acked. */
export async function killedWriterLosesNothing(url: string, prng: Prng): Promise<KillOutcome> {
  const lostBatches: string[] = []
  let ackedEnough = true
  for (let generation = 1; generation <= rounds; generation++) {
    const ackedCount = await killAfterAcks(url, generation, 1 + prng.below(40))
    ackedEnough &&= ackedCount > 0
    const { tier } = await openWarmTier(url, { clock: systemClock, prng: systemPrng }, never)
    for (let batch = 0; batch < ackedCount; batch++) {
      // The shared key may already hold a later batch's row: only its own rows are a batch's.
      const isWhole = await holdsRows(tier, batchEntries(generation, batch).slice(0, -1))
      if (!isWhole) lostBatches.push(`${generation}/${batch}`)
    }
    await tier.close()
  }
  return { lostBatches, ackedEnough }
}

/** Resolves with how many batches were acked in all when the writer was gone. */
async function killAfterAcks(url: string, generation: number, acks: number): Promise<number> {
  const writer = spawn(process.execPath, [runner, child, url, String(generation)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  await new Promise<void>((resolve) => {
    writer.stdout.on('data', (chunk) => {
      printed += chunk.toString()
      if (printed.split('\n').length > acks) resolve()
    })
    writer.once('exit', () => resolve())
  })
  const closed = new Promise((resolve) => writer.stdout.once('close', resolve))
  await endProcess(writer, 'SIGKILL')
  await closed
  return printed.split('\n').length - 1
}
