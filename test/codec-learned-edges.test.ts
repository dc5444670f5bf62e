/**
 * Every encoding of learned rows at its edges: what it holds, what it leaves to the exceptions, and that
 * either comes back bit for bit.
 */
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import type { FeatureEncoding } from '../src/encoding-profile.js'
import { type FeatureType, parseFeatureType, scalarTypeOf } from '../src/feature-type.js'
import { listElementsMax } from '../src/limits.js'
import { block, decimals, dictionary, floatBits, integers, listOf } from './support/encodings.js'
import {
  decodeBatch,
  encodeBatch,
  encodeReferenceBatch,
  keptCells,
  oneFeatureBatch,
} from './support/learned-batches.js'
import { cellOf, type ReferenceCell } from './support/reference-row.js'

/** IEEE bits, as a value of a float type. */
interface Bits {
  readonly bits: bigint
}
type Scalar = number | bigint | boolean | string | Uint8Array | Bits
type Value = Scalar | readonly Scalar[] | null

interface EdgeCase {
  readonly name: string
  readonly type: string
  readonly encoding: FeatureEncoding
  readonly values: readonly Value[]
  /** For each row whether its value is an exception: 1 or 0. */
  readonly exceptions: string
}

const bits = (value: bigint): Bits => ({ bits: value })
const int64Least = -(2n ** 63n)
const int64Greatest = 2n ** 63n - 1n

const numberCases: readonly EdgeCase[] = [
  {
    name: 'all null',
    type: 'int32',
    encoding: integers(1n, 'null'),
    values: [null, null, 0],
    exceptions: '001',
  },
  {
    name: 'null without a class for it',
    type: 'int32',
    encoding: integers(1n, [0n, 8]),
    values: [null, 0],
    exceptions: '10',
  },
  {
    name: 'all zero',
    type: 'int64',
    encoding: integers(1n, [0n, 0]),
    values: [0n, 1n, -1n, int64Least],
    exceptions: '0111',
  },
  {
    name: 'a single value',
    type: 'int16',
    encoding: integers(1n, [42n, 0]),
    values: [42, 41, 43, null],
    exceptions: '0111',
  },
  {
    name: 'exceptions everywhere',
    type: 'int8',
    encoding: integers(1n, [1000n, 3]),
    values: [-128, 127, 0, null],
    exceptions: '1111',
  },
  {
    name: 'bools',
    type: 'bool',
    encoding: integers(1n, [0n, 1]),
    values: [false, true, null],
    exceptions: '001',
  },
  {
    name: 'extremes of int8',
    type: 'int8',
    encoding: integers(1n, [-128n, 8]),
    values: [-128, -1, 0, 127],
    exceptions: '0000',
  },
  {
    name: 'extremes of int16',
    type: 'int16',
    encoding: integers(1n, [-32_768n, 16]),
    values: [-32_768, 32_767],
    exceptions: '00',
  },
  {
    name: 'extremes of int32',
    type: 'int32',
    encoding: integers(1n, [-(2n ** 31n), 32]),
    values: [-(2 ** 31), 2 ** 31 - 1],
    exceptions: '00',
  },
  {
    name: 'extremes of int64, and those that no float64 holds',
    type: 'int64',
    encoding: integers(1n, [int64Least, 64]),
    values: [int64Least, int64Greatest, 2n ** 53n + 1n, -(2n ** 53n) - 1n],
    exceptions: '0000',
  },
  {
    name: 'a range beyond the greatest int64 goes on at the least',
    type: 'int64',
    encoding: integers(1n, [int64Greatest - 1n, 2]),
    values: [int64Greatest - 1n, int64Greatest, int64Least, int64Least + 1n, int64Least + 2n],
    exceptions: '00001',
  },
  {
    name: 'both ends of a range',
    type: 'int32',
    encoding: integers(1n, [-100n, 4]),
    values: [-101, -100, -85, -84],
    exceptions: '1001',
  },
  {
    name: 'a unit',
    type: 'timestamp',
    encoding: integers(1_000_000n, [-2n, 2], 'null'),
    values: [-3_000_000n, -2_000_000n, 0n, 1_000_000n, 2_000_000n, 1n, -999_999n, null],
    exceptions: '10001110',
  },
  {
    name: 'a unit so great that there are four values',
    type: 'int64',
    encoding: integers(2n ** 62n, [-2n, 2]),
    values: [int64Least, -(2n ** 62n), 0n, 2n ** 62n, 1n],
    exceptions: '00001',
  },
  {
    name: 'ranges that overlap, and the rest literally',
    type: 'int32',
    encoding: integers(1n, [0n, 2], [0n, 8], 'null', 'literal'),
    values: [3, 4, 255, 256, -1, null],
    exceptions: '000000',
  },
  {
    name: 'short decimals of float32',
    type: 'float32',
    encoding: decimals([100n, 10, 2], [0n, 10, 1], 'null'),
    values: [1, 11.23, 11.24, 0.9, 0, 102.3, 102.4, 1.001, null],
    exceptions: '001000110',
  },
  {
    name: 'floats that are no decimals',
    type: 'float32',
    encoding: decimals([-1000n, 20, 3]),
    values: [-0, NaN, Infinity, -Infinity, 1e-45, bits(0x7f80_0001n), bits(0xffc1_2345n), 0],
    exceptions: '11111110',
  },
  {
    name: 'floats that are no decimals, literally',
    type: 'float64',
    encoding: decimals([0n, 20, 2], 'literal'),
    values: [-0, NaN, -Infinity, 5e-324, bits(0xfff8_dead_0000_beefn), 0.1 + 0.2, 0.3, 1e300],
    exceptions: '00000000',
  },
  {
    name: 'decimals of float64 are of its very bits',
    type: 'float64',
    encoding: decimals([0n, 20, 1]),
    values: [0.1, 0.2, 0.1 + 0.2, 0.3, 104_857.5, 104_857.6],
    exceptions: '001001',
  },
  {
    name: 'great decimals',
    type: 'float64',
    encoding: decimals([0n, 4, -22], [-(2n ** 53n), 53, 0]),
    values: [3e22, 15e22, 16e22, -(2 ** 53), -1, 0, 1],
    exceptions: '0010001',
  },
  {
    name: 'decimals with 22 digits after the point',
    type: 'float64',
    encoding: decimals([0n, 10, 22]),
    values: [1e-22, 1023e-22, 1024e-22, 1e-23],
    exceptions: '0011',
  },
  {
    name: 'the least and greatest finite float32 as bits',
    type: 'float32',
    encoding: floatBits(0, [0n, 32]),
    values: [1e-45, bits(0x7f7f_ffffn), bits(0x807f_ffffn), -0, Infinity, bits(0x7f80_0001n), null],
    exceptions: '0000001',
  },
  {
    name: 'float64 as bits, NaN payloads and denormals among them',
    type: 'float64',
    encoding: floatBits(0, [0n, 64], 'null'),
    values: [5e-324, -0, bits(0x7ff0_0000_0000_0001n), bits(2n ** 64n - 1n), 1.5, null],
    exceptions: '000000',
  },
  {
    name: 'negative floats only, by a range at the least symbol',
    type: 'float64',
    encoding: floatBits(0, [int64Least, 63]),
    values: [-0, -1.5, -Infinity, 0, 1.5],
    exceptions: '00011',
  },
  {
    name: 'the upper half of a float32',
    type: 'float32',
    encoding: floatBits(16, [0n, 16]),
    values: [1, -2.5, 0, 1.1, 1e-45],
    exceptions: '00011',
  },
  {
    name: 'nothing but a sign',
    type: 'float64',
    encoding: floatBits(63, [0n, 1]),
    values: [0, -0, 1],
    exceptions: '001',
  },
]

const planets = ['Mars', '', 'Zürich', 'a\0b', '\u{10ffff}']

const textCases: readonly EdgeCase[] = [
  {
    name: 'every value of a dictionary',
    type: 'string',
    encoding: dictionary(planets, [0n, 3], 'null'),
    values: [...planets, null],
    exceptions: '000000',
  },
  {
    name: 'values outside a dictionary',
    type: 'categorical',
    encoding: dictionary(planets, [0n, 3]),
    values: ['mars', 'Mars\0', 'Venus', null],
    exceptions: '1111',
  },
  {
    name: 'values outside a dictionary, literally',
    type: 'categorical',
    encoding: dictionary(planets, [0n, 3], 'null', 'literal'),
    values: ['mars', 'x'.repeat(300), '\0', '\u{10ffff}\u{10ffff}', null],
    exceptions: '00000',
  },
  {
    name: 'a range of fewer places than the dictionary has',
    type: 'string',
    encoding: dictionary(planets, [1n, 1]),
    values: ['Mars', '', 'Zürich', 'a\0b'],
    exceptions: '1001',
  },
  {
    name: 'a dictionary of one value, which takes no bits',
    type: 'bytes',
    encoding: dictionary([Uint8Array.of(0, 255)], [0n, 0]),
    values: [Uint8Array.of(0, 255), Uint8Array.of(), Uint8Array.of(255, 0)],
    exceptions: '011',
  },
  {
    name: 'an empty dictionary',
    type: 'string',
    encoding: dictionary([], 'literal'),
    values: ['', 'a', null],
    exceptions: '001',
  },
  {
    name: 'blocks within and beyond their lengths',
    type: 'string',
    encoding: block(undefined, [0n, 3], 'null'),
    values: ['', 'a', '1234567', '12345678', 'Zürich', 'Zürich!', 'a\0b', null],
    exceptions: '00010100',
  },
  {
    name: 'blocks of one length',
    type: 'bytes',
    encoding: block(undefined, [2n, 0]),
    values: [Uint8Array.of(0, 0), Uint8Array.of(1), Uint8Array.of(1, 2, 3), null],
    exceptions: '0111',
  },
]

const listCases: readonly EdgeCase[] = [
  {
    name: 'lists within and beyond their lengths',
    type: 'list<int16>',
    encoding: listOf([[1n, 1]], integers(1n, [0n, 4])),
    values: [[], [1], [1, 2], [1, 2, 3], null],
    exceptions: '10011',
  },
  {
    name: 'empty lists, and null ones',
    type: 'list<string>',
    encoding: listOf([[0n, 0], 'null'], dictionary(['a'], [0n, 0])),
    values: [[], null, ['a'], ['']],
    exceptions: '0011',
  },
  {
    name: 'one element that its coding does not hold',
    type: 'list<int64>',
    encoding: listOf([[0n, 4]], integers(1n, [0n, 4])),
    values: [[1n, 15n], [1n, 16n], [int64Least], [int64Greatest]],
    exceptions: '0111',
  },
  {
    name: 'elements literally',
    type: 'list<bytes>',
    encoding: listOf([[0n, 4]], dictionary(['a'], [0n, 0], 'literal')),
    values: [['a', '', 'aa', Uint8Array.of(0, 255)], []],
    exceptions: '00',
  },
  {
    name: 'elements of floats',
    type: 'list<float64>',
    encoding: listOf([[0n, 4], 'null'], decimals([0n, 10, 1], 'literal')),
    values: [[0, 0.1, -0, NaN, Infinity, 5e-324, bits(0x7ff0_0000_0000_0001n)], [], null],
    exceptions: '000',
  },
  {
    name: 'longest lists of elements that take no bits',
    type: 'list<bool>',
    encoding: listOf([[0n, 17]], integers(1n, [1n, 0])),
    values: [new Array<boolean>(listElementsMax).fill(true), [true, false]],
    exceptions: '01',
  },
  {
    name: 'f32 embeddings',
    type: 'embedding<2, f32>',
    encoding: listOf([[2n, 0], 'null'], floatBits(0, [0n, 32])),
    values: [[1, -0], [bits(0x7f80_0001n), 1e-45], null],
    exceptions: '000',
  },
  {
    name: 'f16 embeddings: every kind of half',
    type: 'embedding<3, f16>',
    encoding: listOf([[0n, 2]], floatBits(0, [0n, 16])),
    values: [[-0, Infinity, 65_504], [bits(0x7f80_2000n), 2 ** -24, bits(0xffc0_0000n)], null],
    exceptions: '001',
  },
  {
    name: 'f16 embeddings without their low bits',
    type: 'embedding<2, f16>',
    encoding: listOf([[2n, 0]], floatBits(10, [0n, 6])),
    values: [
      [1, -2],
      [1.5, 1],
    ],
    exceptions: '01',
  },
  {
    name: 'int8 embeddings',
    type: 'embedding<3, int8>',
    encoding: listOf([[3n, 0]], integers(1n, [-128n, 8])),
    values: [
      [0, 0, 0],
      [1, -1, 0.5],
      [3.4e38, 0, -3.4e38],
      [1e-45, 0, 0],
    ],
    exceptions: '0000',
  },
  {
    name: 'int8 embeddings of few steps',
    type: 'embedding<2, int8>',
    encoding: listOf([[2n, 0]], integers(1n, [-127n, 0], [127n, 0], 'literal')),
    values: [
      [1, -1],
      [1, 0.5],
    ],
    exceptions: '00',
  },
  {
    name: 'embeddings whose length has no class',
    type: 'embedding<2, f32>',
    encoding: listOf([[3n, 4]], floatBits(0, [0n, 32])),
    values: [[1, 2], null],
    exceptions: '11',
  },
  {
    name: 'lists and embeddings as blocks',
    type: 'list<int32>',
    encoding: block(undefined, [0n, 4], 'null'),
    values: [[], [1, -1, 2], [1, 2, 3, 4], null],
    exceptions: '0010',
  },
  {
    name: 'embeddings as blocks',
    type: 'embedding<2, int8>',
    encoding: block(undefined, [6n, 0]),
    values: [[1, 2], [0, 0], null],
    exceptions: '001',
  },
]

function typeOf(text: string): FeatureType {
  const type = parseFeatureType(text)
  assert(type !== undefined, 'a type')
  return type
}

function edgeCellOf(type: FeatureType, value: Value): ReferenceCell {
  if (value === null) return null
  if (!isList(value)) return scalarCell(type, value)
  return value.map((element) => String(scalarCell(type, element)))
}

/** `Array.isArray` does not know read-only arrays. */
function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return Array.isArray(value)
}

function scalarCell(type: FeatureType, value: Scalar): ReferenceCell {
  const scalar = { kind: 'scalar', scalar: scalarTypeOf(type) } as const
  if (typeof value !== 'object' || value instanceof Uint8Array) return cellOf(scalar, value)
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value.bits)
  return bytes.toString('hex', 0, scalar.scalar === 'float32' ? 4 : 8)
}

/** The first bit after the layout id and the version. */
const hasExceptions = (row: Buffer) => (row[17] ?? 0) & 1

describe.each([
  { name: 'numbers', cases: numberCases },
  { name: 'texts', cases: textCases },
  { name: 'lists and embeddings', cases: listCases },
])('$name', ({ cases }) => {
  test.each(cases)('$type: $name', ({ type: typeText, encoding, values, exceptions }) => {
    const type = typeOf(typeText)
    const cells = values.map((value) => edgeCellOf(type, value))
    const batch = oneFeatureBatch(type, encoding, cells)
    const rows = encodeBatch(batch)
    expect(rows.map(hasExceptions).join('')).toBe(exceptions)
    expect(rows).toEqual(encodeReferenceBatch(batch))
    const kept = batch.rows.map((row) => keptCells(row, batch.layouts[0]?.features ?? []))
    expect(decodeBatch(batch.layouts, rows)).toEqual(kept)
  })
})
