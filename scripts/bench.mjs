/**
 * `npm run bench -- NAME [--quick] [--json]`: builds if needed, then runs a bench, each of its cases in
 * a process of its own, one after the other.
 *
 * `--quick` ends within 45 s; `--json` prints one object and nothing else on standard output. Figures
 * and ratios carry their units in their keys; `bench/README.md` says what they mean.
 */
import { execFileSync, fork } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fail, rootFolder } from './steps.mjs'

/**
 * Each is `bench/NAME.mjs`, which exports its `cases`, the sizes of its `efforts`, and where there are any
 * its `targets`: what figures and ratios, by key, are to be at most. A case may give `notes`, texts by key.
 */
export const benchNames = [
  ...['codec', 'composite', 'ingest', 'predict', 'get-features'],
  ...['gbdt', 'onnx', 'redis-memory', 'redis-read'],
]

/**
 * Runs every case of a bench whose programs are installed; `effort` is `quick`, `full` or sizes. What
 * the build makes must be there. Throws where a case fails.
 */
export async function runBench(name, effort) {
  const { cases } = await import(`../bench/${name}.mjs`)
  const report = {
    name,
    commit: commitOf(),
    machine: machineOf(),
    date: new Date().toISOString(),
    figures: {},
    ratios: {},
  }
  for (const caseName of Object.keys(cases)) {
    const result = await runCase(name, caseName, effort)
    if ('skipped' in result) console.error(`skipped: ${name}, case ${caseName}: ${result.skipped}`)
    Object.assign(report.figures, result.figures)
    Object.assign(report.ratios, result.ratios)
    if (result.notes !== undefined) report.notes = { ...report.notes, ...result.notes }
  }
  return report
}

function runCase(name, caseName, effort) {
  return new Promise((resolve, reject) => {
    const child = fork(join(rootFolder, 'bench', 'run-case.mjs'), [name, caseName], {
      // Standard output belongs to the report.
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    let result
    child.once('message', (message) => {
      result = message
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result)
      else reject(new Error(`bench ${name}, case ${caseName}, failed (exit ${code ?? signal})`))
    })
    child.send({ effort })
  })
}

/** The commit that is checked out, `+changes` where the tree differs from it. */
function commitOf() {
  try {
    const options = { cwd: rootFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
    const git = (...args) => execFileSync('git', args, options).trim()
    const changes = git('--no-optional-locks', 'status', '--porcelain')
    return `${git('rev-parse', '--short=12', 'HEAD')}${changes === '' ? '' : '+changes'}`
  } catch {
    return 'unknown: not a git checkout'
  }
}

function machineOf() {
  const [first] = cpus()
  return {
    cpu: first?.model ?? 'unknown',
    coreCount: cpus().length,
    memoryBytes: totalmem(),
    node: process.versions.node,
    os: `${process.platform} ${process.arch}`,
  }
}

function printTable({ name, commit, machine, date, figures, ratios, notes = {} }, targets) {
  console.log(`${name}, commit ${commit}, ${date}`)
  console.log(`${machine.coreCount} x ${machine.cpu}, Node ${machine.node}, ${machine.os}`)
  const width = Math.max(...Object.keys({ ...figures, ...ratios }).map((key) => key.length))
  for (const [title, values] of Object.entries({ figures, ratios })) {
    console.log(`\n${title}`)
    for (const [key, value] of Object.entries(values)) {
      const line = `  ${key.padEnd(width)}  ${numberText(value).padStart(14)}`
      const target = key in targets ? `  ${targetText(value, targets[key])}` : ''
      console.log(`${line}${target}${key in notes ? `  (${notes[key]})` : ''}`)
    }
  }
}

function numberText(value) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}

function targetText(value, most) {
  return `target <= ${numberText(most)}${value <= most ? '' : ': MISSED'}`
}

async function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [name] = positionals
  if (positionals.length !== 1 || !benchNames.includes(name)) {
    const problem = positionals.length === 1 ? `there is no bench '${name}'` : 'name one bench'
    console.error(`${problem}: ${benchNames.join(', ')}`)
    process.exitCode = 2
    return
  }
  await buildQuietly()
  const report = await runBench(name, values.quick ? 'quick' : 'full')
  if (values.json) console.log(JSON.stringify(report))
  else printTable(report, await targetsOf(name))
}

async function targetsOf(name) {
  const { targets = {} } = await import(`../bench/${name}.mjs`)
  return targets
}

/** What the build prints goes to standard error. */
async function buildQuietly() {
  execFileSync(process.execPath, [join(rootFolder, 'scripts', 'build.mjs')], {
    cwd: rootFolder,
    stdio: ['ignore', 2, 2],
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(process.argv.slice(2)).catch(fail)
