/**
 * One bench case in this process: `run-case.mjs BENCH CASE`, started by `scripts/bench.mjs`. The effort
 * comes over IPC, a name or its sizes, and the figures go back over IPC.
 *
 * A case stops what it started, also when it fails: then the process exits with 1 and the reason.
 */
const [, , benchName, caseName] = process.argv

process.once('message', async ({ effort }) => {
  try {
    const { cases, efforts } = await import(`./${benchName}.mjs`)
    const sizes = typeof effort === 'string' ? efforts[effort] : effort
    const result = await cases[caseName](caseName, sizes)
    process.send(result, () => process.exit(0))
  } catch (error) {
    console.error(error)
    process.exit(1)
  }
})
