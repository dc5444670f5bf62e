/**
 * The model repository: a folder of models, loaded, kept up to date, and never made worse.
 *
 *   models/NAME/model.yaml   optional: kind, service, request values, input names, labels
 *   models/NAME/VERSION/…    a model's file by its kind, and perhaps its test vectors
 *
 * A scan loads what is new or changed beside what serves, checks it, and swaps only what passed: a broken
 * file never replaces a good model. What is replaced is closed when the last request that can use it ends.
 */
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { modelQuietMs } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { type BoundModel, bindModel } from './bind-model.js'
import { type FoundModel, findModels } from './find-versions.js'
import type { Model } from './model.js'
import { ModelDrain } from './model-drain.js'
import { type ModelState, scanModel } from './model-state.js'
import { isLoaded, type LoadedVersion, type ModelVersion, versionName } from './model-version.js'
import { QuietStamps } from './quiet-stamps.js'
import { selectVersions } from './select-version.js'
import type { TreeKernel } from './tree-kernel.js'

export type { ModelVersion } from './model-version.js'

export interface ModelRepositoryOptions {
  readonly folder: string
  readonly clock: Clock
  /** The kernel that all trees run in, whatever model.yaml says; `auto` leaves the choice there. */
  readonly kernel: TreeKernel
  /** How long files must be left alone before they are loaded; 0 still takes two looks. */
  readonly quietMs?: number
}

/** What became of a version in a scan. */
export interface ModelChange {
  /** `changed`: its labels or settings only; `refused`: its files cannot be used. */
  readonly what: 'loaded' | 'refused' | 'changed' | 'removed'
  readonly entry: ModelVersion
}

export class ModelRepository {
  readonly #options: ModelRepositoryOptions
  readonly #quietMs: number
  readonly #quiet: QuietStamps
  readonly #drain = new ModelDrain()
  /** By name, in order. */
  #models: ReadonlyMap<string, ModelState> = new Map()
  #bound = new WeakMap<Snapshot, WeakMap<ModelVersion, BoundModel | LarderError>>()
  /** Ends when the scan under way does. */
  #scanning: Promise<unknown> = Promise.resolve()
  /** Something was found that must be looked at again before it is taken. */
  #isUnsettled = false
  #isClosed = false

  /** Empty until the first scans. */
  constructor(options: ModelRepositoryOptions) {
    this.#options = options
    this.#quietMs = options.quietMs ?? modelQuietMs
    this.#quiet = new QuietStamps(this.#quietMs)
  }

  /** Every version of every model, by name, then from the oldest version to the newest. */
  list(): readonly ModelVersion[] {
    return [...this.#models.values()].flatMap(({ versions }) => versions.map(({ entry }) => entry))
  }

  /**
   * Looks at the folder and loads what is new or changed and was found the same `quietMs` before. Waits
   * for a scan under way. Never throws for a broken model: its entry says what is wrong.
   */
  scan(): Promise<readonly ModelChange[]> {
    return this.#alone(() => this.#scan())
  }

  /** As `scan`; where something must be looked at twice, it waits and does so. */
  load(signal?: AbortSignal): Promise<readonly ModelChange[]> {
    return this.#alone(async () => {
      const first = await this.#scan()
      if (!this.#isUnsettled) return first
      if (this.#quietMs > 0) await this.#options.clock.sleep(this.#quietMs + 1, signal)
      return [...first, ...(await this.#scan())]
    })
  }

  /**
   * The version that `reference` means: `name`, `name@version` or `name@label`. Throws `not_found`,
   * and `bad_model` where that version could not be loaded.
   */
  find(reference: string): LoadedVersion {
    const [first] = selectVersions(this.list(), reference)
    return first
  }

  /**
   * The version that `reference` means, bound to `snapshot`, once per snapshot. Where no version is
   * named or stable, the newest that fits is meant. Throws `bad_model` where none fits. Its model is open
   * until the work of `whileInUse` around this call ends.
   */
  bind(reference: string, snapshot: Snapshot): BoundModel & { readonly entry: ModelVersion } {
    let failure: LarderError | undefined
    for (const entry of selectVersions(this.list(), reference)) {
      const bound = this.#bindOnce(entry, snapshot)
      if (!(bound instanceof LarderError)) return { ...bound, entry }
      failure ??= new LarderError(
        'bad_model',
        `model '${versionName(entry)}' does not fit the definitions: ${bound.message}`,
      )
    }
    throw failure ?? new LarderError('internal', `no version of '${reference}' was tried`)
  }

  /** Does `work`; no model that it binds is closed before it ends. */
  whileInUse<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#drain.whileInUse(work)
  }

  /** Closes every model once no request uses it. Nothing is found afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#scanning
    this.#replace(new Map())
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#scanning.then(work)
    this.#scanning = result.catch(() => undefined)
    return result
  }

  async #scan(): Promise<readonly ModelChange[]> {
    if (this.#isClosed) return []
    const before = this.#models
    const found = await this.#find()
    this.#isUnsettled = false
    const { clock, kernel } = this.#options
    const paths = new Set<string>()
    const isQuiet = (path: string, stamp: string) => {
      paths.add(path)
      const quiet = this.#quiet.isQuiet(path, stamp, clock.monotonicMs())
      if (!quiet) this.#isUnsettled = true
      return quiet
    }
    for (const model of found) {
      const state = await scanModel(model, before.get(model.name), { clock, kernel, isQuiet })
      // Each model as soon as it is loaded: two generations of all of them might not fit in memory.
      this.#replace(withModel(this.#models, model.name, state))
    }
    this.#quiet.keepOnly(paths)
    const names = new Set(found.map(({ name }) => name))
    this.#replace(new Map([...this.#models].filter(([name]) => names.has(name))))
    return changesBetween(entriesOf(before), entriesOf(this.#models))
  }

  async #find(): Promise<readonly FoundModel[]> {
    const { folder } = this.#options
    const found = await findModels(folder)
    if (found !== undefined) return found
    if (this.#models.size === 0) return []
    throw new LarderError(
      'unavailable',
      `the folder of models, ${folder}, is gone: what was loaded serves on`,
    )
  }

  /** Swaps, and retires the models that can no longer be found. */
  #replace(models: ReadonlyMap<string, ModelState>): void {
    const before = modelsOf(this.#models)
    this.#models = models
    const after = modelsOf(models)
    this.#drain.retire([...before].filter((model) => !after.has(model)))
  }

  #bindOnce(entry: LoadedVersion, snapshot: Snapshot): BoundModel | LarderError {
    const bySnapshot =
      this.#bound.get(snapshot) ?? new WeakMap<ModelVersion, BoundModel | LarderError>()
    this.#bound.set(snapshot, bySnapshot)
    const known = bySnapshot.get(entry)
    if (known !== undefined) return known
    const bound = tryBind(entry, snapshot)
    bySnapshot.set(entry, bound)
    return bound
  }
}

function tryBind({ model, yaml }: LoadedVersion, snapshot: Snapshot): BoundModel | LarderError {
  try {
    return bindModel(model, yaml, snapshot)
  } catch (thrown) {
    return LarderError.from(thrown)
  }
}

function withModel(
  models: ReadonlyMap<string, ModelState>,
  name: string,
  state: ModelState,
): ReadonlyMap<string, ModelState> {
  const changed = new Map(models).set(name, state)
  return new Map([...changed].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function modelsOf(states: ReadonlyMap<string, ModelState>): ReadonlySet<Model> {
  const entries = [...entriesOf(states).values()]
  return new Set(entries.filter(isLoaded).map(({ model }) => model))
}

function entriesOf(states: ReadonlyMap<string, ModelState>): ReadonlyMap<string, ModelVersion> {
  const entries = [...states.values()].flatMap(({ versions }) => versions.map(({ entry }) => entry))
  return new Map(entries.map((entry) => [versionName(entry), entry]))
}

/** Versions that are only waited for are no news. */
function changesBetween(
  before: ReadonlyMap<string, ModelVersion>,
  after: ReadonlyMap<string, ModelVersion>,
): readonly ModelChange[] {
  const changes: ModelChange[] = []
  for (const [key, entry] of after) {
    const known = before.get(key)
    if (entry === known || entry.isPending) continue
    if (entry.problem !== undefined && entry.problem !== known?.problem) {
      changes.push({ what: 'refused', entry })
    } else if (entry.problem === undefined && entry.model !== known?.model) {
      changes.push({ what: 'loaded', entry })
    } else if (entry.labels !== known?.labels || entry.yaml !== known.yaml) {
      changes.push({ what: 'changed', entry })
    }
  }
  for (const [key, entry] of before) {
    if (!after.has(key) && !entry.isPending) changes.push({ what: 'removed', entry })
  }
  return changes
}
