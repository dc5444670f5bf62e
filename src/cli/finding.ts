/**
 * A line of `larder doctor`.
 */
import { LarderClientError } from '../client/index.js'
import { LarderError } from '../errors.js'

export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem'
  /** What was looked at. */
  readonly subject: string
  readonly text: string
  /** What to do; undefined where there is nothing, or the text says it. */
  readonly remedy: string | undefined
}

export function ok(subject: string, text: string): Finding {
  return { level: 'ok', subject, text, remedy: undefined }
}

export function warning(subject: string, text: string, remedy?: string): Finding {
  return { level: 'warning', subject, text, remedy }
}

export function problem(subject: string, text: string, remedy?: string): Finding {
  return { level: 'problem', subject, text, remedy }
}

/** Runs a check; what it throws is a problem with `remedy`. Bugs are thrown on. */
export async function attempt(
  subject: string,
  check: () => Promise<Finding[]>,
  remedy?: string,
): Promise<Finding[]> {
  try {
    return await check()
  } catch (thrown) {
    if (thrown instanceof LarderError || thrown instanceof LarderClientError) {
      return [problem(subject, thrown.message, remedy)]
    }
    throw thrown
  }
}
