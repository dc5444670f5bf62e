/**
 * The compute nodes of a graph file, but for `linear`, `logistic` and `model`:
 *
 *   - { name: near, op: less, of: [distance, 5] }
 *   - { name: sim, op: cosine_similarity, of: [store_vec, user_vec] }
 *   - { name: hits, op: count_matches, of: [recent, popular], unique: true }
 *   - { name: at_hour, op: item_at, at: hour, of: by_hour }
 *
 * Each reader takes the fields and leaves the check of types for when they are known.
 */
import { z } from 'zod'
import { embeddingDimMax } from '../../limits.js'
import type { ProblemList } from '../../problems.js'
import type { YamlNode } from '../../yaml-document.js'
import { itemsOf, readFields, readValue } from '../../yaml-fields.js'
import type { Category } from '../model.js'
import {
  type FoldOp,
  foldOps,
  type NodeOp,
  type PairOp,
  pairOps,
  type UnaryOp,
  unaryOps,
} from './graph.js'
import {
  categoriesSchema,
  finiteSchema,
  nodeNameSchema,
  type OperandCounts,
  operandSchema,
  type RawOperand,
  readOperands,
  wordSchema,
} from './graph-fields.js'
import { codeOf } from './graph-inputs.js'
import { readNested } from './graph-nested.js'
import { readLinear } from './graph-weights.js'
import {
  areLists,
  areNumbers,
  areVectors,
  type CheckedWork,
  describeOperand,
  numberType,
  type RawNode,
  type TypedOperand,
} from './typed-operand.js'

type Reader = (node: YamlNode, op: NodeOp, problems: ProblemList) => RawNode | undefined

const one: OperandCounts = { min: 1, max: 1 }
const two: OperandCounts = { min: 2, max: 2 }
const three: OperandCounts = { min: 3, max: 3 }
const twoOrMore: OperandCounts = { min: 2, max: Number.POSITIVE_INFINITY }

function readersOf<const Op extends string>(ops: readonly Op[], reader: Reader) {
  // One entry per op of the list, which the type system cannot see.
  return Object.fromEntries(ops.map((op) => [op, reader])) as Record<Op, Reader>
}

const readers: Record<NodeOp, Reader> = {
  ...readersOf<UnaryOp>(unaryOps, (node, op, problems) => readNumbers(node, op, one, problems)),
  ...readersOf<PairOp>(pairOps, (node, op, problems) => readNumbers(node, op, two, problems)),
  ...readersOf<FoldOp>(foldOps, (node, op, problems) => readNumbers(node, op, twoOrMore, problems)),
  clip: readClip,
  if_else: (node, op, problems) => readNumbers(node, op, three, problems),
  bucketize: readBucketize,
  one_hot: readOneHot,
  is_one_of: readIsOneOf,
  dot: readVectors,
  cosine_similarity: readVectors,
  size: (node, _op, problems) => readUnique(node, 'size', one, problems),
  count_matches: (node, _op, problems) => readUnique(node, 'count_matches', two, problems),
  count_matches_at: readCountMatchesAt,
  item_at: readItemAt,
  linear: readLinear,
  logistic: readLinear,
  model: readNested,
}

/** Every op's name. */
export const nodeOps = Object.keys(readers)
const opSchema = wordSchema('an op', nodeOps)
const anySchema = z.unknown()
const base = { name: nodeNameSchema, op: anySchema, of: anySchema }
const uniqueSchema = z.boolean().default(false)

/** Reads one compute node; undefined where it is wrong, and problems were added. */
export function readNode(node: YamlNode, problems: ProblemList): RawNode | undefined {
  const opNode = node.kind === 'map' ? node.entries.get('op')?.node : undefined
  if (opNode === undefined) {
    const what = node.kind === 'map' ? '"op" is missing' : 'expected a map with name and op'
    if (node.kind !== 'broken') problems.add(node.at, what)
    return undefined
  }
  const text = readValue(opNode, opSchema, problems)
  const op = text !== undefined && isOp(text) ? text : undefined
  return op === undefined ? undefined : readers[op](node, op, problems)
}

function isOp(text: string): text is NodeOp {
  return Object.hasOwn(readers, text)
}

/** The operands of the field `of`, where the node as a whole can be read. */
function readOf(
  node: YamlNode,
  of: YamlNode | undefined,
  counts: OperandCounts,
  problems: ProblemList,
): readonly RawOperand[] | undefined {
  if (of !== undefined) return readOperands(of, counts, problems)
  if (node.kind === 'map') problems.add(node.at, '"of" is missing')
  return undefined
}

function readNumbers(
  node: YamlNode,
  op: NodeOp,
  counts: OperandCounts,
  problems: ProblemList,
): RawNode | undefined {
  const { name, of } = readFields(node, base, problems)
  const operands = readOf(node, of.node, counts, problems)
  if (name.value === undefined || operands === undefined) return undefined
  const check = (typed: readonly TypedOperand[], list: ProblemList): CheckedWork | undefined => {
    if (!areNumbers(op, typed, list)) return undefined
    // The caller reads ops by their own names only.
    return { work: { op: op as UnaryOp | PairOp | FoldOp | 'if_else' }, type: numberType }
  }
  return { name: name.value, at: name.at, operands, check }
}

function readClip(node: YamlNode, op: NodeOp, problems: ProblemList): RawNode | undefined {
  const shape = { ...base, low: operandSchema.optional(), high: operandSchema.optional() }
  const { name, of, low, high } = readFields(node, shape, problems)
  const operands = readOf(node, of.node, one, problems)
  const bounds = [low, high].flatMap(({ value, at }) =>
    value === undefined ? [] : [{ value, at }],
  )
  if (low.node === undefined && high.node === undefined && node.kind === 'map') {
    problems.add(name.at, 'clip needs "low", "high" or both')
  }
  if (
    typeof low.value === 'number' &&
    typeof high.value === 'number' &&
    !(low.value <= high.value)
  ) {
    problems.add(low.at, `low is ${low.value}, which is not at most high, ${high.value}`)
  }
  if (name.value === undefined || operands === undefined) return undefined
  const work = {
    op: 'clip',
    hasLow: low.value !== undefined,
    hasHigh: high.value !== undefined,
  } as const
  return {
    name: name.value,
    at: name.at,
    operands: [...operands, ...bounds],
    check: (typed, list) => (areNumbers(op, typed, list) ? { work, type: numberType } : undefined),
  }
}

function readBucketize(node: YamlNode, op: NodeOp, problems: ProblemList): RawNode | undefined {
  const shape = { ...base, boundaries: z.array(finiteSchema).min(1) }
  const { name, of, boundaries } = readFields(node, shape, problems)
  const operands = readOf(node, of.node, one, problems)
  const bounds = boundaries.value
  if (name.value === undefined || operands === undefined || bounds === undefined) return undefined
  const wrong = bounds.findIndex(
    (bound, index) => index > 0 && !(Number(bounds[index - 1]) < bound),
  )
  if (wrong >= 0) {
    const at = itemsOf(boundaries.node)[wrong]?.at ?? boundaries.at
    problems.add(at, `boundaries must ascend: ${bounds[wrong]} is not above ${bounds[wrong - 1]}`)
  }
  return {
    name: name.value,
    at: name.at,
    operands,
    check: (typed, list) =>
      areNumbers(op, typed, list)
        ? { work: { op: 'bucketize', boundaries: bounds }, type: numberType }
        : undefined,
  }
}

function readOneHot(node: YamlNode, _op: NodeOp, problems: ProblemList): RawNode | undefined {
  const shape = { ...base, count: z.int().min(1).max(embeddingDimMax).optional() }
  const { name, of, count } = readFields(node, shape, problems)
  const operands = readOf(node, of.node, one, problems)
  if (name.value === undefined || operands === undefined) return undefined
  const check = ([from]: readonly TypedOperand[], list: ProblemList): CheckedWork | undefined => {
    if (from === undefined) return undefined
    const dim = oneHotDim(from, count.value)
    if (dim !== undefined && dim <= embeddingDimMax) {
      return { work: { op: 'one_hot', dim }, type: { kind: 'vector', dim } }
    }
    list.add(from.at, oneHotProblem(from, dim))
    return undefined
  }
  return { name: name.value, at: name.at, operands, check }
}

/** A category has as many places as its list; a number as many as `count` says. */
function oneHotDim({ type }: TypedOperand, count: number | undefined): number | undefined {
  if (type.kind === 'category') return count === undefined ? type.categories.length : undefined
  return type.kind === 'number' ? count : undefined
}

function oneHotProblem(from: TypedOperand, dim: number | undefined): string {
  if (dim !== undefined)
    return `${from.text} has ${dim} categories, but one_hot takes ${embeddingDimMax}`
  if (from.type.kind === 'number') return `one_hot of a number needs "count"`
  if (from.type.kind === 'category') return `one_hot of a category has no "count": its list tells`
  return `${describeOperand(from)}, but one_hot takes a category or a number`
}

function readIsOneOf(node: YamlNode, _op: NodeOp, problems: ProblemList): RawNode | undefined {
  const shape = { ...base, categories: categoriesSchema }
  const { name, of, categories } = readFields(node, shape, problems)
  const operands = readOf(node, of.node, one, problems)
  const wanted = categories.value
  if (name.value === undefined || operands === undefined || wanted === undefined) return undefined
  const check = ([from]: readonly TypedOperand[], list: ProblemList): CheckedWork | undefined => {
    if (from === undefined) return undefined
    if (from.type.kind !== 'category') {
      list.add(from.at, `${describeOperand(from)}, but is_one_of takes a category`)
      return undefined
    }
    const flags = flagsOf(from.type.categories, wanted, itemsOf(categories.node), list)
    return { work: { op: 'is_one_of', flags }, type: numberType }
  }
  return { name: name.value, at: name.at, operands, check }
}

function flagsOf(
  known: readonly Category[],
  wanted: readonly Category[],
  places: readonly YamlNode[],
  problems: ProblemList,
): readonly number[] {
  const flags = known.map(() => 0)
  for (const [index, category] of wanted.entries()) {
    const at = places[index]?.at
    const code = at && codeOf(known, category, at, problems)
    if (code !== undefined) flags[code] = 1
  }
  return flags
}

function readVectors(node: YamlNode, op: NodeOp, problems: ProblemList): RawNode | undefined {
  const { name, of } = readFields(node, base, problems)
  const operands = readOf(node, of.node, two, problems)
  if (name.value === undefined || operands === undefined) return undefined
  const work = { op: op === 'dot' ? 'dot' : 'cosine_similarity' } as const
  return {
    name: name.value,
    at: name.at,
    operands,
    check: (typed, list) => (areVectors(op, typed, list) ? { work, type: numberType } : undefined),
  }
}

/** `size` and `count_matches`: lists, and whether an item counts once. */
function readUnique(
  node: YamlNode,
  op: 'size' | 'count_matches',
  counts: OperandCounts,
  problems: ProblemList,
): RawNode | undefined {
  const { name, of, unique } = readFields(node, { ...base, unique: uniqueSchema }, problems)
  const operands = readOf(node, of.node, counts, problems)
  if (name.value === undefined || operands === undefined) return undefined
  const work = { op, unique: unique.value === true }
  return {
    name: name.value,
    at: name.at,
    operands,
    check: (typed, list) => (areLists(op, typed, list) ? { work, type: numberType } : undefined),
  }
}

function readCountMatchesAt(
  node: YamlNode,
  op: NodeOp,
  problems: ProblemList,
): RawNode | undefined {
  const shape = { ...base, at: operandSchema, unique: uniqueSchema }
  const { name, of, at, unique } = readFields(node, shape, problems)
  const lists = readOf(node, of.node, twoOrMore, problems)
  if (name.value === undefined || lists === undefined || at.value === undefined) return undefined
  const work = { op: 'count_matches_at', unique: unique.value === true } as const
  return {
    name: name.value,
    at: name.at,
    operands: [{ value: at.value, at: at.at }, ...lists],
    check: (typed, list) => {
      const isNumber = areNumbers(`${op}'s index`, typed.slice(0, 1), list)
      const isRight = areLists(op, typed.slice(1), list) && isNumber
      return isRight ? { work, type: numberType } : undefined
    },
  }
}

function readItemAt(node: YamlNode, op: NodeOp, problems: ProblemList): RawNode | undefined {
  const { name, of, at } = readFields(node, { ...base, at: operandSchema }, problems)
  const lists = readOf(node, of.node, one, problems)
  if (name.value === undefined || lists === undefined || at.value === undefined) return undefined
  return {
    name: name.value,
    at: name.at,
    operands: [{ value: at.value, at: at.at }, ...lists],
    check: (typed, list) => {
      const isNumber = areNumbers(`${op}'s index`, typed.slice(0, 1), list)
      const from = typed[1]
      if (from?.type.kind === 'list' && from.type.items === 'number') {
        return isNumber ? { work: { op: 'item_at' }, type: numberType } : undefined
      }
      if (from !== undefined) {
        list.add(from.at, `${describeOperand(from)}, but item_at takes a list of numbers`)
      }
      return undefined
    },
  }
}
