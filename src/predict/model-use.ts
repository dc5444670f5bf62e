/**
 * Counts a model's calls that are under way, so that closing it frees what it holds exactly once, when
 * the last of them has ended.
 */
import { assert } from '../assert.js'

export interface ModelUse {
  /** Does `work`; nothing is freed before it ends. Not for a model that was closed. */
  during<Result>(work: () => Promise<Result>): Promise<Result>
  /** Frees now, or when the last call ends. A second time it does nothing. */
  close(): void
}

export function createModelUse(free: () => void): ModelUse {
  let isClosed = false
  let callCount = 0
  const freeIfUnused = () => {
    if (isClosed && callCount === 0) free()
  }
  return {
    async during(work) {
      assert(!isClosed, 'a closed model is not used')
      callCount++
      try {
        return await work()
      } finally {
        callCount--
        freeIfUnused()
      }
    },
    close() {
      if (isClosed) return
      isClosed = true
      freeIfUnused()
    },
  }
}
