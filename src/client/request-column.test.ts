import { expect, test } from 'vitest'
import { parseFeatureType } from '../feature-type.js'
import type { Column } from '../gen/larder/v1/column.js'
import { column, type RequestValue } from './index.js'
import { readColumn } from './response-column.js'

/** What a daemon would send back for a column that it was sent. */
function roundTrip(sent: Column, type: string, rowCount: number) {
  const read = readColumn({ ...sent, type }, rowCount)
  return Array.from({ length: rowCount }, (_, rowIndex) => read.valueAt(rowIndex))
}

test.each<{ type: string; values: RequestValue[] }>([
  { type: 'bool', values: [true, false] },
  { type: 'int8', values: [-128, 127] },
  { type: 'int16', values: [-32_768, 32_767] },
  { type: 'int32', values: [-2_147_483_648, 2_147_483_647] },
  { type: 'int64', values: [-(2n ** 63n), 2n ** 63n - 1n, 9_007_199_254_740_993n] },
  { type: 'float32', values: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY] },
  { type: 'float64', values: [0.1, -0, Number.NaN, 5e-324, Number.MAX_VALUE] },
  { type: 'string', values: ['', 'ATL', 'Zürich ✈', 'a\u0000b'] },
  { type: 'categorical', values: ['late'] },
  { type: 'bytes', values: [new Uint8Array(0), Uint8Array.of(0, 255)] },
  { type: 'timestamp', values: [0n, -1n, 992_628_000_000_000n] },
  { type: 'list<int32>', values: [[], [1, 2, 3]] },
  { type: 'list<string>', values: [['a', ''], []] },
  { type: 'list<bool>', values: [[true], [false, true]] },
  { type: 'list<int64>', values: [[2n ** 62n]] },
  { type: 'embedding<2, f16>', values: [[0.5, -1]] },
])('$type values come back as they were given', ({ type, values }) => {
  expect(parseFeatureType(type)).toBeDefined()
  const sent = column.fromValues('x', type, values)
  expect(roundTrip(sent, type, values.length)).toEqual(values)
})

test('null and undefined are told apart, and take their place', () => {
  const sent = column.fromValues('x', 'string', ['a', null, undefined, 'b'])
  const read = readColumn({ ...sent, type: 'string' }, 4)
  expect([0, 1, 2, 3].map((rowIndex) => read.statusAt(rowIndex))).toEqual([
    'present',
    'nullValue',
    'notFound',
    'present',
  ])
  expect(roundTrip(sent, 'string', 4)).toEqual(['a', null, null, 'b'])
})

test('a Date is a timestamp, a Float32Array an embedding', () => {
  const time = column.fromValues('t', 'timestamp', [new Date('2001-06-15T18:00:00Z')])
  expect(roundTrip(time, 'timestamp', 1)).toEqual([992_628_000_000_000n])
  const embedding = column.fromValues('e', 'embedding<2, f32>', [Float32Array.of(1, 2)])
  expect(roundTrip(embedding, 'embedding<2, f32>', 1)).toEqual([[1, 2]])
})

test.each<{ type: string; value: RequestValue; problem: string }>([
  { type: 'bool', value: 1, problem: '1 is not true or false (bool)' },
  { type: 'int8', value: 128, problem: '128 is outside -128 to 127 (int8)' },
  { type: 'int16', value: 1.5, problem: '1.5 is not a whole number (int16)' },
  { type: 'int32', value: Number.NaN, problem: 'NaN is not a whole number (int32)' },
  { type: 'int32', value: '7', problem: '"7" is not a whole number (int32)' },
  { type: 'int64', value: 2 ** 53 + 2, problem: 'which is not exact: pass a bigint (int64)' },
  { type: 'int64', value: 2n ** 63n, problem: 'is outside -9223372036854775808 to' },
  { type: 'float32', value: 1e39, problem: '1e+39 is outside' },
  { type: 'float64', value: '0.5', problem: '"0.5" is not a number (float64)' },
  { type: 'string', value: 7, problem: '7 is not a string (string)' },
  { type: 'string', value: 'a\ud800', problem: 'holds half a surrogate pair' },
  { type: 'bytes', value: 'a', problem: '"a" is not a Uint8Array (bytes)' },
  { type: 'timestamp', value: new Date(Number.NaN), problem: 'is not a valid date' },
  { type: 'list<int8>', value: [1, 300], problem: '300 is outside -128 to 127 (list<int8>)' },
  { type: 'list<int8>', value: 1, problem: '1 is not a list (list<int8>)' },
  { type: 'float32', value: [1], problem: '[1] is a list (float32)' },
  { type: 'embedding<3, f32>', value: [1, 2], problem: 'has 2 elements instead of 3' },
])('$value in a column of $type is refused', ({ type, value, problem }) => {
  const refused = () => column.fromValues('delay', type, [null, value])
  expect(refused).toThrow('column "delay", row 1: ')
  expect(refused).toThrow(problem)
})

test('an unknown type is refused', () => {
  expect(() => column.fromValues('x', 'int65', [1])).toThrow('column "x": "int65" is not a type')
})

test.each<{ name: string; wire: Partial<Column>; problem: string }>([
  { name: 'no values', wire: { values: undefined }, problem: 'has no values' },
  { name: 'an unknown type', wire: { type: 'int65' }, problem: 'unknown type "int65"' },
  {
    name: 'too few cells',
    wire: { values: { $case: 'f32', value: Buffer.alloc(4) } },
    problem: 'holds 1 cells instead of 2',
  },
  { name: 'too few statuses', wire: { status: Buffer.alloc(1) }, problem: 'holds 2 cells' },
])('an answer with $name is told as broken', ({ wire, problem }) => {
  const whole: Column = {
    name: 'x',
    type: 'float32',
    values: { $case: 'f32', value: Buffer.alloc(8) },
    status: Buffer.alloc(0),
    hasValue: Buffer.alloc(0),
  }
  expect(() => readColumn({ ...whole, ...wire }, 2)).toThrow(problem)
})
