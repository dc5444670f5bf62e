import { expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import { codeOf, codeOfDefault, createCategoryCodes } from './category-codes.js'

test.each([
  ['int32', [3, 5, 8], 5, 1],
  ['float64', [3.0, 4.5], 4.5, 1],
  ['float64', [3, 5], 3.0, 0],
  ['float64', [0, 1], -0, 0],
  ['float64', [-0, 1], 0, 0],
  ['float64', [1, Number.MAX_VALUE], Number.MAX_VALUE, 1],
  ['float32', [0.5, 0.1], 0.5, 0],
  ['bool', [false, true], 1, 1],
  ['bool', [true, false], 0, 1],
  ['int8', [false, true], 1, 1],
  ['string', ['ORD', 'JFK'], 'JFK', 1],
  ['categorical', ['größer', ''], '', 1],
  ['string', [3, 5], '5', 1],
  ['int64', [Number.MAX_SAFE_INTEGER], Number.MAX_SAFE_INTEGER, 0],
])('a %s of the categories %j: %j has code %d', (type, categories, value, code) => {
  expect(codeOf(createCategoryCodes(declaredType(type), categories), value)).toBe(code)
})

test.each([
  ['int32', [3, 5], 4],
  ['int32', [3, 5], Number.NaN],
  ['int32', [], 0],
  ['string', ['ORD'], 'ord'],
  ['string', ['ORD'], ''],
  ['string', ['NaN'], 'nan'],
  // As in pandas, 0.1 as a float32 is another number than 0.1.
  ['float32', [0.1], Math.fround(0.1)],
])('a %s of the categories %j: %j is missing', (type, categories, value) => {
  expect(codeOf(createCategoryCodes(declaredType(type), categories), value)).toBeNaN()
})

test.each([
  ['int32', ['ORD', 'JFK'], 'its category "ORD" is text, which no int32 is'],
  ['float64', [1, '2'], 'its category "2" is text, which no float64 is'],
  ['bool', [''], 'its category "" is text, which no bool is'],
  ['string', ['yes', true], 'its category true is not text, as the input is (string)'],
  ['string', ['a', 'b', 'a'], 'its category "a" is there twice'],
  ['string', ['3', 3], 'its category 3 is there twice'],
  ['int8', [1, true], 'its category true is there twice'],
  ['float64', [0, -0], 'its category 0 is there twice'],
  [
    'int64',
    [2 ** 53],
    'its category 9007199254740992 is beyond 2^53: the file does not tell it from its neighbours',
  ],
])('a %s cannot have the categories %j', (type, categories, message) => {
  expect(() => createCategoryCodes(declaredType(type), categories)).toThrow(
    expect.objectContaining({ code: 'bad_model', message }),
  )
})

test.each([
  ['bool', [true, false], true, 0],
  ['bool', [true, false], false, 1],
  ['int32', [3, 5], 5, 1],
  ['int64', [3, 5], 5n, 1],
  ['int64', [3, 5], 4n, undefined],
  ['int64', [3, 5], 2n ** 63n - 1n, undefined],
  ['int32', [3, 5], '3', undefined],
  ['string', ['ORD'], 'ORD', 0],
  ['string', ['ORD'], 'JFK', undefined],
  ['string', [3, 5], 5, 1],
  ['string', ['true'], true, undefined],
  ['string', ['ORD'], Buffer.from('ORD'), undefined],
  ['string', ['ORD'], ['ORD'], undefined],
] as const)('a %s of the categories %j: the default %s has code %s', (type, list, value, code) => {
  const codes = createCategoryCodes(declaredType(type), list)
  expect(codeOfDefault(codes, value, declaredType(type))).toBe(code)
})
