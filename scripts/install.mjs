/**
 * Installs the packages that package-lock.json names, unless they are there already.
 *
 * `npm install`, not `npm ci`, which would unpack every package again whenever one changes.
 */
import { doOnce, run } from './steps.mjs'

/** The postinstall script of onnxruntime-node fetches GPU libraries; the CPU ones are in the package. */
const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' }

/** Makes node_modules what the lock file says. */
export function installPackages() {
  doOnce(
    {
      stampPath: 'node_modules/.larder-installed',
      inputs: ['package.json', 'package-lock.json'],
      outputPath: 'node_modules/.package-lock.json',
    },
    () => run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { env }),
  )
}
