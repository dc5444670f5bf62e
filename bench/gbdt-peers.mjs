/**
 * The peers of `gbdt`, in a Python process that `bench/peers/gbdt.py` runs: asked one thing at a time.
 *
 * `npm run bench:peers` makes the environment they need, in a folder that git ignores; another Python
 * that has them is named by `LARDER_PEERS_PYTHON`; `none` leaves the peers out. What they train and compile is kept in that folder.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const benchFolder = fileURLToPath(new URL('.', import.meta.url))
export const peersFolder = join(benchFolder, '.peers')
export const modelsFolder = join(peersFolder, 'gbdt')

/** The Python that has the peers; undefined where there is none. */
function peersPython() {
  const named = process.env['LARDER_PEERS_PYTHON']
  const own = join(peersFolder, 'venv', 'bin', 'python')
  if (named === 'none') return undefined
  if (named !== undefined && named !== '') return named
  return existsSync(own) ? own : undefined
}

/** Starts them; undefined, and said on standard error, where they are not installed. */
export function startPeers() {
  const python = peersPython()
  if (python === undefined) {
    console.error('skipped: lightgbm and lleaves, not installed: `npm run bench:peers` does that')
    return undefined
  }
  const script = join(benchFolder, 'peers', 'gbdt.py')
  // lleaves and LightGBM write what they like to standard error.
  const child = spawn(python, [script, modelsFolder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = new Promise((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)))
  })
  failed.catch(() => {}) // told to whoever asks next
  return {
    ask: async (command) => {
      child.stdin.write(`${JSON.stringify(command)}\n`)
      const { value } = await Promise.race([lines.next(), failed])
      if (value === undefined) return await failed
      return JSON.parse(value)
    },
    close: () => child.stdin.end(),
  }
}
