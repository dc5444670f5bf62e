import { expect, test } from 'vitest'
import type { CellValue } from '../client/index.js'
import { parseFeatureType } from '../feature-type.js'
import { formatCell, jsonCell } from './print.js'

test.each<{ type: string; value: CellValue; text: string }>([
  { type: 'float32', value: Math.fround(0.1), text: '0.1' },
  { type: 'float64', value: Math.fround(0.1), text: '0.10000000149011612' },
  { type: 'int32', value: 7, text: '7' },
  { type: 'int64', value: 9_007_199_254_740_993n, text: '9007199254740993' },
  { type: 'timestamp', value: 1_557_057_600_123_456n, text: '2019-05-05T12:00:00.123456Z' },
  { type: 'timestamp', value: 2n ** 63n - 1n, text: '9223372036854775807 us' },
  { type: 'list<timestamp>', value: [0n], text: '[1970-01-01T00:00:00Z]' },
  { type: 'float64', value: -0, text: '-0' },
  { type: 'list<float32>', value: [-0, 0], text: '[-0, 0]' },
  { type: 'list<float32>', value: [Math.fround(0.7), Number.NaN], text: '[0.7, NaN]' },
  { type: 'embedding<2, f16>', value: [0.099975586, 1], text: '[0.099975586, 1]' },
  { type: 'bytes', value: Uint8Array.of(104, 105), text: 'aGk=' },
  { type: 'string', value: null, text: '-' },
])('$type $value is shown as $text', ({ type, value, text }) => {
  expect(formatCell(value, typeOf(type))).toBe(text)
})

test.each<{ type: string; value: CellValue; json: CellValue }>([
  { type: 'float32', value: Math.fround(0.1), json: 0.1 },
  { type: 'float64', value: Math.fround(0.1), json: Math.fround(0.1) },
  { type: 'list<float32>', value: [Math.fround(0.7)], json: [0.7] },
  { type: 'timestamp', value: 5n, json: 5n },
  { type: 'float32', value: null, json: null },
])('$type $value is $json in JSON', ({ type, value, json }) => {
  expect(jsonCell(value, typeOf(type))).toEqual(json)
})

function typeOf(text: string) {
  const type = parseFeatureType(text)
  if (type === undefined) throw new RangeError(`${text} is a type`)
  return type
}
