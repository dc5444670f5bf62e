/**
 * The model repository: a folder of models, loaded, kept up to date, and never made worse.
 *
 *   models/NAME/model.yaml          optional: service, request values, input names, labels
 *   models/NAME/VERSION/model.txt   a LightGBM text model (or model.lgb, as MLflow writes it)
 *
 * A scan loads what is new or changed beside what serves, and swaps only what loaded well: a broken
 * file never replaces a good model. What is replaced is freed when the last request that uses it ends.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { configBytesMax, modelFileBytesMax } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { type BoundModel, bindModel } from './bind-model.js'
import { parseLightgbmModel } from './lightgbm-model.js'
import type { Model } from './model.js'
import { type ModelYaml, parseModelYaml } from './model-yaml.js'

/** One version of a model: loaded, or why it is not. */
export interface ModelVersion {
  readonly name: string
  readonly version: string
  readonly labels: readonly string[]
  readonly yaml: ModelYaml | undefined
  readonly model: Model | undefined
  /** Why the files as they are now cannot be used; an older `model` may still serve. */
  readonly problem: string | undefined
}

interface Loaded {
  readonly stamp: string
  readonly entry: ModelVersion
}

/** The file names of a version's model, in order of preference. */
const modelFileNames = ['model.txt', 'model.lgb'] as const
/** Up to 15 digits: versions are compared as numbers. */
const versionPattern = /^[1-9][0-9]{0,14}$/
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const stableLabel = 'stable'

export class ModelRepository {
  readonly #folder: string
  #loaded: ReadonlyMap<string, Loaded> = new Map()
  #bound = new WeakMap<Snapshot, Map<ModelVersion, BoundModel | LarderError>>()

  /** A repository over `folder`, empty until the first `scan`. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Every version of every model, by name, then from the oldest version to the newest. */
  list(): readonly ModelVersion[] {
    return [...this.#loaded.values()].map(({ entry }) => entry)
  }

  /**
   * Looks at the folder and loads what is new or changed. Returns the versions whose state changed.
   * Never throws for a broken model: its entry says what is wrong.
   */
  async scan(): Promise<readonly ModelVersion[]> {
    const next = new Map<string, Loaded>()
    const changed: string[] = []
    for (const found of await this.#find()) {
      const key = keyOf(found)
      const known = this.#loaded.get(key)
      if (known?.stamp === found.stamp) {
        next.set(key, known)
        continue
      }
      next.set(key, await loadVersion(found, known?.entry))
      changed.push(key)
    }
    this.#loaded = withLabels(next, this.#loaded)
    return changed.flatMap((key) => this.#loaded.get(key)?.entry ?? [])
  }

  /**
   * The version that `reference` means: `name`, `name@version` or `name@label`. Throws `not_found`,
   * and `bad_model` where that version could not be loaded.
   */
  find(reference: string): LoadedVersion {
    const [first] = this.#candidates(reference)
    return first
  }

  /**
   * The version that `reference` means, bound to `snapshot`, once per snapshot. Where no version is
   * named or stable, the newest that fits is meant. Throws `bad_model` where none fits.
   */
  bind(reference: string, snapshot: Snapshot): BoundModel & { readonly entry: ModelVersion } {
    let failure: LarderError | undefined
    for (const entry of this.#candidates(reference)) {
      const bound = this.#bindOnce(entry, entry.model, snapshot)
      if (!(bound instanceof LarderError)) return { ...bound, entry }
      failure ??= new LarderError(
        'bad_model',
        `model '${keyOf(entry)}' does not fit the definitions: ${bound.message}`,
      )
    }
    throw failure ?? new LarderError('internal', `no version of '${reference}' was tried`)
  }

  /** The versions that `reference` may mean, the likeliest first; all of them are loaded. */
  #candidates(reference: string): readonly [LoadedVersion, ...LoadedVersion[]] {
    const at = reference.indexOf('@')
    const name = at === -1 ? reference : reference.slice(0, at)
    const selector = at === -1 ? undefined : reference.slice(at + 1)
    const versions = this.list().filter((entry) => entry.name === name)
    if (versions.length === 0) {
      const names = this.list().map((entry) => entry.name)
      throw new LarderError('not_found', `no model '${name}'${didYouMean(name, names)}`)
    }
    const [first, ...others] = selectVersions(versions, selector)
    if (first === undefined) {
      const known = versions.flatMap(({ version, labels }) => [version, ...labels]).join(', ')
      throw new LarderError('not_found', `model '${name}' has no '${selector}' (it has ${known})`)
    }
    if (!isLoaded(first)) {
      throw new LarderError('bad_model', `model '${keyOf(first)}' cannot be used: ${first.problem}`)
    }
    return [first, ...others.filter(isLoaded)]
  }

  #bindOnce(entry: ModelVersion, model: Model, snapshot: Snapshot): BoundModel | LarderError {
    const bySnapshot =
      this.#bound.get(snapshot) ?? new Map<ModelVersion, BoundModel | LarderError>()
    this.#bound.set(snapshot, bySnapshot)
    const known = bySnapshot.get(entry)
    if (known !== undefined) return known
    const bound = tryBind(entry, model, snapshot)
    bySnapshot.set(entry, bound)
    return bound
  }

  async #find(): Promise<FoundVersion[]> {
    const found: FoundVersion[] = []
    for (const name of await subfolders(this.#folder)) {
      if (!namePattern.test(name)) continue
      const folder = join(this.#folder, name)
      const yamlPath = join(folder, 'model.yaml')
      const yamlStamp = await fileStamp(yamlPath)
      const versions = (await subfolders(folder)).filter((version) => versionPattern.test(version))
      versions.sort((a, b) => Number(a) - Number(b))
      for (const version of versions) {
        const file = await findModelFile(join(folder, version))
        if (file === undefined) continue
        const stamp = `${yamlStamp ?? 'none'} ${file.path} ${file.stamp}`
        found.push({
          name,
          version,
          stamp,
          filePath: file.path,
          yamlPath: yamlStamp === undefined ? undefined : yamlPath,
        })
      }
    }
    return found
  }
}

interface FoundVersion {
  readonly name: string
  readonly version: string
  readonly stamp: string
  readonly filePath: string
  readonly yamlPath: string | undefined
}

async function loadVersion(
  found: FoundVersion,
  previous: ModelVersion | undefined,
): Promise<Loaded> {
  const { name, version, stamp } = found
  const labels = previous?.labels ?? []
  try {
    const yaml = found.yamlPath === undefined ? undefined : await loadYaml(found.yamlPath)
    const model = parseLightgbmModel(await readBounded(found.filePath, modelFileBytesMax))
    return { stamp, entry: { name, version, labels, yaml, model, problem: undefined } }
  } catch (thrown) {
    const { code, message } = LarderError.from(thrown)
    const { yaml, model } = previous ?? { yaml: undefined, model: undefined }
    const entry = { name, version, labels, yaml, model, problem: message }
    // What is not the file's fault may be over at the next scan, without a change of the file.
    return { stamp: code === 'internal' ? '' : stamp, entry }
  }
}

async function loadYaml(path: string): Promise<ModelYaml> {
  const text = (await readBounded(path, configBytesMax)).toString('utf8')
  return parseModelYaml({ path, text })
}

function keyOf({ name, version }: Pick<ModelVersion, 'name' | 'version'>): string {
  return `${name}@${version}`
}

/**
 * Moves each label to the version that model.yaml gives it, if that version can be used; otherwise it
 * stays where it was.
 */
function withLabels(
  next: ReadonlyMap<string, Loaded>,
  previous: ReadonlyMap<string, Loaded>,
): ReadonlyMap<string, Loaded> {
  const labelled = new Map<string, Loaded>()
  for (const [key, { stamp, entry }] of next) {
    const kept = previous.get(key)?.entry.labels ?? []
    const labels = labelsWanted(entry.yaml, entry.name, next)
      .filter(({ label, version, isUsable }) =>
        isUsable ? version === entry.version : kept.includes(label),
      )
      .map(({ label }) => label)
    const isSame = labels.join() === entry.labels.join()
    // The same object where nothing changed: what is bound to it stays bound.
    labelled.set(key, { stamp, entry: isSame ? entry : { ...entry, labels } })
  }
  return labelled
}

function labelsWanted(
  yaml: ModelYaml | undefined,
  name: string,
  loaded: ReadonlyMap<string, Loaded>,
) {
  return [...(yaml?.labels ?? new Map<string, string>())].map(([label, version]) => ({
    label,
    version,
    isUsable: loaded.get(keyOf({ name, version }))?.entry.model !== undefined,
  }))
}

/**
 * The named version or label; without one the stable version, or where no version is to be stable all
 * that are loaded, the newest first. Throws `bad_model` where the version that is to be stable cannot be.
 */
function selectVersions(
  versions: readonly ModelVersion[],
  selector: string | undefined,
): readonly ModelVersion[] {
  if (selector !== undefined) {
    return versions.filter(
      ({ version, labels }) => version === selector || labels.includes(selector),
    )
  }
  const stable = versions.filter(({ labels }) => labels.includes(stableLabel))
  if (stable.length > 0) return stable
  for (const { name, yaml } of versions) {
    const version = yaml?.labels.get(stableLabel)
    if (version === undefined) continue
    throw new LarderError(
      'bad_model',
      `model '${name}': its label ${stableLabel} names version ${version}, which is not there or ` +
        'cannot be used; name another version, or correct model.yaml',
    )
  }
  const newestFirst = versions.toReversed()
  const loaded = newestFirst.filter(isLoaded)
  return loaded.length > 0 ? loaded : newestFirst
}

type LoadedVersion = ModelVersion & { readonly model: Model }

function isLoaded(entry: ModelVersion): entry is LoadedVersion {
  return entry.model !== undefined
}

function tryBind(entry: ModelVersion, model: Model, snapshot: Snapshot): BoundModel | LarderError {
  try {
    return bindModel(model, entry.yaml, snapshot)
  } catch (thrown) {
    return LarderError.from(thrown)
  }
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw thrown
  }
}

async function findModelFile(folder: string) {
  for (const fileName of modelFileNames) {
    const path = join(folder, fileName)
    const stamp = await fileStamp(path)
    if (stamp !== undefined) return { path, stamp }
  }
  return undefined
}

/** What tells one state of a file from another; undefined where there is no file. */
async function fileStamp(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs, ino } = await stat(path)
    return `${size} ${mtimeMs} ${ino}`
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}

async function readBounded(path: string, bytesMax: number): Promise<Buffer> {
  const { size } = await stat(path)
  if (size > bytesMax) {
    throw new LarderError('bad_model', `${path} has ${size} bytes, at most ${bytesMax} are read`)
  }
  return await readFile(path)
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
}
