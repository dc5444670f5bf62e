/**
 * What the scripts share: running a command as a step, and doing a step only when its inputs changed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const rootFolder = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a command in the checkout with its output shown; throws where it fails. */
export function run(command, args, { env = {} } = {}) {
  const result = spawnSync(command, args, {
    cwd: rootFolder,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed (exit ${result.status ?? result.signal})`)
  }
}

/** Runs a package's own command from node_modules, with this Node. */
export function runBin(name, args, options) {
  run(join(rootFolder, 'node_modules', '.bin', name), args, options)
}

/**
 * Does `step` unless it was done for exactly these inputs (files or folders, relative to the checkout)
 * and `outputPath` is still there. Returns whether it was done.
 */
export function doOnce({ stampPath, inputs, outputPath }, step) {
  const stamp = digestOf(inputs)
  const stampFile = join(rootFolder, stampPath)
  const isDone =
    existsSync(join(rootFolder, outputPath)) &&
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === stamp
  if (isDone) return false
  step()
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, stamp)
  return true
}

function digestOf(inputs) {
  const digest = createHash('sha256')
  digest.update(`${process.platform} ${process.arch} abi ${process.versions.modules}\n`)
  for (const path of inputs.flatMap((input) => filesUnder(join(rootFolder, input)))) {
    digest.update(`${relative(rootFolder, path)}\n`)
    digest.update(readFileSync(path))
  }
  return `${digest.digest('hex')}\n`
}

function filesUnder(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)))
}

/** Ends the process with the error's message and nothing else: what a user can act on. */
export function fail(error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
