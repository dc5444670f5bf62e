/**
 * The input nodes of a graph file:
 *
 *   - { name: price, kind: numerical, default: 0 }
 *   - { name: cuisine, kind: categorical, categories: [pizza, thai], default: pizza }
 *   - { name: store_vec, kind: embedding, dim: 64, default: 0 }
 *   - { name: recent, kind: list, items: text, length_max: 50 }
 */
import { z } from 'zod'
import { closestName } from '../../closest-name.js'
import { embeddingDimMax, listElementsMax } from '../../limits.js'
import type { Position, ProblemList } from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import type { YamlNode } from '../../yaml-document.js'
import { type Field, itemsOf, readFields, readValue } from '../../yaml-fields.js'
import type { Category } from '../model.js'
import type { InputNode } from './graph.js'
import { anyNumberSchema, categoriesSchema, nodeNameSchema, wordSchema } from './graph-fields.js'

const inputKinds = ['numerical', 'categorical', 'embedding', 'list'] as const
type InputKind = (typeof inputKinds)[number]

const kindSchema = wordSchema('a kind of input', inputKinds)
const base = { name: nodeNameSchema, kind: kindSchema }
const numberSchema = z
  .union([anyNumberSchema, z.boolean()], { error: 'expected a number' })
  .transform(Number)
const elementsSchema = z.union([anyNumberSchema, z.array(anyNumberSchema)], {
  error: 'expected a number, or a list of numbers',
})
const shapes = {
  numerical: { ...base, default: numberSchema.optional() },
  categorical: {
    ...base,
    categories: categoriesSchema,
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  },
  embedding: {
    ...base,
    dim: z.int().min(1).max(embeddingDimMax),
    default: elementsSchema.optional(),
  },
  list: {
    ...base,
    items: wordSchema('what a list can hold', ['number', 'text']),
    length_max: z.int().min(1).max(listElementsMax),
    default: z.array(anyNumberSchema, { error: 'expected a list of numbers' }).optional(),
  },
} as const satisfies Record<InputKind, unknown>

/** Reads one input node; undefined where it is wrong, and problems were added. */
export function readInput(node: YamlNode, problems: ProblemList): InputNode | undefined {
  const kindNode = node.kind === 'map' ? node.entries.get('kind')?.node : undefined
  if (kindNode === undefined) {
    const what = node.kind === 'map' ? '"kind" is missing' : 'expected a map with name and kind'
    if (node.kind !== 'broken') problems.add(node.at, what)
    return undefined
  }
  const kind = readValue(kindNode, kindSchema, problems)
  return kind === undefined ? undefined : readers[kind](node, problems)
}

const readers = {
  numerical: readNumerical,
  categorical: readCategorical,
  embedding: readEmbedding,
  list: readList,
} as const satisfies Record<InputKind, unknown>

function readNumerical(node: YamlNode, problems: ProblemList): InputNode | undefined {
  const { name, default: defaultField } = readFields(node, shapes.numerical, problems)
  if (name.value === undefined) return undefined
  return {
    kind: 'input',
    name: name.value,
    at: name.at,
    type: { kind: 'number' },
    form: { kind: 'number' },
    defaultValue: defaultField.value,
  }
}

function readCategorical(node: YamlNode, problems: ProblemList): InputNode | undefined {
  const fields = readFields(node, shapes.categorical, problems)
  const [name, categories] = [fields.name.value, fields.categories.value]
  if (name === undefined || categories === undefined) return undefined
  checkDistinct(categories, fields.categories, problems)
  const code = readCode(categories, fields.default, problems)
  return {
    kind: 'input',
    name,
    at: fields.name.at,
    type: { kind: 'category', categories },
    form: { kind: 'category', categories },
    defaultValue: code,
  }
}

/** As text, since weights name them so. */
function checkDistinct(
  categories: readonly Category[],
  field: Field<unknown>,
  problems: ProblemList,
): void {
  const seen = new Set<string>()
  for (const [index, category] of categories.entries()) {
    const text = String(category)
    const at = itemsOf(field.node)[index]?.at ?? field.at
    if (seen.has(text)) problems.add(at, `the category ${quoteText(text)} is there twice`)
    seen.add(text)
  }
}

function readCode(
  categories: readonly Category[],
  field: Field<Category | undefined>,
  problems: ProblemList,
): number | undefined {
  const category = field.value
  return category === undefined ? undefined : codeOf(categories, category, field.at, problems)
}

/** The place of a category, told by its text; undefined, with a problem, where it is none. */
export function codeOf(
  categories: readonly Category[],
  category: Category,
  at: Position,
  problems: ProblemList,
): number | undefined {
  const text = String(category)
  const code = categories.findIndex((known) => String(known) === text)
  if (code >= 0) return code
  problems.add(at, () => {
    const closest = closestName(text, categories.map(String))
    const hint = closest === undefined ? '' : `: did you mean ${quoteText(closest)}?`
    return `${quoteText(text)} is none of the categories${hint}`
  })
  return undefined
}

function readEmbedding(node: YamlNode, problems: ProblemList): InputNode | undefined {
  const fields = readFields(node, shapes.embedding, problems)
  const [name, dim] = [fields.name.value, fields.dim.value]
  if (name === undefined || dim === undefined) return undefined
  const given = fields.default.value
  const elements = typeof given === 'number' ? new Array<number>(dim).fill(given) : given
  if (elements !== undefined && elements.length !== dim) {
    problems.add(fields.default.at, `the default has ${elements.length} numbers, but dim is ${dim}`)
  }
  return {
    kind: 'input',
    name,
    at: fields.name.at,
    type: { kind: 'vector', dim },
    form: { kind: 'embedding', dim },
    defaultValue: elements,
  }
}

function readList(node: YamlNode, problems: ProblemList): InputNode | undefined {
  const fields = readFields(node, shapes.list, problems)
  const { value: name } = fields.name
  const { value: items } = fields.items
  const { value: itemsMax } = fields.length_max
  if (name === undefined || items === undefined || itemsMax === undefined) return undefined
  const elements = fields.default.value
  const elementCount = elements?.length ?? 0
  if (elementCount > itemsMax) {
    problems.add(
      fields.default.at,
      `the default has ${elementCount} items, but length_max is ${itemsMax}`,
    )
  }
  if (items === 'text' && elementCount > 0) {
    problems.add(fields.default.at, 'the default of a list of texts can only be []')
  }
  return {
    kind: 'input',
    name,
    at: fields.name.at,
    type: { kind: 'list', items, itemsMax },
    form: { kind: 'list', items, itemsMax },
    defaultValue: elements,
  }
}
