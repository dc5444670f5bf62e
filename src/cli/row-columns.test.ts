import { describe, expect, test } from 'vitest'
import { column, type RequestColumn, type RequestValue } from '../client/index.js'
import { readColumn } from '../client/response-column.js'
import { bytesOfColumn, concatColumns, createRowTaker } from './row-columns.js'

const cases: readonly { type: string; values: RequestValue[] }[] = [
  { type: 'bool', values: [true, false, null, true] },
  { type: 'int16', values: [-32_768, 0, 32_767, null] },
  { type: 'int32', values: [1, -2_147_483_648, 3, 4] },
  { type: 'int64', values: [-(2n ** 63n), 2n ** 63n - 1n, null, 0n] },
  { type: 'float32', values: [1.5, Number.POSITIVE_INFINITY, -0, null] },
  { type: 'float64', values: [0.1, null, -1e308, 5e-324] },
  { type: 'string', values: ['a', '', 'größer', null] },
  { type: 'timestamp', values: [1n, null, 3n, 4n] },
  { type: 'list<int64>', values: [[], [1n, 2n], null, [3n]] },
  { type: 'list<string>', values: [['x', ''], null, [], ['yz']] },
  { type: 'embedding<2, f16>', values: [[1, 2], [3, 4], [5, 6], null] },
]

function columnOf(type: string, values: readonly RequestValue[]): RequestColumn {
  return column.fromValues('c', type, values)
}

function valuesOf(type: string, rowCount: number, source: RequestColumn) {
  const read = readColumn({ ...source, type }, rowCount)
  return Array.from({ length: rowCount }, (_, row) => read.valueAt(row))
}

describe.each(cases)('columns of $type', ({ type, values }) => {
  test('rows are taken in any order, and more than once', () => {
    const rows = Uint32Array.of(3, 1, 1, 0, 2)
    const taken = createRowTaker(columnOf(type, values))(rows)
    const expected = Array.from(rows, (row) => values[row])
    expect(valuesOf(type, rows.length, taken)).toEqual(expected)
  })

  test('no rows are an empty column', () => {
    const taken = createRowTaker(columnOf(type, values))(new Uint32Array(0))
    expect(valuesOf(type, 0, taken)).toEqual([])
  })

  test('pieces come one behind the other', () => {
    const pieces = [values.slice(0, 1), [], values.slice(1)].map((part) => columnOf(type, part))
    expect(valuesOf(type, values.length, concatColumns(pieces))).toEqual(values)
  })
})

test('a NaN keeps its payload', () => {
  const words = Uint32Array.of(0x7fc0_1234, 0xffa0_0001)
  const source = column.fromWire('c', { $case: 'f32', value: Buffer.from(words.buffer) })
  const taken = createRowTaker(concatColumns([source]))(Uint32Array.of(1, 0))
  expect(taken.values).toEqual({
    $case: 'f32',
    value: Buffer.from(Uint32Array.of(0xffa0_0001, 0x7fc0_1234).buffer),
  })
})

test('cells that are not aligned are read all the same', () => {
  const bytes = Buffer.alloc(9)
  bytes.writeDoubleLE(0.1, 1)
  const source = column.fromWire('c', { $case: 'f64', value: bytes.subarray(1) })
  expect(valuesOf('float64', 1, createRowTaker(source)(Uint32Array.of(0)))).toEqual([0.1])
})

test('bytes are those of values, lengths and statuses', () => {
  expect(bytesOfColumn(columnOf('string', ['abc', null]))).toBe(3 + 8 + 2)
  expect(bytesOfColumn(columnOf('list<int32>', [[1, 2], []]))).toBe(8 + 16)
})

test('columns of different classes are not one column', () => {
  expect(() => concatColumns([columnOf('int32', [1]), columnOf('int64', [1n])])).toThrow(
    'one class',
  )
})
