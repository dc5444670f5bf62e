/**
 * `npm run bench:peers`: makes the Python environment of the peers that benches compare with, in
 * `bench/.peers`, which git ignores. Then trains and compiles their models, so that benches need not.
 *
 * `LARDER_PEERS_PYTHON` names a Python that has them already; then nothing is installed.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fail, rootFolder } from './steps.mjs'

async function main() {
  const run = (program, ...args) => execFileSync(program, args, { stdio: 'inherit' })
  const named = process.env.LARDER_PEERS_PYTHON ?? ''
  if (named === '') {
    const venv = join(rootFolder, 'bench', '.peers', 'venv')
    const requirements = join(rootFolder, 'bench', 'peers', 'requirements.txt')
    run('python3', '-m', 'venv', venv)
    run(join(venv, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '-r', requirements)
  }
  run(process.execPath, join(rootFolder, 'scripts', 'build.mjs'))
  const { preparePeers } = await import('../bench/gbdt.mjs')
  await preparePeers()
}

await main().catch(fail)
