import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CodeClass, FeatureEncoding } from '../../src/encoding-profile.js'
import { parseFeatureType } from '../../src/feature-type.js'
import { createSeededPrng } from '../../src/prng.js'
import { checkProfile } from '../../src/profile-check.js'
import { encodeProfile, parseProfile } from '../../src/profile-json.js'
import { edgeCell, randomProfile } from './random-profile.js'
import { cellArbitrary, everyType, mutateRow } from './random-row.js'
import {
  decodeLearnedRow,
  encodeLearnedRow,
  type LearnedReferenceLayout,
} from './reference-learned-row.js'
import { decodeLz4Block } from './reference-lz4.js'
import {
  cellOf,
  decodeReferenceRow,
  encodeReferenceRow,
  type ReferenceRow,
} from './reference-row.js'

const features = everyType.map((type, index) => ({ id: index + 10, type }))
const compact = { eventBaseUs: -5n, eventUnitUs: 1000n, eventBytes: 2, sequence: 77n }

test('random profiles are valid, and come back from JSON', () => {
  let profileCount = 0
  for (let seed = 0; seed < 300; seed++) {
    const profile = randomProfile(features, createSeededPrng(seed))
    expect(() => checkProfile(profile, features)).not.toThrow()
    expect(parseProfile(JSON.parse(JSON.stringify(encodeProfile(profile))))).toEqual(profile)
    profileCount += profile.encodings.size
  }
  expect(profileCount).toBeGreaterThan(1000)
})

/** Random rows of random profiles, with cells at the edges of their classes here and there. */
const rowArbitrary = fc
  .tuple(fc.nat(), fc.tuple(...everyType.map(cellArbitrary)), fc.nat(65_535))
  .map(([seed, randomCells, steps]) => {
    const prng = createSeededPrng(seed)
    const profile = randomProfile(features, prng)
    const cells = randomCells.map((cell, index) => {
      const feature = features[index]
      const encoding = feature && profile.encodings.get(feature.id)
      if (feature === undefined || encoding === undefined || prng.below(4) === 0) return cell
      return edgeCell(feature.type, encoding, prng) ?? cell
    })
    const layout: LearnedReferenceLayout = {
      layoutId: 300,
      features,
      versionFormat: prng.below(2) === 0 ? 'full' : compact,
      profile: prng.below(8) === 0 ? undefined : profile,
    }
    const row = { layoutId: 300, eventTimeUs: -5n + 1000n * BigInt(steps), sequence: 77n, cells }
    return { row, layout, seed }
  })

test('a row comes back as from a plain one', () => {
  let rowCount = 0
  fc.assert(
    fc.property(rowArbitrary, ({ row, layout }) => {
      const bytes = encodeLearnedRow(row, layout) ?? Buffer.alloc(0)
      expect(decodeLearnedRow(bytes, [layout])).toEqual(asPlain(row))
      rowCount++
    }),
    { seed: 11, numRuns: 300 },
  )
  expect(rowCount).toBe(300)
})

/** The lossy embeddings of a row are what a plain row keeps of them. */
function asPlain(row: ReferenceRow): ReturnType<typeof decodeReferenceRow> {
  return decodeReferenceRow(encodeReferenceRow(row, { layoutId: 300, features }), [
    { layoutId: 300, features },
  ])
}

test('damaged rows are judged, whatever the damage', () => {
  let rowCount = 0
  fc.assert(
    fc.property(rowArbitrary, ({ row, layout, seed }) => {
      const bytes = encodeLearnedRow(row, layout) ?? Buffer.alloc(0)
      expect(() =>
        decodeLearnedRow(mutateRow(bytes, createSeededPrng(seed)), [layout]),
      ).not.toThrow()
      rowCount++
    }),
    { seed: 12, numRuns: 300 },
  )
  expect(rowCount).toBe(300)
})

const int8 = { kind: 'scalar', scalar: 'int8' } as const
const list = parseFeatureType('list<string>') ?? int8
const counted: readonly CodeClass[] = [
  { kind: 'range', prefixBits: 1, base: 10n, width: 4, exponent: 0 },
  { kind: 'range', prefixBits: 2, base: -1n, width: 0, exponent: 0 },
  { kind: 'null', prefixBits: 2 },
]
const coded: FeatureEncoding = {
  kind: 'coded',
  coding: { mapping: { kind: 'integer', unit: 2n }, classes: counted },
}
const packed: FeatureEncoding = {
  kind: 'packed_list',
  lengths: [{ kind: 'range', prefixBits: 0, base: 0n, width: 2, exponent: 0 }],
  elements: {
    mapping: { kind: 'dictionary', values: [Buffer.from('a'), Buffer.from('b')] },
    classes: [{ kind: 'range', prefixBits: 0, base: 0n, width: 1, exponent: 0 }],
  },
}
const block: FeatureEncoding = {
  kind: 'block',
  lengths: [{ kind: 'range', prefixBits: 0, base: 0n, width: 6, exponent: 0 }],
  lz4BytesMin: 4,
}
const text = { kind: 'scalar', scalar: 'string' } as const

/** A layout whose version takes no bytes: the body stands right behind the layout id. */
function bodyLayout(
  type: LearnedReferenceLayout['features'][number]['type'],
  encoding: FeatureEncoding,
) {
  const profile = { id: 1, encodings: new Map([[1, encoding]]), sampleRowCount: 1 }
  const versionFormat = { eventBaseUs: 0n, eventUnitUs: 1n, eventBytes: 0, sequence: 9n }
  return { layoutId: 2, features: [{ id: 1, type }], versionFormat, profile }
}

// Bit by bit, from the format document.
test.each([
  { name: 'no exception, prefix 0, 5 of 4 bits', cell: cellOf(int8, 30), bits: '0 0 1010' },
  { name: 'no exception, prefix 10', cell: cellOf(int8, -2), bits: '0 10' },
  { name: 'no exception, null as 11', cell: null, bits: '0 11' },
  { name: 'an exception, set, 31 literally', cell: cellOf(int8, 31), bits: '1 1 1 11111000' },
])('an integer: $name', ({ cell, bits }) => {
  expectBody(bodyLayout(int8, coded), cell, bits)
})

test.each([
  { name: 'two elements of a dictionary', cell: ['62', '61'], bits: '0 01 1 0' },
  { name: 'nothing', cell: [], bits: '0 00' },
  { name: 'another element', cell: ['63'], bits: '1 1 1 10000000 10000000 11000110' },
])('a list: $name', ({ cell, bits }) => {
  expectBody(bodyLayout(list, packed), cell, bits)
})

function expectBody(
  layout: LearnedReferenceLayout,
  cell: ReferenceRow['cells'][number],
  bits: string,
): void {
  const row = { layoutId: 2, eventTimeUs: 0n, sequence: 9n, cells: [cell] }
  const bytes = encodeLearnedRow(row, layout)
  expect(bytes).toEqual(Buffer.concat([Buffer.of(2), bodyOf(bits)]))
  expect(decodeLearnedRow(bytes ?? Buffer.alloc(0), [layout])).toEqual(row)
}

function bodyOf(bits: string): Buffer {
  const digits = bits.replaceAll(' ', '')
  const bytes = digits.match(/.{1,8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt([...byte].reverse().join(''), 2)))
}

test.each([
  { name: 'nothing', layout: bodyLayout(int8, coded), bits: '' },
  { name: 'a symbol cut short: no padding', layout: bodyLayout(list, packed), bits: '1 1 1 1000' },
  { name: 'padding that is not 0', layout: bodyLayout(int8, coded), bits: '0 11 00001' },
  { name: 'a byte too many', layout: bodyLayout(int8, coded), bits: '0 11 00000 00000000' },
  { name: 'exceptions, but none marked', layout: bodyLayout(int8, coded), bits: '1 0 11 0000' },
  {
    name: 'a bool of 2',
    layout: bodyLayout({ kind: 'scalar', scalar: 'bool' }, coded),
    bits: '0 0 0000',
  },
  {
    name: 'a compressed block longer than its content',
    layout: bodyLayout(text, block),
    bits: `0 001000 1 111 ${'0'.repeat(64)}`,
  },
  {
    name: 'a block that is no LZ4',
    layout: bodyLayout(text, block),
    bits: '0 001000 1 100 00000000',
  },
])('$name is corrupt', ({ layout, bits }) => {
  expect(decodeLearnedRow(Buffer.concat([Buffer.of(2), bodyOf(bits)]), [layout])).toBe('corrupt')
})

test.each([
  { name: 'another sequence', eventTimeUs: 995n, sequence: 78n },
  { name: 'a time between steps', eventTimeUs: 996n, sequence: 77n },
  { name: 'a time before the base', eventTimeUs: -1005n, sequence: 77n },
  { name: 'a time beyond the bytes', eventTimeUs: -5n + 1000n * 65_536n, sequence: 77n },
])('$name does not fit a compact version', ({ eventTimeUs, sequence }) => {
  const layout = { layoutId: 2, features: [], versionFormat: compact, profile: undefined }
  expect(
    encodeLearnedRow({ layoutId: 2, eventTimeUs, sequence, cells: [] }, layout),
  ).toBeUndefined()
})

test('an unknown layout is told', () => {
  expect(decodeLearnedRow(Buffer.of(5, 0, 0), [])).toEqual({ unknownLayoutId: 5 })
})

test('LZ4 blocks: literals, a match over itself, and longer counts', () => {
  const block = Buffer.from([0x2f, 0x61, 0x62, 2, 0, 1, 0x50, 0x63, 0x64, 0x65, 0x66, 0x67])
  expect(decodeLz4Block(block, 27).toString()).toBe(`${'ab'.repeat(11)}cdefg`)
})

test.each([
  { name: 'another length', block: [0x2f, 1, 2, 2, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 26 },
  { name: 'an offset of 0', block: [0x2f, 1, 2, 0, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 27 },
  { name: 'an offset too far', block: [0x2f, 1, 2, 3, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 27 },
  { name: '4 last literals', block: [0x2f, 1, 2, 2, 0, 1, 0x40, 3, 3, 3, 3], byteCount: 26 },
  { name: 'a late match', block: [0x22, 1, 2, 2, 0, 0x50, 3, 3, 3, 3, 3], byteCount: 13 },
  { name: 'no last literals', block: [0x2f, 1, 2, 2, 0, 1], byteCount: 22 },
  { name: 'a count cut short', block: [0xf0], byteCount: 15 },
])('$name is no LZ4 block', ({ block, byteCount }) => {
  expect(() => decodeLz4Block(Buffer.from(block), byteCount)).toThrow('lz4')
})
