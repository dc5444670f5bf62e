import { expect, test } from 'vitest'
import type { CodeClass, FeatureEncoding, SymbolMapping } from '../encoding-profile.js'
import { encodingInWords } from './encoding-words.js'

const range = (width: number, prefixBits = 0): CodeClass => ({
  kind: 'range',
  prefixBits,
  base: 0n,
  width,
  exponent: 0,
})
const coded = (mapping: SymbolMapping, ...classes: CodeClass[]): FeatureEncoding => ({
  kind: 'coded',
  coding: { mapping, classes },
})
const integer: SymbolMapping = { kind: 'integer', unit: 1n }
const floatBits: SymbolMapping = { kind: 'float_bits', shift: 63 }
const nullClass: CodeClass = { kind: 'null', prefixBits: 1 }
const literalClass: CodeClass = { kind: 'literal', prefixBits: 1 }

test.each([
  { words: 'integers, always the same', encoding: coded(integer, range(0)) },
  { words: 'integers, 1 bit', encoding: coded(integer, range(1)) },
  { words: 'integers, 2 ranges of 1 bit', encoding: coded(integer, range(1, 1), range(1, 1)) },
  { words: 'integers, 7 bits, null', encoding: coded(integer, range(7, 1), nullClass) },
  {
    words: 'dictionary, 1 value, always the same',
    encoding: coded({ kind: 'dictionary', values: [Buffer.from('x')] }, range(0)),
  },
  { words: 'literals', encoding: coded(floatBits, { kind: 'literal', prefixBits: 0 }) },
  { words: 'literals, null', encoding: coded(floatBits, nullClass, literalClass) },
] satisfies { words: string; encoding: FeatureEncoding }[])('$words', ({ words, encoding }) => {
  expect(encodingInWords(encoding)).toBe(words)
})
