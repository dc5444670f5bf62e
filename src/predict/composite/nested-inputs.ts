/**
 * Matches what a graph gives to a nested model with what that model takes.
 *
 * Inputs are matched by name, all of them. Categories are matched by text: where the nested model's
 * file lists its categories, the graph's codes are translated to its own, and what it does not know is
 * missing; where it lists none, codes go as they are.
 */
import { didYouMean } from '../../closest-name.js'
import type { ProblemList } from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import { type Category, type Model, type ModelInput, scoresPerRow } from '../model.js'
import type { Graph, NodeType } from './graph.js'
import type { NestedNode } from './graph-levels.js'
import { describeNested } from './graph-nested.js'
import { describeType, numberType } from './typed-operand.js'

export interface NestedBinding {
  /** For each of the model's inputs the operand that it reads. */
  readonly operandOfInput: readonly number[]
  /** For each operand its codes as the model has them, NaN where it has none; undefined: as they are. */
  readonly codeTables: readonly (readonly number[] | undefined)[]
  readonly outputIndex: number
}

/** Undefined where they do not fit, and problems were added. */
export function bindNested(
  graph: Graph,
  nestedNode: NestedNode,
  model: Model,
  problems: ProblemList,
): NestedBinding | undefined {
  const { node, nested } = nestedNode
  const before = problems.count
  const what = describeNested(nested)
  const names = model.inputs.map(({ name }) => name)
  for (const [place, name] of nested.inputNames.entries()) {
    if (names.includes(name)) continue
    const at = node.operandsAt[place] ?? node.at
    problems.add(at, `the ${what} has no input ${quoteText(name)}${didYouMean(name, names)}`)
  }
  const missing = names.filter((name) => !nested.inputNames.includes(name))
  if (missing.length > 0) {
    const shown = missing.slice(0, 8).map(quoteText).join(', ')
    const more = missing.length > 8 ? ` and ${missing.length - 8} more` : ''
    problems.add(node.at, `inputs of the ${what} are not given: ${shown}${more}`)
  }
  if (problems.count > before) return undefined
  const typeOf = (place: number): NodeType => {
    const operand = node.operands[place]
    const read = operand?.kind === 'node' ? graph.nodes[operand.index] : undefined
    return read?.type ?? numberType
  }
  const operandOfInput = names.map((name) => nested.inputNames.indexOf(name))
  for (const [index, input] of model.inputs.entries()) {
    const place = operandOfInput[index] ?? 0
    const problem = fitProblem(input, typeOf(place), isOneHot(graph, nestedNode, place))
    if (problem === undefined) continue
    problems.add(
      node.operandsAt[place] ?? node.at,
      `input ${quoteText(input.name)} of the ${what} ${problem}`,
    )
  }
  const outputIndex = chooseOutput(nestedNode, model, problems)
  if (problems.count > before || outputIndex === undefined) return undefined
  const codeTables = translateCodes({ nestedNode, model, operandOfInput, typeOf }, problems)
  return problems.count > before ? undefined : { operandOfInput, codeTables, outputIndex }
}

function isOneHot(graph: Graph, { node }: NestedNode, place: number): boolean {
  const operand = node.operands[place]
  const read = operand?.kind === 'node' ? graph.nodes[operand.index] : undefined
  return read?.kind === 'compute' && read.type.kind === 'vector'
}

/** What is wrong with giving a node of `type` to the input; undefined where nothing is. */
function fitProblem(
  { form }: ModelInput,
  type: NodeType,
  isOneHotVector: boolean,
): string | undefined {
  const given = `, but is given ${describeType(type)}`
  switch (form.kind) {
    case 'number':
      return type.kind === 'number' || type.kind === 'category' ? undefined : `is a number${given}`
    case 'category':
      return type.kind === 'category' ? undefined : `is a category${given}`
    case 'embedding':
      if (isOneHotVector) return 'is an embedding, which a one-hot vector cannot be'
      return type.kind === 'vector' && type.dim === form.dim
        ? undefined
        : `is an embedding of ${form.dim}${given}`
    case 'list':
      if (type.kind !== 'list' || type.items !== form.items)
        return `is a list of ${form.items}s${given}`
      return type.itemsMax <= form.itemsMax
        ? undefined
        : `takes at most ${form.itemsMax} items, but is given up to ${type.itemsMax}`
  }
}

function chooseOutput(
  { node, nested }: NestedNode,
  model: Model,
  problems: ProblemList,
): number | undefined {
  const outputCount = scoresPerRow(model, nested)
  const { outputIndex } = nested
  if (outputIndex === undefined && outputCount === 1) return 0
  if (outputIndex !== undefined && outputIndex < outputCount) return outputIndex
  const what = describeNested(nested)
  problems.add(
    node.at,
    outputIndex === undefined
      ? `the ${what} has ${outputCount} scores: choose one by "output", from 0`
      : `output is ${outputIndex}, but the ${what} has ${outputCount}, counted from 0`,
  )
  return undefined
}

interface Translation {
  readonly nestedNode: NestedNode
  readonly model: Model
  readonly operandOfInput: readonly number[]
  readonly typeOf: (place: number) => NodeType
}

function translateCodes(
  { nestedNode, model, operandOfInput, typeOf }: Translation,
  problems: ProblemList,
): readonly (readonly number[] | undefined)[] {
  const { node, nested } = nestedNode
  const tables: (readonly number[] | undefined)[] = node.operands.map(() => undefined)
  const categoryInputs = model.inputs.flatMap((input, index) => {
    const place = operandOfInput[index] ?? 0
    const type = typeOf(place)
    return type.kind === 'category' ? [{ input, place, ours: type.categories }] : []
  })
  const lists = model.pandasCategorical ?? []
  const hasForms = model.inputs.some(({ form }) => form.kind === 'category')
  if (!hasForms && lists.length > 0 && lists.length !== categoryInputs.length) {
    const names = categoryInputs.map(({ input }) => quoteText(input.name)).join(', ') || 'none'
    problems.add(
      node.at,
      `the ${describeNested(nested)} lists categories for ${lists.length} inputs, but categories are ` +
        `given to ${categoryInputs.length} (${names})`,
    )
    return tables
  }
  for (const [order, { input, place, ours }] of categoryInputs.entries()) {
    const theirs = input.form.kind === 'category' ? input.form.categories : lists[order]
    if (theirs !== undefined) tables[place] = codeTable(ours, theirs)
  }
  return tables
}

/** Undefined where the codes are the same. */
function codeTable(
  ours: readonly Category[],
  theirs: readonly Category[],
): readonly number[] | undefined {
  const codes = new Map(theirs.map((category, code) => [String(category), code]))
  const table = ours.map((category) => codes.get(String(category)) ?? Number.NaN)
  return table.every((code, index) => code === index) ? undefined : table
}
