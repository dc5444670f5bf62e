/**
 * Where the registry lives: the contract that a warm tier fulfils beside its rows.
 *
 * Definitions are kept as whole, numbered documents, never changed. Beside them: the hash seeds, made
 * once; which daemon holds which id; and which sequence a batch was given.
 */
import type { HashSeeds } from '../hash-seeds.js'

/** A stored registry version. `documentJson` is what `registry/document.ts` reads and writes. */
export interface StoredDocument {
  readonly version: number
  readonly documentJson: string
}

/** A daemon's hold on an id, which is part of the sequences it makes. */
export interface DaemonLease {
  readonly daemonId: number
  readonly holder: string
}

export interface RegistryStore {
  readonly seeds: HashSeeds

  /** The newest version's number; 0 where nothing was ever applied. */
  latestVersion(signal: AbortSignal): Promise<number>

  /** A version's document; undefined where it does not exist. */
  readDocument(version: number, signal: AbortSignal): Promise<StoredDocument | undefined>

  /** Adds `version`. Throws `conflict` where somebody else added it first. Durable when it returns. */
  appendDocument(version: number, documentJson: string, signal: AbortSignal): Promise<void>

  /**
   * Takes the lowest id whose lease is free or past, for `durationMs` from `nowMs` (system time).
   * Throws `resource_exhausted` where all ids are taken.
   */
  leaseDaemon(
    request: { readonly holder: string; readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<DaemonLease>

  /** Prolongs a lease; false where it was lost to another holder. */
  renewDaemon(
    lease: DaemonLease,
    times: { readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<boolean>

  releaseDaemon(lease: DaemonLease, signal: AbortSignal): Promise<void>

  /** The leases that run at `nowMs`. */
  liveDaemons(nowMs: number, signal: AbortSignal): Promise<readonly DaemonLease[]>

  /**
   * Remembers that `batchId` was given `sequence`, and returns the sequence that stands: the one of the
   * first call with this id, whoever made it.
   */
  recordBatch(
    batch: { readonly batchId: string; readonly sequence: bigint; readonly receivedAtMs: number },
    signal: AbortSignal,
  ): Promise<bigint>

  /** Forgets batches received before `beforeMs`, a bounded number at a time; returns how many. */
  forgetBatches(beforeMs: number, signal: AbortSignal): Promise<number>
}
