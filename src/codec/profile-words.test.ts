import { expect, test } from 'vitest'
import type { CodeClass, EncodingProfile, FeatureEncoding } from '../encoding-profile.js'
import { profileWords } from './profile-words.js'

const text = { kind: 'scalar', scalar: 'string' } as const
const range = (base: bigint): CodeClass => ({
  kind: 'range',
  prefixBits: 1,
  base,
  width: 3,
  exponent: -2,
})
const nothing: CodeClass = { kind: 'null', prefixBits: 1 }
const rangeWords = (base: bigint) => [2n, 1n, base, 3n, -2n]
const nullWords = [0n, 1n, 0n, 0n, 0n]

function wordsOf(encoding: FeatureEncoding | undefined) {
  const encodings = new Map(encoding === undefined ? [] : [[7, encoding]])
  const profile: EncodingProfile = { id: 1, encodings, sampleRowCount: 1 }
  const { words, dictionaryBytes } = profileWords(profile, [{ id: 7, type: text }])
  return { words: [...words], dictionary: Buffer.from(dictionaryBytes).toString() }
}

test.each<{ what: string; encoding: FeatureEncoding | undefined; words: bigint[] }>([
  { what: 'nothing', encoding: undefined, words: [0n] },
  { what: 'plain', encoding: { kind: 'plain' }, words: [0n] },
  {
    what: 'integers',
    encoding: {
      kind: 'coded',
      coding: { mapping: { kind: 'integer', unit: 60n }, classes: [range(-5n), nothing] },
    },
    words: [1n, 0n, 60n, 2n, ...rangeWords(-5n), ...nullWords],
  },
  {
    what: 'decimals',
    encoding: { kind: 'coded', coding: { mapping: { kind: 'decimal' }, classes: [nothing] } },
    words: [1n, 1n, 0n, 1n, ...nullWords],
  },
  {
    what: 'a packed list',
    encoding: {
      kind: 'packed_list',
      lengths: [range(0n)],
      elements: { mapping: { kind: 'float_bits', shift: 8 }, classes: [range(2n ** 63n - 1n)] },
    },
    words: [2n, 1n, ...rangeWords(0n), 2n, 8n, 1n, ...rangeWords(2n ** 63n - 1n)],
  },
  {
    what: 'blocks, never compressed',
    encoding: { kind: 'block', lengths: [range(1n)], lz4BytesMin: undefined },
    words: [3n, 1n, ...rangeWords(1n), -1n],
  },
  {
    what: 'blocks, compressed',
    encoding: { kind: 'block', lengths: [range(1n)], lz4BytesMin: 64 },
    words: [3n, 1n, ...rangeWords(1n), 64n],
  },
])('$what as words', ({ encoding, words }) => {
  expect(wordsOf(encoding)).toEqual({ words, dictionary: '' })
})

test('dictionaries are one blob, with the byte count of each value among the words', () => {
  const values = ['ab', '', 'c'].map((value) => Buffer.from(value))
  const coding = { mapping: { kind: 'dictionary', values }, classes: [nothing] } as const
  expect(wordsOf({ kind: 'coded', coding })).toEqual({
    words: [1n, 3n, 3n, 2n, 0n, 1n, 1n, ...nullWords],
    dictionary: 'abc',
  })
})

test('a number beyond 64 bits is a bug', () => {
  const coding = { mapping: { kind: 'decimal' }, classes: [range(2n ** 63n)] } as const
  expect(() => wordsOf({ kind: 'coded', coding })).toThrow('numbers of a profile have 64 bits')
})
