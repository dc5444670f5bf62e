/**
 * Builds the native addon, `native/build/Release/larder.node`, unless it is up to date.
 *
 * Node's headers are never downloaded: those beside the Node binary are used, else those in npm's
 * `nodedir`, else the message says what to install. A stamp beside the addon tells what it was built
 * from: the sources and Node's module ABI.
 *
 *   node scripts/build-native.mjs [--clean]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const rootFolder = dirname(dirname(fileURLToPath(import.meta.url)))
const nativeFolder = join(rootFolder, 'native')
const buildFolder = join(nativeFolder, 'build')
const addonPath = join(buildFolder, 'Release', 'larder.node')
const stampPath = join(buildFolder, 'larder.stamp')
const nodeGypPath = join(rootFolder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')

/**
 * Builds the addon where its stamp is not that of the sources as they are; `clean` builds in any
 * case, from nothing. Returns whether anything was built. Throws an `Error` whose message says what
 * to do.
 */
export function buildNative({ clean }) {
  const stamp = sourceStamp()
  if (!clean && existsSync(addonPath) && readStamp() === stamp) return false
  const headersFolder = findHeaders()
  if (clean) rmSync(buildFolder, { recursive: true, force: true })
  mkdirSync(buildFolder, { recursive: true })
  rmSync(stampPath, { force: true })
  const args = [
    'configure',
    'build',
    '-C',
    nativeFolder,
    '-j',
    '2',
    '--loglevel=error',
    `--nodedir=${headersFolder}`,
  ]
  const result = spawnSync(process.execPath, [nodeGypPath, ...args], { encoding: 'utf8' })
  if (result.status !== 0) {
    throw new Error(`building the native addon failed:\n${result.stdout}\n${result.stderr}`)
  }
  writeFileSync(stampPath, stamp)
  return true
}

function readStamp() {
  return existsSync(stampPath) ? readFileSync(stampPath, 'utf8') : undefined
}

/** Digest of everything that the addon is compiled from, and for whom. */
function sourceStamp() {
  const digest = createHash('sha256')
  digest.update(`${process.platform} ${process.arch} abi ${process.versions.modules}\n`)
  for (const path of sourcePaths(nativeFolder).sort()) {
    digest.update(`${relative(nativeFolder, path)}\n`)
    digest.update(readFileSync(path))
  }
  return `${digest.digest('hex')}\n`
}

function sourcePaths(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return [path]
    return path === buildFolder || path === join(nativeFolder, 'test') ? [] : sourcePaths(path)
  })
}

/** The folder that holds `include/node/node_api.h`. */
function findHeaders() {
  const besideNode = resolve(dirname(process.execPath), '..')
  const candidates = [besideNode, configuredNodedir()]
  const found = candidates.find(
    (folder) => folder !== undefined && existsSync(join(folder, 'include/node/node_api.h')),
  )
  if (found !== undefined) return found
  throw new Error(
    `Node's C headers are missing: there is no ${join(besideNode, 'include/node/node_api.h')}. ` +
      `Install the headers of Node ${process.version} (the official tarball of nodejs.org has them ` +
      'beside the binary; on Debian the package libnode-dev), or unpack ' +
      `node-${process.version}-headers.tar.gz and set the environment variable npm_config_nodedir ` +
      'to the folder that holds its include folder',
  )
}

function configuredNodedir() {
  const fromEnvironment = process.env.npm_config_nodedir
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment
  const configured = execFileSync('npm', ['config', 'get', 'nodedir'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
  return configured === '' || configured === 'undefined' ? undefined : configured
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const built = buildNative({ clean: process.argv.includes('--clean') })
    console.log(built ? 'native addon built' : 'native addon up to date')
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
