/**
 * Which files have been left alone between two looks.
 *
 * The idea: whatever is still being copied looks different a while later. A stamp is quiet once the same
 * one was seen `quietMs` before, by a clock that only goes forward; the times that files carry are compared
 * with each other only, never with a clock.
 */
export class QuietStamps {
  readonly #quietMs: number
  readonly #seen = new Map<string, { readonly stamp: string; readonly sinceMs: number }>()

  constructor(quietMs: number) {
    this.#quietMs = quietMs
  }

  /** Whether `path` had this stamp `quietMs` ago already; never at the first look. */
  isQuiet(path: string, stamp: string, nowMs: number): boolean {
    const seen = this.#seen.get(path)
    if (seen?.stamp === stamp) return nowMs - seen.sinceMs >= this.#quietMs
    this.#seen.set(path, { stamp, sinceMs: nowMs })
    return false
  }

  /** Forgets all but `paths`. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#seen.keys()) if (!paths.has(path)) this.#seen.delete(path)
  }
}
