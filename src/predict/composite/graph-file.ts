/**
 * graph.yaml or graph.json: a composite model's graph, read and checked.
 *
 *   inputs:
 *     - { name: price, kind: numerical, default: 0 }
 *   nodes:
 *     - { name: cheap, op: less, of: [price, 10] }
 *     - { name: result, op: logistic, of: { cheap: 0.7, price: -0.01 }, bias: -2 }
 *
 * The answer is the node `result`. JSON is read as the YAML that it is. Never guesses: every problem is
 * told with its place, and a graph with any is refused.
 */
import { z } from 'zod'
import { didYouMean } from '../../closest-name.js'
import { LarderError } from '../../errors.js'
import { graphBytesMax, graphNodesMax, graphOperandsMax } from '../../limits.js'
import {
  createProblemList,
  formatPosition,
  type Position,
  type ProblemList,
} from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import { parseYaml, type YamlNode } from '../../yaml-document.js'
import { itemsOf, listSchema, readFields } from '../../yaml-fields.js'
import {
  type ComputeNode,
  type Graph,
  type GraphNode,
  type InputNode,
  type Operand,
  resultName,
} from './graph.js'
import { readInput } from './graph-inputs.js'
import { readNode } from './graph-nodes.js'
import { orderNodes } from './order-nodes.js'
import { numberType, type RawNode, type TypedOperand } from './typed-operand.js'

const shape = { inputs: listSchema.optional(), nodes: z.array(z.unknown()).min(1) }

/** Reads a graph. Throws `bad_model` with a line `file:line:column: message` per problem. */
export function parseGraph(file: { readonly path: string; readonly text: string }): Graph {
  const problems = createProblemList()
  const root = parseYaml({ ...file, bytesMax: graphBytesMax }, problems)
  const graph = root && readGraph(root, problems)
  throwProblems(problems, file.path)
  if (graph !== undefined) return graph
  throw new LarderError('internal', `${file.path} is wrong in a way that was not told`)
}

/** Throws `bad_model` where there are any. */
export function throwProblems(problems: ProblemList, path: string): void {
  problems.throwIfAny('bad_model', `${path} is wrong:`)
}

type ReadNode = { readonly input: InputNode } | { readonly raw: RawNode }

function readGraph(root: YamlNode, problems: ProblemList): Graph | undefined {
  const fields = readFields(root, shape, problems)
  const [inputs, nodes] = [itemsOf(fields.inputs.node), itemsOf(fields.nodes.node)]
  if (inputs.length + nodes.length > graphNodesMax) {
    const count = inputs.length + nodes.length
    problems.add(root.at, `the graph has ${count} nodes: at most ${graphNodesMax} are allowed`)
    return undefined
  }
  const read: ReadNode[] = [
    ...inputs.flatMap((node) => {
      const input = readInput(node, problems)
      return input === undefined ? [] : [{ input }]
    }),
    ...nodes.flatMap((node) => {
      const raw = readNode(node, problems)
      return raw === undefined ? [] : [{ raw }]
    }),
  ]
  // What reads a node that could not be read would be blamed for it.
  if (problems.count > 0) return undefined
  return linkNodes(read, root.at, problems)
}

/** The nodes by name, each read once; what is there twice is a problem. */
function indexNames(read: readonly ReadNode[], problems: ProblemList): ReadonlyMap<string, number> {
  const byName = new Map<string, number>()
  const firstAt = new Map<string, Position>()
  for (const [index, node] of read.entries()) {
    const { name, at } = 'input' in node ? node.input : node.raw
    const first = firstAt.get(name)
    if (first === undefined) {
      byName.set(name, index)
      firstAt.set(name, at)
    } else {
      problems.add(at, `node ${quoteText(name)} is already defined at ${formatPosition(first)}`)
    }
  }
  return byName
}

function linkNodes(
  read: readonly ReadNode[],
  rootAt: Position,
  problems: ProblemList,
): Graph | undefined {
  const byName = indexNames(read, problems)
  const links = read.map((node) =>
    'input' in node ? [] : linkOperands(node.raw, byName, problems),
  )
  const operandCount = links.reduce((sum, operands) => sum + operands.length, 0)
  if (operandCount > graphOperandsMax) {
    problems.add(rootAt, `the graph has ${operandCount} operands: at most ${graphOperandsMax}`)
  }
  const readsOf = (index: number) => (links[index] ?? []).map(indexOfOperand)
  const { order, cycles } = orderNodes([...read.keys()], readsOf)
  const nameOf = (index: number) => nameOfNode(read[index])
  for (const { path, operandIndex } of cycles) {
    const last = read[path.at(-1) ?? 0]
    const at = last !== undefined && 'raw' in last ? last.raw.operands[operandIndex]?.at : undefined
    const names = [...path, path[0] ?? 0].map(nameOf)
    const shown = names.length > 12 ? [...names.slice(0, 6), '…', ...names.slice(-5)] : names
    problems.add(at ?? rootAt, `a cycle: ${shown.join(' reads ')}`)
  }
  const result = findResult(byName, read, rootAt, problems)
  if (problems.count > 0 || result === undefined) return undefined
  return checkNodes({ read, links, order, result }, problems)
}

function linkOperands(
  raw: RawNode,
  byName: ReadonlyMap<string, number>,
  problems: ProblemList,
): readonly Operand[] {
  return raw.operands.flatMap(({ value, at }): Operand[] => {
    if (typeof value === 'number') return [{ kind: 'constant', value }]
    const index = byName.get(value)
    if (index !== undefined) return [{ kind: 'node', index }]
    problems.add(at, () => {
      const hint = didYouMean(value, byName.keys())
      return `node ${quoteText(raw.name)}: there is no node ${quoteText(value)}${hint}`
    })
    return []
  })
}

function indexOfOperand(operand: Operand): number | undefined {
  return operand.kind === 'node' ? operand.index : undefined
}

function nameOfNode(node: ReadNode | undefined): string {
  if (node === undefined) return ''
  return 'input' in node ? node.input.name : node.raw.name
}

function findResult(
  byName: ReadonlyMap<string, number>,
  read: readonly ReadNode[],
  rootAt: Position,
  problems: ProblemList,
): number | undefined {
  const index = byName.get(resultName)
  const node = index === undefined ? undefined : read[index]
  if (node === undefined) {
    problems.add(rootAt, `no node "${resultName}": its value is the model's answer`)
  } else if ('input' in node) {
    problems.add(node.input.at, `"${resultName}" is an input: the answer must be computed`)
  }
  return index
}

interface LinkedNodes {
  readonly read: readonly ReadNode[]
  readonly links: readonly (readonly Operand[])[]
  readonly order: readonly number[]
  readonly result: number
}

/** Checks every node, then keeps those that the result needs. */
function checkNodes({ read, links, order, result }: LinkedNodes, problems: ProblemList) {
  const checked = new Map<number, GraphNode>()
  for (const index of order) {
    const node = read[index]
    if (node === undefined) continue
    const known =
      'input' in node ? node.input : checkNode(node.raw, links[index] ?? [], checked, problems)
    if (known !== undefined) checked.set(index, known)
  }
  const last = checked.get(result)
  if (last !== undefined && last.type.kind !== 'number') {
    problems.add(last.at, `"${resultName}" is a vector: the answer must be a number`)
  }
  if (problems.count > 0) return undefined
  const reached = orderNodes([result], (index) => (links[index] ?? []).map(indexOfOperand)).order
  const isInput = (index: number) => checked.get(index)?.kind === 'input'
  const needed = [
    ...reached.filter(isInput).sort((a, b) => a - b),
    ...reached.filter((index) => !isInput(index)),
  ]
  const places = new Map(needed.map((index, place) => [index, place]))
  const nodes = needed.flatMap((index) => {
    const node = checked.get(index)
    return node === undefined ? [] : [withPlaces(node, places)]
  })
  const warnings = [...checked].flatMap(([index, { name, at }]) =>
    places.has(index)
      ? []
      : [`${formatPosition(at)}: node ${quoteText(name)} is not used by "${resultName}"`],
  )
  return Object.freeze({ nodes: Object.freeze(nodes), warnings: Object.freeze(warnings) })
}

function checkNode(
  raw: RawNode,
  operands: readonly Operand[],
  checked: ReadonlyMap<number, GraphNode>,
  problems: ProblemList,
): ComputeNode | undefined {
  const typed = operands.flatMap((operand, place): TypedOperand[] => {
    const { value, at } = raw.operands[place] ?? { value: '', at: raw.at }
    if (operand.kind === 'constant') return [{ operand, type: numberType, text: `${value}`, at }]
    const type = checked.get(operand.index)?.type
    return type === undefined ? [] : [{ operand, type, text: quoteText(`${value}`), at }]
  })
  // An operand that could not be checked was told already.
  const ofNode = prefixProblems(`node ${quoteText(raw.name)}: `, problems)
  const work = typed.length === operands.length ? raw.check(typed, ofNode) : undefined
  if (work === undefined) return undefined
  const operandsAt = raw.operands.map(({ at }) => at)
  return { kind: 'compute', name: raw.name, at: raw.at, ...work, operands, operandsAt }
}

/** Adds problems that begin with whose they are. */
function prefixProblems(prefix: string, problems: ProblemList): ProblemList {
  return {
    get count() {
      return problems.count
    },
    add(at, message) {
      problems.add(at, () => `${prefix}${typeof message === 'string' ? message : message()}`)
    },
    told: problems.told,
    throwIfAny: problems.throwIfAny,
  }
}

function withPlaces(node: GraphNode, places: ReadonlyMap<number, number>): GraphNode {
  if (node.kind === 'input') return node
  const operands = node.operands.map(
    (operand): Operand =>
      operand.kind === 'constant'
        ? operand
        : { kind: 'node', index: places.get(operand.index) ?? Number.NaN },
  )
  return { ...node, operands }
}
