/**
 * Models of the repository -> their messages.
 */
import { formatFeatureType } from '../feature-type.js'
import type { ModelChange as ChangeMessage, Model as ModelMessage } from '../gen/larder/v1/admin.js'
import type { BoundModel } from '../predict/bind-model.js'
import type { ModelChange, ModelRepository, ModelVersion } from '../predict/model-repository.js'
import type { Snapshot } from '../registry/snapshot.js'
import { bindProblem } from './model-findings.js'

/** Every version, bound to `snapshot` or with the reason why it cannot be. */
export function formatModels(models: ModelRepository, snapshot: Snapshot): ModelMessage[] {
  return models.list().map((entry) => {
    const problem = bindProblem(models, entry, snapshot)
    const bound =
      problem === undefined ? models.bind(`${entry.name}@${entry.version}`, snapshot) : undefined
    return formatModel(entry, bound, problem)
  })
}

export function formatModelChange({ what, entry }: ModelChange): ChangeMessage {
  const { name, version, problem } = entry
  return { name, version, what, problem: what === 'refused' ? (problem ?? '') : '' }
}

function formatModel(
  entry: ModelVersion,
  bound: BoundModel | undefined,
  problem: string | undefined,
): ModelMessage {
  const { name, version, labels, model } = entry
  const newerProblem = entry.problem === undefined ? '' : `; newer files: ${entry.problem}`
  return {
    name,
    version,
    kind: model?.kind ?? entry.yaml?.kind ?? '',
    labels: [...labels],
    state: problem ?? `ready${newerProblem}`,
    ready: problem === undefined,
    service: bound?.service?.name ?? entry.yaml?.service ?? '',
    inputs: (bound?.inputs ?? []).map((input) => ({
      name: input.inputName,
      feature: input.name,
      type: formatFeatureType(input.type),
      requestValue: input.feature === undefined,
      categorical: input.kind === 'number' && input.codes !== undefined,
    })),
    outputCount: model?.outputCount ?? 0,
    objective: model?.objective ?? '',
    modelBytes: BigInt(model?.modelBytes ?? 0),
    treeCount: model?.treeCount ?? 0,
    warnings: [...(model?.warnings ?? [])],
    kernel: model?.kernel ?? '',
    loadedAtUs: BigInt(Math.round(entry.loadedAtMs ?? 0)) * 1000n,
    loadMs: entry.loadMs ?? 0,
    vectorCount: entry.vectorCount,
    problem: entry.isPending ? '' : (entry.problem ?? ''),
    pending: entry.isPending,
  }
}
