/**
 * A composite model's graph, as it was checked: every operand is there and of the right type, and
 * stands before the node that reads it.
 *
 * Numbers and flags are f64, NaN is missing. Vectors, categories and lists are internal: a node takes
 * them, the result is always a number.
 */
import type { Position } from '../../problems.js'
import type { Category, InputForm } from '../model.js'
import type { ModelKind } from '../model-kind.js'

/** The node whose number is the answer. */
export const resultName = 'result'

export type NodeType =
  | { readonly kind: 'number' }
  | { readonly kind: 'category'; readonly categories: readonly Category[] }
  | { readonly kind: 'vector'; readonly dim: number }
  | { readonly kind: 'list'; readonly items: 'number' | 'text'; readonly itemsMax: number }

export type Operand =
  /** A node's place in `Graph.nodes`. */
  | { readonly kind: 'node'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: number }

/** Ops on one number. */
export const unaryOps = ['negate', 'abs', 'exp', 'log', 'not', 'is_missing'] as const
export type UnaryOp = (typeof unaryOps)[number]

/** Ops on two numbers. */
export const pairOps = [
  'subtract',
  'divide',
  'equal',
  'not_equal',
  'less',
  'less_or_equal',
  'greater',
  'greater_or_equal',
] as const
export type PairOp = (typeof pairOps)[number]

/** Ops on two numbers or more, taken from left to right: `((a, b), c)`. */
export const foldOps = ['add', 'multiply', 'min', 'max', 'and', 'or', 'first_present'] as const
export type FoldOp = (typeof foldOps)[number]

/** What a node computes; its operands are in `ComputeNode.operands`, in the order told here. */
export type NodeWork =
  | { readonly op: UnaryOp | PairOp | FoldOp }
  /** The number, then the bounds it has. */
  | { readonly op: 'clip'; readonly hasLow: boolean; readonly hasHigh: boolean }
  /** Condition, then, else. */
  | { readonly op: 'if_else' }
  /** How many of the ascending boundaries are at most the number. */
  | { readonly op: 'bucketize'; readonly boundaries: readonly number[] }
  /** A category or a number from 0. */
  | { readonly op: 'one_hot'; readonly dim: number }
  /** A category; by code 1 where it is one of those asked for, else 0. */
  | { readonly op: 'is_one_of'; readonly flags: readonly number[] }
  /** Two vectors of one dimension. */
  | { readonly op: 'dot' | 'cosine_similarity' }
  /** A list. */
  | { readonly op: 'size'; readonly unique: boolean }
  /** Two lists. */
  | { readonly op: 'count_matches'; readonly unique: boolean }
  /** An index, its list, the lists that are searched. */
  | { readonly op: 'count_matches_at'; readonly unique: boolean }
  /** An index, a list of numbers. */
  | { readonly op: 'item_at' }
  /** Numbers, vectors and categories, each with its weight or weights. */
  | {
      readonly op: 'linear' | 'logistic'
      readonly bias: number
      readonly weights: readonly (number | readonly number[])[]
    }
  /** What the nested model's inputs read. */
  | { readonly op: 'model'; readonly nested: NestedModel }

export type NodeOp = NodeWork['op']

export interface NestedModel {
  readonly kind: NestedKind
  /** Relative to the version's folder, and inside it. */
  readonly file: string
  /** The nested model's name of the input that each operand is. */
  readonly inputNames: readonly string[]
  /** Without the nested model's transform. */
  readonly raw: boolean
  /** Which of its scores; undefined where the file does not say. */
  readonly outputIndex: number | undefined
}

/** A composite cannot nest a composite: no cycle of files is possible then. */
export const nestedKinds = [
  'lightgbm',
  'xgboost',
  'onnx',
  'linear',
  'logistic',
] as const satisfies readonly ModelKind[]
export type NestedKind = (typeof nestedKinds)[number]

interface NodeBase {
  readonly name: string
  /** Where the file names it. */
  readonly at: Position
  readonly type: NodeType
}

export interface InputNode extends NodeBase {
  readonly kind: 'input'
  readonly form: InputForm
  readonly defaultValue: number | readonly number[] | undefined
}

export interface ComputeNode extends NodeBase {
  readonly kind: 'compute'
  readonly work: NodeWork
  readonly operands: readonly Operand[]
  /** Where the file names each operand. */
  readonly operandsAt: readonly Position[]
}

export type GraphNode = InputNode | ComputeNode

export interface Graph {
  /**
   * Those that the result needs: inputs in the file's order, then each node after its operands; the last
   * is the result.
   */
  readonly nodes: readonly GraphNode[]
  readonly warnings: readonly string[]
}
