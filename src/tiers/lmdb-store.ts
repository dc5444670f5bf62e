/**
 * One LMDB environment: what the LMDB tier and its registry store share.
 *
 * Two processes may open the same folder; LMDB's own lock lets one write at a time. Every commit here
 * is awaited until it is flushed, so that what returned survives a crash of the machine.
 */
import { type Database, open, type RootDatabase } from 'lmdb'
import { LarderError } from '../errors.js'
import { lmdbDatabasesMax } from '../limits.js'
import { untilAborted } from './abortable.js'

export type RowDatabase = Database<Buffer, Uint8Array>
export type RegistryDatabase = Database<string, (string | number)[]>

export interface LmdbStore {
  readonly displayUrl: string
  readonly root: RootDatabase
  readonly rows: RowDatabase
  readonly registry: RegistryDatabase
  close(): Promise<void>
}

/** Opens the environment in `folder`, creating both. Throws `unavailable` with the reason. */
export function openLmdbStore(folder: string): LmdbStore {
  const displayUrl = `lmdb:${folder}`
  try {
    // Without noSubdir a folder whose name has a dot would be taken for a file's.
    const root = open({
      path: folder,
      noSubdir: false,
      maxDbs: lmdbDatabasesMax,
      encoding: 'binary',
    })
    const rows: RowDatabase = root.openDB({
      name: 'rows',
      keyEncoding: 'binary',
      encoding: 'binary',
    })
    const registry: RegistryDatabase = root.openDB({ name: 'registry', encoding: 'string' })
    let closed: Promise<void> | undefined
    return {
      displayUrl,
      root,
      rows,
      registry,
      close() {
        closed ??= root.close()
        return closed
      },
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LarderError('unavailable', `${displayUrl} cannot be opened: ${reason}`, { cause })
  }
}

/**
 * Runs `action` as one write transaction and resolves with its result once it is flushed to disk.
 * What `action` throws passes through, but what it wrote before stays: check first, then write.
 */
export async function commitFlushed<T>(
  store: LmdbStore,
  action: () => T,
  signal: AbortSignal,
): Promise<T> {
  const thrown: { error?: unknown } = {}
  const guarded = () => {
    try {
      return action()
    } catch (error) {
      thrown.error = error
      throw error
    }
  }
  try {
    const committed = store.root.transaction(guarded)
    // Asked for at once: later it would stand for a later transaction's flush.
    const flushed = store.root.flushed.then(() => undefined)
    const result = await untilAborted(committed, signal)
    await untilAborted(flushed, signal)
    return result
  } catch (cause) {
    if (cause === thrown.error) throw cause
    throw unavailable(store, cause)
  }
}

/** What LMDB threw, as `unavailable`; our own errors pass. */
export function unavailable(store: LmdbStore, cause: unknown): LarderError {
  if (cause instanceof LarderError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LarderError('unavailable', `${store.displayUrl}: ${reason}`, { cause })
}
