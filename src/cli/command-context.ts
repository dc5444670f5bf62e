/**
 * What every command is given, and how it reports.
 *
 * A command prints its result to stdout, as text or, with `--json`, as one JSON document; everything
 * else goes to stderr. It throws what stops it; `markFailed` is for commands that go on after a failure
 * and tell about it at the end.
 */
import type { CliIo } from './cli-io.js'

export interface CommandContext {
  readonly io: CliIo
  /** Makes the exit code 1. */
  markFailed(): void
}

/** Options of every command that talks to a daemon, as commander parses them. */
export interface DaemonOptions {
  readonly address?: string
  readonly config?: string
  readonly json?: boolean
}
