/**
 * Keeps this daemon's lease on its id. A daemon that cannot renew stops writing: another may by then
 * make sequences with the same id.
 */
import type { Clock, Timer } from '../clock.js'
import { LarderError } from '../errors.js'
import { leaseMs, leaseRenewMs } from '../limits.js'
import type { DaemonLease, RegistryStore } from '../registry/registry-store.js'

export class LeaseKeeper {
  readonly #store: RegistryStore
  readonly #clock: Clock
  readonly #holder: string
  readonly #timer: Timer
  #lease: DaemonLease
  #heldUntilMs: number

  private constructor(store: RegistryStore, clock: Clock, lease: DaemonLease, askedAtMs: number) {
    this.#store = store
    this.#clock = clock
    this.#holder = lease.holder
    this.#lease = lease
    this.#heldUntilMs = askedAtMs + leaseMs
    this.#timer = clock.every(leaseRenewMs, () => void this.renew())
  }

  /** Leases an id and keeps it until `close`. Throws what the registry store throws. */
  static async open(
    store: RegistryStore,
    clock: Clock,
    holder: string,
    signal: AbortSignal,
  ): Promise<LeaseKeeper> {
    const askedAtMs = clock.monotonicMs()
    const request = { holder, nowMs: clock.nowMs(), durationMs: leaseMs }
    const lease = await store.leaseDaemon(request, signal)
    return new LeaseKeeper(store, clock, lease, askedAtMs)
  }

  get daemonId(): number {
    return this.#lease.daemonId
  }

  /** Throws `unavailable` while the lease is not held. */
  readonly assertHeld = (): void => {
    if (this.#clock.monotonicMs() < this.#heldUntilMs) return
    throw new LarderError(
      'unavailable',
      'this daemon lost its lease because the warm tier could not renew it: it does not write until it can',
    )
  }

  /** Renews, or takes a new id where the old one was lost. A failure is left to the next try. */
  async renew(): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs()
    const signal = this.#clock.timeout(leaseRenewMs)
    const times = { nowMs: this.#clock.nowMs(), durationMs: leaseMs }
    try {
      const renewed = await this.#store.renewDaemon(this.#lease, times, signal)
      if (!renewed) {
        // The id may be another daemon's by now: nothing is written until there is a new one.
        this.#heldUntilMs = askedAtMs
        this.#lease = await this.#store.leaseDaemon({ holder: this.#holder, ...times }, signal)
      }
      this.#heldUntilMs = askedAtMs + leaseMs
    } catch (thrown) {
      // `assertHeld` refuses writes once the lease runs out: nothing is hidden by waiting.
      if (!(thrown instanceof Error)) throw thrown
    }
  }

  /** Gives the id back. */
  async close(): Promise<void> {
    this.#timer.stop()
    await this.#store.releaseDaemon(this.#lease, this.#clock.timeout(leaseRenewMs))
  }
}
