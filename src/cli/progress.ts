/**
 * A progress bar on stderr, where a person looks at it; nothing at all everywhere else.
 */
import { Presets, SingleBar } from 'cli-progress'
import type { CliIo } from './cli-io.js'

export interface Progress {
  /** Shows that `doneCount` things are done. */
  show(doneCount: number): void
  close(): void
}

/** `totalCount` left out where it is not known: then only the count is shown. */
export function openProgress(io: CliIo, word: string, totalCount?: number): Progress {
  const { terminal } = io.stderr
  if (terminal === undefined) return { show: () => undefined, close: () => undefined }
  const format =
    totalCount === undefined
      ? `{value} ${word}`
      : `{bar} {value} of {total} ${word}, {eta_formatted}`
  const bar = new SingleBar(
    { format, stream: terminal, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  )
  bar.start(totalCount ?? 0, 0)
  return { show: (doneCount) => bar.update(doneCount), close: () => bar.stop() }
}
