/**
 * `larder …` as a process of its own, from the sources as they are, for tests that kill it.
 *
 * Usage: run-typescript.mjs kill-daemon.ts ARGUMENTS…
 */
import { writeSync } from 'node:fs'
import { run } from '../../src/cli/run.js'
import { systemClock } from '../../src/clock.js'

const outputOf = (fd: number) => ({
  terminal: undefined,
  write: async (text: string) => void writeSync(fd, text),
})

// Larder's own timers never keep a process alive.
const { port1: keepAlive } = new MessageChannel()
keepAlive.ref()
process.exitCode = await run(process.argv.slice(3), {
  stdout: outputOf(process.stdout.fd),
  stderr: outputOf(process.stderr.fd),
  env: {},
  cwd: process.cwd(),
  clock: systemClock,
  stop: new AbortController().signal,
  ask: undefined,
})
keepAlive.close()
