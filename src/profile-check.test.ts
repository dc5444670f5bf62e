import { expect, test } from 'vitest'
import { assert } from './assert.js'
import type { CodeClass, FeatureEncoding, SymbolMapping } from './encoding-profile.js'
import { parseFeatureType } from './feature-type.js'
import { dictionaryBytesMax, dictionaryValuesMax } from './limits.js'
import { checkProfile } from './profile-check.js'

function range(prefixBits: number, base: bigint, width: number, exponent = 0): CodeClass {
  return { kind: 'range', prefixBits, base, width, exponent }
}
const one = [range(0, 0n, 8)]
const literalOnly: readonly CodeClass[] = [{ kind: 'literal', prefixBits: 0 }]
const integer: SymbolMapping = { kind: 'integer', unit: 1n }
const decimal: SymbolMapping = { kind: 'decimal' }
const floatBits: SymbolMapping = { kind: 'float_bits', shift: 15 }

function coded(mapping: SymbolMapping, classes: readonly CodeClass[] = one): FeatureEncoding {
  return { kind: 'coded', coding: { mapping, classes } }
}
function packed(
  mapping: SymbolMapping,
  {
    lengths = one,
    classes = one,
  }: Partial<Record<'lengths' | 'classes', readonly CodeClass[]>> = {},
): FeatureEncoding {
  return { kind: 'packed_list', lengths, elements: { mapping, classes } }
}
function dictionary(...values: readonly (string | Uint8Array)[]): SymbolMapping {
  return {
    kind: 'dictionary',
    values: values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)),
  }
}
function block(lengths: readonly CodeClass[], lz4BytesMin?: number): FeatureEncoding {
  return { kind: 'block', lengths, lz4BytesMin }
}

function check(typeText: string, encoding: FeatureEncoding): void {
  const type = parseFeatureType(typeText)
  assert(type !== undefined, `${typeText} is a type`)
  checkProfile({ id: 0, sampleRowCount: 1, encodings: new Map([[12, encoding]]) }, [
    { id: 12, type },
  ])
}

test.each<[string, FeatureEncoding]>([
  ['bool', coded(integer)],
  ['int64', coded(integer, [range(0, -(2n ** 63n), 64)])],
  ['timestamp', coded({ kind: 'integer', unit: 60_000_000n })],
  ['float32', coded(decimal, [range(0, -(2n ** 53n), 53, -22)])],
  ['float64', coded({ kind: 'float_bits', shift: 63 })],
  ['string', coded(dictionary('a', 'é'))],
  ['bytes', coded(dictionary(Uint8Array.of(0xff)))],
  ['list<string>', packed(dictionary(), { classes: literalOnly })],
  ['list<float64>', packed({ kind: 'float_bits', shift: 32 })],
  ['embedding<3, f32>', packed(decimal)],
  ['embedding<3, f16>', packed(floatBits)],
  ['embedding<3, int8>', packed(integer)],
  ['embedding<3, f32>', block(one)],
  ['categorical', block([range(1, 0n, 32), { kind: 'null', prefixBits: 1 }], 1)],
  ['list<int8>', { kind: 'plain' }],
])('an encoding of %s passes', (typeText, encoding) => {
  expect(() => check(typeText, encoding)).not.toThrow()
})

const many = Array.from({ length: 33 }, (_, index) => range(10, BigInt(index), 0))
const full = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11].map((bits) => range(bits, 0n, 1))

test.each<[string, string, FeatureEncoding, string]>([
  ['coded lists', 'list<int8>', coded(integer), 'coded is not for list<int8>'],
  ['packed scalars', 'int8', packed(integer), 'packed_list is not for int8'],
  ['blocks of numbers', 'float32', block(one), 'block is not for float32'],
  ['decimals of integers', 'int32', coded(decimal), 'decimal is not for int32'],
  ['a dictionary of floats', 'float32', coded(dictionary('a')), 'dictionary is not for float32'],
  [
    'decimals of halves',
    'embedding<3, f16>',
    packed(decimal),
    'decimal is not for embedding<3, f16>',
  ],
  ['a unit of 0', 'int64', coded({ kind: 'integer', unit: 0n }), 'unit is 0'],
  ['a unit of 64 bits', 'int64', coded({ kind: 'integer', unit: 2n ** 63n }), 'unit is'],
  ['a shift of all bits', 'float32', coded({ kind: 'float_bits', shift: 32 }), 'not 0 to 31'],
  ['a shift of a whole half', 'embedding<3, f16>', packed({ kind: 'float_bits', shift: 16 }), '15'],
  ['no classes', 'int8', coded(integer, []), '0 classes, not 1 to 32'],
  ['too many classes', 'int8', coded(integer, many), '33 classes'],
  ['a prefix for one class', 'int8', coded(integer, [range(1, 0n, 8)]), 'for the only class'],
  ['prefixes of more than 10 bits', 'int8', coded(integer, full), 'prefix of 11 bits'],
  [
    'no prefix among several',
    'int8',
    coded(integer, [range(0, 0n, 8), range(1, 0n, 8)]),
    'prefix of 0',
  ],
  [
    'codes out of order',
    'int8',
    coded(
      integer,
      [2, 1, 2].map((b) => range(b, 0n, 1)),
    ),
    'order',
  ],
  [
    'codes with a hole',
    'int8',
    coded(
      integer,
      [1, 2].map((b) => range(b, 0n, 1)),
    ),
    '768 / 1024',
  ],
  [
    'too many codes',
    'int8',
    coded(
      integer,
      [1, 1, 2].map((b) => range(b, 0n, 1)),
    ),
    '1280 / 1024',
  ],
  ['65 bits', 'int64', coded(integer, [range(0, 0n, 65)]), 'width is 65'],
  ['a base of 65 bits', 'int64', coded(integer, [range(0, 2n ** 63n, 1)]), '64 bits'],
  ['an exponent of integers', 'int8', coded(integer, [range(0, 0n, 8, 1)]), 'exponent is 1'],
  ['an inexact exponent', 'float64', coded(decimal, [range(0, 0n, 8, 23)]), 'exponent is 23'],
  ['an inexact decimal', 'float64', coded(decimal, [range(0, 2n ** 53n, 1)]), 'not within'],
  [
    'two null classes',
    'int8',
    coded(integer, [
      { kind: 'null', prefixBits: 1 },
      { kind: 'null', prefixBits: 1 },
    ]),
    'two null classes',
  ],
  ['too many values', 'string', coded(numbered(dictionaryValuesMax + 1)), '4097 values'],
  [
    'too long values',
    'string',
    coded(dictionary('x'.repeat(dictionaryBytesMax + 1))),
    '65537 bytes',
  ],
  ['equal values', 'string', coded(dictionary('a', 'a')), 'twice'],
  ['text that is not UTF-8', 'string', coded(dictionary(Uint8Array.of(0xff))), 'not UTF-8'],
  [
    'null elements',
    'list<int8>',
    packed(integer, { classes: [range(1, 0n, 8), { kind: 'null', prefixBits: 1 }] }),
    'elements: a null class',
  ],
  [
    'literal lengths',
    'list<int8>',
    packed(integer, { lengths: literalOnly }),
    'lengths: a literal',
  ],
  [
    'negative lengths',
    'string',
    block([range(0, -1n, 3)]),
    'lengths: class 0: symbols are -1 to 6',
  ],
  ['lengths over 32 bits', 'string', block([range(0, 1n, 32)]), 'lengths: class 0'],
  ['an LZ4 bound of 0', 'string', block(one, 0), 'lz4BytesMin is 0'],
])('%s are refused', (_, typeText, encoding, message) => {
  expect(() => check(typeText, encoding)).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: expect.stringMatching(new RegExp(`feature 12: .*${escaped(message)}`)),
      details: { featureId: 12 },
    }),
  )
})

test('an encoding of no feature is refused', () => {
  const profile = { id: 0, sampleRowCount: 1, encodings: new Map([[12, coded(integer)]]) }
  expect(() => checkProfile(profile, [])).toThrow(/feature 12: no feature/)
})

function numbered(valueCount: number): SymbolMapping {
  return dictionary(...Array.from({ length: valueCount }, (_, index) => String(index)))
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
