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
 *   versions: { latest: 2 }              # which are loaded; all, unless it is there
 *   kernel: bitmask-portable             # of trees; what is fastest, unless it is there
 *   tensors: { input: [a, b] }           # of ONNX: the inputs whose numbers make a tensor's columns
 *   output: scores                       # of ONNX: the tensor that holds the scores
 *   test_vectors: { rows: [] }           # see test-vectors.ts
 */
import { z } from 'zod'
import { didYouMeanOrKnown } from '../closest-name.js'
import type { DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import type { FeatureType } from '../feature-type.js'
import { configBytesMax, featureNameCharsMax, foreignNameCharsMax } from '../limits.js'
import { createProblemList, formatPosition, type Position, type ProblemList } from '../problems.js'
import { quoteText } from '../quoted-text.js'
import { readDefault } from '../registry/default-field.js'
import { nameSchema, typeSchema } from '../registry/definition-schemas.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import { entriesOf, itemsOf, listSchema, mapSchema, readFields, readValue } from '../yaml-fields.js'
import { type ModelKind, modelKinds } from './model-kind.js'
import { readTestVectors, type TestVector, testVectorsSchema } from './test-vectors.js'
import { type TreeKernel, treeKernels } from './tree-kernel.js'
import { readVersionPolicy, type VersionPolicy, versionSchema } from './version-policy.js'

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
  readonly defaultValue: DefaultValue | undefined
}

export interface ModelYaml {
  readonly kind: ModelKind
  /** Undefined where it is to be found by the inputs' names. */
  readonly service: string | undefined
  readonly requestValues: readonly RequestValue[]
  /** By the model's own input names. */
  readonly inputs: ReadonlyMap<string, MappedInput>
  /** Undefined where the declared types tell. */
  readonly categorical: readonly string[] | undefined
  /** The version that each label names. */
  readonly labels: ReadonlyMap<string, string>
  readonly versions: VersionPolicy
  /** Of trees; `auto` where it is not forced. */
  readonly kernel: TreeKernel
  /** Of ONNX: for each input tensor, the inputs whose numbers make its columns. */
  readonly tensors: ReadonlyMap<string, readonly string[]>
  /** Of ONNX: the tensor that holds the scores; undefined where the model tells. */
  readonly output: string | undefined
  readonly testVectors: readonly TestVector[]
}

const kindSchema = z.string().transform((text, context): ModelKind => {
  const kind = modelKinds.find((known) => known === text)
  if (kind !== undefined) return kind
  const why = `is not a kind of model${didYouMeanOrKnown(text, modelKinds)}`
  context.addIssue({ code: 'custom', message: `${quoteText(text)} ${why}` })
  return z.NEVER
})
const kernelSchema = z.string().transform((text, context): TreeKernel => {
  const kernel = treeKernels.find((known) => known === text)
  if (kernel !== undefined) return kernel
  const why = `is not a kernel${didYouMeanOrKnown(text, treeKernels)}`
  context.addIssue({ code: 'custom', message: `${quoteText(text)} ${why}` })
  return z.NEVER
})
/** Features are `role.feature`, request values plain names; inputs have whatever names they have. */
const featureSchema = z.string().min(1).max(featureNameCharsMax)
/** Not z.number(), which refuses infinities. Lists are for inputs of lists and embeddings. */
const defaultSchema = z.custom<DefaultValue>(
  (value) => (Array.isArray(value) ? value.every(isScalar) : isScalar(value)),
  { error: 'expected a number, text, true or false, or a list of them' },
)
const tensorSchema = z.array(z.string().min(1).max(foreignNameCharsMax)).min(1)
const labelSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,63}$/, { error: 'expected a label of a-z, 0-9, _ and -' })

const modelShape = {
  kind: kindSchema,
  service: nameSchema.optional(),
  request_values: listSchema.optional(),
  inputs: mapSchema.optional(),
  categorical: z.array(z.string()).optional(),
  labels: mapSchema.optional(),
  versions: z.unknown(),
  kernel: kernelSchema.optional(),
  tensors: mapSchema.optional(),
  output: z.string().min(1).max(foreignNameCharsMax).optional(),
  test_vectors: testVectorsSchema.optional(),
}
/** Keys that only some kinds have. */
const keysOfKinds: Readonly<Partial<Record<keyof typeof modelShape, readonly ModelKind[]>>> = {
  categorical: ['lightgbm', 'xgboost'],
  kernel: ['lightgbm', 'xgboost', 'composite'],
  tensors: ['onnx'],
  output: ['onnx'],
}
const requestValueShape = { name: nameSchema, type: typeSchema, default: z.unknown() }
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
  const tensors = readTensors(fields.tensors.node, problems)
  const versions = readVersionPolicy(fields.versions.node, problems)
  const { test_vectors: vectors } = fields
  const vectorsNode = vectors.value === undefined ? undefined : vectors.node
  const testVectors = readTestVectors(vectorsNode, { namesVersions: true }, problems)
  const kind = fields.kind.value
  if (kind === undefined) return undefined
  for (const [key, kinds] of Object.entries(keysOfKinds)) {
    const entry = entriesOf(root).get(key)
    if (entry === undefined || kinds.includes(kind)) continue
    problems.add(entry.keyAt, `"${key}" means nothing for ${kind}: it is for ${kinds.join(', ')}`)
  }
  return Object.freeze({
    kind,
    service: fields.service.value,
    requestValues,
    inputs,
    categorical: fields.categorical.value,
    labels,
    versions,
    kernel: fields.kernel.value ?? 'auto',
    tensors,
    output: fields.output.value,
    testVectors,
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

function readTensors(
  map: YamlNode | undefined,
  problems: ProblemList,
): ReadonlyMap<string, readonly string[]> {
  const tensors = new Map<string, readonly string[]>()
  for (const [tensor, { node }] of entriesOf(map)) {
    const inputs = readValue(node, tensorSchema, problems)
    if (inputs !== undefined) tensors.set(tensor, inputs)
  }
  return tensors
}

function isScalar(value: unknown): boolean {
  return ['number', 'bigint', 'boolean', 'string'].includes(typeof value)
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
