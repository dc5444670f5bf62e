import { expect, test } from 'vitest'
import { createListCells } from './list-cells.js'

const nan = Number.NaN

test('an embedding is a JSON array of its dimension; an empty cell is missing', () => {
  const cells = createListCells({ kind: 'embedding', dim: 2 })
  expect(['[1, 2.5]', '', '[null, "-inf"]'].map((cell) => cells.append(cell))).toEqual([
    true,
    true,
    true,
  ])
  expect(cells.take()).toEqual({
    values: Float64Array.of(1, 2.5, nan, nan, nan, Number.NEGATIVE_INFINITY),
    lengths: Uint32Array.of(2, 2, 2),
  })
  expect(cells.take()).toEqual({ values: new Float64Array(), lengths: new Uint32Array() })
})

test('texts of lists become numbers that are equal where the texts are', () => {
  const cells = createListCells({ kind: 'list', items: 'text', itemsMax: 3 })
  for (const cell of ['["a", "b", "a"]', '[]', '["b"]']) expect(cells.append(cell)).toBe(true)
  expect(cells.take()).toEqual({
    values: Float64Array.of(0, 1, 0, 1),
    lengths: Uint32Array.of(3, 0, 1),
  })
})

test.each([
  ['embedding of 2', '[1]'],
  ['embedding of 2', '[1, 2, 3]'],
  ['embedding of 2', '1'],
  ['embedding of 2', '[1, 2'],
  ['embedding of 2', '{"0": 1}'],
  ['embedding of 2', '[1, "x"]'],
  ['embedding of 2', '[1, [2]]'],
  ['list of texts', '[1]'],
  ['list of texts', '["a", "b", "c", "d"]'],
])('%s: %s is refused', (what, cell) => {
  const cells =
    what === 'list of texts'
      ? createListCells({ kind: 'list', items: 'text', itemsMax: 3 })
      : createListCells({ kind: 'embedding', dim: 2 })
  expect(cells.append(cell)).toBe(false)
})

test('what is expected is told', () => {
  expect([
    createListCells({ kind: 'list', items: 'text', itemsMax: 3 }).expected,
    createListCells({ kind: 'embedding', dim: 2 }).expected,
  ]).toEqual(['a JSON array of up to 3 texts', 'a JSON array of 2 numbers'])
})
