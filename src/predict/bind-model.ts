/**
 * Binds a model to the definitions: which feature or request value each input reads. Pure.
 *
 * A name that matches nothing, or could mean two things, refuses the model: a guess here would be a
 * wrong score for ever after.
 */

import { assert } from '../assert.js'
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import type { FeatureType } from '../feature-type.js'
import type { FeatureService, Snapshot } from '../registry/snapshot.js'
import { type BoundInput, bindInput } from './bind-input.js'
import { isTextType } from './category-codes.js'
import type { Model, ModelInput } from './model.js'
import type { ModelYaml } from './model-yaml.js'

export interface BoundModel {
  readonly model: Model
  /** Undefined where every input is a request value. */
  readonly service: FeatureService | undefined
  readonly inputs: readonly BoundInput[]
}

/** Binds `model`. Throws `bad_model` that names every input which does not fit. */
export function bindModel(
  model: Model,
  yaml: ModelYaml | undefined,
  snapshot: Snapshot,
): BoundModel {
  const service = findModelService(model, yaml, snapshot)
  assertMatched(model, yaml, service)
  const inputs: BoundInput[] = []
  const problems: string[] = []
  const categoricalNames = categoricalInputs(model, yaml, service)
  for (const input of model.inputs) {
    try {
      inputs.push(bindOne(input, { model, yaml, service, categoricalNames }))
    } catch (thrown) {
      if (!(thrown instanceof LarderError)) throw thrown
      problems.push(thrown.message)
    }
  }
  if (problems.length > 0) throw badModel(problems.join('; '))
  return Object.freeze({ model, service, inputs })
}

interface BindContext {
  readonly model: Model
  readonly yaml: ModelYaml | undefined
  readonly service: FeatureService | undefined
  readonly categoricalNames: readonly string[]
}

function findModelService(
  model: Model,
  yaml: ModelYaml | undefined,
  snapshot: Snapshot,
): FeatureService | undefined {
  if (yaml?.service !== undefined) {
    const named = snapshot.services.get(yaml.service)
    if (named !== undefined) return named
    throw badModel(
      `no feature service '${yaml.service}'${didYouMean(yaml.service, snapshot.services.keys())}`,
    )
  }
  const wanted = inputNames(model).filter(
    (name) => requestValue(yaml, sourceName(yaml, name)) === undefined,
  )
  if (wanted.length === 0) return undefined
  const fitting = [...snapshot.services.values()].filter((service) => {
    const names = new Set(service.features.map((feature) => feature.name))
    return wanted.every((name) => names.has(sourceName(yaml, name)))
  })
  if (snapshot.services.size === 0) {
    throw badModel('there are no feature services: apply definitions first')
  }
  const [only] = fitting
  if (fitting.length === 1) return only
  throw badModel(
    fitting.length === 0
      ? `no feature service has all its inputs (${namesText(wanted)}): name the service in model.yaml`
      : `its inputs fit several services (${fitting.map((service) => service.name).join(', ')}): ` +
          'name one in model.yaml',
  )
}

function inputNames(model: Model): readonly string[] {
  return model.inputs.map((input) => input.name)
}

const namesShownMax = 8

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, namesShownMax).join(', ')
  const restCount = names.length - namesShownMax
  return restCount > 0 ? `${shown} and ${restCount} more` : shown
}

function bindOne(input: ModelInput, context: BindContext): BoundInput {
  const { model, yaml, service, categoricalNames } = context
  const name = sourceName(yaml, input.name)
  const request = requestValue(yaml, name)
  const feature = service?.features.find((candidate) => candidate.name === name)
  if (request !== undefined && feature !== undefined) {
    throw badModel(`input '${input.name}': '${name}' is both a request value and a feature`)
  }
  const type = request?.type ?? feature?.feature.type
  assert(type !== undefined, `input "${input.name}" reads a feature or a request value`)
  return bindInput({
    input,
    name,
    type,
    feature,
    modelKind: model.kind,
    categories: model.pandasCategorical?.[categoricalNames.indexOf(input.name)],
    yamlDefault: yaml?.inputs.get(input.name)?.defaultValue ?? request?.defaultValue,
  })
}

function sourceName(yaml: ModelYaml | undefined, inputName: string): string {
  return yaml?.inputs.get(inputName)?.feature ?? inputName
}

function requestValue(yaml: ModelYaml | undefined, name: string) {
  return yaml?.requestValues.find((value) => value.name === name)
}

/** Before anything else: what is wrong with a name would show as something else later. */
function assertMatched(
  model: Model,
  yaml: ModelYaml | undefined,
  service: FeatureService | undefined,
): void {
  const known = [
    ...(service?.features.map((feature) => feature.name) ?? []),
    ...(yaml?.requestValues.map((value) => value.name) ?? []),
  ]
  const owner = service === undefined ? 'the request values' : `service '${service.name}'`
  const problems = inputNames(model).flatMap((inputName) => {
    const name = sourceName(yaml, inputName)
    if (known.includes(name)) return []
    return [`input '${inputName}': ${owner} has no '${name}'${didYouMean(name, known)}`]
  })
  if (problems.length > 0) throw badModel(problems.join('; '))
}

/**
 * The inputs that the model's category lists belong to, in order: those that model.yaml names, or else
 * those declared as strings or categoricals.
 */
function categoricalInputs(
  model: Model,
  yaml: ModelYaml | undefined,
  service: FeatureService | undefined,
): readonly string[] {
  const named = yaml?.categorical
  const numberNames = model.inputs.flatMap(({ name, form }) =>
    form.kind === 'number' ? [name] : [],
  )
  const names =
    named !== undefined
      ? numberNames.filter((name) => named.includes(name))
      : numberNames.filter((name) => isTextType(typeOf(sourceName(yaml, name), yaml, service)))
  const listCount = model.pandasCategorical?.length ?? 0
  if (names.length === listCount) return names
  if (listCount === 0 && named === undefined) {
    // Other kinds never write such lists: each input says by itself what it takes.
    if (model.kind !== 'lightgbm') return []
    throw badModel(
      `the file has no texts of categories (pandas_categorical), but reads ${names.join(', ')} as text: ` +
        'train from a pandas frame with category columns, or declare the codes as integers',
    )
  }
  throw badModel(
    `the file lists categories for ${listCount} inputs, ` +
      `but ${names.length} are ${named === undefined ? 'declared string or categorical' : 'named'} ` +
      `(${names.join(', ') || 'none'}): name them under 'categorical' in model.yaml`,
  )
}

function typeOf(
  name: string,
  yaml: ModelYaml | undefined,
  service: FeatureService | undefined,
): FeatureType | undefined {
  const feature = service?.features.find((candidate) => candidate.name === name)
  return requestValue(yaml, name)?.type ?? feature?.feature.type
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
