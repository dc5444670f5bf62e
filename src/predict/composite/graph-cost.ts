/**
 * About how long a graph's rows take, in steps of a nanosecond or so: it bounds graphs, and cuts large
 * batches into slices that do not hold the event loop up.
 */
import { unreachable } from '../../assert.js'
import type { ComputeNode, Graph, GraphNode } from './graph.js'

export interface GraphCost {
  /** Steps of a row, its lists aside. */
  readonly fixedSteps: number
  /** How often the items of an input list are looked at, by its place among the inputs. */
  readonly listReads: ReadonlyMap<number, number>
}

/** exp and log take about this long. */
const functionSteps = 20
const numberSteps = 2
/** Of one item: hashed in lists that are short, sorted in others (see native/graph/list_set.h). */
const hashedItemSteps = 8
const sortedItemSteps = 30
const hashedItemsMax = 256

export function costOf(graph: Graph): GraphCost {
  const inputs = graph.nodes.filter((node) => node.kind === 'input')
  const places = new Map<GraphNode, number>(inputs.map((node, place) => [node, place]))
  const listReads = new Map<number, number>()
  let fixedSteps = numberSteps
  for (const node of graph.nodes) {
    if (node.kind === 'input') {
      fixedSteps += node.type.kind === 'vector' ? 0 : numberSteps
      continue
    }
    fixedSteps += fixedStepsOf(node, graph)
    for (const operand of node.operands) {
      const read = operand.kind === 'node' ? graph.nodes[operand.index] : undefined
      const place = read === undefined || read.type.kind !== 'list' ? undefined : places.get(read)
      if (place !== undefined) listReads.set(place, (listReads.get(place) ?? 0) + 1)
    }
  }
  return { fixedSteps, listReads }
}

/** Steps of one row whose lists have so many items, by their place among the inputs. */
export function rowSteps(cost: GraphCost, itemsOf: (inputPlace: number) => number): number {
  let steps = cost.fixedSteps
  for (const [place, reads] of cost.listReads) {
    const items = itemsOf(place)
    steps += reads * items * (items <= hashedItemsMax ? hashedItemSteps : sortedItemSteps)
  }
  return steps
}

/** Steps of the longest row there can be. */
export function longestRowSteps(graph: Graph): number {
  const inputs = graph.nodes.filter((node) => node.kind === 'input')
  return rowSteps(costOf(graph), (place) => {
    const type = inputs[place]?.type
    return type?.kind === 'list' ? type.itemsMax : 0
  })
}

function fixedStepsOf({ work, operands }: ComputeNode, graph: Graph): number {
  const dimOf = (place: number): number => {
    const operand = operands[place]
    const type = operand?.kind === 'node' ? graph.nodes[operand.index]?.type : undefined
    return type?.kind === 'vector' ? type.dim : 0
  }
  switch (work.op) {
    case 'exp':
    case 'log':
      return functionSteps
    case 'dot':
      return dimOf(0)
    case 'cosine_similarity':
      return 3 * dimOf(0) + functionSteps
    case 'linear':
    case 'logistic':
      return operands.reduce((sum, _, place) => sum + dimOf(place) + numberSteps, functionSteps)
    case 'one_hot':
      return work.dim
    case 'size':
    case 'count_matches':
    case 'count_matches_at':
    case 'item_at':
    case 'clip':
    case 'if_else':
    case 'bucketize':
    case 'is_one_of':
    case 'model':
      return numberSteps * 2
    case 'negate':
    case 'abs':
    case 'not':
    case 'is_missing':
    case 'subtract':
    case 'divide':
    case 'equal':
    case 'not_equal':
    case 'less':
    case 'less_or_equal':
    case 'greater':
    case 'greater_or_equal':
    case 'add':
    case 'multiply':
    case 'min':
    case 'max':
    case 'and':
    case 'or':
    case 'first_present':
      return numberSteps * operands.length
    default:
      return unreachable(work)
  }
}
