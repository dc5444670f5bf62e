/**
 * The registry in LMDB, beside the rows of the embedded default.
 *
 *   ['format']                    1; a greater number is a newer Larder's and is refused
 *   ['seeds']                     the hash seeds, made by whoever opened the folder first
 *   ['document', version]         a registry document
 *   ['daemon', id]                a daemon's lease
 *   ['batch', id]                 the sequence a batch was given
 *   ['batch-time', ms, id]        the same batches by when they came, for forgetting them
 *
 * Values are JSON, sequences and seeds in decimal. All processes are on this machine, so that a lease
 * whose process is gone counts as past: a killed daemon's id is free at once.
 */
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import { daemonIdsMax, forgottenBatchesMax } from '../limits.js'
import { randomSeed } from '../prng.js'
import type { DaemonLease, RegistryStore, StoredDocument } from '../registry/registry-store.js'
import { throwIfAborted } from './abortable.js'
import { commitFlushed, type LmdbStore } from './lmdb-store.js'

const format = 1

interface StoredLease {
  readonly holder: string
  readonly untilMs: number
}

interface StoredBatch {
  readonly sequence: string
  readonly receivedAtMs: number
}

/** Opens the registry of `store`; the first to do so makes the seeds. */
export async function openLmdbRegistryStore(
  store: LmdbStore,
  signal: AbortSignal,
): Promise<RegistryStore> {
  return new LmdbRegistryStore(store, await prepare(store, signal))
}

/** Checks the format and returns the seeds, making both where the folder is new. */
function prepare(store: LmdbStore, signal: AbortSignal): Promise<HashSeeds> {
  const fresh = () => randomSeed(8).readBigUInt64BE()
  return commitFlushed(
    store,
    () => {
      const found = Number(store.registry.get(['format']) ?? format)
      if (found > format) {
        throw new LarderError(
          'refused',
          `${store.displayUrl} has format ${found}; this Larder knows up to ${format}: upgrade it`,
        )
      }
      const stored = store.registry.get(['seeds'])
      if (stored !== undefined) return parseSeeds(stored)
      const seeds = { hotKey: fresh(), hotCheck: fresh(), warmSpread: fresh() }
      store.registry.putSync(['format'], String(format))
      store.registry.putSync(
        ['seeds'],
        JSON.stringify(seeds, (_, value) => decimal(value)),
      )
      return seeds
    },
    signal,
  )
}

class LmdbRegistryStore implements RegistryStore {
  readonly seeds: HashSeeds
  readonly #store: LmdbStore

  constructor(store: LmdbStore, seeds: HashSeeds) {
    this.#store = store
    this.seeds = Object.freeze(seeds)
  }

  async latestVersion(signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    return this.#latestVersion()
  }

  async readDocument(version: number, signal: AbortSignal): Promise<StoredDocument | undefined> {
    throwIfAborted(signal)
    const documentJson = this.#store.registry.get(['document', version])
    return documentJson === undefined ? undefined : { version, documentJson }
  }

  async appendDocument(version: number, documentJson: string, signal: AbortSignal): Promise<void> {
    await this.#commit(() => {
      const latest = this.#latestVersion()
      if (version !== latest + 1) {
        throw new LarderError(
          'conflict',
          `registry version ${version} cannot be added: version ${latest} is the newest`,
        )
      }
      this.#store.registry.putSync(['document', version], documentJson)
    }, signal)
  }

  async leaseDaemon(
    request: { readonly holder: string; readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<DaemonLease> {
    const { holder, nowMs, durationMs } = request
    return this.#commit(() => {
      for (let daemonId = 0; daemonId < daemonIdsMax; daemonId++) {
        if (isLive(this.#leaseOf(daemonId), nowMs)) continue
        this.#putLease(daemonId, { holder, untilMs: nowMs + durationMs })
        return { daemonId, holder }
      }
      throw new LarderError(
        'resource_exhausted',
        `all ${daemonIdsMax} daemon ids of ${this.#store.displayUrl} are taken`,
      )
    }, signal)
  }

  async renewDaemon(
    lease: DaemonLease,
    times: { readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    return this.#commit(() => {
      if (this.#leaseOf(lease.daemonId)?.holder !== lease.holder) return false
      const untilMs = times.nowMs + times.durationMs
      this.#putLease(lease.daemonId, { holder: lease.holder, untilMs })
      return true
    }, signal)
  }

  async releaseDaemon(lease: DaemonLease, signal: AbortSignal): Promise<void> {
    await this.#commit(() => {
      if (this.#leaseOf(lease.daemonId)?.holder !== lease.holder) return
      this.#store.registry.removeSync(['daemon', lease.daemonId])
    }, signal)
  }

  async liveDaemons(nowMs: number, signal: AbortSignal): Promise<readonly DaemonLease[]> {
    throwIfAborted(signal)
    const live: DaemonLease[] = []
    for (let daemonId = 0; daemonId < daemonIdsMax; daemonId++) {
      const lease = this.#leaseOf(daemonId)
      if (isLive(lease, nowMs)) live.push({ daemonId, holder: lease.holder })
    }
    return live
  }

  async recordBatch(
    batch: { readonly batchId: string; readonly sequence: bigint; readonly receivedAtMs: number },
    signal: AbortSignal,
  ): Promise<bigint> {
    const { batchId, sequence, receivedAtMs } = batch
    return this.#commit(() => {
      const stored = this.#store.registry.get(['batch', batchId])
      if (stored !== undefined) return BigInt(parseBatch(stored).sequence)
      const value: StoredBatch = { sequence: String(sequence), receivedAtMs }
      this.#store.registry.putSync(['batch', batchId], JSON.stringify(value))
      this.#store.registry.putSync(['batch-time', receivedAtMs, batchId], '')
      return sequence
    }, signal)
  }

  async forgetBatches(beforeMs: number, signal: AbortSignal): Promise<number> {
    return this.#commit(() => {
      const past = [
        ...this.#store.registry.getKeys({
          start: ['batch-time'],
          end: ['batch-time', beforeMs],
          limit: forgottenBatchesMax,
        }),
      ]
      for (const key of past) {
        this.#store.registry.removeSync(['batch', String(key[2])])
        this.#store.registry.removeSync(key)
      }
      return past.length
    }, signal)
  }

  #commit<T>(action: () => T, signal: AbortSignal): Promise<T> {
    throwIfAborted(signal)
    return commitFlushed(this.#store, action, signal)
  }

  #latestVersion(): number {
    const newest = this.#store.registry.getKeys({
      start: ['document', Number.MAX_SAFE_INTEGER],
      end: ['document'],
      reverse: true,
      limit: 1,
    })
    for (const [, version] of newest) return Number(version)
    return 0
  }

  #leaseOf(daemonId: number): StoredLease | undefined {
    const stored = this.#store.registry.get(['daemon', daemonId])
    return stored === undefined ? undefined : parseLease(stored)
  }

  #putLease(daemonId: number, lease: StoredLease): void {
    this.#store.registry.putSync(['daemon', daemonId], JSON.stringify(lease))
  }
}

/** True where a lease runs at `nowMs` and its process, if its holder names one, still exists. */
function isLive(lease: StoredLease | undefined, nowMs: number): lease is StoredLease {
  if (lease === undefined || lease.untilMs <= nowMs) return false
  const pid = /^pid:([1-9][0-9]*):/.exec(lease.holder)?.[1]
  return pid === undefined || processExists(Number(pid))
}

function processExists(pid: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    const isGone = thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH'
    return !isGone
  }
}

// What this file wrote is what it reads: the shapes below are its own, and only a newer format's
// writer, which `prepare` refuses, could have written others.

function parseSeeds(text: string): HashSeeds {
  const stored: { readonly [name in keyof HashSeeds]: string } = JSON.parse(text)
  return {
    hotKey: BigInt(stored.hotKey),
    hotCheck: BigInt(stored.hotCheck),
    warmSpread: BigInt(stored.warmSpread),
  }
}

function parseLease(text: string): StoredLease {
  return JSON.parse(text)
}

function parseBatch(text: string): StoredBatch {
  return JSON.parse(text)
}

function decimal(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
