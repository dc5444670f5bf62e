/**
 * `npm start`: installs and builds if needed, then runs the flights example and keeps serving.
 *
 * One process from here on: signals reach the daemon itself.
 */
import { installPackages } from './install.mjs'
import { fail } from './steps.mjs'

try {
  installPackages()
  const { build } = await import('./build.mjs')
  await build()
} catch (error) {
  fail(error)
}
const { start } = await import('../examples/flights/start.mjs')
await start()
