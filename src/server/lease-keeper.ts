/**
 * Keeps this daemon's lease on its id. A daemon that cannot renew stops writing: another may by then
 * make sequences with the same id.
 */
import type { Clock, Timer } from '../clock.js'
import { LarderError } from '../errors.js'
import { leaseMs, leaseRenewMs } from '../limits.js'
import type { DaemonLease, RegistryStore } from '../registry/registry-store.js'

export interface LeaseOptions {
  readonly store: RegistryStore
  readonly clock: Clock
  /** Names this daemon among all that share the store. */
  readonly holder: string
  /** Told of every renewal that failed; the next try follows by itself. */
  readonly onFailure: (error: LarderError) => void
}

export class LeaseKeeper {
  readonly #options: LeaseOptions
  readonly #timer: Timer
  #lease: DaemonLease
  #heldUntilMs: number
  #renewal: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(options: LeaseOptions, lease: DaemonLease, askedAtMs: number) {
    this.#options = options
    this.#lease = lease
    this.#heldUntilMs = askedAtMs + leaseMs
    this.#timer = options.clock.every(leaseRenewMs, () => {
      this.#renewal = this.renew()
    })
  }

  /** Leases an id and keeps it until `close`. Throws what the registry store throws. */
  static async open(options: LeaseOptions, signal: AbortSignal): Promise<LeaseKeeper> {
    const { store, clock, holder } = options
    const askedAtMs = clock.monotonicMs()
    const request = { holder, nowMs: clock.nowMs(), durationMs: leaseMs }
    const lease = await store.leaseDaemon(request, signal)
    return new LeaseKeeper(options, lease, askedAtMs)
  }

  get daemonId(): number {
    return this.#lease.daemonId
  }

  /** Throws `unavailable` while the lease is not held. */
  readonly assertHeld = (): void => {
    if (this.#options.clock.monotonicMs() < this.#heldUntilMs) return
    throw new LarderError(
      'unavailable',
      'this daemon lost its lease because the warm tier could not renew it: it does not write until it can',
    )
  }

  /** Renews, or takes a new id where the old one was lost. A failure is told and left to the next try. */
  async renew(): Promise<void> {
    const { store, clock, holder, onFailure } = this.#options
    const askedAtMs = clock.monotonicMs()
    const signal = clock.timeout(leaseRenewMs)
    const times = { nowMs: clock.nowMs(), durationMs: leaseMs }
    try {
      const isRenewed = await store.renewDaemon(this.#lease, times, signal)
      if (!isRenewed) {
        // The id may be another daemon's by now: nothing is written until there is a new one.
        this.#heldUntilMs = askedAtMs
        if (this.#isClosed) return
        this.#lease = await store.leaseDaemon({ holder, ...times }, signal)
      }
      this.#heldUntilMs = askedAtMs + leaseMs
    } catch (thrown) {
      onFailure(LarderError.from(thrown))
    }
  }

  /** Gives the id back. */
  async close(): Promise<void> {
    const { store, clock } = this.#options
    this.#isClosed = true
    this.#timer.stop()
    await this.#renewal
    await store.releaseDaemon(this.#lease, clock.timeout(leaseRenewMs))
  }
}
