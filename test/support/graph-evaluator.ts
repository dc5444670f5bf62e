/**
 * A composite graph evaluated as docs/models/composite.md says it, a row at a time, with loops that a
 * reader can check: what the native engine is compared with. Nested models are not in it.
 */
import type { ComputeNode, Graph, NodeWork, Operand } from '../../src/predict/composite/graph.js'

/** A row's value of one node: a number or code, or the elements of a vector or list. */
export type Cell = number | readonly number[]

/** The result for a row: `inputs` are those of the graph's input nodes, in order. */
export function evaluateGraph(graph: Graph, inputs: readonly Cell[]): number {
  const cells: Cell[] = [...inputs]
  for (const node of graph.nodes.slice(inputs.length)) {
    if (node.kind === 'input') throw new Error('a cell per input')
    cells.push(evaluateNode(node, cells))
  }
  return numberOf(cells.at(-1))
}

function evaluateNode({ work, operands, type }: ComputeNode, cells: readonly Cell[]): Cell {
  const values = operands.map((operand) => cellOf(operand, cells))
  if (work.op === 'one_hot') return oneHot(values[0], type.kind === 'vector' ? type.dim : 0)
  return evaluateNumber(work, values)
}

function cellOf(operand: Operand, cells: readonly Cell[]): Cell {
  return operand.kind === 'constant' ? operand.value : (cells[operand.index] ?? Number.NaN)
}

function numberOf(cell: Cell | undefined): number {
  if (typeof cell === 'number') return cell
  throw new Error('expected a number')
}

function itemsOf(cell: Cell | undefined): readonly number[] {
  if (typeof cell === 'object') return cell
  throw new Error('expected a vector or a list')
}

function oneHot(cell: Cell | undefined, dim: number): readonly number[] {
  return Array.from({ length: dim }, (_, place) => (place === cell ? 1 : 0))
}

const isTrue = (x: number) => x !== 0 && !Number.isNaN(x)
const flag = (condition: boolean) => (condition ? 1 : 0)
const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))

const onNumbers: Readonly<Record<string, (...numbers: number[]) => number>> = {
  negate: (x = NaN) => -x,
  abs: (x = NaN) => Math.abs(x),
  exp: (x = NaN) => Math.exp(x),
  log: (x = NaN) => Math.log(x),
  not: (x = NaN) => flag(!isTrue(x)),
  is_missing: (x = NaN) => flag(Number.isNaN(x)),
  add: (first = NaN, ...others) => others.reduce((x, y) => x + y, first),
  subtract: (x = NaN, y = NaN) => x - y,
  multiply: (first = NaN, ...others) => others.reduce((x, y) => x * y, first),
  divide: (x = NaN, y = NaN) => x / y,
  min: (...numbers) => Math.min(...numbers),
  max: (...numbers) => Math.max(...numbers),
  equal: (x = NaN, y = NaN) => flag(x === y),
  not_equal: (x = NaN, y = NaN) => flag(x !== y),
  less: (x = NaN, y = NaN) => flag(x < y),
  less_or_equal: (x = NaN, y = NaN) => flag(x <= y),
  greater: (x = NaN, y = NaN) => flag(x > y),
  greater_or_equal: (x = NaN, y = NaN) => flag(x >= y),
  and: (...numbers) => flag(numbers.every(isTrue)),
  or: (...numbers) => flag(numbers.some(isTrue)),
  first_present: (...numbers) => numbers.find((x) => !Number.isNaN(x)) ?? NaN,
  if_else: (condition = NaN, then = NaN, otherwise = NaN) => (isTrue(condition) ? then : otherwise),
}

function evaluateNumber(work: NodeWork, values: readonly Cell[]): number {
  switch (work.op) {
    case 'clip': {
      const [x = NaN, ...bounds] = values.map(numberOf)
      const [low, high] = work.hasLow ? bounds : [undefined, ...bounds]
      return Math.min(Math.max(x, low ?? x), high ?? Number.POSITIVE_INFINITY)
    }
    case 'bucketize': {
      const x = numberOf(values[0])
      return Number.isNaN(x) ? NaN : work.boundaries.filter((boundary) => boundary <= x).length
    }
    case 'is_one_of':
      return work.flags[numberOf(values[0])] ?? 0
    case 'dot':
      return dot(itemsOf(values[0]), itemsOf(values[1]))
    case 'cosine_similarity': {
      const [a, b] = [itemsOf(values[0]), itemsOf(values[1])]
      return dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)))
    }
    case 'size': {
      const list = itemsOf(values[0])
      if (!work.unique) return list.length
      return list.filter((x, place) => !list.slice(0, place).some((y) => x === y)).length
    }
    case 'count_matches': {
      const [a, b] = [itemsOf(values[0]), itemsOf(values[1])]
      const matches = a.filter((x) => b.some((y) => x === y))
      // A Set holds zero and minus zero as one, and no NaN matches.
      return work.unique ? new Set(matches).size : matches.length
    }
    case 'count_matches_at': {
      const [index, list, ...others] = [numberOf(values[0]), ...values.slice(1).map(itemsOf)]
      const value = Number.isInteger(index) ? list?.[index] : undefined
      const counts = others.map((other) => other.filter((x) => x === value).length)
      return counts.reduce((sum, count) => sum + (work.unique ? Math.min(count, 1) : count), 0)
    }
    case 'item_at': {
      const index = numberOf(values[0])
      return Number.isInteger(index) ? (itemsOf(values[1])[index] ?? NaN) : NaN
    }
    case 'linear':
      return linear(values, work.bias, work.weights)
    case 'logistic':
      return sigmoid(linear(values, work.bias, work.weights))
    default: {
      const evaluate = onNumbers[work.op]
      if (evaluate === undefined) throw new Error(`the evaluator has no ${work.op}`)
      return evaluate(...values.map(numberOf))
    }
  }
}

function linear(
  values: readonly Cell[],
  bias: number,
  weights: readonly (number | readonly number[])[],
): number {
  return values.reduce<number>((sum, value, place) => {
    const weight = weights[place] ?? NaN
    if (typeof weight === 'number') return sum + weight * numberOf(value)
    // A category is its one-hot vector.
    const vector = typeof value === 'number' ? oneHot(value, weight.length) : value
    return sum + dot(weight, vector)
  }, bias)
}

/** Element i goes to lane i mod 8; lanes are added in the documented order. */
function dot(a: readonly number[], b: readonly number[]): number {
  const lane = (number: number) =>
    a.reduce((sum, x, i) => (i % 8 === number ? sum + x * (b[i] ?? NaN) : sum), 0)
  const [l0, l1, l2, l3] = [lane(0), lane(1), lane(2), lane(3)]
  const [l4, l5, l6, l7] = [lane(4), lane(5), lane(6), lane(7)]
  return l0 + l4 + (l2 + l6) + (l1 + l5 + (l3 + l7))
}
