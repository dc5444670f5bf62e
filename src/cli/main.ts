#!/usr/bin/env node
/**
 * The `larder` program: binds `run` to this process, and nothing else.
 */
import { createInterface } from 'node:readline/promises'
import { systemClock } from '../clock.js'
import type { TextOutput } from './cli-io.js'
import { run } from './run.js'

function outputOf(stream: NodeJS.WriteStream): TextOutput {
  return {
    terminal: stream.isTTY ? stream : undefined,
    write: (text) =>
      new Promise((resolve) => {
        // A reader that went away (`larder … | head`) needs no more output, and is no error.
        stream.write(text, () => resolve())
      }),
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())
process.stdout.on('error', () => undefined)

// Larder's own timers never keep a process alive; a command that waits between two tries must not end.
const { port1: keepAlive } = new MessageChannel()
keepAlive.ref()
process.exitCode = await run(process.argv.slice(2), {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  stop: stop.signal,
  ask: process.stdin.isTTY ? ask : undefined,
})
keepAlive.close()
