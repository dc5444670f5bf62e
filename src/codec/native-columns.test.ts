import { expect, test } from 'vitest'
import type { WireColumn } from '../column.js'
import { nativeColumns } from './native-columns.js'

test('columns are a number and their arrays in order, which are not copied', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((count) => new Uint8Array(count))
  const columns = [
    { name: 'x', values: { class: 'f64', bytes: a }, status: undefined },
    { name: 'y', values: { class: 'var', data: b, lengths: c }, status: d },
    {
      name: 'z',
      values: { class: 'list', lengths: a, elements: { class: 'var', data: b, lengths: c } },
      status: undefined,
    },
    // Every array is there: the type only cannot tell.
  ] as WireColumn[]
  const { forms, parts } = nativeColumns(columns)
  expect([...forms]).toEqual([1 + 8, 3 + 8 * 3 + 64, 4 + 8 * 3])
  expect(parts).toEqual([a, b, c, d, a, b, c])
  expect(parts[0]).toBe(a)
})
