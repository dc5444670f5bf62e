import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { u32Bytes, wireColumnOf } from '../../test/support/codec-columns.js'
import { cellOf } from '../../test/support/reference-row.js'
import { assert } from '../assert.js'
import { cellStatus, type WireColumn } from '../column.js'
import type { DefaultScalar, JoinKey } from '../declared.js'
import type { ScalarType } from '../feature-type.js'
import { entityKeyBytesMax } from '../limits.js'
import { decodeEntityKey, dedupeKeys, encodeEntityKeys } from './entity-key.js'

const seed = 20260101

function columnOf({ name, type }: JoinKey, values: readonly DefaultScalar[]): WireColumn {
  const scalar = { kind: 'scalar', scalar: type } as const
  return wireColumnOf(
    name,
    scalar,
    values.map((value) => cellOf(scalar, value)),
  )
}

const keysOf = (...types: ScalarType[]): JoinKey[] =>
  types.map((type, index) => ({ name: `k${index}`, type }))

/** The key of one entity. */
function keyOf(types: readonly JoinKey[], values: readonly DefaultScalar[]): Buffer {
  const columns = types.map((type, index) => columnOf(type, values.slice(index, index + 1)))
  const encoded = encodeEntityKeys(types, columns, 1)
  assert('bytes' in encoded, 'the values fit their types')
  return encoded.bytes
}

describe('canonical bytes', () => {
  test.each<{ types: ScalarType[]; values: DefaultScalar[]; hex: string }>([
    { types: ['string'], values: ['JFK'], hex: '4a464b' },
    { types: ['string'], values: [''], hex: '' },
    { types: ['string', 'string'], values: ['JFK', 'LAX'], hex: '4a464b00014c4158' },
    { types: ['string', 'string'], values: ['a\0b', 'c\0'], hex: '6100ff6200016300' },
    {
      types: ['bytes', 'bytes'],
      values: [Uint8Array.of(0, 1), Uint8Array.of()],
      hex: '00ff010001',
    },
    { types: ['int32'], values: [7], hex: '80000007' },
    { types: ['int8', 'int16'], values: [-1, -32768], hex: '7f0000' },
    { types: ['int64'], values: [-(2n ** 63n)], hex: '0000000000000000' },
    { types: ['timestamp'], values: [2n ** 53n + 1n], hex: '8020000000000001' },
    { types: ['bool', 'categorical'], values: [true, 'é'], hex: '01c3a9' },
  ])('$types $values', ({ types, values, hex }) => {
    expect(keyOf(keysOf(...types), values).toString('hex')).toBe(hex)
    expect(decodeEntityKey(keysOf(...types), Buffer.from(hex, 'hex'))).toEqual(values)
  })

  test('an integer in any numeric class makes the same key', () => {
    const types = keysOf('int32')
    const column = (values: WireColumn['values']) => ({ name: 'k0', values, status: undefined })
    const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer)
    const encoded = [
      column({ class: 'f32', bytes: bytesOf(Float32Array.of(7)) }),
      column({ class: 'f64', bytes: bytesOf(Float64Array.of(7)) }),
      column({ class: 'i64', bytes: bytesOf(BigInt64Array.of(7n)) }),
    ].map((given) => encodeEntityKeys(types, [given], 1))
    const key = { bytes: Buffer.from('80000007', 'hex'), offsets: Uint32Array.of(0, 4) }
    expect(encoded).toEqual([key, key, key])
  })

  test('a column of one cell holds for every row', () => {
    const [first, second] = keysOf('string', 'string')
    assert(first !== undefined && second !== undefined, 'two keys')
    const columns = [columnOf(first, ['a']), columnOf(second, ['x', 'y', 'z'])]
    const encoded = encodeEntityKeys([first, second], columns, 3)
    expect(encoded).toEqual({
      bytes: Buffer.from('610001786100017961000' + '17a', 'hex'),
      offsets: Uint32Array.of(0, 4, 8, 12),
    })
  })
})

const textPair = fc.tuple(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
)

describe('properties', () => {
  test('two keys are equal only where their values are, and decoding gives them back', () => {
    const types = keysOf('string', 'string')
    const check = fc.property(textPair, textPair, (a, b) => {
      expect(keyOf(types, a).equals(keyOf(types, b))).toBe(a[0] === b[0] && a[1] === b[1])
      expect(decodeEntityKey(types, keyOf(types, a))).toEqual(a)
    })
    expect(() => fc.assert(check, { seed })).not.toThrow()
  })

  test('comparing keys is comparing values in order', () => {
    const types = keysOf('int64', 'bytes', 'int16')
    const values = fc.tuple(
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.uint8Array({ maxLength: 4, max: 2 }),
      fc.integer({ min: -32768, max: 32767 }),
    )
    const check = fc.property(values, values, (a, b) => {
      const byNumber = a[0] === b[0] ? 0 : a[0] < b[0] ? -1 : 1
      const order = byNumber || Buffer.compare(a[1], b[1]) || Math.sign(a[2] - b[2])
      expect(Buffer.compare(keyOf(types, a), keyOf(types, b))).toBe(order)
    })
    expect(() => fc.assert(check, { seed, numRuns: 500 })).not.toThrow()
  })
})

describe('bad input', () => {
  const long = 'x'.repeat(entityKeyBytesMax + 1)
  const half = 'x'.repeat(entityKeyBytesMax / 2)
  test.each<{ types: ScalarType[]; values: DefaultScalar[]; column: string; reason: string }>([
    { types: ['int8'], values: [200], column: 'k0', reason: 'value 200 is not from -128 to 127' },
    { types: ['int32'], values: [1.5], column: 'k0', reason: 'value 1.5 is not a whole number' },
    {
      types: ['string'],
      values: [long],
      column: 'k0',
      reason: `a value of ${entityKeyBytesMax + 1} bytes, at most ${entityKeyBytesMax} are allowed`,
    },
    {
      types: ['string', 'string'],
      values: [half, half],
      column: 'k0, k1',
      reason: `the entity key takes ${entityKeyBytesMax + 2} bytes, at most ${entityKeyBytesMax} are allowed`,
    },
  ])('$types: $reason', ({ types, values, column, reason }) => {
    const joinKeys = keysOf(...types)
    const columns = joinKeys.map((key, index) => columnOf(key, values.slice(index, index + 1)))
    expect(encodeEntityKeys(joinKeys, columns, 1)).toEqual({
      problems: [{ rowIndex: 0, column, reason }],
      problemCount: 1,
    })
  })

  test('a null, and text that is not UTF-8, are told with their row', () => {
    const values = {
      class: 'var',
      data: Buffer.of(0x61, 0xff),
      lengths: u32Bytes([1, 0, 1]),
    } as const
    const status = Uint8Array.of(cellStatus.present, cellStatus.nullValue, cellStatus.present)
    expect(encodeEntityKeys(keysOf('string'), [{ name: 'k0', values, status }], 3)).toEqual({
      problems: [
        {
          rowIndex: 1,
          column: 'k0',
          reason: 'the cell is NULL_VALUE, but a join key must have a value',
        },
        { rowIndex: 2, column: 'k0', reason: 'the text is not valid UTF-8 at byte 0' },
      ],
      problemCount: 2,
    })
  })

  test('a column of another class, or ragged, is refused as a whole', () => {
    const numbers = columnOf({ name: 'k0', type: 'int32' }, [1, 2])
    expect(() => encodeEntityKeys(keysOf('string'), [numbers], 2)).toThrow(
      "column 'k0': its declared type string is sent as var, not as f64",
    )
    expect(() => encodeEntityKeys(keysOf('int32'), [numbers], 3)).toThrow(
      "column 'k0': the column has 2 cells, expected 3",
    )
  })

  test.each<{ types: ScalarType[]; hex: string }>([
    { types: ['int32'], hex: '800000' },
    { types: ['int32'], hex: '8000000700' },
    { types: ['bool'], hex: '02' },
    { types: ['string', 'string'], hex: '4a464b' },
    { types: ['string', 'string'], hex: '4a0002' },
    { types: ['string', 'string'], hex: '4a00' },
    { types: ['string'], hex: 'ff' },
    { types: ['float32'], hex: '00000000' },
  ])('$hex is not a key of $types', ({ types, hex }) => {
    expect(() => decodeEntityKey(keysOf(...types), Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'corrupt_row', message: expect.stringContaining(hex) }),
    )
  })
})

describe('dedupeKeys', () => {
  test('numbers distinct keys in order of first use', () => {
    const bytes = Buffer.from('abababcab')
    const offsets = Uint32Array.of(0, 2, 4, 4, 7, 9, 9)
    expect(dedupeKeys({ count: 6, bytes, offsets })).toEqual({
      uniqueCount: 3,
      slots: Uint32Array.of(0, 0, 1, 2, 0, 1),
      firstRows: Uint32Array.of(0, 2, 3),
    })
  })

  test('agrees with a map on many keys', () => {
    const check = fc.property(
      fc.array(fc.string({ maxLength: 2, unit: 'grapheme-ascii' })),
      (texts) => {
        const offsets = new Uint32Array(texts.length + 1)
        for (const [row, text] of texts.entries())
          offsets[row + 1] = (offsets[row] ?? 0) + text.length
        const distinct = [...new Set(texts)]
        expect(
          dedupeKeys({ count: texts.length, bytes: Buffer.from(texts.join('')), offsets }),
        ).toEqual({
          uniqueCount: distinct.length,
          slots: Uint32Array.from(texts, (text) => distinct.indexOf(text)),
          firstRows: Uint32Array.from(distinct, (text) => texts.indexOf(text)),
        })
      },
    )
    expect(() => fc.assert(check, { seed })).not.toThrow()
  })
})
