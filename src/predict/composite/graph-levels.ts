/**
 * What stands where in a graph: nested models, and how many of them are before each node.
 */
import type { ComputeNode, Graph, GraphNode, NestedModel, Operand } from './graph.js'

export interface NestedNode {
  readonly node: ComputeNode
  readonly nested: NestedModel
  /** In `Graph.nodes`. */
  readonly index: number
}

export function nestedNodes(graph: Graph): readonly NestedNode[] {
  return graph.nodes.flatMap((node, index) =>
    node.kind === 'compute' && node.work.op === 'model'
      ? [{ node, nested: node.work.nested, index }]
      : [],
  )
}

/** For each node how many nested models stand one behind the other up to it, itself included. */
export function levelsOf({ nodes }: Graph): readonly number[] {
  const levels: number[] = []
  for (const node of nodes) {
    if (node.kind === 'input') {
      levels.push(0)
      continue
    }
    const before = node.operands.map((operand) =>
      operand.kind === 'node' ? (levels[operand.index] ?? 0) : 0,
    )
    levels.push(Math.max(0, ...before) + (node.work.op === 'model' ? 1 : 0))
  }
  return levels
}

/** The nodes whose numbers, vectors or lists a node reads; of a one-hot vector what it is made of. */
export function readsThrough(node: GraphNode, graph: Graph): readonly Operand[] {
  if (node.kind === 'input') return []
  return node.operands.flatMap((operand) => {
    const read = operand.kind === 'node' ? graph.nodes[operand.index] : undefined
    const isOneHot = read?.kind === 'compute' && read.work.op === 'one_hot'
    return isOneHot ? read.operands : [operand]
  })
}
