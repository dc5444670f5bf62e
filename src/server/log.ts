/**
 * The daemon's log: JSON lines on stderr. Nothing is logged per request.
 */
import { pino } from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Facts first, then a sentence. */
export interface DaemonLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

const stderrFd = 2

/** A log that writes to stderr at once: what it says last is what a post-mortem needs. */
export function createLog(level: LogLevel): DaemonLog {
  return pino(
    { level, serializers: { error: pino.stdSerializers.err } },
    pino.destination({ fd: stderrFd, sync: true }),
  )
}
