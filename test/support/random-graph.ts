/**
 * Random graphs of composite models, as text, and rows for them: every op, constants, nodes read more than
 * once, values that repeat, NaN and infinities.
 */
import type { ModelInput } from '../../src/predict/model.js'
import type { Prng } from '../../src/prng.js'
import type { Cell } from './graph-evaluator.js'

interface Names {
  readonly numbers: string[]
  readonly categories: string[]
  readonly embeddings: string[]
  readonly lists: string[]
}

const dim = 5
const categoryCount = 3
const edges = [NaN, 0, -0, 1, 2, 3, -1, 0.5, Infinity, -Infinity, 1e308, 5e-324]

/** JSON has no NaN: texts are YAML. `exp`, `log` and `logistic` are left out, whose bits may differ. */
export function randomGraphText(prng: Prng): string {
  const pick = <T>(items: readonly [T, ...T[]] | readonly T[]): T => {
    const item = items[prng.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
  const names: Names = {
    numbers: ['x0', 'x1', 'x2'],
    categories: ['c0', 'c1'],
    embeddings: ['v0', 'v1'],
    lists: ['l0', 'l1', 'l2'],
  }
  const inputs = [
    ...names.numbers.map((name) => `{ name: ${name}, kind: numerical }`),
    ...names.categories.map(
      (name) => `{ name: ${name}, kind: categorical, categories: [a, b, c] }`,
    ),
    ...names.embeddings.map((name) => `{ name: ${name}, kind: embedding, dim: ${dim} }`),
    ...names.lists.map((name) => `{ name: ${name}, kind: list, items: number, length_max: 40 }`),
  ]
  const hot: string[] = []
  const number = () =>
    prng.below(5) === 0 ? pick(['.nan', '0', '1', '-2.5', '.inf', 'true']) : pick(names.numbers)
  const numbers = (count: number) => `[${Array.from({ length: count }, number).join(', ')}]`
  const weights = (count: number) =>
    `[${Array.from({ length: count }, () => (prng.below(40) - 20) / 8).join(', ')}]`
  const unique = () => `unique: ${prng.below(2) === 0}`
  const terms = () => {
    const ofNumbers = [...new Set([pick(names.numbers), pick(names.numbers)])].map(
      (name) => `${name}: 1.5`,
    )
    const ofHot = hot.length === 0 ? [] : [`${pick(hot)}: ${weights(categoryCount)}`]
    return `{ ${[...ofNumbers, ...ofHot, `${pick(names.categories)}: { b: 2, c: -1 }`, `${pick(names.embeddings)}: ${weights(dim)}`].join(', ')} }`
  }
  const makers: (() => string)[] = [
    () => `op: ${pick(['negate', 'abs', 'not', 'is_missing'])}, of: ${number()}`,
    () =>
      `op: ${pick(['subtract', 'divide', 'equal', 'not_equal', 'less', 'less_or_equal', 'greater', 'greater_or_equal'])}, of: ${numbers(2)}`,
    () =>
      `op: ${pick(['add', 'multiply', 'min', 'max', 'and', 'or', 'first_present'])}, of: ${numbers(2 + prng.below(3))}`,
    () => `op: if_else, of: ${numbers(3)}`,
    () => `op: clip, of: ${number()}, low: -1, high: ${pick(['1', pick(names.numbers)])}`,
    () => `op: bucketize, of: ${number()}, boundaries: [-1, 0, 1, 2]`,
    () => `op: is_one_of, of: ${pick(names.categories)}, categories: [c, a]`,
    () =>
      `op: ${pick(['dot', 'cosine_similarity'])}, of: [${pick(names.embeddings)}, ${pick(names.embeddings)}]`,
    () => `op: size, of: ${pick(names.lists)}, ${unique()}`,
    () => `op: count_matches, of: [${pick(names.lists)}, ${pick(names.lists)}], ${unique()}`,
    () =>
      `op: count_matches_at, at: ${number()}, of: [${pick(names.lists)}, ${pick(names.lists)}, ${pick(names.lists)}], ${unique()}`,
    () => `op: item_at, at: ${number()}, of: ${pick(names.lists)}`,
    () => `op: linear, bias: 0.25, of: ${terms()}`,
    () => `op: dot, of: [${pick(hot)}, ${pick(hot)}]`,
  ]
  const nodes: string[] = []
  const nodeCount = 3 + prng.below(20)
  for (let index = 0; index < nodeCount; index++) {
    if (hot.length === 0 || prng.below(8) === 0) {
      const of =
        prng.below(2) === 0 ? pick(names.categories) : `${number()}, count: ${categoryCount}`
      nodes.push(`{ name: h${index}, op: one_hot, of: ${of} }`)
      hot.push(`h${index}`)
    }
    nodes.push(`{ name: n${index}, ${pick(makers)()} }`)
    names.numbers.push(`n${index}`)
  }
  // What is made last is read, so that most of the graph is.
  const last = names.numbers.slice(-6).join(', ')
  nodes.push(`{ name: result, op: ${pick(['add', 'first_present', 'max'])}, of: [${last}] }`)
  const lines = (items: readonly string[]) => items.map((item) => `  - ${item}\n`).join('')
  return `inputs:\n${lines(inputs)}nodes:\n${lines(nodes)}`
}

/** A cell of an input. */
export function randomCell({ form }: ModelInput, prng: Prng): Cell {
  const edge = () => edges[prng.below(edges.length)] ?? NaN
  const usual = () => (prng.below(4) === 0 ? edge() : prng.below(8) - 2)
  switch (form.kind) {
    case 'number':
      return usual()
    case 'category':
      return prng.below(4) === 0 ? edge() : prng.below(form.categories.length)
    case 'embedding':
      return Array.from({ length: form.dim }, () =>
        prng.below(30) === 0 ? edge() : prng.next() - 0.5,
      )
    case 'list':
      return Array.from({ length: prng.below(prng.below(4) === 0 ? 40 : 5) }, usual)
  }
}
