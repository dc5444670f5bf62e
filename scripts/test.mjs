/**
 * `npm test`: sets up everything the tests need, then runs all checks and all tests.
 *
 *   node scripts/test.mjs [--long]    --long: 10^7 runs of every fuzz and property test, and Node 24
 *
 * Its last line counts what passed and failed; it exits 0 only when nothing failed.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './install.mjs'
import { fail, rootFolder, run, runBin } from './steps.mjs'

const isLong = process.argv.includes('--long')
const fuzzRuns = isLong ? 10_000_000 : 10_000
const fuzzSeed = 1
const reportPath = join(rootFolder, 'dist', '.vitest-report.json')
const vitestArgs = ['run', '--reporter=default', '--reporter=json', `--outputFile=${reportPath}`]
// With CI set a missing golden fails.
const env = { CI: 'true', LARDER_FUZZ_RUNS: String(fuzzRuns) }

/** Each suite returns how many of its tests passed and failed, or throws where it could not run. */
const suites = [
  { name: 'check', execute: runCheck },
  { name: 'native tests', execute: runNativeTests },
  { name: 'tests', execute: () => runVitest(() => runBin('vitest', vitestArgs, { env })) },
]
if (isLong) suites.push({ name: 'tests on Node 24', execute: () => runVitest(runOnNode24) })

try {
  installPackages()
  const { build } = await import('./build.mjs')
  await build()
  const { installTestServers } = await import('./install-test-servers.mjs')
  await installTestServers()
} catch (error) {
  fail(error)
}

let passedCount = 0
let failedCount = 0
for (const { name, execute } of suites) {
  try {
    const { passed, failed } = await execute()
    passedCount += passed
    failedCount += failed
  } catch (error) {
    failedCount++
    console.error(`${name}: ${error instanceof Error ? error.message : error}`)
  }
}
console.log(`${passedCount} passed, ${failedCount} failed`)
process.exit(failedCount === 0 ? 0 : 1)

async function runCheck() {
  const { check } = await import('./check.mjs')
  check()
  return { passed: 1, failed: 0 }
}

async function runNativeTests() {
  const { testNative } = await import('./test-native.mjs')
  const { passed, failed } = await testNative({ runs: fuzzRuns, seed: fuzzSeed })
  return { passed: passed.length, failed: failed.length }
}

/** Runs vitest and counts from its report: a run that left none, or fails beside it, has failed. */
function runVitest(execute) {
  rmSync(reportPath, { force: true })
  let failure
  try {
    execute()
  } catch (error) {
    failure = error
  }
  if (!existsSync(reportPath)) throw failure ?? new Error('vitest left no report')
  const report = JSON.parse(readFileSync(reportPath, 'utf8'))
  const failed =
    report.numFailedTests + (failure !== undefined && report.numFailedTests === 0 ? 1 : 0)
  return { passed: report.numPassedTests, failed }
}

function runOnNode24() {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  run('npx', ['-y', '-p', 'node@24', 'node', vitest, ...vitestArgs], { env })
}
