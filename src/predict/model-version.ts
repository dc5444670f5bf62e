/**
 * One version of a model: loaded, or why it is not.
 */
import type { Model } from './model.js'
import type { ModelYaml } from './model-yaml.js'

export interface ModelVersion {
  readonly name: string
  readonly version: string
  readonly labels: readonly string[]
  readonly yaml: ModelYaml | undefined
  readonly model: Model | undefined
  /** Why the files as they are now cannot be used; an older `model` may still serve. */
  readonly problem: string | undefined
  /** Its files were still changing when they were last looked at, and it was never loaded. */
  readonly isPending: boolean
  /** Test vectors that `model` passed. */
  readonly vectorCount: number
  /** When `model` was loaded, Unix time, and how long that took; undefined where there is none. */
  readonly loadedAtMs: number | undefined
  readonly loadMs: number | undefined
}

export type LoadedVersion = ModelVersion & { readonly model: Model }

export function isLoaded(entry: ModelVersion): entry is LoadedVersion {
  return entry.model !== undefined
}

/** `name@version`, as requests write it. */
export function versionName({ name, version }: Pick<ModelVersion, 'name' | 'version'>): string {
  return `${name}@${version}`
}
