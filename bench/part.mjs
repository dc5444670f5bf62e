/**
 * The part that a process started by `startPart` plays: one operation, in a loop, round by round.
 *
 * The first message has its options. Each further one, `{ roundMs }` or `{ begin, end }`, runs a round, for
 * that long or of those steps, `concurrency` of them under way where it says so, and is answered with
 * what it took.
 */
import { ownCpuUs } from './measure.mjs'

/**
 * Serves rounds of `step(index)`; `open(options)` makes it, with how many are under way at once where a
 * round does not say, and with `close()`.
 */
export function servePart(open) {
  process.once('message', async (options) => {
    const { step, close, concurrency } = await open(options)
    process.on('message', async (round) => process.send(await run(step, { concurrency, ...round })))
    process.once('disconnect', close)
    process.send('ready')
  })
}

async function run(step, { concurrency, roundMs = Infinity, begin = 0, end = Infinity }) {
  const startMs = performance.now()
  const startUs = ownCpuUs()
  let next = begin
  const loop = async () => {
    while (next < end && performance.now() - startMs < roundMs) await step(next++)
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  const wallMs = performance.now() - startMs
  return { stepCount: next - begin, wallMs, cpuUs: ownCpuUs() - startUs }
}
