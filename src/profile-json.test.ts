import { expect, test } from 'vitest'
import type { CodeClass, EncodingProfile, FeatureEncoding } from './encoding-profile.js'
import { profileJsonBytesMax } from './limits.js'
import { encodeProfile, parseProfile, parseProfileText } from './profile-json.js'

const classes: readonly CodeClass[] = [
  { kind: 'range', prefixBits: 1, base: -(2n ** 63n), width: 64, exponent: 0 },
  { kind: 'null', prefixBits: 2 },
  { kind: 'literal', prefixBits: 2 },
]
const lengths: readonly CodeClass[] = [
  { kind: 'range', prefixBits: 0, base: 0n, width: 5, exponent: 0 },
]
const decimals: readonly CodeClass[] = [
  { kind: 'range', prefixBits: 0, base: 100n, width: 10, exponent: -3 },
]

const encodings: readonly FeatureEncoding[] = [
  { kind: 'plain' },
  { kind: 'coded', coding: { mapping: { kind: 'integer', unit: 1_000_000n }, classes } },
  { kind: 'coded', coding: { mapping: { kind: 'decimal' }, classes: decimals } },
  { kind: 'coded', coding: { mapping: { kind: 'float_bits', shift: 3 }, classes } },
  {
    kind: 'coded',
    coding: {
      mapping: { kind: 'dictionary', values: [Buffer.from('Zürich'), Buffer.from('')] },
      classes,
    },
  },
  {
    kind: 'packed_list',
    lengths,
    elements: {
      mapping: { kind: 'dictionary', values: [Buffer.from([0xff, 0]), Buffer.from('a')] },
      classes: [{ kind: 'literal', prefixBits: 0 }],
    },
  },
  { kind: 'block', lengths, lz4BytesMin: undefined },
  { kind: 'block', lengths, lz4BytesMin: 64 },
]
const profile: EncodingProfile = {
  id: 7,
  sampleRowCount: 1000,
  encodings: new Map(encodings.map((encoding, index) => [index + 10, encoding])),
}

test('a profile comes back from its JSON text as it was', () => {
  expect(parseProfileText(JSON.stringify(encodeProfile(profile)))).toEqual(profile)
})

test('a profile without encodings is one', () => {
  const empty = { id: 0, sampleRowCount: 0, encodings: new Map() }
  expect(parseProfile(encodeProfile(empty))).toEqual(empty)
})

function coded(fields: object): object {
  const encoding = { feature: 12, kind: 'coded', mapping: { kind: 'decimal' }, ...fields }
  return { id: 0, sampleRowCount: 0, encodings: [encoding] }
}

test.each([
  { name: 'null', json: null, message: 'the whole' },
  { name: 'no encodings', json: { id: 0, sampleRowCount: 0 }, message: 'encodings' },
  { name: 'an unknown field', json: { ...encodeProfile(profile), extra: 1 }, message: 'extra' },
  {
    name: 'an unknown kind',
    json: { id: 0, sampleRowCount: 0, encodings: [{ feature: 12, kind: 'zip' }] },
    message: 'feature 12: kind',
  },
  {
    name: 'a class of one field',
    json: coded({ classes: [[0]] }),
    message: 'feature 12: classes.0',
  },
  {
    name: 'a base that is a number',
    json: coded({ classes: [[0, 5, 3]] }),
    message: 'feature 12: classes.0',
  },
  {
    name: 'a base of more than 64 bits',
    json: coded({ classes: [[0, '9223372036854775808', 3]] }),
    message: '64 bits',
  },
  {
    name: 'text that is no base64',
    json: coded({ classes: [], mapping: { kind: 'dictionary_bytes', base64: ['?'] } }),
    message: 'feature 12: mapping.base64.0',
  },
  {
    name: 'a feature twice',
    json: {
      id: 0,
      sampleRowCount: 0,
      encodings: [
        { feature: 12, kind: 'plain' },
        { feature: 12, kind: 'plain' },
      ],
    },
    message: 'feature 12: it has two encodings',
  },
])('$name is refused', ({ json, message }) => {
  expect(() => parseProfile(json)).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
    }),
  )
})

test.each([
  { name: 'text that is not JSON', text: '{', message: 'is not JSON' },
  { name: 'too much text', text: ' '.repeat(profileJsonBytesMax + 1), message: 'at most' },
])('$name is refused', ({ text, message }) => {
  expect(() => parseProfileText(text)).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
    }),
  )
})
