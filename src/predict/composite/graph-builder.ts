/**
 * Builds graphs of composite models in TypeScript: `import { GraphBuilder } from
 * 'larder/composite'`.
 *
 *   const graph = new GraphBuilder()
 *   const store = graph.embedding('store_vec', { dim: 64, default: 0 })
 *   const user = graph.embedding('user_vec', { dim: 64 })
 *   const similar = graph.cosineSimilarity(store, user)
 *   await writeFile('graph.json', graph.toJson(graph.logistic([[similar, 2.5]], -1)))
 *
 * A node of a wrong type does not compile, nor do vectors of two dimensions or lists of two kinds. What
 * the types cannot see, such as a cycle (none can be built) or a name twice, is told when it is built or
 * loaded. The JSON is the file format of docs/models/composite.md.
 */
import { LarderError } from '../../errors.js'
import type { Category } from '../model.js'
import { type NestedKind, resultName } from './graph.js'

declare const handleBrand: unique symbol
interface Handle<Brand> {
  /** In the file; the result's is `result` there. */
  readonly name: string
  readonly [handleBrand]: Brand
}
/** A number per row. */
export type NumberNode = Handle<{ readonly kind: 'number' }>
/** One of the categories per row. */
export type CategoryNode<Name extends Category = Category> = Handle<{
  readonly kind: 'category'
  // Of a function, so that categories neither widen nor narrow.
  readonly of: (category: Name) => Name
}>
/** `Dim` numbers per row. */
export type VectorNode<Dim extends number = number> = Handle<{
  readonly kind: 'vector'
  readonly of: (dim: Dim) => Dim
}>
/** A list per row. */
export type ListNode<Items extends 'number' | 'text' = 'number' | 'text'> = Handle<{
  readonly kind: 'list'
  readonly of: (items: Items) => Items
}>
/** A node of numbers, or the same number for every row. */
export type NumberOperand = NumberNode | number

interface Named {
  /** Without it the node gets a name of its own. */
  readonly name?: string
}

type AnyNode = Handle<unknown>
type AnyVector = Handle<{ readonly kind: 'vector' }>
type AnyCategory = Handle<{ readonly kind: 'category' }>
type AnyList = Handle<{ readonly kind: 'list' }>

/** A number with its weight; a vector or category with its weights in order, or by category. */
export type Term =
  | readonly [node: NumberNode, weight: number]
  | readonly [node: AnyVector, weights: readonly number[]]
  | readonly [node: AnyCategory, weights: readonly number[] | Readonly<Record<string, number>>]

interface Unique extends Named {
  /** Every value counts once. */
  readonly unique?: boolean
}

export interface NestedModelOptions extends Named {
  readonly kind: NestedKind
  /** Beside the graph. */
  readonly file: string
  /** By the nested model's names. */
  readonly inputs: Readonly<Record<string, NumberOperand | AnyCategory | AnyVector | AnyList>>
  /** Without the nested model's transform. */
  readonly raw?: boolean
  /** Which of several scores, from 0. */
  readonly output?: number
}

/** What stands in a node's fields: nodes become names when the file is written. */
type FieldValue = unknown
type Refer = (node: AnyNode | number) => string | number
interface Entry {
  readonly name: string
  readonly fields: (refer: Refer) => Readonly<Record<string, FieldValue>>
}

/** A graph under way. Every method that makes a node throws `invalid_argument` for a name used before. */
export class GraphBuilder {
  readonly #inputs: Entry[] = []
  readonly #nodes: Entry[] = []
  readonly #handles = new Set<AnyNode>()
  readonly #names = new Set<string>()

  numerical(name: string, options: { readonly default?: number | boolean } = {}): NumberNode {
    return this.#input(name, { kind: 'numerical', ...options })
  }

  categorical<const Name extends Category>(
    name: string,
    options: { readonly categories: readonly Name[]; readonly default?: NoInfer<Name> },
  ): CategoryNode<Name> {
    return this.#input(name, { kind: 'categorical', ...options })
  }

  embedding<const Dim extends number>(
    name: string,
    options: { readonly dim: Dim; readonly default?: number | readonly number[] },
  ): VectorNode<Dim> {
    return this.#input(name, { kind: 'embedding', ...options })
  }

  list<const Items extends 'number' | 'text'>(
    name: string,
    options: {
      readonly items: Items
      readonly lengthMax: number
      readonly default?: readonly number[]
    },
  ): ListNode<Items> {
    const { lengthMax, ...others } = options
    return this.#input(name, { kind: 'list', ...others, length_max: lengthMax })
  }

  add(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('add', operands, named)
  }
  subtract(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('subtract', [a, b], named)
  }
  multiply(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('multiply', operands, named)
  }
  divide(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('divide', [a, b], named)
  }
  negate(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('negate', [a], named)
  }
  abs(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('abs', [a], named)
  }
  exp(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('exp', [a], named)
  }
  log(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('log', [a], named)
  }
  min(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('min', operands, named)
  }
  max(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('max', operands, named)
  }
  equal(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('equal', [a, b], named)
  }
  notEqual(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('not_equal', [a, b], named)
  }
  less(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('less', [a, b], named)
  }
  lessOrEqual(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('less_or_equal', [a, b], named)
  }
  greater(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('greater', [a, b], named)
  }
  greaterOrEqual(a: NumberOperand, b: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('greater_or_equal', [a, b], named)
  }
  and(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('and', operands, named)
  }
  or(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('or', operands, named)
  }
  not(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('not', [a], named)
  }
  isMissing(a: NumberOperand, named?: Named): NumberNode {
    return this.#numbers('is_missing', [a], named)
  }
  firstPresent(operands: readonly NumberOperand[], named?: Named): NumberNode {
    return this.#numbers('first_present', operands, named)
  }
  ifElse(
    condition: NumberOperand,
    branches: { readonly yes: NumberOperand; readonly no: NumberOperand },
    named?: Named,
  ): NumberNode {
    return this.#numbers('if_else', [condition, branches.yes, branches.no], named)
  }

  clip(
    a: NumberOperand,
    {
      low,
      high,
      ...named
    }: Named & { readonly low?: NumberOperand; readonly high?: NumberOperand },
  ): NumberNode {
    return this.#compute('clip', named, (refer) => ({
      of: refer(a),
      ...(low === undefined ? {} : { low: refer(low) }),
      ...(high === undefined ? {} : { high: refer(high) }),
    }))
  }

  bucketize(a: NumberOperand, boundaries: readonly number[], named?: Named): NumberNode {
    return this.#compute('bucketize', named, (refer) => ({ of: refer(a), boundaries }))
  }

  /** Of a category. */
  oneHot(category: AnyCategory, named?: Named): VectorNode {
    return this.#compute('one_hot', named, (refer) => ({ of: refer(category) }))
  }

  /** Of a number from 0, such as a bucket. */
  oneHotNumber<const Dim extends number>(
    a: NumberOperand,
    { count, ...named }: Named & { readonly count: Dim },
  ): VectorNode<Dim> {
    return this.#compute('one_hot', named, (refer) => ({ of: refer(a), count }))
  }

  isOneOf<Name extends Category>(
    category: CategoryNode<Name>,
    categories: readonly NoInfer<Name>[],
    named?: Named,
  ): NumberNode {
    return this.#compute('is_one_of', named, (refer) => ({ of: refer(category), categories }))
  }

  dot<Dim extends number>(
    a: VectorNode<Dim>,
    b: VectorNode<NoInfer<Dim>>,
    named?: Named,
  ): NumberNode {
    return this.#compute('dot', named, (refer) => ({ of: [refer(a), refer(b)] }))
  }

  cosineSimilarity<Dim extends number>(
    a: VectorNode<Dim>,
    b: VectorNode<NoInfer<Dim>>,
    named?: Named,
  ): NumberNode {
    return this.#compute('cosine_similarity', named, (refer) => ({ of: [refer(a), refer(b)] }))
  }

  /** How many items a list has. */
  itemCount(list: AnyList, { unique = false, ...named }: Unique = {}): NumberNode {
    return this.#compute('size', named, (refer) => ({ of: refer(list), unique }))
  }

  countMatches<Items extends 'number' | 'text'>(
    a: ListNode<Items>,
    b: ListNode<NoInfer<Items>>,
    { unique = false, ...named }: Unique = {},
  ): NumberNode {
    return this.#compute('count_matches', named, (refer) => ({ of: [refer(a), refer(b)], unique }))
  }

  countMatchesAt<Items extends 'number' | 'text'>(
    index: NumberOperand,
    lists: readonly [ListNode<Items>, ListNode<Items>, ...ListNode<Items>[]],
    { unique = false, ...named }: Unique = {},
  ): NumberNode {
    return this.#compute('count_matches_at', named, (refer) => ({
      at: refer(index),
      of: lists.map(refer),
      unique,
    }))
  }

  itemAt(index: NumberOperand, list: ListNode<'number'>, named?: Named): NumberNode {
    return this.#compute('item_at', named, (refer) => ({ at: refer(index), of: refer(list) }))
  }

  linear(terms: readonly Term[], bias: number, named?: Named): NumberNode {
    return this.#compute('linear', named, (refer) => weigh(terms, bias, refer))
  }

  logistic(terms: readonly Term[], bias: number, named?: Named): NumberNode {
    return this.#compute('logistic', named, (refer) => weigh(terms, bias, refer))
  }

  /** The logistic function of one number. */
  sigmoid(a: NumberOperand, named?: Named): NumberNode {
    return this.#compute('logistic', named, (refer) => ({ of: refer(a) }))
  }

  model({ inputs, name, ...options }: NestedModelOptions): NumberNode {
    const named = name === undefined ? {} : { name }
    return this.#compute('model', named, (refer) => ({
      ...options,
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([input, node]) => [input, refer(node)]),
      ),
    }))
  }

  /**
   * The graph whose answer is `result`, as the text of a graph.json. Throws `invalid_argument` for an
   * input, a node of another builder, or a number that JSON has no digits for.
   */
  toJson(result: NumberNode): string {
    if (!this.#nodes.some(({ name }) => name === result.name) || !this.#handles.has(result)) {
      throw invalid(`"${result.name}" is not a computed node of this graph`)
    }
    const refer: Refer = (node) => {
      if (typeof node === 'number') return node
      return node.name === result.name ? resultName : node.name
    }
    const inputs = this.#inputs.map(({ name, fields }) => ({ name, ...fields(refer) }))
    const nodes = this.#nodes.map(({ name, fields }) => ({
      name: name === result.name ? resultName : name,
      ...fields(refer),
    }))
    return `${JSON.stringify({ inputs, nodes }, requireFinite, 2)}\n`
  }

  #numbers(op: string, operands: readonly NumberOperand[], named: Named = {}): NumberNode {
    return this.#compute(op, named, (refer) => ({ of: operands.map(refer) }))
  }

  #input<Brand>(name: string, fields: Readonly<Record<string, FieldValue>>): Handle<Brand> {
    return this.#enter(this.#inputs, { name, fields: () => fields })
  }

  #compute<Brand>(op: string, { name }: Named = {}, fields: Entry['fields']): Handle<Brand> {
    const check: Refer = (node) => {
      if (typeof node === 'number' || this.#handles.has(node)) return 0
      throw invalid(`"${node.name}" is a node of another graph`)
    }
    fields(check)
    const ownName = name ?? `node_${this.#nodes.length + 1}`
    return this.#enter(this.#nodes, {
      name: ownName,
      fields: (refer) => ({ op, ...fields(refer) }),
    })
  }

  #enter<Brand>(entries: Entry[], entry: Entry): Handle<Brand> {
    const { name } = entry
    if (this.#names.has(name)) throw invalid(`the name "${name}" is used twice`)
    if (name === resultName) throw invalid(`"${name}" is the node that toJson is given`)
    this.#names.add(name)
    entries.push(entry)
    // The brand is for the compiler alone.
    const handle = Object.freeze({ name }) as Handle<Brand>
    this.#handles.add(handle)
    return handle
  }
}

function weigh(terms: readonly Term[], bias: number, refer: Refer) {
  const names = terms.map(([node]) => node.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`"${twice}" has two weights`)
  const of = Object.fromEntries(terms.map(([node, weights]) => [refer(node), weights]))
  return { of, bias }
}

function requireFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw invalid(`"${key}" is ${value}, which JSON cannot say`)
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
