/**
 * One level of a graph as one native program. Pure.
 *
 * A value is loaded where it is first read, and stored where a later step needs it.
 */
import { assert } from '../../assert.js'
import type { GraphOp } from '../../native-graph.js'
import type { ComputeNode, FoldOp, GraphNode, Operand, PairOp, UnaryOp } from './graph.js'
import { nestedNodes, readsThrough } from './graph-levels.js'
import {
  type ColumnSource,
  type Compilation,
  codesKey,
  nodeKey,
  type ProgramStep,
  sourceOf,
} from './graph-plan.js'
import { createProgramWriter, type ProgramOperand, type Register } from './graph-program.js'

/** Undefined where there is nothing to compute on this level. */
export function compileLevel(compilation: Compilation, level: number): ProgramStep | undefined {
  const { graph, levels } = compilation
  const writer = new LevelWriter(compilation)
  for (const [index, node] of graph.nodes.entries()) {
    if (levels[index] === level && isComputedHere(node)) writer.compute(node, index)
  }
  for (const index of neededLater(compilation, level)) {
    writer.store(compilation.sharedColumn(nodeKey(index)), { kind: 'node', index })
  }
  for (const { node, index } of nestedNodes(graph)) {
    if (levels[index] !== level + 1) continue
    for (const [place, table] of (compilation.codeTables.get(node) ?? []).entries()) {
      const operand = node.operands[place]
      if (table === undefined || operand === undefined) continue
      writer.storeCodes(compilation.sharedColumn(codesKey(index, place)), operand, table)
    }
  }
  const last = graph.nodes.length - 1
  const result = graph.nodes[last]
  if (levels[last] === level && result !== undefined && isComputedHere(result)) {
    writer.store({ kind: 'output' }, { kind: 'node', index: last })
  }
  return writer.finish()
}

function isComputedHere(node: GraphNode): node is ComputeNode {
  return node.kind === 'compute' && node.work.op !== 'model' && node.work.op !== 'one_hot'
}

/** What this level computes and later steps read. */
function neededLater({ graph, levels }: Compilation, level: number): readonly number[] {
  const needed = new Set<number>()
  for (const [index, node] of graph.nodes.entries()) {
    if ((levels[index] ?? 0) <= level) continue
    for (const operand of readsThrough(node, graph)) {
      if (operand.kind !== 'node' || levels[operand.index] !== level) continue
      const read = graph.nodes[operand.index]
      if (read !== undefined && isComputedHere(read)) needed.add(operand.index)
    }
  }
  return [...needed]
}

const unaryNames = {
  negate: 'negate',
  abs: 'abs',
  exp: 'exp',
  log: 'log',
  not: 'not',
  is_missing: 'isMissing',
} as const satisfies Record<UnaryOp, GraphOp>

const binaryNames = {
  subtract: 'subtract',
  divide: 'divide',
  equal: 'equal',
  not_equal: 'notEqual',
  less: 'less',
  less_or_equal: 'lessOrEqual',
  greater: 'greater',
  greater_or_equal: 'greaterOrEqual',
  add: 'add',
  multiply: 'multiply',
  min: 'min',
  max: 'max',
  and: 'and',
  or: 'or',
  first_present: 'firstPresent',
} as const satisfies Record<PairOp | FoldOp, GraphOp>

type NumberOp = UnaryOp | PairOp | FoldOp

/** Writes one program. Lives for one level. */
class LevelWriter {
  readonly #compilation: Compilation
  readonly #program = createProgramWriter()
  readonly #sources: ColumnSource[] = []
  readonly #registers = new Map<number, Register>()
  /** Of vectors and lists, by node. */
  readonly #columns = new Map<number, number>()
  #isEmpty = true

  constructor(compilation: Compilation) {
    this.#compilation = compilation
  }

  compute(node: ComputeNode, index: number): void {
    this.#isEmpty = false
    this.#registers.set(index, this.#work(node))
  }

  store(target: ColumnSource, operand: Operand): void {
    this.#isEmpty = false
    const column = this.#program.column('output')
    this.#sources[column] = target
    this.#program.fill('store', column, this.#number(operand))
  }

  /** Stores what `table` has for a category's code; NaN for what is no code. */
  storeCodes(target: ColumnSource, operand: Operand, table: readonly number[]): void {
    this.#isEmpty = false
    const column = this.#program.column('output')
    this.#sources[column] = target
    const codes = this.#lookup(this.#number(operand), table, Number.NaN)
    this.#program.fill('store', column, codes)
  }

  finish(): ProgramStep | undefined {
    if (this.#isEmpty) return undefined
    // Scratch vectors have a column of the program, but none that it is handed.
    const columns = this.#sources.filter((source) => source !== undefined)
    return { kind: 'program', program: this.#program.finish(), columns }
  }

  #work({ work, operands }: ComputeNode): Register {
    assert(work.op !== 'model' && work.op !== 'one_hot', 'those are no instructions')
    switch (work.op) {
      case 'clip':
        return this.#clip(operands, work.hasLow, work.hasHigh)
      case 'if_else':
        return this.#program.compute('select', this.#numbers(operands))
      case 'bucketize': {
        const table = this.#program.table(work.boundaries)
        const words = [...this.#numbers(operands), table, work.boundaries.length]
        return this.#program.compute('bucketize', words)
      }
      case 'is_one_of':
        return this.#lookup(this.#number(operands[0]), work.flags, 0)
      case 'dot':
      case 'cosine_similarity': {
        const columns = operands.map((operand) => this.#vector(operand))
        return this.#program.compute(work.op === 'dot' ? 'dot' : 'cosine', columns)
      }
      case 'size':
        return this.#program.compute(work.unique ? 'sizeUnique' : 'size', this.#lists(operands))
      case 'count_matches': {
        const op = work.unique ? 'countMatchesUnique' : 'countMatches'
        return this.#program.compute(op, this.#lists(operands))
      }
      case 'count_matches_at': {
        const op = work.unique ? 'countMatchesAtUnique' : 'countMatchesAt'
        return this.#program.compute(op, this.#indexAndLists(operands))
      }
      case 'item_at':
        return this.#program.compute('itemAt', this.#indexAndLists(operands))
      case 'linear':
        return this.#linear(operands, work.bias, work.weights)
      case 'logistic':
        return this.#program.compute('sigmoid', [this.#linear(operands, work.bias, work.weights)])
      default:
        return this.#numberWork(work.op, operands)
    }
  }

  #numberWork(op: NumberOp, operands: readonly Operand[]): Register {
    if (isUnary(op)) return this.#program.compute(unaryNames[op], this.#numbers(operands))
    const [first, ...others] = this.#numbers(operands)
    assert(first !== undefined, 'an op on numbers has operands')
    return others.reduce(
      (sum, other) => this.#program.compute(binaryNames[op], [sum, other]),
      first,
    )
  }

  #clip(operands: readonly Operand[], hasLow: boolean, hasHigh: boolean): Register {
    const [value, ...bounds] = this.#numbers(operands)
    assert(value !== undefined, 'clip has a number')
    const [low, high] = hasLow ? bounds : [undefined, ...bounds]
    const above = low === undefined ? value : this.#program.compute('max', [value, low])
    if (!hasHigh || high === undefined) return above
    return this.#program.compute('min', [above, high])
  }

  #linear(
    operands: readonly Operand[],
    bias: number,
    weights: readonly (number | readonly number[])[],
  ): Register {
    return operands.reduce(
      (sum, operand, place) => this.#term(sum, operand, weights[place] ?? 0),
      this.#program.constant(bias),
    )
  }

  #term(sum: Register, operand: Operand, weights: number | readonly number[]): Register {
    if (typeof weights === 'number') {
      const table = this.#program.table([weights])
      return this.#program.compute('weigh', [sum, this.#number(operand), table])
    }
    const node = this.#node(operand)
    const coded = node?.type.kind === 'category' ? operand : oneHotOperand(node)
    if (coded === undefined) {
      const table = this.#program.table(weights)
      return this.#program.compute('weighVector', [sum, this.#vector(operand), table])
    }
    // The sum over the vector's zeros and its one: never minus zero.
    const entries = weights.map((weight) => weight + 0)
    return this.#program.compute('add', [sum, this.#lookup(this.#number(coded), entries, 0)])
  }

  /** What `entries` has at a register's whole number; `otherwise` for anything else. */
  #lookup(from: Register, entries: readonly number[], otherwise: number): Register {
    const table = this.#program.table([...entries, otherwise])
    return this.#program.compute('lookup', [from, table, entries.length])
  }

  #indexAndLists([index, ...lists]: readonly Operand[]): readonly ProgramOperand[] {
    assert(index !== undefined, 'there is an index')
    return [this.#number(index), ...this.#lists(lists)]
  }

  #numbers(operands: readonly Operand[]): readonly Register[] {
    return operands.map((operand) => this.#number(operand))
  }

  #number(operand: Operand | undefined): Register {
    assert(operand !== undefined, 'an operand is there')
    if (operand.kind === 'constant') return this.#program.constant(operand.value)
    const known = this.#registers.get(operand.index)
    if (known !== undefined) return known
    const column = this.#program.column('number')
    this.#sources[column] = sourceOf(this.#compilation, operand)
    const register = this.#program.compute('load', [column])
    this.#registers.set(operand.index, register)
    return register
  }

  #lists(operands: readonly Operand[]): readonly number[] {
    return operands.map((operand) => this.#inputColumn(operand, 'list', 0))
  }

  #vector(operand: Operand): number {
    const node = this.#node(operand)
    assert(operand.kind === 'node' && node?.type.kind === 'vector', 'the operand is a vector')
    const { dim } = node.type
    const coded = oneHotOperand(node)
    if (coded === undefined) return this.#inputColumn(operand, 'vector', dim)
    const known = this.#columns.get(operand.index)
    if (known !== undefined) return known
    const column = this.#program.column('scratch', dim)
    this.#columns.set(operand.index, column)
    this.#program.fill('oneHot', column, this.#number(coded))
    return column
  }

  #inputColumn(operand: Operand, kind: 'list' | 'vector', dim: number): number {
    assert(operand.kind === 'node', 'constants are numbers')
    const known = this.#columns.get(operand.index)
    if (known !== undefined) return known
    const column = this.#program.column(kind, dim)
    this.#columns.set(operand.index, column)
    this.#sources[column] = sourceOf(this.#compilation, operand)
    return column
  }

  #node(operand: Operand): GraphNode | undefined {
    return operand.kind === 'node' ? this.#compilation.graph.nodes[operand.index] : undefined
  }
}

function oneHotOperand(node: GraphNode | undefined): Operand | undefined {
  return node?.kind === 'compute' && node.work.op === 'one_hot' ? node.operands[0] : undefined
}

function isUnary(op: NumberOp): op is UnaryOp {
  return Object.hasOwn(unaryNames, op)
}
