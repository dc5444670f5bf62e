/**
 * Every op of composite models over edge values and all small lists: native against the plain evaluator,
 * by their bits. Only exp, log and logistic may differ in the last place: the C library's there, V8's here.
 */
import { describe, expect, test } from 'vitest'
import { foldOps, pairOps, unaryOps } from '../src/predict/composite/graph.js'
import {
  type ColumnForm,
  graphOf,
  loadGraph,
  plainForm,
  runNative,
  runPlain,
  ulpsBetween,
} from './support/composite-runs.js'
import type { Cell } from './support/graph-evaluator.js'
import { bitsOf } from './support/number-bits.js'

const edges = [
  ...[NaN, 0, -0, Infinity, -Infinity, 1, -1, 0.5, 1.5, 2, -3, 1e308, -1e308, 5e-324, -5e-324],
  ...[2 ** 53, 2 ** 53 + 2, 2 ** 31, 2 ** 32, 1e-300, 709.8, -745.2, 36.7, -36.7, 0.1],
]
const numeric = (names: readonly string[]) =>
  names.map((name) => `  - { name: ${name}, kind: numerical }`).join('\n')
const graphText = (inputs: string, nodes: string) => `inputs:\n${inputs}\nnodes:\n${nodes}\n`

/** All tuples of `values` of a length, as one column of cells per place. */
function tuples<T>(values: readonly T[], count: number): T[][] {
  const columns: T[][] = Array.from({ length: count }, () => [])
  const total = values.length ** count
  for (let index = 0; index < total; index++) {
    for (let place = 0, rest = index; place < count; place++) {
      const value = values[rest % values.length]
      if (value !== undefined) columns[place]?.push(value)
      rest = Math.floor(rest / values.length)
    }
  }
  return columns
}

const broadcast: ColumnForm = { isBroadcast: true, isFloat32: false }
const float32: ColumnForm = { isBroadcast: false, isFloat32: true }

/** Every way of broadcasting: bit i of the number says whether column i is. */
function formsOf(columnCount: number): ((column: number) => ColumnForm)[] {
  const masks = Array.from({ length: 2 ** columnCount }, (_, mask) => mask)
  const mixed = masks.map(
    (mask) => (column: number) => (((mask >> column) & 1) === 1 ? broadcast : plainForm),
  )
  return [...mixed, () => float32]
}

async function compare(text: string, cells: readonly (readonly Cell[])[]) {
  const model = await loadGraph(text)
  const graph = graphOf(text)
  const rows = { cells, rowCount: cells[0]?.length ?? 0 }
  for (const formOf of formsOf(cells.length)) {
    // A broadcast cell is the first: many have their turn to be that.
    const turnCount = Math.min(29, Math.max(3, Math.floor(20_000 / rows.rowCount)))
    const step = Math.max(1, Math.floor(rows.rowCount / turnCount))
    for (let turn = 0; turn < rows.rowCount; turn += step) {
      const turned = {
        ...rows,
        cells: cells.map((column) => [...column.slice(turn), ...column.slice(0, turn)]),
      }
      const native = await runNative(model, turned, formOf)
      expect(bitsOf(native)).toEqual(bitsOf(runPlain(graph, turned, formOf)))
    }
  }
}

const inexact = ['exp', 'log']

describe('ops on numbers', () => {
  test.each(unaryOps.filter((op) => !inexact.includes(op)))('%s', async (op) => {
    await compare(graphText(numeric(['a']), `  - { name: result, op: ${op}, of: a }`), [edges])
  })

  test.each([...pairOps, ...foldOps])('%s of two', async (op) => {
    const text = graphText(numeric(['a', 'b']), `  - { name: result, op: ${op}, of: [a, b] }`)
    await compare(text, tuples(edges, 2))
  })

  const few = [NaN, 0, -0, 1, -2.5, Infinity]
  test.each(foldOps)('%s of three, and of constants', async (op) => {
    const three = graphText(
      numeric(['a', 'b', 'c']),
      `  - { name: result, op: ${op}, of: [a, b, c] }`,
    )
    await compare(three, tuples(few, 3))
    for (const constant of ['.nan', '-0.0', '.inf', '3', 'true']) {
      const text = graphText(
        numeric(['a']),
        `  - { name: result, op: ${op}, of: [${constant}, a] }`,
      )
      await compare(text, [edges])
    }
  })

  test('if_else', async () => {
    const text = graphText(
      numeric(['a', 'b', 'c']),
      '  - { name: result, op: if_else, of: [a, b, c] }',
    )
    await compare(text, tuples(few, 3))
  })

  test.each(['low: -1', 'high: 1', 'low: -1, high: 1', 'low: b', 'high: b', 'low: b, high: 0.5'])(
    'clip to %s',
    async (bounds) => {
      const text = graphText(
        numeric(['a', 'b']),
        `  - { name: clipped, op: clip, of: a, ${bounds} }
  - { name: result, op: add, of: [clipped, { b: 0 }] }`.replace(
          '{ b: 0 }',
          bounds.includes('b') ? '0' : 'b',
        ),
      )
      await compare(text, tuples(edges, 2))
    },
  )

  test.each(['[0]', '[-1, 0, 1]', '[-1.0e308, 5.0e-324, 0.5, 1.0e308]'])(
    'bucketize by %s',
    async (bounds) => {
      const text = graphText(
        numeric(['a']),
        `  - { name: result, op: bucketize, of: a, boundaries: ${bounds} }`,
      )
      await compare(text, [edges])
    },
  )

  test.each(inexact)('%s is within 1 of the last place', async (op) => {
    const text = graphText(numeric(['a']), `  - { name: result, op: ${op}, of: a }`)
    const rows = { cells: [edges], rowCount: edges.length }
    const native = await runNative(await loadGraph(text), rows)
    expect(ulpsBetween(native, runPlain(graphOf(text), rows))).toBeLessThanOrEqual(1)
  })

  test.each(['of: a', 'of: { a: -2 }, bias: 0.25'])(
    'logistic %s is within 2 of the last place',
    async (of) => {
      const text = graphText(numeric(['a']), `  - { name: result, op: logistic, ${of} }`)
      const rows = { cells: [edges], rowCount: edges.length }
      const native = await runNative(await loadGraph(text), rows)
      expect(ulpsBetween(native, runPlain(graphOf(text), rows))).toBeLessThanOrEqual(2)
      expect(native.every((x) => Number.isNaN(x) || (x >= 0 && x <= 1))).toBe(true)
    },
  )
})

describe('categories and vectors', () => {
  const category = '  - { name: c, kind: categorical, categories: [x, y, z] }'
  const codes = [NaN, 0, 1, 2, 3, -1, 0.5, -0, Infinity, 2 ** 32]
  const vectors = tuples([NaN, 0, -1, 0.1, 1e200], 3)
  const vectorCells = (vectors[0] ?? []).map((_, row) =>
    vectors.map((column) => column[row] ?? NaN),
  )

  test('is_one_of', async () => {
    await compare(
      graphText(category, '  - { name: result, op: is_one_of, of: c, categories: [z, x] }'),
      [codes],
    )
  })

  test.each(['{ x: 1.5, z: -0.0 }', '[0.1, 0, -7]'])(
    'linear over a category, and its one_hot: %s',
    async (weights) => {
      await compare(
        graphText(category, `  - { name: result, op: linear, of: { c: ${weights} }, bias: -0.0 }`),
        [codes],
      )
      if (weights.startsWith('{')) return
      const hot = `  - { name: h, op: one_hot, of: c }\n  - { name: result, op: linear, of: { h: ${weights} } }`
      await compare(graphText(category, hot), [codes])
      const counted = `  - { name: h, op: one_hot, of: n, count: 3 }\n  - { name: result, op: linear, of: { h: ${weights} } }`
      await compare(graphText(numeric(['n']), counted), [codes])
    },
  )

  test.each(['dot', 'cosine_similarity'])('%s of one_hot and embedding', async (op) => {
    const inputs = `${category}\n  - { name: v, kind: embedding, dim: 3 }`
    const nodes = `  - { name: h, op: one_hot, of: c }\n  - { name: result, op: ${op}, of: [h, v] }`
    const rows = vectorCells.flatMap((vector) => codes.map((code) => ({ code, vector })))
    await compare(graphText(inputs, nodes), [
      rows.map(({ code }) => code),
      rows.map(({ vector }) => vector),
    ])
  })

  const dims = [1, 2, 7, 8, 9, 16, 31, 64]
  test.each(
    dims.flatMap((dim) => [
      { dim, op: 'dot' },
      { dim, op: 'cosine_similarity' },
    ]),
  )('$op of $dim dimensions', async ({ dim, op }) => {
    const inputs = ['a', 'b']
      .map((name) => `  - { name: ${name}, kind: embedding, dim: ${dim} }`)
      .join('\n')
    const pool = [0.1, -7.3, 1e-200, 1e155, 3, -0, 0, 0.7]
    const cellsOf = (step: number) =>
      Array.from({ length: 40 }, (_, row) =>
        Array.from({ length: dim }, (_, i) =>
          row === 0 ? 0 : (pool[(i * step + row) % (row < 30 ? 8 : 2)] ?? NaN),
        ),
      )
    await compare(graphText(inputs, `  - { name: result, op: ${op}, of: [a, b] }`), [
      cellsOf(3),
      cellsOf(5),
    ])
    const weights = Array.from({ length: dim }, (_, i) => i / 3 - 1).join(', ')
    const linear = `  - { name: result, op: linear, of: { a: [${weights}] }, bias: 0.1 }`
    await compare(graphText(inputs, linear), [cellsOf(7)])
  })

  test('two equal vectors are at 1, opposite ones at -1, a zero vector is at NaN', async () => {
    const inputs = ['a', 'b']
      .map((name) => `  - { name: ${name}, kind: embedding, dim: 2 }`)
      .join('\n')
    const model = await loadGraph(
      graphText(inputs, '  - { name: result, op: cosine_similarity, of: [a, b] }'),
    )
    const cells = [
      [
        [3, 4],
        [3, 4],
        [0, 0],
      ],
      [
        [3, 4],
        [-3, -4],
        [1, 0],
      ],
    ]
    expect([...(await runNative(model, { cells, rowCount: 3 }))]).toEqual([1, -1, NaN])
  })
})

describe('ops on lists', () => {
  /** All lists of up to three of the values. */
  const values = [NaN, 0, -0, 1]
  const lists: number[][] = [0, 1, 2, 3].flatMap((count) => {
    const columns = tuples(values, count)
    if (count === 0) return [[]]
    return (columns[0] ?? []).map((_, row) => columns.map((column) => column[row] ?? NaN))
  })
  const listInput = (name: string) =>
    `  - { name: ${name}, kind: list, items: number, length_max: 600 }`
  const listInputs = (...names: string[]) => names.map(listInput).join('\n')
  const pairs = tuples(lists, 2)

  test.each([false, true])('size, unique: %s', async (unique) => {
    await compare(
      graphText(listInputs('a'), `  - { name: result, op: size, of: a, unique: ${unique} }`),
      [lists],
    )
  })

  test.each([false, true])('count_matches of all pairs, unique: %s', async (unique) => {
    const text = graphText(
      listInputs('a', 'b'),
      `  - { name: result, op: count_matches, of: [a, b], unique: ${unique} }`,
    )
    await compare(text, pairs)
  })

  const indices = [0, 1, 2, 3, -1, 0.5, NaN, Infinity, -0, 2 ** 32]
  test.each([false, true])('count_matches_at of all pairs, unique: %s', async (unique) => {
    const inputs = `  - { name: i, kind: numerical }\n${listInputs('a', 'b')}`
    const text = graphText(
      inputs,
      `  - { name: result, op: count_matches_at, at: i, of: [a, b], unique: ${unique} }`,
    )
    const column = (pairs[0] ?? []).map((_, row) => indices[row % 7] ?? NaN)
    await compare(text, [column, ...pairs])
    const short = lists.slice(0, 31)
    const rows = indices.flatMap((index) => short.map((list) => ({ index, list })))
    await compare(text, [
      rows.map(({ index }) => index),
      rows.map(({ list }) => list),
      rows.map(() => [0, 1, 1]),
    ])
  })

  test('count_matches_at over several lists', async () => {
    const small = lists.slice(0, 16)
    const columns = tuples(small, 3)
    for (const unique of [false, true]) {
      const node = `  - { name: result, op: count_matches_at, at: 0, of: [a, b, c, b], unique: ${unique} }`
      await compare(graphText(listInputs('a', 'b', 'c'), node), columns)
    }
  })

  test('item_at', async () => {
    const inputs = `  - { name: i, kind: numerical }\n${listInputs('a')}`
    const rows = indices.flatMap((index) => lists.map((list) => ({ index, list })))
    await compare(graphText(inputs, '  - { name: result, op: item_at, at: i, of: a }'), [
      rows.map(({ index }) => index),
      rows.map(({ list }) => list),
    ])
  })

  // Around the bounds at which short lists are compared, hashed and sorted.
  const counts = [8, 11, 12, 16, 17, 255, 256, 257, 600]
  test.each(counts)('long lists of %d items', async (count) => {
    const cellsOf = (step: number) =>
      Array.from({ length: 6 }, (_, row) =>
        Array.from({ length: count - row }, (_, i) =>
          i % 13 === 5 ? NaN : ((i * step + row) % 97) - (row % 2 === 0 ? 40 : 0.5),
        ),
      )
    for (const [op, of] of [
      ['count_matches', '[a, b]'],
      ['size', 'a'],
    ]) {
      for (const unique of [false, true]) {
        const node = `  - { name: matches, op: ${op}, of: ${of}, unique: ${unique} }`
        const rest =
          '  - { name: other, op: size, of: b }\n  - { name: result, op: add, of: [matches, other] }'
        await compare(graphText(listInputs('a', 'b'), `${node}\n${rest}`), [
          cellsOf(7),
          cellsOf(31),
        ])
      }
    }
  })

  test('the example of the design: item 2 of [1,2,3,4,5] is 3, which occurs once in [2,2,3,4,4,6]', async () => {
    const node = '  - { name: result, op: count_matches_at, at: 2, of: [a, b] }'
    const model = await loadGraph(graphText(listInputs('a', 'b'), node))
    const cells = [[[1, 2, 3, 4, 5]], [[2, 2, 3, 4, 4, 6]]]
    expect([...(await runNative(model, { cells, rowCount: 1 }))]).toEqual([1])
  })
})
