/**
 * model.yaml: what a model file does not say of itself, so that its inputs can be bound.
 *
 *   kind: lightgbm
 *   service: flight_inputs               # whose features the inputs name
 *   request_values:                      # inputs that every caller must give
 *     - { name: hour_of_day, type: int8, default: 12 }
 *   inputs:                              # only where the model's name differs, or for a default
 *     dep_hour: hour_of_day
 *     mean_delay: { feature: origin.delay_mean_7d, default: 0 }
 *   categorical: [busiest_destination]   # inputs with category codes, in the model's order
 *   labels: { stable: 1 }                # version of each label
 */
import { z } from 'zod'
import { didYouMean } from '../closest-name.js'
import type { DefaultScalar, DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import type { FeatureType } from '../feature-type.js'
import { configBytesMax, featureNameCharsMax } from '../limits.js'
import { createProblemList, formatPosition, type Position, type ProblemList } from '../problems.js'
import { quoteText } from '../quoted-text.js'
import { readDefault } from '../registry/default-field.js'
import { nameSchema, typeSchema } from '../registry/definition-schemas.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import { entriesOf, itemsOf, listSchema, mapSchema, readFields, readValue } from '../yaml-fields.js'
import { modelKinds } from './model-kind.js'

/** A value that every caller gives; its default stands in where one does not. */
export interface RequestValue {
  readonly name: string
  readonly type: FeatureType
  readonly defaultValue: DefaultValue | undefined
}

/** What a model input reads. */
export interface MappedInput {
  /** A service feature, `role.feature`, or a request value. */
  readonly feature: string
  /** As it was written: whether it fits shows when the model is bound. */
  readonly defaultValue: DefaultScalar | readonly DefaultScalar[] | undefined
}

export interface ModelYaml {
  readonly kind: 'lightgbm'
  /** Undefined where it is to be found by the inputs' names. */
  readonly service: string | undefined
  readonly requestValues: readonly RequestValue[]
  /** By the model's own input names. */
  readonly inputs: ReadonlyMap<string, MappedInput>
  /** Undefined where the declared types tell. */
  readonly categorical: readonly string[] | undefined
  /** The version that each label names. */
  readonly labels: ReadonlyMap<string, string>
}

/** Kinds that are planned, told apart from misspelt ones. */
const laterKinds: readonly string[] = modelKinds.filter((kind) => kind !== 'lightgbm')

const kindSchema = z.string().transform((text, context): 'lightgbm' => {
  if (text === 'lightgbm') return text
  const why = laterKinds.includes(text)
    ? 'is not supported yet: only lightgbm is'
    : `is not a kind of model${didYouMean(text, modelKinds)}`
  context.addIssue({ code: 'custom', message: `${quoteText(text)} ${why}` })
  return z.NEVER
})
/** Features are `role.feature`, request values plain names; inputs have whatever names they have. */
const featureSchema = z.string().min(1).max(featureNameCharsMax)
/** Not z.number(), which refuses infinities. */
const scalarSchema = z.custom<DefaultScalar>(
  (value) => ['number', 'bigint', 'boolean', 'string'].includes(typeof value),
  { error: 'expected a number, text, true or false' },
)
const labelSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, { error: 'expected a label of a-z, 0-9, _ and -' })
const versionError = { error: 'expected a version, a whole number from 1' }
const versionSchema = z
  .union([z.number(), z.string()], versionError)
  .transform(String)
  .pipe(z.string().regex(/^[1-9][0-9]{0,17}$/, versionError))

const modelShape = {
  kind: kindSchema,
  service: nameSchema.optional(),
  request_values: listSchema.optional(),
  inputs: mapSchema.optional(),
  categorical: z.array(z.string()).optional(),
  labels: mapSchema.optional(),
}
const requestValueShape = { name: nameSchema, type: typeSchema, default: z.unknown() }
const defaultSchema = z.union([scalarSchema, z.array(scalarSchema).readonly()], {
  error: 'expected a number, text, true or false, or a list of them',
})
const inputShape = { feature: featureSchema, default: defaultSchema.optional() }

/** Reads a model.yaml. Throws `bad_model` with a line `file:line:column: message` per problem. */
export function parseModelYaml(file: { readonly path: string; readonly text: string }): ModelYaml {
  const problems = createProblemList()
  const root = parseYaml({ ...file, bytesMax: configBytesMax }, problems)
  const yaml = root && readModel(root, problems)
  problems.throwIfAny('bad_model', `${file.path} is wrong:`)
  if (yaml !== undefined) return yaml
  throw new LarderError('internal', `${file.path} is wrong in a way that was not told`)
}

function readModel(root: YamlNode, problems: ProblemList): ModelYaml | undefined {
  const fields = readFields(root, modelShape, problems)
  const requestValues = readRequestValues(fields.request_values.node, problems)
  const inputs = readInputs(fields.inputs.node, problems)
  const labels = readLabels(fields.labels.node, problems)
  if (fields.kind.value === undefined) return undefined
  return Object.freeze({
    kind: fields.kind.value,
    service: fields.service.value,
    requestValues,
    inputs,
    categorical: fields.categorical.value,
    labels,
  })
}

function readRequestValues(
  list: YamlNode | undefined,
  problems: ProblemList,
): readonly RequestValue[] {
  const values: RequestValue[] = []
  const firstAt = new Map<string, Position>()
  for (const node of itemsOf(list)) {
    const fields = readFields(node, requestValueShape, problems)
    const [name, type] = [fields.name.value, fields.type.value]
    if (name === undefined || type === undefined) continue
    const first = firstAt.get(name)
    if (first !== undefined) {
      const where = formatPosition(first)
      problems.add(fields.name.at, `request value "${name}" is already defined at ${where}`)
      continue
    }
    firstAt.set(name, fields.name.at)
    const defaultValue = readDefault(type, fields.default, problems)
    values.push(Object.freeze({ name, type, defaultValue }))
  }
  return Object.freeze(values)
}

function readInputs(
  map: YamlNode | undefined,
  problems: ProblemList,
): ReadonlyMap<string, MappedInput> {
  const inputs = new Map<string, MappedInput>()
  for (const [inputName, { node }] of entriesOf(map)) {
    if (node.kind === 'map') {
      const { feature, default: defaultField } = readFields(node, inputShape, problems)
      if (feature.value === undefined) continue
      const mapped = { feature: feature.value, defaultValue: defaultField.value }
      inputs.set(inputName, Object.freeze(mapped))
    } else {
      const feature = readValue(node, featureSchema, problems)
      if (feature === undefined) continue
      inputs.set(inputName, Object.freeze({ feature, defaultValue: undefined }))
    }
  }
  return inputs
}

function readLabels(map: YamlNode | undefined, problems: ProblemList): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  for (const [text, { keyAt, node }] of entriesOf(map)) {
    const label = readValue({ kind: 'scalar', value: text, at: keyAt }, labelSchema, problems)
    const version = readValue(node, versionSchema, problems)
    if (label !== undefined && version !== undefined) labels.set(label, version)
  }
  return labels
}
