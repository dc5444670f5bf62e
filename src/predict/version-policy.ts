/**
 * Which versions of a model are loaded: `versions` in model.yaml.
 *
 *   versions: all              # the default
 *   versions: [3, 5]           # these
 *   versions: { latest: 2 }    # the newest that can be used, so many of them
 *
 * A version that a label names or stays at is loaded in any case: a label never points at nothing because
 * of this. A version that is broken counts for none of the newest, so that it never costs a good one its
 * place.
 */
import { z } from 'zod'
import type { ProblemList } from '../problems.js'
import type { YamlNode } from '../yaml-document.js'
import { readFields, readValue } from '../yaml-fields.js'

export type VersionPolicy =
  | { readonly kind: 'all' }
  | { readonly kind: 'these'; readonly versions: readonly string[] }
  | { readonly kind: 'latest'; readonly versionCount: number }

const versionError = { error: 'expected a version, a whole number from 1' }
/** A version, as text. */
export const versionSchema = z
  .union([z.number(), z.string()], versionError)
  .transform(String)
  .pipe(z.string().regex(/^[1-9][0-9]{0,14}$/, versionError))
const theseSchema = z.array(versionSchema).min(1)
const latestError = { error: 'expected a whole number from 1' }
const latestShape = { latest: z.int(latestError).min(1, latestError) }
const allSchema = z.literal('all', {
  error: 'expected all, a list of versions, or { latest: COUNT }',
})

/** What `node` says; all where it is absent. */
export function readVersionPolicy(
  node: YamlNode | undefined,
  problems: ProblemList,
): VersionPolicy {
  if (node?.kind === 'map') {
    const { latest } = readFields(node, latestShape, problems)
    return { kind: 'latest', versionCount: latest.value ?? 1 }
  }
  if (node?.kind === 'list') {
    return { kind: 'these', versions: readValue(node, theseSchema, problems) ?? [] }
  }
  if (node !== undefined) readValue(node, allSchema, problems)
  return { kind: 'all' }
}

/** Whether a version is to be loaded that no label asks for, after `usableCount` newer ones were. */
export function wantsVersion(policy: VersionPolicy, version: string, usableCount: number): boolean {
  switch (policy.kind) {
    case 'all':
      return true
    case 'these':
      return policy.versions.includes(version)
    case 'latest':
      return usableCount < policy.versionCount
  }
}
