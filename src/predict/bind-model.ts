/**
 * Binds a model to the definitions: which feature or request value each input reads. Pure.
 *
 * A name that matches nothing, or could mean two things, refuses the model: a guess here would be a
 * wrong score for ever after.
 */

import { assert } from '../assert.js'
import { didYouMean } from '../closest-name.js'
import type { DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import { columnClassOf, type FeatureType, formatFeatureType } from '../feature-type.js'
import { quoteText } from '../quoted-text.js'
import type { FeatureService, ServiceFeature, Snapshot } from '../registry/snapshot.js'
import {
  type CategoryCodes,
  codeOfDefault,
  createCategoryCodes,
  isTextType,
} from './category-codes.js'
import type { Model } from './model.js'
import type { ModelYaml } from './model-yaml.js'

/** A model input and what it reads. */
export interface BoundInput {
  /** The model's own name. */
  readonly inputName: string
  /** The service feature's or the request value's name. */
  readonly name: string
  readonly type: FeatureType
  /** Undefined for a request value. */
  readonly feature: ServiceFeature | undefined
  /** Undefined where the value itself is what the model sees. */
  readonly codes: CategoryCodes | undefined
  /** What stands in for a missing value, first the model's, then the view's; as the model sees it. */
  readonly modelDefault: number | undefined
  readonly viewDefault: number | undefined
  /** Every value the input can take is exact in float32. */
  readonly exactInFloat32: boolean
}

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
  for (const { name: inputName } of model.inputs) {
    try {
      inputs.push(bindInput(inputName, { model, yaml, service, categoricalNames }))
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

function bindInput(inputName: string, context: BindContext): BoundInput {
  const { yaml, service } = context
  const name = sourceName(yaml, inputName)
  const request = requestValue(yaml, name)
  const feature = service?.features.find((candidate) => candidate.name === name)
  if (request !== undefined && feature !== undefined) {
    throw badModel(`input '${inputName}': '${name}' is both a request value and a feature`)
  }
  const type = request?.type ?? feature?.feature.type
  assert(type !== undefined, `input "${inputName}" reads a feature or a request value`)
  const codes = codesOf(inputName, type, context)
  assertNumeric(inputName, type, codes)
  const ownDefault = yaml?.inputs.get(inputName)?.defaultValue ?? request?.defaultValue
  const modelDefault = modelDefaultAsInput(ownDefault, { inputName, type, codes })
  const viewDefault = defaultAsInput(feature?.feature.defaultValue, { inputName, type, codes })
  const exact = [modelDefault, viewDefault].every(
    (value) => value === undefined || isFloat32(value),
  )
  return {
    inputName,
    name,
    type,
    feature,
    codes,
    modelDefault,
    viewDefault,
    exactInFloat32: exact && (codes !== undefined || columnClassOf(type) === 'f32'),
  }
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
  const names =
    named !== undefined
      ? inputNames(model).filter((name) => named.includes(name))
      : inputNames(model).filter((name) =>
          isTextType(typeOf(sourceName(yaml, name), yaml, service)),
        )
  const listCount = model.pandasCategorical?.length ?? 0
  if (names.length === listCount) return names
  if (listCount === 0 && named === undefined) {
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

function codesOf(
  inputName: string,
  type: FeatureType,
  { model, categoricalNames }: BindContext,
): CategoryCodes | undefined {
  const categories = model.pandasCategorical?.[categoricalNames.indexOf(inputName)]
  if (categories === undefined) return undefined
  try {
    return createCategoryCodes(type, categories)
  } catch (thrown) {
    throw badModel(`input '${inputName}': ${LarderError.from(thrown).message}`)
  }
}

function assertNumeric(
  inputName: string,
  type: FeatureType,
  codes: CategoryCodes | undefined,
): void {
  const columnClass = columnClassOf(type)
  if (columnClass === 'f32' || columnClass === 'f64' || columnClass === 'i64') return
  if (columnClass === 'var' && isTextType(type) && codes !== undefined) return
  throw badModel(
    `input '${inputName}' is ${formatFeatureType(type)}, which a ` +
      'tree cannot take: only numbers, booleans, and categoricals that the model has codes for',
  )
}

type DefaultTarget = Pick<BoundInput, 'inputName' | 'type' | 'codes'>

/** A default of the model's own that it does not know is a mistake, not a missing value. */
function modelDefaultAsInput(
  value: DefaultValue | undefined,
  target: DefaultTarget,
): number | undefined {
  const input = defaultAsInput(value, target)
  if (input === undefined || !Number.isNaN(input) || Number.isNaN(value)) return input
  const text = typeof value === 'string' ? quoteText(value) : String(value)
  throw badModel(`input '${target.inputName}': its default ${text} is none of its categories`)
}

/** The default as the model sees it; of a categorical input its code, or NaN where it has none. */
function defaultAsInput(
  value: DefaultValue | undefined,
  { inputName, type, codes }: DefaultTarget,
): number | undefined {
  if (value === undefined) return undefined
  if (codes !== undefined) return codeOfDefault(codes, value, type) ?? Number.NaN
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'bigint') {
    throw badModel(`input '${inputName}': its default ${quoteText(String(value))} is not a number`)
  }
  if (BigInt(Number(value)) === value) return Number(value)
  throw badModel(`input '${inputName}': its default ${value} is not exact as a float64`)
}

function isFloat32(value: number): boolean {
  return Number.isNaN(value) || Math.fround(value) === value
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
