/**
 * What an operator should know of the models: versions whose files cannot be used, versions that do not
 * fit the definitions, and labels that point nowhere or are not where model.yaml wants them. Pure.
 */
import { LarderError } from '../errors.js'
import type { ModelRepository, ModelVersion } from '../predict/model-repository.js'
import type { Snapshot } from '../registry/snapshot.js'

/** Why the version cannot serve under `snapshot`; undefined where it can. */
export function bindProblem(
  models: ModelRepository,
  { name, version }: Pick<ModelVersion, 'name' | 'version'>,
  snapshot: Snapshot,
): string | undefined {
  try {
    models.bind(`${name}@${version}`, snapshot)
    return undefined
  } catch (thrown) {
    return LarderError.from(thrown).message
  }
}

/** One text per finding; none where all is well. */
export function describeModels(models: ModelRepository, snapshot: Snapshot): readonly string[] {
  const entries = models.list()
  return [
    ...entries.flatMap((entry) => versionFindings(models, entry, snapshot)),
    ...entries.filter(isNewestOf(entries)).flatMap((entry) => labelFindings(entries, entry)),
  ]
}

function versionFindings(
  models: ModelRepository,
  entry: ModelVersion,
  snapshot: Snapshot,
): readonly string[] {
  if (entry.isPending) return []
  const { name, version, problem, model } = entry
  const findings: string[] = []
  if (problem !== undefined) {
    const served = model === undefined ? '' : ' (what was loaded before serves on)'
    findings.push(`model '${name}@${version}' cannot be used: ${problem}${served}`)
  }
  const misfit = model === undefined ? undefined : bindProblem(models, entry, snapshot)
  return misfit === undefined ? findings : [...findings, misfit]
}

function isNewestOf(entries: readonly ModelVersion[]): (entry: ModelVersion) => boolean {
  const newest = new Map(entries.map((entry) => [entry.name, entry]))
  return (entry) => newest.get(entry.name) === entry
}

/** Of one model, by the settings of its newest version. */
function labelFindings(
  entries: readonly ModelVersion[],
  { name, yaml }: ModelVersion,
): readonly string[] {
  return [...(yaml?.labels ?? [])].flatMap(([label, wanted]) => {
    const holder = entries.find((entry) => entry.name === name && entry.labels.includes(label))
    if (holder?.version === wanted) return []
    const instead = holder === undefined ? 'points at nothing' : `stays at ${holder.version}`
    return [
      `model '${name}': its label ${label} ${instead}: ` +
        `version ${wanted} is not there or cannot be used`,
    ]
  })
}
