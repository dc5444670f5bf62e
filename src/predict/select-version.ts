/**
 * Which versions a reference may mean: `name`, `name@version` or `name@label`.
 */
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { isLoaded, type LoadedVersion, type ModelVersion, versionName } from './model-version.js'

/** The label that a bare name means. */
const stableLabel = 'stable'

/**
 * The versions that `reference` may mean, the likeliest first; all of them are loaded. Throws
 * `not_found`, and `bad_model` where the one that is meant could not be loaded.
 */
export function selectVersions(
  all: readonly ModelVersion[],
  reference: string,
): readonly [LoadedVersion, ...LoadedVersion[]] {
  const at = reference.indexOf('@')
  const name = at === -1 ? reference : reference.slice(0, at)
  const selector = at === -1 ? undefined : reference.slice(at + 1)
  const versions = all.filter((entry) => entry.name === name)
  if (versions.length === 0) {
    const names = all.map((entry) => entry.name)
    throw new LarderError('not_found', `no model '${name}'${didYouMean(name, names)}`)
  }
  const [first, ...others] = versionsMeant(versions, selector)
  if (first === undefined) {
    const known = versions.flatMap(({ version, labels }) => [version, ...labels]).join(', ')
    throw new LarderError('not_found', `model '${name}' has no '${selector}' (it has ${known})`)
  }
  if (!isLoaded(first)) {
    const why = first.problem ?? 'it is not loaded'
    throw new LarderError('bad_model', `model '${versionName(first)}' cannot be used: ${why}`)
  }
  return [first, ...others.filter(isLoaded)]
}

/**
 * The named version or label; without one the stable version, or where no version is to be stable all
 * that are loaded, the newest first. Throws `bad_model` where the version that is to be stable cannot be.
 */
function versionsMeant(
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
