/**
 * The registry of a running daemon: the current snapshot, and how a new one comes to be.
 *
 * A snapshot is replaced whole, in one assignment, and only ever by a newer version: whoever took the
 * old one goes on with it. Looking for newer versions again and again is the caller's task.
 */
import { LarderError } from '../errors.js'
import { registrationTriesMax, registryDocumentBytesMax } from '../limits.js'
import { buildSnapshot } from './build-snapshot.js'
import type { Change } from './change.js'
import type { DefinitionFile } from './definitions.js'
import {
  decodeDocument,
  emptyDocument,
  encodeDocument,
  type Fingerprint,
  fingerprintOf,
  type RegistryDocument,
} from './document.js'
import { parseDefinitions } from './parse-definitions.js'
import { planDefinitions } from './plan-definitions.js'
import { type LayoutRequest, planLayout } from './plan-layout.js'
import type { RegistryStore } from './registry-store.js'
import { emptySnapshot, type Snapshot } from './snapshot.js'

export type DefinitionSource =
  | { readonly kind: 'files'; readonly files: readonly DefinitionFile[] }
  /** The files of an earlier registry version. */
  | { readonly kind: 'version'; readonly version: number }

export interface ApplyRequest {
  readonly source: DefinitionSource
  readonly allowDrop: boolean
  /** The version that a plan was made against; 0 for whatever is current. */
  readonly expectedVersion: number
}

export interface PlanResult {
  /** The version that the plan was made against. */
  readonly version: number
  readonly changes: readonly Change[]
  /** What would be served; undefined where a change is refused. */
  readonly snapshot: Snapshot | undefined
}

export interface ApplyResult {
  /** The version that is current now. */
  readonly version: number
  readonly changes: readonly Change[]
  readonly snapshot: Snapshot
}

export interface RegisteredLayout {
  /** The version that is current now. */
  readonly version: number
  readonly layoutId: number
  /** 0 for the plain profile. */
  readonly profileId: number
}

export interface Registry {
  /** The snapshot to use for a request, from its start to its end. */
  current(): Snapshot

  /** Takes up a newer version, if the store has one. Returns the current snapshot. */
  refresh(signal: AbortSignal): Promise<Snapshot>

  /** What applying `source` would change. Errors: `bad_definitions`, `not_found` for a version. */
  plan(source: DefinitionSource, signal: AbortSignal): Promise<PlanResult>

  /**
   * Makes `source` the next version, durable and current here when it returns; changes nothing where
   * nothing differs. Errors: as `plan`; `refused` for a drop without `allowDrop` and for changes that
   * are not supported; `conflict` where the registry is not at `expectedVersion`, or moved meanwhile.
   */
  apply(request: ApplyRequest, signal: AbortSignal): Promise<ApplyResult>

  /**
   * Registers a layout, durable and current here when it returns; the same request again finds it. The
   * definitions and their files stay as they are. Errors: as `planLayout`; `conflict` where others were
   * faster again and again.
   */
  registerLayout(request: LayoutRequest, signal: AbortSignal): Promise<RegisteredLayout>

  /** Calls `listener` after every swap. */
  onSwap(listener: (snapshot: Snapshot) => void): void
}

interface State {
  readonly document: RegistryDocument
  readonly snapshot: Snapshot
}

/** A registry over `store`, empty until the first `refresh`. */
export function createRegistry(
  store: RegistryStore,
  { fingerprint }: { readonly fingerprint: Fingerprint },
): Registry {
  let state: State = { document: emptyDocument, snapshot: emptySnapshot }
  const listeners: ((snapshot: Snapshot) => void)[] = []

  /** Two refreshes may end in either order: the newer version stays. */
  const swap = (document: RegistryDocument): Snapshot => {
    if (document.version <= state.document.version) return state.snapshot
    state = { document, snapshot: buildSnapshot(document, state.snapshot) }
    for (const listener of listeners) listener(state.snapshot)
    return state.snapshot
  }

  const read = async (version: number, signal: AbortSignal): Promise<RegistryDocument> => {
    const stored = await store.readDocument(version, signal)
    if (stored !== undefined) return decodeDocument(stored, fingerprint, state.document)
    const newest = `the newest is ${state.document.version}`
    throw new LarderError('not_found', `there is no registry version ${version}: ${newest}`)
  }

  const refresh = async (signal: AbortSignal): Promise<Snapshot> => {
    const version = await store.latestVersion(signal)
    if (version <= state.document.version) return state.snapshot
    return swap(await read(version, signal))
  }

  const planOn = async (source: DefinitionSource, signal: AbortSignal) => {
    await refresh(signal)
    const files =
      source.kind === 'files' ? source.files : (await read(source.version, signal)).files
    const definitions = parseDefinitions(files)
    const current = state.document
    return { current, ...planDefinitions(current, definitions, files) }
  }

  const append = async (document: RegistryDocument, signal: AbortSignal): Promise<Snapshot> => {
    await store.appendDocument(document.version, encodeBounded(document, fingerprint), signal)
    return swap(document)
  }

  return {
    current: () => state.snapshot,
    refresh,
    async plan(source, signal) {
      const { current, document, changes } = await planOn(source, signal)
      const snapshot = document && buildSnapshot(document, state.snapshot)
      return { version: current.version, changes, snapshot }
    },
    async apply({ source, allowDrop, expectedVersion }, signal) {
      const { current, document, changes } = await planOn(source, signal)
      checkVersion(current.version, expectedVersion)
      checkAllowed(changes, allowDrop)
      if (document === undefined || changes.length === 0) {
        return { version: current.version, changes, snapshot: state.snapshot }
      }
      assertDistinct(document, current, fingerprint)
      return { version: document.version, changes, snapshot: await append(document, signal) }
    },
    async registerLayout(request, signal) {
      return await repeatOnConflict(async () => {
        await refresh(signal)
        const current = state.document
        const { document, ...given } = planLayout(current, request)
        if (document !== current) await append(document, signal)
        return { version: document.version, ...given }
      })
    },
    onSwap(listener) {
      listeners.push(listener)
    },
  }
}

/** Registrations do not depend on each other: one that came second is made again over the first. */
async function repeatOnConflict<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await attempt()
    } catch (thrown) {
      const { code } = LarderError.from(thrown)
      if (code !== 'conflict' || tryCount === registrationTriesMax) throw thrown
    }
  }
}

function assertDistinct(
  document: RegistryDocument,
  current: RegistryDocument,
  fingerprint: Fingerprint,
): void {
  if (fingerprintOf(document, fingerprint) !== fingerprintOf(current, fingerprint)) return
  const why = 'their fingerprint equals that of the current ones, which differ'
  throw new LarderError('refused', `the definitions cannot be told apart: ${why}; change a name`)
}

function encodeBounded(document: RegistryDocument, fingerprint: Fingerprint): string {
  const text = encodeDocument(document, fingerprint)
  const documentBytes = Buffer.byteLength(text)
  if (documentBytes <= registryDocumentBytesMax) return text
  throw new LarderError(
    'resource_exhausted',
    `the registry would take ${documentBytes} bytes, at most ${registryDocumentBytesMax} are allowed: ` +
      'it has too many definitions, layouts and profiles',
  )
}

function checkVersion(version: number, expectedVersion: number): void {
  if (expectedVersion === 0 || expectedVersion === version) return
  throw new LarderError(
    'conflict',
    `the registry is at version ${version}, not ${expectedVersion}: plan again`,
  )
}

function checkAllowed(changes: readonly Change[], allowDrop: boolean): void {
  const refused = changes.filter(({ action }) => action === 'refused')
  if (refused.length > 0) {
    const lines = refused.map(({ kind, name, before, after, effect }) => {
      return `${kind} ${name}: ${before} -> ${after}: ${effect}`
    })
    throw new LarderError('refused', `not supported:\n${lines.join('\n')}`)
  }
  const drops = allowDrop ? [] : changes.filter(({ destructive }) => destructive)
  if (drops.length === 0) return
  const names = drops.map(({ kind, name }) => `${kind} ${name}`).join(', ')
  throw new LarderError('refused', `this drops ${names}: allow it with --allow-drop`)
}
