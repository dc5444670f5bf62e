import { expect, test } from 'vitest'
import { LarderError } from '../errors.js'
import { type FeatureType, parseFeatureType } from '../feature-type.js'
import { decodeDefault, encodeDefault, parseDefault } from './default-value.js'

function typeOf(text: string): FeatureType {
  const type = parseFeatureType(text)
  if (type === undefined) throw new LarderError('invalid_argument', `no type ${text}`)
  return type
}

test.each([
  { type: 'bool', value: true, parsed: true, json: true },
  { type: 'int8', value: -128, parsed: -128, json: -128 },
  { type: 'int16', value: 32_767, parsed: 32_767, json: 32_767 },
  { type: 'int32', value: -2_147_483_648, parsed: -2_147_483_648, json: -2_147_483_648 },
  { type: 'int64', value: 7, parsed: 7n, json: '7' },
  { type: 'int64', value: 2n ** 63n - 1n, parsed: 2n ** 63n - 1n, json: '9223372036854775807' },
  { type: 'float32', value: 0.1, parsed: Math.fround(0.1), json: Math.fround(0.1) },
  {
    type: 'float32',
    value: 3.4028235e38,
    parsed: 2 ** 127 * (2 - 2 ** -23),
    json: 2 ** 127 * (2 - 2 ** -23),
  },
  { type: 'float64', value: 2n ** 60n, parsed: 2 ** 60, json: 2 ** 60 },
  { type: 'float64', value: Number.NaN, parsed: Number.NaN, json: 'NaN' },
  { type: 'float64', value: -Infinity, parsed: -Infinity, json: '-Infinity' },
  { type: 'float64', value: -0, parsed: -0, json: '-0' },
  { type: 'string', value: '-0', parsed: '-0', json: '-0' },
  { type: 'string', value: '', parsed: '', json: '' },
  { type: 'categorical', value: 'a', parsed: 'a', json: 'a' },
  { type: 'bytes', value: 'AAEC/w==', parsed: new Uint8Array([0, 1, 2, 255]), json: 'AAEC/w==' },
  { type: 'bytes', value: '', parsed: new Uint8Array(), json: '' },
  { type: 'timestamp', value: '1970-01-01T00:00:01Z', parsed: 1_000_000n, json: '1000000' },
  { type: 'timestamp', value: -5, parsed: -5n, json: '-5' },
  { type: 'list<int32>', value: [], parsed: [], json: [] },
  {
    type: 'list<int64>',
    value: [1, 2n ** 60n],
    parsed: [1n, 2n ** 60n],
    json: ['1', '1152921504606846976'],
  },
  { type: 'embedding<2, f16>', value: [0.5, 65_504], parsed: [0.5, 65_504], json: [0.5, 65_504] },
])('the default $value of a $type, to JSON and back', ({ type: text, value, parsed, json }) => {
  const type = typeOf(text)
  const found = parseDefault(type, value)
  expect(found).toEqual(parsed)
  expect(encodeDefault(found)).toEqual(json)
  expect(decodeDefault(type, encodeDefault(found))).toEqual(found)
})

test.each([
  { type: 'bool', value: 1, message: 'the default 1 does not fit bool: it must be true or false' },
  {
    type: 'int8',
    value: 128,
    message: 'the default 128 does not fit int8: it must be a whole number between -128 and 127',
  },
  {
    type: 'int16',
    value: 1.5,
    message:
      'the default 1.5 does not fit int16: it must be a whole number between -32768 and 32767',
  },
  {
    type: 'int32',
    value: 2n ** 53n,
    message:
      'the default 9007199254740992 does not fit int32: it must be a whole number between -2147483648 and 2147483647',
  },
  {
    type: 'int64',
    value: 2n ** 63n,
    message:
      'the default 9223372036854775808 does not fit int64: it must be a whole number between -9223372036854775808 and 9223372036854775807',
  },
  {
    type: 'int64',
    value: '7',
    message:
      'the default "7" does not fit int64: it must be a whole number between -9223372036854775808 and 9223372036854775807',
  },
  {
    type: 'float32',
    value: 3.5e38,
    message:
      'the default 3.5e+38 does not fit float32: it must be a number between -3.4028234663852886e+38 and 3.4028234663852886e+38',
  },
  {
    type: 'float64',
    value: 2n ** 53n + 1n,
    message:
      'the default 9007199254740993 does not fit float64: it must be a number, if whole one that float64 holds exactly',
  },
  {
    type: 'float32',
    value: 10n ** 400n,
    message: `the default 1${'0'.repeat(400)} does not fit float32: it must be a number between -3.4028234663852886e+38 and 3.4028234663852886e+38`,
  },
  {
    type: 'float64',
    value: null,
    message:
      'the default of nothing does not fit float64: it must be a number, if whole one that float64 holds exactly',
  },
  {
    type: 'string',
    value: 5,
    message: 'the default 5 does not fit string: it must be text of at most 262144 bytes',
  },
  {
    type: 'string',
    value: 'ä'.repeat(131_073),
    message: `the default "${'ä'.repeat(80)}…" does not fit string: it must be text of at most 262144 bytes`,
  },
  {
    type: 'bytes',
    value: 'AAE',
    message: 'the default "AAE" does not fit bytes: it must be base64 text of at most 262144 bytes',
  },
  {
    type: 'timestamp',
    value: 'now',
    message: '"now" is not an instant: write it like 2001-06-15T18:00:00Z',
  },
  {
    type: 'list<int8>',
    value: 1,
    message: 'the default 1 does not fit list<int8>: it must be a list of at most 65536 elements',
  },
  {
    type: 'list<int8>',
    value: [1, 200],
    message: 'the default 200 does not fit int8: it must be a whole number between -128 and 127',
  },
  {
    type: 'embedding<3, f32>',
    value: [1, 2],
    message: 'the default list of 2 does not fit embedding<3, f32>: it must be a list of 3 numbers',
  },
  {
    type: 'embedding<1, f16>',
    value: [65_505],
    message:
      'the default 65505 does not fit an element of f16: it must be a number between -65504 and 65504',
  },
])('$value as a default of a $type is refused', ({ type, value, message }) => {
  expect(() => parseDefault(typeOf(type), value)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message }),
  )
})
