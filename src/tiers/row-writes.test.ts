import { expect, test } from 'vitest'
import { entry, formOf, writesOf } from '../../test/support/tier-rows.js'
import { allIndices, assertRows, planSteps } from './row-writes.js'

/** Rows of the given sizes; a row is never shorter than its header. */
function writesOfSizes(rowBytes: readonly number[]) {
  return writesOf(
    rowBytes.map((bytes, index) =>
      entry({ generation: 1, key: `${index}`, body: Buffer.alloc(bytes - 17) }),
    ),
  )
}

test.each([
  { title: 'no rows', rowBytes: [], steps: [] },
  { title: 'rows at the bound on rows', rowBytes: [20, 20, 20], steps: [[0, 1, 2]] },
  { title: 'a row over the bound on rows', rowBytes: [20, 20, 20, 20], steps: [[0, 1, 2], [3]] },
  { title: 'bytes at the bound', rowBytes: [60, 40, 20], steps: [[0, 1], [2]] },
  { title: 'a byte over the bound', rowBytes: [60, 41], steps: [[0], [1]] },
  { title: 'a row longer than the bound', rowBytes: [20, 500, 20], steps: [[0], [1], [2]] },
])('$title', ({ rowBytes, steps }) => {
  const writes = writesOfSizes(rowBytes)
  const planned = planSteps(writes, allIndices(rowBytes.length), { rowsMax: 3, bytesMax: 100 })
  expect(planned.map((step) => [...step])).toEqual(steps)
})

test.each([
  {
    title: 'ends at the last border',
    borders: [2],
    steps: [
      [0, 1],
      [2, 3, 4],
    ],
  },
  {
    title: 'ends at the last of several',
    borders: [1, 2],
    steps: [
      [0, 1],
      [2, 3, 4],
    ],
  },
  {
    title: 'ends at its bound where there is none',
    borders: [],
    steps: [
      [0, 1, 2],
      [3, 4],
    ],
  },
  {
    title: 'does not end early for nothing',
    borders: [4],
    steps: [
      [0, 1, 2],
      [3, 4],
    ],
  },
  {
    title: 'may end at every row',
    borders: [1, 2, 3, 4],
    steps: [
      [0, 1, 2],
      [3, 4],
    ],
  },
])('a step $title', ({ borders, steps }) => {
  const writes = writesOfSizes([20, 20, 20, 20, 20])
  const bounds = { rowsMax: 3, bytesMax: 100 }
  const planned = planSteps(writes, allIndices(5), bounds, (position) => borders.includes(position))
  expect(planned.map((step) => [...step])).toEqual(steps)
})

test('steps follow the order given', () => {
  const order = Uint32Array.of(3, 1, 0, 2)
  const planned = planSteps(writesOfSizes([20, 20, 20, 20]), order, { rowsMax: 3, bytesMax: 100 })
  expect(planned.map((step) => [...step])).toEqual([[3, 1, 0], [2]])
})

test('a row of a layout that its form does not know is found before any store sees it', () => {
  const form = formOf(new Map())
  const newer = { ...entry({ generation: 1, key: 'k', layoutId: 3 }), form }
  expect(() => assertRows(writesOf([newer]))).toThrow('layout 3 of a stored row is not known')
})

test.each([
  {
    title: 'bytes that are no row',
    broken: { rows: new Uint8Array(4), rowOffsets: Uint32Array.of(0, 4) },
    message: 'a row of 4 bytes has no whole version',
  },
  {
    title: 'a row too few',
    broken: { rowOffsets: Uint32Array.of(0) },
    message: 'every key of a write has a row',
  },
  {
    title: 'no time to keep it',
    broken: { keepMs: new Float64Array() },
    message: 'every row of a write has a time to keep it',
  },
])('$title is found before any store sees it', ({ broken, message }) => {
  expect(() => assertRows({ ...writesOfSizes([20]), ...broken })).toThrow(message)
})
