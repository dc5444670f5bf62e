/**
 * What a command may touch: its outputs, its environment, time, and the wish to stop.
 *
 * `main.ts` hands in the process's own; tests hand in captured ones and run commands in-process.
 */
import type { Clock } from '../clock.js'

export interface TextOutput {
  /** Resolves once the text was taken: awaiting it keeps memory bounded on slow readers. */
  write(text: string): Promise<void>
  /** The terminal behind it, for progress bars and colours; undefined for files and pipes. */
  readonly terminal: NodeJS.WriteStream | undefined
}

export interface CliIo {
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths on the command line are relative to this folder. */
  readonly cwd: string
  readonly clock: Clock
  /** Fires on SIGINT and SIGTERM. */
  readonly stop: AbortSignal
  /** Asks on the terminal; undefined where there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}
