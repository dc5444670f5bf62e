/**
 * weights.yaml or weights.json: the weights of a linear or logistic model, by input.
 *
 *   kind: logistic
 *   bias: -1.25
 *   weights:
 *     distance: 0.5                                              # a number
 *     hour_of_day: { weight: 0.02, default: 12, mean: 13.1 }
 *     listing_vector: [0.1, -0.2, 0.3]                           # an embedding of 3
 *     user_vector: { weights: [0.5, 1], default: [0, 0], mean: [0.1, 0.2] }
 *     carrier: { categories: { AA: 0.1, DL: 0.3 }, unseen: 0, default: DL, mean_weight: 0.2 }
 *     weekday: { categories: [1, 2, 3], weights: [0.1, 0, 0.2] } # categories that are not texts
 *
 * JSON is read as the YAML that it also is. Anything that is not finite, unknown or twice is a problem
 * at its place.
 */
import { z } from 'zod'
import { LarderError } from '../errors.js'
import { embeddingDimMax, modelFeaturesMax, weightsBytesMax } from '../limits.js'
import { createProblemList, type ProblemList } from '../problems.js'
import { quoteText } from '../quoted-text.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import { entriesOf, type Field, itemsOf, mapSchema, readFields, readValue } from '../yaml-fields.js'
import type { Category, ModelInput } from './model.js'

export interface LinearWeights {
  readonly kind: 'linear' | 'logistic'
  readonly bias: number
  readonly inputs: readonly LinearInput[]
}

export interface LinearInput {
  readonly input: ModelInput
  readonly terms: {
    /** One, one per element, or one per category. */
    readonly weights: Float64Array
    /** Stands in for NaN, element by element; the code of a category. */
    readonly defaults: readonly number[] | undefined
    /** Whether values are places in `weights`. */
    readonly areCodes: boolean
    readonly unseenWeight: number | undefined
  }
  /** What the input adds on average; undefined where the file does not say. */
  readonly meanContribution: number | undefined
}

/** Integers beyond 2^53 come as bigint: they round to the nearest float64, as decimals do. */
const finite = z.preprocess(
  (value) => (typeof value === 'bigint' ? Number(value) : value),
  z.number({ error: 'expected a finite number' }),
)
const vector = z.array(finite).min(1).max(embeddingDimMax)
const categoryError = { error: 'expected text, a finite number, true or false' }
const category = z.union([z.string(), z.number(), z.boolean()], categoryError)
const categoriesSchema = z.union([z.map(z.string(), z.unknown()), z.array(z.unknown())], {
  error: 'expected a map of categories and weights, or a list of categories',
})

const fileShape = {
  kind: z.enum(['linear', 'logistic']),
  bias: finite,
  weights: mapSchema,
}
const numberShape = { weight: finite, default: finite.optional(), mean: finite.optional() }
const embeddingShape = { weights: vector, default: vector.optional(), mean: vector.optional() }
const categoryShape = {
  categories: categoriesSchema,
  weights: z.array(finite).optional(),
  unseen: finite.optional(),
  default: category.optional(),
  mean_weight: finite.optional(),
}

/** Reads the file. Throws `bad_model` with a line `file:line:column: message` per problem. */
export function readLinearWeights(file: {
  readonly path: string
  readonly text: string
}): LinearWeights {
  const problems = createProblemList()
  const root = parseYaml({ ...file, bytesMax: weightsBytesMax }, problems)
  const weights = root && readFile(root, problems)
  problems.throwIfAny('bad_model', `${file.path} is wrong:`)
  if (weights !== undefined) return weights
  throw new LarderError('internal', `${file.path} is wrong in a way that was not told`)
}

function readFile(root: YamlNode, problems: ProblemList): LinearWeights | undefined {
  const { kind, bias, weights } = readFields(root, fileShape, problems)
  const entries = entriesOf(weights.node)
  if (weights.node?.kind === 'map' && entries.size === 0) {
    problems.add(weights.at, 'expected at least 1 input')
  }
  if (entries.size > modelFeaturesMax) {
    problems.add(weights.at, `${entries.size} inputs: at most ${modelFeaturesMax} are allowed`)
    return undefined
  }
  const inputs = [...entries].flatMap(([name, { keyAt, node }]) => {
    if (name === '') problems.add(keyAt, 'an input must have a name')
    return readInput(name, node, problems) ?? []
  })
  requireAllMeansOrNone(inputs, entries, problems)
  if (kind.value === undefined || bias.value === undefined) return undefined
  return { kind: kind.value, bias: bias.value, inputs }
}

/** With only some means nothing can be told, and the missing ones were most likely forgotten. */
function requireAllMeansOrNone(
  inputs: readonly LinearInput[],
  entries: ReturnType<typeof entriesOf>,
  problems: ProblemList,
): void {
  const lacking = inputs.filter(({ meanContribution }) => meanContribution === undefined)
  if (lacking.length === 0 || lacking.length === inputs.length) return
  for (const { input, terms } of lacking) {
    const key = terms.areCodes ? 'mean_weight' : 'mean'
    const at = entries.get(input.name)?.node.at
    if (at !== undefined) problems.add(at, `"${key}" is missing: other inputs have theirs`)
  }
}

function readInput(name: string, node: YamlNode, problems: ProblemList): LinearInput | undefined {
  if (node.kind === 'map') {
    if (node.entries.has('categories')) return readCategories(name, node, problems)
    if (node.entries.has('weights')) return readEmbedding(name, node, problems)
    const { weight, default: given, mean } = readFields(node, numberShape, problems)
    return numberInput(name, weight.value, given.value, mean.value)
  }
  if (node.kind === 'list') {
    const weights = readValue(node, vector, problems)
    return weights && embeddingInput(name, weights, undefined, undefined)
  }
  return numberInput(name, readValue(node, finite, problems), undefined, undefined)
}

function numberInput(
  name: string,
  weight: number | undefined,
  defaultValue: number | undefined,
  mean: number | undefined,
): LinearInput | undefined {
  if (weight === undefined) return undefined
  return {
    input: { name, form: { kind: 'number' }, defaultValue },
    terms: {
      weights: Float64Array.of(weight),
      defaults: defaultValue === undefined ? undefined : [defaultValue],
      areCodes: false,
      unseenWeight: undefined,
    },
    meanContribution: mean === undefined ? undefined : weight * mean,
  }
}

function readEmbedding(
  name: string,
  node: YamlNode,
  problems: ProblemList,
): LinearInput | undefined {
  const { weights, default: defaults, mean } = readFields(node, embeddingShape, problems)
  if (weights.value === undefined) return undefined
  const dim = weights.value.length
  for (const field of [defaults, mean]) {
    if (field.value === undefined || field.value.length === dim) continue
    problems.add(field.at, `${field.value.length} elements, expected ${dim}: one per weight`)
  }
  return embeddingInput(name, weights.value, defaults.value, mean.value)
}

function embeddingInput(
  name: string,
  weights: readonly number[],
  defaultValue: readonly number[] | undefined,
  mean: readonly number[] | undefined,
): LinearInput {
  return {
    input: { name, form: { kind: 'embedding', dim: weights.length }, defaultValue },
    terms: {
      weights: Float64Array.from(weights),
      defaults: defaultValue,
      areCodes: false,
      unseenWeight: undefined,
    },
    meanContribution: mean?.reduce((sum, one, at) => sum + one * (weights[at] ?? Number.NaN), 0),
  }
}

function readCategories(
  name: string,
  node: YamlNode,
  problems: ProblemList,
): LinearInput | undefined {
  const fields = readFields(node, categoryShape, problems)
  const listed = readListed(fields.categories, fields.weights, problems)
  if (listed === undefined) return undefined
  const { categories, weights } = listed
  const named = fields.default.value
  const code = named === undefined ? undefined : categories.indexOf(named)
  if (code === -1) {
    const shown = typeof named === 'string' ? quoteText(named) : `${named}`
    problems.add(fields.default.at, `${shown} is none of the categories`)
  }
  return {
    input: { name, form: { kind: 'category', categories }, defaultValue: code },
    terms: {
      weights: Float64Array.from(weights),
      defaults: code === undefined ? undefined : [code],
      areCodes: true,
      unseenWeight: fields.unseen.value,
    },
    meanContribution: fields.mean_weight.value,
  }
}

interface Listed {
  readonly categories: readonly Category[]
  readonly weights: readonly number[]
}

/** Categories with their weights: a map of both, or two lists. */
function readListed(
  { node, at }: Field<unknown>,
  weights: Field<readonly number[] | undefined>,
  problems: ProblemList,
): Listed | undefined {
  if (node?.kind === 'map') {
    if (weights.node !== undefined) {
      problems.add(weights.at, 'the categories have their weights already: leave "weights" out')
    }
    const pairs = [...node.entries].map(
      ([text, entry]) => [text, readValue(entry.node, finite, problems) ?? Number.NaN] as const,
    )
    if (pairs.length === 0) problems.add(at, 'expected at least 1 category')
    return { categories: pairs.map(([text]) => text), weights: pairs.map(([, weight]) => weight) }
  }
  if (node?.kind !== 'list') return undefined
  const categories = readCategoryList(node, problems)
  if (categories.length === 0) problems.add(at, 'expected at least 1 category')
  if (weights.node === undefined) {
    problems.add(at, '"weights" is missing: a list of categories needs one weight for each')
  } else if (weights.value !== undefined && weights.value.length !== itemsOf(node).length) {
    const expected = `expected ${itemsOf(node).length}: one per category`
    problems.add(weights.at, `${weights.value.length} weights, ${expected}`)
  }
  return { categories, weights: weights.value ?? [] }
}

function readCategoryList(list: YamlNode, problems: ProblemList): readonly Category[] {
  const seen = new Set<Category>()
  return itemsOf(list).flatMap((item) => {
    const value = readValue(item, category, problems)
    if (value === undefined) return []
    if (seen.has(value)) {
      const shown = typeof value === 'string' ? quoteText(value) : `${value}`
      problems.add(item.at, `category ${shown} is listed twice`)
    }
    seen.add(value)
    return [value]
  })
}
