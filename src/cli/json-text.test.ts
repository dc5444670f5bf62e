import { expect, test } from 'vitest'
import { type JsonInput, jsonText } from './json-text.js'

test.each<{ value: JsonInput; plain: unknown }>([
  { value: 7n, plain: 7 },
  { value: 9_007_199_254_740_993n, plain: '9007199254740993' },
  { value: -9_007_199_254_740_993n, plain: '-9007199254740993' },
  { value: Number.NaN, plain: 'NaN' },
  { value: Number.NEGATIVE_INFINITY, plain: '-Infinity' },
  { value: Uint8Array.of(104, 105), plain: 'aGk=' },
  { value: [null, undefined, true], plain: [null, null, true] },
  { value: { a: undefined, b: null, c: { d: [1n] } }, plain: { b: null, c: { d: [1] } } },
])('$value', ({ value, plain }) => {
  expect(JSON.parse(jsonText(value))).toEqual(plain)
})
