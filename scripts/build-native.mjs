/**
 * Builds the native addon, `native/build/Release/larder.node`, unless it is up to date.
 *
 * Node's headers are never downloaded: those beside the Node binary are used, else those in npm's
 * `nodedir`, else the message says what to install.
 *
 *   node scripts/build-native.mjs [--clean]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { doOnce, fail, rootFolder } from './steps.mjs'

const notCompiled = ['build', 'test']
const nodeGypPath = join(rootFolder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')

/**
 * Builds the addon where its sources or Node's module ABI are not those it was built from; `clean`
 * builds in any case, from nothing. Returns whether anything was built. Throws an `Error` whose
 * message says what to do.
 */
export function buildNative({ clean }) {
  if (clean) rmSync(join(rootFolder, 'native', 'build'), { recursive: true, force: true })
  const sources = readdirSync(join(rootFolder, 'native'))
    .filter((name) => !notCompiled.includes(name))
    .sort()
    .map((name) => join('native', name))
  const once = {
    stampPath: 'native/build/larder.stamp',
    inputs: sources,
    outputPath: 'native/build/Release/larder.node',
  }
  return doOnce(once, compile)
}

function compile() {
  const folder = join(rootFolder, 'native')
  const options = ['-C', folder, '-j', '2', '--loglevel=error', `--nodedir=${findHeaders()}`]
  const args = [nodeGypPath, 'configure', 'build', ...options]
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (result.status !== 0) {
    throw new Error(`building the native addon failed:\n${result.stdout}\n${result.stderr}`)
  }
}

/** The folder that holds `include/node/node_api.h`. */
function findHeaders() {
  const besideNode = resolve(dirname(process.execPath), '..')
  const found = [besideNode, configuredNodedir()].find(
    (folder) => folder !== '' && existsSync(join(folder, 'include/node/node_api.h')),
  )
  if (found !== undefined) return found
  const headers = `node-${process.version}-headers.tar.gz`
  throw new Error(
    `Node's C headers are missing: there is no ${join(besideNode, 'include/node/node_api.h')}. ` +
      `Unpack ${headers} from nodejs.org (or install Node from its official tarball, which has ` +
      'them) and set npm_config_nodedir to the folder that holds its include folder',
  )
}

/** npm's `nodedir`, which npm hands to its scripts; empty where it is not set. */
function configuredNodedir() {
  const handed = process.env.npm_config_nodedir
  if (handed !== undefined) return handed
  const { stdout } = spawnSync('npm', ['config', 'get', 'nodedir'], { encoding: 'utf8' })
  const configured = (stdout ?? '').trim()
  return configured === 'undefined' ? '' : configured
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const built = buildNative({ clean: process.argv.includes('--clean') })
    console.log(built ? 'native addon built' : 'native addon up to date')
  } catch (error) {
    fail(error)
  }
}
