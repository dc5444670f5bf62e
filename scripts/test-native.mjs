/**
 * Compiles and runs the plain C++ tests and fuzz loops of `native/test` under AddressSanitizer and
 * UndefinedBehaviorSanitizer.
 *
 *   node scripts/test-native.mjs [RUNS [SEED]]    RUNS: fuzz iterations each
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, rootFolder } from './steps.mjs'

const libraries = ['native/codec', 'native/lightgbm']
const outputFolder = join(rootFolder, 'native', 'build', 'sanitized')
const compiler = process.env.CXX ?? 'g++'
const flags = [
  '-std=c++20',
  '-O1',
  '-g',
  '-ffp-contract=off',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-Wall',
  '-Wextra',
  `-I${join(rootFolder, 'native')}`,
  `-I${join(rootFolder, 'node_modules', 'xxhash-addon', 'xxHash')}`,
]

/** Runs every test. Returns the names of those that passed and failed. */
export function testNative({ runs, seed }) {
  mkdirSync(outputFolder, { recursive: true })
  const objects = libraries.flatMap((folder) => sourcesIn(folder).map(compile))
  const passed = []
  const failed = []
  for (const path of sourcesIn('native/test')) {
    const name = basename(path, '.cc')
    const program = join(outputFolder, name)
    execute(compiler, [...flags, compile(path), ...objects, '-o', program])
    const args = name.startsWith('fuzz_') ? [String(runs), String(seed)] : []
    const result = spawnSync(program, args, { encoding: 'utf8' })
    if (result.status === 0) passed.push(name)
    else failed.push(name)
    const verdict = result.status === 0 ? 'passed' : `FAILED\n${result.stdout}\n${result.stderr}`
    console.log(`native/test/${name}.cc ${args.join(' ')}: ${verdict}`)
  }
  return { passed, failed }
}

function sourcesIn(folder) {
  return readdirSync(join(rootFolder, folder))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(rootFolder, folder, name))
}

/** The object file of a source; headers count as sources of everything. */
function compile(path) {
  const object = join(outputFolder, `${basename(path, '.cc')}.o`)
  const newestMs = Math.max(statSync(path).mtimeMs, newestHeaderMs())
  if (existsSync(object) && statSync(object).mtimeMs > newestMs) return object
  execute(compiler, [...flags, '-c', path, '-o', object])
  return object
}

function newestHeaderMs() {
  const headers = [...libraries, 'native/test'].flatMap((folder) =>
    readdirSync(join(rootFolder, folder))
      .filter((name) => name.endsWith('.h'))
      .map((name) => statSync(join(rootFolder, folder, name)).mtimeMs),
  )
  return Math.max(0, ...headers)
}

function execute(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${command} failed:\n${result.stderr}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const [runs = '10000', seed = '1'] = process.argv.slice(2)
    if (testNative({ runs: Number(runs), seed: Number(seed) }).failed.length > 0) process.exit(1)
  } catch (error) {
    fail(error)
  }
}
