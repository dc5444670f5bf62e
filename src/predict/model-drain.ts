/**
 * Frees models that were replaced, each exactly once, when no request uses it any more.
 *
 * A request may bind a model, wait for a tier, and only then score. The idea: a request belongs to the
 * epoch in which it began. A model that is retired ends the epoch, and is closed once every request of
 * that epoch and of those before it has ended: none of the later ones can have seen it. Entering costs a
 * counter, however many models a request uses.
 */
import type { Model } from './model.js'

interface Epoch {
  requestCount: number
  readonly retired: Pick<Model, 'close'>[]
}

export class ModelDrain {
  #current: Epoch = { requestCount: 0, retired: [] }
  /** Ended epochs that some request or an older epoch still holds up, the oldest first. */
  #ended: Epoch[] = []

  /** Models that are retired and not closed yet. */
  get waitingCount(): number {
    return this.#ended.reduce((count, epoch) => count + epoch.retired.length, 0)
  }

  /** Does `work`; no model that it can have found meanwhile is closed before it ends. */
  async whileInUse<Result>(work: () => Promise<Result>): Promise<Result> {
    const epoch = this.#current
    epoch.requestCount++
    try {
      return await work()
    } finally {
      epoch.requestCount--
      this.#closeUnused()
    }
  }

  /** Takes models that can no longer be found, to be closed. */
  retire(models: readonly Pick<Model, 'close'>[]): void {
    if (models.length === 0) return
    this.#current.retired.push(...models)
    this.#ended.push(this.#current)
    this.#current = { requestCount: 0, retired: [] }
    this.#closeUnused()
  }

  #closeUnused(): void {
    for (;;) {
      const [oldest] = this.#ended
      if (oldest === undefined || oldest.requestCount > 0) return
      this.#ended.shift()
      for (const model of oldest.retired) model.close()
    }
  }
}
