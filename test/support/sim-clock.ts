/**
 * Time as a simulation has it: it stands still while anything can go on, and jumps to the next timer
 * when nothing can. A run takes no real time and always goes the same way.
 */
import { assert } from '../../src/assert.js'
import type { Clock } from '../../src/clock.js'

interface TimedStep {
  readonly atMs: number
  readonly fire: () => void
}

export class SimClock implements Clock {
  readonly #startMs: number
  #elapsedMs = 0
  /** Latest first: the next step is the last. Of equal times the one asked for first is the last. */
  readonly #steps: TimedStep[] = []

  constructor(startMs: number) {
    this.#startMs = startMs
  }

  nowUs(): bigint {
    return BigInt(Math.floor(this.nowMs() * 1000))
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#at(delayMs, resolve)
    })
  }

  timeout(delayMs: number): AbortSignal {
    const controller = new AbortController()
    this.#at(delayMs, () => controller.abort(new DOMException('too late', 'TimeoutError')))
    return controller.signal
  }

  after(): never {
    throw new Error('nothing that a simulation runs stops a timer')
  }

  every(): never {
    throw new Error('nothing that a simulation runs repeats itself')
  }

  /** Lets time pass until `work` is over. Throws where nothing is left that could end it. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    work.then(end, end)
    for (;;) {
      await settled()
      if (isOver) return work
      const next = this.#steps.pop()
      assert(next !== undefined, 'somebody waits for what will never happen')
      this.#elapsedMs = next.atMs
      next.fire()
    }
  }

  #at(delayMs: number, fire: () => void): void {
    const atMs = this.#elapsedMs + Math.max(0, delayMs)
    let low = 0
    let high = this.#steps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#steps[middle]?.atMs ?? 0) > atMs) low = middle + 1
      else high = middle
    }
    this.#steps.splice(low, 0, { atMs, fire })
  }
}

/** Resolves when every promise that can go on has: Node runs ticks only when no microtask is left. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
