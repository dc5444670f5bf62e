import { describe, expect, test } from 'vitest'
import { graphOf, loadGraph } from '../../../test/support/composite-runs.js'
import { GraphBuilder, type NumberNode } from './graph-builder.js'

function scorer() {
  const graph = new GraphBuilder()
  const price = graph.numerical('price', { default: 0 })
  const cuisine = graph.categorical('cuisine', { categories: ['pizza', 'thai'], default: 'thai' })
  const store = graph.embedding('store', { dim: 2, default: 0 })
  const user = graph.embedding('user', { dim: 2 })
  const recent = graph.list('recent', { items: 'text', lengthMax: 3 })
  const liked = graph.list('liked', { items: 'text', lengthMax: 9 })
  const hours = graph.list('hours', { items: 'number', lengthMax: 24, default: [1] })
  return { graph, price, cuisine, store, user, recent, liked, hours }
}

test('what is built loads, and computes what it says', async () => {
  const { graph, price, cuisine, store, user, recent, liked, hours } = scorer()
  const similar = graph.cosineSimilarity(store, user, { name: 'similar' })
  const hits = graph.countMatches(recent, liked, { unique: true })
  const busy = graph.itemAt(1, hours)
  const cheap = graph.and([graph.less(price, 10), graph.isOneOf(cuisine, ['pizza'])])
  const hot = graph.oneHotNumber(graph.bucketize(price, [5, 50]), { count: 3 })
  const result = graph.linear(
    [
      [similar, 100],
      [hits, 10],
      [busy, 1],
      [cheap, 1000],
      [cuisine, { thai: 10_000 }],
      [hot, [0, 1e5, 0]],
    ],
    0.5,
  )
  const model = await loadGraph(graph.toJson(result))
  expect(model.inputs.map(({ name }) => name)).toEqual([
    ...['price', 'cuisine', 'store', 'user', 'recent', 'liked', 'hours'],
  ])
  const lists = (...items: number[]) => ({
    values: Float64Array.from(items),
    lengths: Uint32Array.of(items.length),
  })
  const columns = [
    Float64Array.of(7),
    Float64Array.of(0),
    lists(3, 4),
    lists(3, 4),
    lists(1, 1, 2),
    lists(1, 5),
    lists(8, 9),
  ]
  const output = new Float64Array(1)
  await model.predict(columns, 1, output, { raw: false })
  expect([...output]).toEqual([100 + 10 + 9 + 1000 + 1e5 + 0.5])
})

test('every method makes a node that the loader takes', () => {
  const { graph, price, cuisine, store, user, recent, liked } = scorer()
  const unary = [
    graph.negate,
    graph.abs,
    graph.exp,
    graph.log,
    graph.not,
    graph.isMissing,
    graph.sigmoid,
  ]
  const pairs = [
    ...[graph.subtract, graph.divide, graph.equal, graph.notEqual],
    ...[graph.less, graph.lessOrEqual, graph.greater, graph.greaterOrEqual],
  ]
  const folds = [
    graph.add,
    graph.multiply,
    graph.min,
    graph.max,
    graph.and,
    graph.or,
    graph.firstPresent,
  ]
  const nodes: NumberNode[] = [
    ...unary.map((make) => make.call(graph, price)),
    ...pairs.map((make) => make.call(graph, price, 1)),
    ...folds.map((make) => make.call(graph, [price, 1, 2])),
    graph.ifElse(price, { yes: 1, no: price }),
    graph.clip(price, { low: 0, high: 2, name: 'clipped' }),
    graph.dot(store, user),
    graph.itemCount(recent, { unique: true }),
    graph.countMatchesAt(price, [recent, liked, liked]),
    graph.logistic([[graph.oneHot(cuisine), [1, 2]]], 0),
    graph.model({
      kind: 'lightgbm',
      file: 'm.txt',
      inputs: { x: price },
      raw: true,
      output: 1,
      name: 'm',
    }),
  ]
  const text = graph.toJson(graph.add(nodes))
  expect(graphOf(text).warnings).toEqual([expect.stringContaining('"hours" is not used')])
  // Node by node: its operands, the inputs that it reads, and the result.
  expect(graphOf(text).nodes.length).toBe(nodes.length + 1 + 1 + 6)
})

describe('what is wrong does not compile, or is refused', () => {
  test('types', () => {
    const { graph, price, store, recent, hours } = scorer()
    const wide = graph.embedding('wide', { dim: 3 })
    const never = () => {
      // @ts-expect-error: a list is no number
      graph.add([price, recent])
      // @ts-expect-error: two dimensions
      graph.dot(store, wide)
      // @ts-expect-error: numbers and texts
      graph.countMatches(hours, recent)
      // @ts-expect-error: items of a list of texts are no numbers
      graph.itemAt(0, recent)
      // @ts-expect-error: a number has one weight
      graph.linear([[price, [1, 2]]], 0)
      // @ts-expect-error: no such category
      graph.isOneOf(graph.categorical('c', { categories: ['x'] }), ['y'])
      // @ts-expect-error: the answer is a number
      graph.toJson(store)
    }
    expect(never).toBeTypeOf('function')
  })

  test.each([
    ['a name twice', () => scorer().graph.numerical('price'), 'the name "price" is used twice'],
    [
      'the name of the result',
      () => scorer().graph.numerical('result'),
      '"result" is the node that toJson is given',
    ],
    [
      'a node of another graph',
      () => scorer().graph.negate(scorer().price),
      '"price" is a node of another graph',
    ],
    [
      'an input as the result',
      () => {
        const { graph, price } = scorer()
        return graph.toJson(price)
      },
      '"price" is not a computed node',
    ],
    [
      'infinity',
      () => {
        const { graph, price } = scorer()
        return graph.toJson(graph.add([price, Infinity]))
      },
      'is Infinity, which JSON cannot say',
    ],
  ])('%s', (_, act, says) => {
    expect(act).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(says) }),
    )
  })
})
