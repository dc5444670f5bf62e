import { expect, test } from 'vitest'
import { parseAssignments, parseNumber, parseValue } from './parse-value.js'

test.each([
  { type: 'bool', text: 'true', value: true },
  { type: 'int8', text: '-7', value: -7n },
  { type: 'int64', text: '9007199254740993', value: 9_007_199_254_740_993n },
  { type: 'float32', text: '1e-3', value: 0.001 },
  { type: 'float64', text: '-inf', value: Number.NEGATIVE_INFINITY },
  { type: 'float64', text: 'NaN', value: Number.NaN },
  { type: 'string', text: '007', value: '007' },
  { type: 'categorical', text: '', value: '' },
  { type: 'bytes', text: 'aGk=', value: Buffer.from('hi') },
  { type: 'timestamp', text: '2001-06-15T18:00:00Z', value: 992_628_000_000_000n },
  { type: 'timestamp', text: '2001-06-15T20:00:00.5+02:00', value: 992_628_000_500_000n },
  { type: 'timestamp', text: '42', value: 42n },
  { type: 'list<int64>', text: '[1, 9007199254740993]', value: [1n, 9_007_199_254_740_993n] },
  { type: 'list<float32>', text: '[]', value: [] },
  { type: 'list<string>', text: '["a", "b,c"]', value: ['a', 'b,c'] },
  { type: 'embedding<2, f32>', text: '[0.5, nan]', value: [0.5, Number.NaN] },
])('$text is read as $type', ({ type, text, value }) => {
  expect(parseValue('x', type, text)).toEqual(value)
})

test.each([
  { type: 'bool', text: 'yes' },
  { type: 'int32', text: '1.5' },
  { type: 'int32', text: '' },
  { type: 'float64', text: '0x10' },
  { type: 'float64', text: '1,5' },
  { type: 'bytes', text: '***' },
  { type: 'timestamp', text: '2001-02-30T00:00:00Z' },
  { type: 'timestamp', text: '2001-06-15' },
  { type: 'list<int32>', text: '1, 2' },
  { type: 'list<int32>', text: '[1,]' },
  { type: 'list<string>', text: '["a", 1]' },
])('$text is no $type', ({ type, text }) => {
  const shown = JSON.stringify(text)
  expect(() => parseValue('key x', type, text)).toThrow(
    `key x: ${shown} is not a value of type ${type}, such as `,
  )
})

test.each([
  { text: '1', value: 1 },
  { text: '-.5', value: -0.5 },
  { text: '3.', value: 3 },
  { text: 'Infinity', value: Number.POSITIVE_INFINITY },
  { text: '', value: undefined },
  { text: '1_000', value: undefined },
  { text: 'infinite', value: undefined },
])('"$text" as a number is $value', ({ text, value }) => {
  expect(parseNumber(text)).toBe(value)
})

test('assignments keep their order, and an equals sign in the value', () => {
  const values = parseAssignments('--key', ['a=1', 'b=x=y', 'a=2'])
  expect([...values]).toEqual([
    ['a', ['1', '2']],
    ['b', ['x=y']],
  ])
})

test.each(['a', '=1', ''])('"%s" is no assignment', (text) => {
  expect(() => parseAssignments('--key', [text])).toThrow('is not of the form name=value')
})
