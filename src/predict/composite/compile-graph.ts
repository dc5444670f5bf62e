/**
 * A graph becomes steps: native programs over columns, and between them runs of nested models. Pure.
 *
 * A node's level is how many nested models stand one behind the other before it. Everything of one
 * level is one program; what a later step reads goes through a shared column, a number per row. One-hot
 * vectors never do: they are made where they are read, and a weighted one is a table of its weights.
 */
import { compileLevel } from './compile-level.js'
import type { Graph } from './graph.js'
import { levelsOf, type NestedNode, nestedNodes } from './graph-levels.js'
import {
  type CodeTables,
  type Compilation,
  codesKey,
  type GraphPlan,
  type GraphStep,
  type NestedStep,
  nodeKey,
  sourceOf,
} from './graph-plan.js'

/** The graph as steps. */
export function compileGraph(graph: Graph, codeTables: CodeTables): GraphPlan {
  const levels = levelsOf(graph)
  const inputs = graph.nodes.flatMap((node, index) => (node.kind === 'input' ? [index] : []))
  const shared = new Map<string, number>()
  const compilation: Compilation = {
    graph,
    levels,
    codeTables,
    inputPlaces: new Map(inputs.map((index, place) => [index, place])),
    sharedColumn(key) {
      const index = shared.get(key) ?? shared.size
      shared.set(key, index)
      return { kind: 'shared', index }
    },
  }
  const steps: GraphStep[] = []
  const lastLevel = levels.at(-1) ?? 0
  for (let level = 0; level <= lastLevel; level++) {
    const program = compileLevel(compilation, level)
    if (program !== undefined) steps.push(program)
    for (const nested of nestedNodes(graph)) {
      if (levels[nested.index] === level + 1) steps.push(compileNested(compilation, nested))
    }
  }
  return Object.freeze({ steps: Object.freeze(steps), sharedCount: shared.size })
}

function compileNested(compilation: Compilation, { node, nested, index }: NestedNode): NestedStep {
  const tables = compilation.codeTables.get(node) ?? []
  const isResult = index === compilation.graph.nodes.length - 1
  return {
    kind: 'nested',
    node,
    nested,
    columns: node.operands.map((operand, place) =>
      tables[place] === undefined
        ? sourceOf(compilation, operand)
        : compilation.sharedColumn(codesKey(index, place)),
    ),
    target: isResult ? { kind: 'output' } : compilation.sharedColumn(nodeKey(index)),
  }
}
