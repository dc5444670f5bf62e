/**
 * Compiles and runs the plain C++ tests and fuzz loops of `native/test` under AddressSanitizer and
 * UndefinedBehaviorSanitizer.
 *
 *   node scripts/test-native.mjs [RUNS [SEED]]    RUNS: fuzz iterations each
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, rootFolder } from './steps.mjs'

const libraries = ['codec', 'graph', 'lightgbm', 'trees', 'xgboost'].map((name) => `native/${name}`)
/** What stands beside the bindings and is no binding itself. */
const looseSources = ['native/worker_pool.cc']
const lz4Folder = join(rootFolder, 'node_modules', 'lmdb', 'dependencies', 'lz4', 'lib')
const outputFolder = join(rootFolder, 'native', 'build', 'sanitized')
const compiler = process.env.CXX ?? 'g++'
const sharedFlags = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
]
const flags = [
  ...sharedFlags,
  '-std=c++20',
  '-pthread',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-Wall',
  '-Wextra',
  `-I${join(rootFolder, 'native')}`,
  `-I${join(rootFolder, 'node_modules', 'xxhash-addon', 'xxHash')}`,
  `-I${lz4Folder}`,
]

/** Runs every test. Resolves to the names of those that passed and failed. */
export async function testNative({ runs, seed }) {
  mkdirSync(outputFolder, { recursive: true })
  const tests = sourcesIn('native/test')
  const loose = looseSources.map((path) => join(rootFolder, path))
  const librarySources = [...libraries.flatMap(sourcesIn), ...loose, join(lz4Folder, 'lz4.c')]
  const libraryObjects = librarySources.map(objectOf)
  await compileAll([...librarySources, ...tests].filter(isOutdated))
  const passed = []
  const failed = []
  for (const path of tests) {
    const name = basename(path, '.cc')
    const program = join(outputFolder, name)
    await execute(compiler, [...flags, objectOf(path), ...libraryObjects, '-o', program])
    const args = name.startsWith('fuzz_') ? [String(runs), String(seed)] : []
    const result = spawnSync(program, args, { encoding: 'utf8' })
    if (result.status === 0) passed.push(name)
    else failed.push(name)
    const verdict = result.status === 0 ? 'passed' : `FAILED\n${result.stdout}\n${result.stderr}`
    console.log(`native/test/${[`${name}.cc`, ...args].join(' ')}: ${verdict}`)
  }
  return { passed, failed }
}

function sourcesIn(folder) {
  return readdirSync(join(rootFolder, folder))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(rootFolder, folder, name))
}

function objectOf(path) {
  // Files of two folders may have one name.
  return join(outputFolder, `${basename(dirname(path))}-${basename(path, '.cc')}.o`)
}

/** Headers count as sources of everything. */
function isOutdated(path) {
  const object = objectOf(path)
  const newestMs = Math.max(statSync(path).mtimeMs, newestHeaderMs())
  return !existsSync(object) || statSync(object).mtimeMs <= newestMs
}

/** Compiles as many sources at once as there are cores. */
async function compileAll(paths) {
  const waiting = [...paths]
  const work = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const sourceFlags = path.endsWith('.c') ? ['-x', 'c', ...sharedFlags] : flags
      await execute(compiler, [...sourceFlags, '-c', path, '-o', objectOf(path)])
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

function newestHeaderMs() {
  const headers = [...libraries, 'native', 'native/test'].flatMap((folder) =>
    readdirSync(join(rootFolder, folder))
      .filter((name) => name.endsWith('.h'))
      .map((name) => statSync(join(rootFolder, folder, name)).mtimeMs),
  )
  return Math.max(0, ...headers)
}

function execute(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let told = ''
    child.stderr.on('data', (bytes) => {
      told += bytes
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} failed:\n${told}`))
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const [runs = '10000', seed = '1'] = process.argv.slice(2)
    const { failed } = await testNative({ runs: Number(runs), seed: Number(seed) })
    if (failed.length > 0) process.exit(1)
  } catch (error) {
    fail(error)
  }
}
