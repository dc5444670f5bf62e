/**
 * The outside of a command, for tests: outputs are kept as text, nobody can be asked unless a test says
 * so, and nothing of the process's own environment shows through.
 */
import type { CliIo } from '../../src/cli/cli-io.js'
import { run } from '../../src/cli/run.js'
import { systemClock } from '../../src/clock.js'

export interface Captured {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command line in-process. */
export async function runCaptured(
  argv: readonly string[],
  overrides: Partial<CliIo> = {},
): Promise<Captured> {
  const stdout: string[] = []
  const stderr: string[] = []
  const exitCode = await run(argv, {
    stdout: { write: async (text) => void stdout.push(text), terminal: undefined },
    stderr: { write: async (text) => void stderr.push(text), terminal: undefined },
    env: {},
    cwd: process.cwd(),
    clock: systemClock,
    stop: new AbortController().signal,
    ask: undefined,
    ...overrides,
  })
  return { exitCode, stdout: stdout.join(''), stderr: stderr.join('') }
}
