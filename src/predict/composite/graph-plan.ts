/**
 * What a graph is compiled to: steps over columns, one after the other.
 */
import { assert } from '../../assert.js'
import type { ComputeNode, Graph, NestedModel, Operand } from './graph.js'
import type { ProgramWords } from './graph-program.js'

/** Where the numbers of a step's column are. */
export type ColumnSource =
  /** The model's input, by its place among the graph's inputs. */
  | { readonly kind: 'input'; readonly index: number }
  /** A column that one step fills and later ones read. */
  | { readonly kind: 'shared'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** The model's output. */
  | { readonly kind: 'output' }

export interface ProgramStep {
  readonly kind: 'program'
  readonly program: ProgramWords
  /** For each column that the program is handed, in order. */
  readonly columns: readonly ColumnSource[]
}

export interface NestedStep {
  readonly kind: 'nested'
  readonly node: ComputeNode
  readonly nested: NestedModel
  /** For each operand of the node. */
  readonly columns: readonly ColumnSource[]
  /** What the chosen score fills. */
  readonly target: ColumnSource
}

export type GraphStep = ProgramStep | NestedStep

export interface GraphPlan {
  readonly steps: readonly GraphStep[]
  readonly sharedCount: number
}

/**
 * For operands of nested models that are categories with other codes there: the nested model's code by
 * ours, NaN where it has none.
 */
export type CodeTables = ReadonlyMap<ComputeNode, readonly (readonly number[] | undefined)[]>

/** What all levels have in common. */
export interface Compilation {
  readonly graph: Graph
  readonly levels: readonly number[]
  readonly codeTables: CodeTables
  /** The place among the inputs of an input node, by its index. */
  readonly inputPlaces: ReadonlyMap<number, number>
  /** The shared column of a node's value, or of an operand's codes: always the same for a key. */
  readonly sharedColumn: (key: string) => ColumnSource
}

/** Where an operand's values are outside programs. */
export function sourceOf(compilation: Compilation, operand: Operand): ColumnSource {
  if (operand.kind === 'constant') return operand
  const { graph, inputPlaces, sharedColumn } = compilation
  const place = inputPlaces.get(operand.index)
  if (place !== undefined) return { kind: 'input', index: place }
  const type = graph.nodes[operand.index]?.type.kind
  assert(type === 'number', 'only numbers and inputs leave a program')
  return sharedColumn(nodeKey(operand.index))
}

export function nodeKey(index: number): string {
  return `node ${index}`
}

export function codesKey(index: number, place: number): string {
  return `codes ${index} ${place}`
}
