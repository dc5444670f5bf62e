/**
 * What is in the folder of a model repository: names, versions, and a stamp of each one's files.
 *
 *   models/NAME/model.yaml       optional
 *   models/NAME/VERSION/…        a version, a whole number from 1
 *   models/NAME/MLmodel, …       a folder of MLflow's as it is: version 1
 *
 * Two equal stamps mean that nothing was written in between: they hold size, time of change and inode of
 * every file. Reads no file's content. Names with a dot in front, and those of files that are being
 * written (`.tmp`, `.part`, `.partial`, `.new`, `~`), are not looked at.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { modelFolderDepthMax, modelFolderFilesMax } from '../limits.js'
import { mlflowFileName } from './model-files.js'

export interface FoundModel {
  readonly name: string
  readonly folder: string
  /** Of model.yaml; undefined where there is none. */
  readonly yamlStamp: string | undefined
  /** From the oldest to the newest. */
  readonly versions: readonly FoundVersion[]
}

export interface FoundVersion {
  readonly name: string
  readonly version: string
  readonly folder: string
  /** Paths within the folder, in order. */
  readonly files: readonly string[]
  readonly stamp: string
}

export const modelYamlFileName = 'model.yaml'
/** Up to 15 digits: versions are compared as numbers. */
const versionPattern = /^[1-9][0-9]{0,14}$/
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const unfinishedPattern = /^\.|~$|\.(?:tmp|part|partial|new)$/

/** Every model below `folder`, by name; undefined where there is no such folder. */
export async function findModels(folder: string): Promise<readonly FoundModel[] | undefined> {
  const names = await namesIn(folder)
  if (names === undefined) return undefined
  const models: FoundModel[] = []
  for (const name of names) {
    const modelFolder = join(folder, name)
    if (!namePattern.test(name) || !(await isFolder(modelFolder))) continue
    const yamlStamp = await fileStamp(join(modelFolder, modelYamlFileName))
    const versions = await findVersions(name, modelFolder)
    models.push({ name, folder: modelFolder, yamlStamp, versions })
  }
  return models
}

/** The version's files as they are now; undefined where it holds none. */
export async function findVersion(
  name: string,
  version: string,
  folder: string,
): Promise<FoundVersion | undefined> {
  const stamps = new Map<string, string>()
  await addFiles(stamps, folder, '')
  if (stamps.size === 0) return undefined
  const files = [...stamps.keys()]
  const stamp = [...stamps].map(([path, text]) => `${path} ${text}`).join('\n')
  return { name, version, folder, files, stamp }
}

async function findVersions(name: string, folder: string): Promise<readonly FoundVersion[]> {
  const names = (await namesIn(folder)) ?? []
  const numbers = names.filter((version) => versionPattern.test(version))
  numbers.sort((a, b) => Number(a) - Number(b))
  const versions: FoundVersion[] = []
  for (const version of numbers) {
    const found = await findVersion(name, version, join(folder, version))
    if (found !== undefined) versions.push(found)
  }
  if (numbers.length > 0 || !names.includes(mlflowFileName)) return versions
  const found = await findVersion(name, '1', folder)
  return found === undefined ? [] : [found]
}

/** Adds the stamps of the files below `folder`; one more than there may be, and no further. */
async function addFiles(stamps: Map<string, string>, folder: string, prefix: string) {
  const depth = prefix.split('/').length
  for (const name of (await namesIn(folder)) ?? []) {
    if (stamps.size > modelFolderFilesMax) return
    const path = join(folder, name)
    const stamp = await fileStamp(path)
    if (stamp !== undefined) stamps.set(`${prefix}${name}`, stamp)
    else if (depth < modelFolderDepthMax) await addFiles(stamps, path, `${prefix}${name}/`)
  }
}

/** The names in a folder, in order; undefined where it is no folder. */
async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => !unfinishedPattern.test(name)).sort()
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT') || hasCode(thrown, 'ENOTDIR')) return undefined
    throw thrown
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false
}

/** What tells one state of a file from another; undefined where there is no file. */
async function fileStamp(path: string): Promise<string | undefined> {
  const facts = await statOf(path)
  if (facts === undefined || !facts.isFile()) return undefined
  return `${facts.mtimeNs} ${facts.size} ${facts.ino}`
}

/** Follows links; undefined where there is nothing, or was when it was looked for. */
async function statOf(path: string) {
  try {
    return await stat(path, { bigint: true })
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT') || hasCode(thrown, 'ENOTDIR')) return undefined
    throw thrown
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}
