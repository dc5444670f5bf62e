/**
 * One model of the repository, all its versions, and how it goes on when its files change.
 *
 * The rules: nothing is read before it is quiet; what is the same is not loaded again; what is broken
 * never replaces what is good; a label moves only to a version that is loaded.
 */
import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { configBytesMax } from '../limits.js'
import { readBoundedText } from './bounded-file.js'
import {
  type FoundModel,
  type FoundVersion,
  findVersion,
  modelYamlFileName,
} from './find-versions.js'
import { loadVersion } from './load-version.js'
import type { ModelVersion } from './model-version.js'
import { type ModelYaml, parseModelYaml } from './model-yaml.js'
import type { TreeKernel } from './tree-kernel.js'
import { wantsVersion } from './version-policy.js'

export interface ModelState {
  /** Undefined while model.yaml was never quiet. */
  readonly settings: ModelSettings | undefined
  /** From the oldest to the newest. */
  readonly versions: readonly VersionState[]
}

/** A state of model.yaml. */
interface ModelSettings {
  readonly stamp: string
  /** What last could be read; undefined where there is no file, or none that ever could be. */
  readonly yaml: ModelYaml | undefined
  /** Why the file as it is now cannot be used. */
  readonly problem: string | undefined
}

interface VersionState {
  readonly entry: ModelVersion
  /** Of what was last tried; empty where it is to be tried again as it is. */
  readonly tried: string
  /** Of what `entry.model` was loaded from. */
  readonly loadedFrom: string | undefined
}

export interface ScanTools {
  readonly clock: Clock
  /** Beats model.yaml unless it is `auto`. */
  readonly kernel: TreeKernel
  readonly isQuiet: (path: string, stamp: string) => boolean
}

/** The model as its files are now. Models that `previous` had and the result lacks are the caller's. */
export async function scanModel(
  found: FoundModel,
  previous: ModelState | undefined,
  tools: ScanTools,
): Promise<ModelState> {
  const settings = await scanSettings(found, previous?.settings, tools)
  const known = new Map(previous?.versions.map((state) => [state.entry.version, state]))
  const labelled = new Set(settings?.yaml?.labels.values())
  const policy = settings?.yaml?.versions ?? { kind: 'all' }
  const versions: VersionState[] = []
  let usableCount = 0
  for (const version of found.versions.toReversed()) {
    const before = known.get(version.version)
    const isLabelled = labelled.has(version.version) || (before?.entry.labels.length ?? 0) > 0
    if (!isLabelled && !wantsVersion(policy, version.version, usableCount)) continue
    const state = await scanVersion(version, { settings, before, tools })
    if (state.entry.model !== undefined) usableCount++
    versions.push(state)
  }
  return { settings, versions: withLabels(versions.toReversed(), settings?.yaml) }
}

async function scanSettings(
  { folder, yamlStamp = 'none' }: FoundModel,
  previous: ModelSettings | undefined,
  { isQuiet }: ScanTools,
): Promise<ModelSettings | undefined> {
  if (previous?.stamp === yamlStamp) return previous
  const path = join(folder, modelYamlFileName)
  if (!isQuiet(path, yamlStamp)) return previous
  if (yamlStamp === 'none') return { stamp: yamlStamp, yaml: undefined, problem: undefined }
  try {
    return { stamp: yamlStamp, yaml: await readModelYaml(path), problem: undefined }
  } catch (thrown) {
    const { code, message } = LarderError.from(thrown)
    const stamp = code === 'internal' ? '' : yamlStamp
    return { stamp, yaml: previous?.yaml, problem: message }
  }
}

/** Reads a model.yaml. Throws `bad_model` with every problem in it. */
export async function readModelYaml(path: string): Promise<ModelYaml> {
  return parseModelYaml({ path, text: await readBoundedText(path, configBytesMax) })
}

interface VersionScan {
  readonly settings: ModelSettings | undefined
  readonly before: VersionState | undefined
  readonly tools: ScanTools
}

async function scanVersion(found: FoundVersion, scan: VersionScan): Promise<VersionState> {
  const { settings, before, tools } = scan
  // Looked at in any case: it can be quiet as soon as model.yaml is.
  const isQuiet = tools.isQuiet(found.folder, found.stamp)
  // A model that serves on keeps the settings that it was loaded with.
  const waiting =
    before?.entry.model === undefined ? withYaml(before ?? pendingState(found), settings) : before
  if (settings === undefined) return waiting
  const wanted = `${loadKey(found, settings)} ${found.stamp}`
  const tried = settings.problem === undefined ? wanted : `${settings.stamp} ${settings.problem}`
  if (before?.tried === tried) {
    return before.entry.problem === undefined ? withYaml(before, settings) : waiting
  }
  if (!isQuiet) return waiting
  if (settings.problem !== undefined) return refused(waiting, tried, settings.problem)
  if (before?.loadedFrom === wanted) {
    const entry = { ...before.entry, yaml: settings.yaml, problem: undefined }
    return { entry, tried, loadedFrom: wanted }
  }
  return await load(found, wanted, { yaml: settings.yaml, waiting, tools })
}

async function load(
  found: FoundVersion,
  wanted: string,
  {
    yaml,
    waiting,
    tools,
  }: {
    readonly yaml: ModelYaml | undefined
    readonly waiting: VersionState
    readonly tools: ScanTools
  },
): Promise<VersionState> {
  const { name, version, folder } = found
  try {
    const loaded = await loadVersion(found, yaml, tools)
    const now = await findVersion(name, version, folder)
    if (now?.stamp !== found.stamp) {
      loaded.model.close()
      return waiting
    }
    const { labels } = waiting.entry
    const entry = { name, version, labels, yaml, problem: undefined, isPending: false, ...loaded }
    return { entry, tried: wanted, loadedFrom: wanted }
  } catch (thrown) {
    const { code, message } = LarderError.from(thrown)
    // What is not the file's fault may be over at the next scan, without a change of the file.
    return refused(waiting, code === 'internal' ? '' : wanted, message)
  }
}

function refused(
  { entry, loadedFrom }: VersionState,
  tried: string,
  problem: string,
): VersionState {
  return { entry: { ...entry, problem, isPending: false }, tried, loadedFrom }
}

/** What of model.yaml goes into a loaded model; the rest can change without loading it again. */
function loadKey({ version }: FoundVersion, { yaml, stamp }: ModelSettings): string {
  if (yaml === undefined) return 'none'
  const { kind, kernel, tensors, output, testVectors } = yaml
  const hasVectors = testVectors.some(
    (vector) => vector.version === undefined || vector.version === version,
  )
  return JSON.stringify([kind, kernel, [...tensors], output, hasVectors ? stamp : ''])
}

function withYaml(state: VersionState, settings: ModelSettings | undefined): VersionState {
  const { entry } = state
  const yaml = settings?.yaml
  if (entry.yaml === yaml) return state
  return { ...state, entry: { ...entry, yaml } }
}

function pendingState({ name, version }: FoundVersion): VersionState {
  const entry: ModelVersion = {
    name,
    version,
    labels: [],
    yaml: undefined,
    model: undefined,
    problem: 'its files are still being written: it is loaded when they have been left alone',
    isPending: true,
    vectorCount: 0,
    loadedAtMs: undefined,
    loadMs: undefined,
  }
  return { entry, tried: 'nothing yet', loadedFrom: undefined }
}

/**
 * Moves each label to the version that model.yaml gives it, if that version is loaded; otherwise it stays
 * where it was, if that version still is.
 */
function withLabels(
  versions: readonly VersionState[],
  yaml: ModelYaml | undefined,
): readonly VersionState[] {
  const loaded = new Map(
    versions.flatMap(({ entry }) => (entry.model === undefined ? [] : [[entry.version, entry]])),
  )
  const labels = new Map<string, string[]>()
  for (const [label, wanted] of yaml?.labels ?? []) {
    const kept = [...loaded.values()].find((entry) => entry.labels.includes(label))
    const holder = loaded.get(wanted) ?? kept
    if (holder === undefined) continue
    labels.set(holder.version, [...(labels.get(holder.version) ?? []), label])
  }
  return versions.map((state) => {
    const own = labels.get(state.entry.version) ?? []
    // The same object where nothing changed: what is bound to it stays bound.
    if (own.join() === state.entry.labels.join()) return state
    return { ...state, entry: { ...state.entry, labels: own } }
  })
}
