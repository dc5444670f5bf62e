import { describe, expect, test } from 'vitest'
import { u32Bytes, wireColumnOf } from '../../test/support/codec-columns.js'
import { cellOf } from '../../test/support/reference-row.js'
import { cellStatus, type WireColumn } from '../column.js'
import type { FeatureType, ScalarType } from '../feature-type.js'
import { listElementsMax, valueBytesMax } from '../limits.js'
import { encodeRows } from './row-encode.js'
import { createRowLayout } from './row-layout.js'

const scalar = (type: ScalarType): FeatureType => ({ kind: 'scalar', scalar: type })
const list = (element: ScalarType): FeatureType => ({ kind: 'list', element })
const f16: FeatureType = { kind: 'embedding', dim: 2, storage: 'f16' }
const int8: FeatureType = { kind: 'embedding', dim: 2, storage: 'int8' }

const f32Bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const f64Bytes = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer)
const i64Bytes = (...values: bigint[]) => new Uint8Array(BigInt64Array.from(values).buffer)

const present = (values: WireColumn['values']): WireColumn => ({
  name: 'x',
  values,
  status: undefined,
})
const f32 = (...values: number[]) => present({ class: 'f32', bytes: f32Bytes(...values) })
const f64 = (...values: number[]) => present({ class: 'f64', bytes: f64Bytes(...values) })
const i64 = (...values: bigint[]) => present({ class: 'i64', bytes: i64Bytes(...values) })
const raw = (...values: Uint8Array[]) =>
  present({
    class: 'var',
    data: Buffer.concat(values),
    lengths: u32Bytes(values.map((value) => value.byteLength)),
  })
const lists = (lengths: number[], ...values: number[]) => listsOf(lengths, f32Bytes(...values))
const listsOf = (lengths: number[], bytes: Uint8Array) =>
  present({
    class: 'list',
    lengths: u32Bytes(lengths),
    elements: { class: 'f32', bytes },
  })

function encodeOne(type: FeatureType, column: WireColumn, rowCount: number) {
  const layout = createRowLayout({ layoutId: 2, features: [{ id: 1, type }] })
  const eventTimesUs = new BigInt64Array(rowCount)
  return encodeRows([layout], { columns: [column], eventTimesUs, sequence: 1n, rowCount })
}

/** Bytes of the one value of the one row, after header and presence. */
function valueHex(type: FeatureType, column: WireColumn): string {
  const encoded = encodeOne(type, column, 1)
  return 'rows' in encoded ? Buffer.from(encoded.rows.subarray(18)).toString('hex') : 'refused'
}

describe('values that fit', () => {
  test.each([
    { what: 'bool from f32', type: scalar('bool'), column: f32(1), hex: '01' },
    { what: 'bool from i64', type: scalar('bool'), column: i64(0n), hex: '00' },
    { what: 'int8 from f64', type: scalar('int8'), column: f64(-128), hex: '80' },
    { what: 'int16 from i64', type: scalar('int16'), column: i64(-2n), hex: 'feff' },
    { what: 'int32 from f32', type: scalar('int32'), column: f32(2 ** 24), hex: '00000001' },
    {
      what: 'int64 from f64',
      type: scalar('int64'),
      column: f64(-(2 ** 63)),
      hex: '0000000000000080',
    },
    {
      what: 'int64 beyond 2^53',
      type: scalar('int64'),
      column: i64(2n ** 53n + 1n),
      hex: '0100000000002000',
    },
    { what: 'a -0.0 as an integer', type: scalar('int8'), column: f32(-0), hex: '00' },
    {
      what: 'float64 from f32',
      type: scalar('float64'),
      column: f32(0.5),
      hex: '000000000000e03f',
    },
    {
      what: 'a NaN of float64 from f32, payload kept',
      type: scalar('float64'),
      column: present({ class: 'f32', bytes: Buffer.from('010080ff', 'hex') }),
      hex: '00000020' + '0000f0ff',
    },
    {
      what: 'the greatest f16',
      type: f16,
      column: lists([2], 65519.99, -65504),
      hex: 'ff7bfffb',
    },
    {
      what: 'an int8 embedding of zeros',
      type: int8,
      column: lists([2], 0, -0),
      hex: '000000000000',
    },
  ])('$what', ({ type, column, hex }) => {
    expect(valueHex(type, column)).toBe(hex)
  })
})

describe('a value that does not fit is told, and no row is encoded', () => {
  const tooLong = new Uint8Array(valueBytesMax + 1)
  test.each([
    { type: scalar('int8'), column: f32(1, 128), reason: 'value 128 is not from -128 to 127' },
    { type: scalar('int8'), column: f32(1, -129), reason: 'value -129 is not from -128 to 127' },
    {
      type: scalar('int16'),
      column: i64(0n, 32768n),
      reason: 'value 32768 is not from -32768 to 32767',
    },
    { type: scalar('int32'), column: f64(0, 1.5), reason: 'value 1.5 is not a whole number' },
    {
      type: scalar('int32'),
      column: f64(0, Number.NaN),
      reason: 'value nan is not from -2147483648 to 2147483647',
    },
    {
      type: scalar('int64'),
      column: f64(0, 2 ** 63),
      reason: 'value 9223372036854775808 is not from -9223372036854775808 to 9223372036854775807',
    },
    {
      type: scalar('int64'),
      column: f32(0, Number.POSITIVE_INFINITY),
      reason: 'value inf is not from -9223372036854775808 to 9223372036854775807',
    },
    { type: scalar('bool'), column: f32(1, 2), reason: 'value 2 is not from 0 to 1' },
    {
      type: scalar('string'),
      column: raw(Buffer.from('a'), Buffer.from('ab\xff', 'latin1')),
      reason: 'the text is not valid UTF-8 at byte 2',
    },
    {
      type: scalar('categorical'),
      column: raw(Buffer.from('a'), Buffer.from('eda080', 'hex')),
      reason: 'the text is not valid UTF-8 at byte 0',
    },
    {
      type: scalar('bytes'),
      column: raw(Buffer.from('a'), tooLong),
      reason: `a value of ${valueBytesMax + 1} bytes, at most ${valueBytesMax} are allowed`,
    },
    {
      type: list('int16'),
      column: lists([1, 2], 1, 2, 0.5),
      reason: 'element 1: value 0.5 is not a whole number',
    },
    {
      type: list('bool'),
      column: listsOf([0, listElementsMax + 1], new Uint8Array(4 * (listElementsMax + 1))),
      reason: `a list of ${listElementsMax + 1} elements, at most ${listElementsMax} are allowed`,
    },
    {
      type: f16,
      column: lists([2, 1], 1, 2, 3),
      reason: 'an embedding of 1 elements, its type has 2',
    },
    {
      type: f16,
      column: lists([2, 2], 1, 2, 65520, 0),
      reason: 'element 0: value 65520 is beyond the range of f16, -65504 to 65504',
    },
    {
      type: int8,
      column: lists([2, 2], 1, 2, 3, Number.NaN),
      reason: 'element 1: value nan cannot stand in an int8 embedding',
    },
  ])('$type: $reason', ({ type, column, reason }) => {
    expect(encodeOne(type, column, 2)).toEqual({
      problems: [{ rowIndex: 1, column: 'x', reason }],
      problemCount: 1,
    })
  })

  test.each([
    {
      status: 0,
      reason:
        'the cell is of the unknown status 0, but only PRESENT and NULL_VALUE cells can be written',
    },
    {
      status: cellStatus.notFound,
      reason: 'the cell is NOT_FOUND, but only PRESENT and NULL_VALUE cells can be written',
    },
    { status: cellStatus.nullValue, reason: 'the cell is null, but has 1 bytes' },
  ])('status $status', ({ status, reason }) => {
    const column = { ...raw(Buffer.from('a')), status: Uint8Array.of(status) }
    expect(encodeOne(scalar('string'), column, 1)).toMatchObject({ problems: [{ reason }] })
  })

  test('a null list has no elements', () => {
    const column = { ...lists([2], 1, 2), status: Uint8Array.of(cellStatus.nullValue) }
    expect(encodeOne(list('int8'), column, 1)).toMatchObject({
      problems: [{ reason: 'the cell is null, but has 2 elements' }],
    })
  })

  test('a row that is too large as a whole names no column', () => {
    const features = Array.from({ length: 5 }, (_, id) => ({ id, type: scalar('bytes') }))
    const layout = createRowLayout({ layoutId: 2, features })
    const columns = features.map(() => raw(new Uint8Array(valueBytesMax)))
    const eventTimesUs = new BigInt64Array(1)
    expect(
      encodeRows([layout], { columns, eventTimesUs, sequence: 1n, rowCount: 1 }),
    ).toMatchObject({
      problems: [{ rowIndex: 0, column: '', reason: expect.stringContaining('the row takes') }],
    })
  })

  test('each bad row is told once, up to a bound, and all are counted', () => {
    const column = f32(...new Array(300).fill(0.5))
    const encoded = encodeOne(scalar('int8'), column, 300)
    expect(encoded).toMatchObject({ problemCount: 300 })
    expect('problems' in encoded && encoded.problems.length).toBe(100)
  })
})

describe('a column that is wrong as a whole', () => {
  const shortLengths = {
    class: 'var',
    data: Buffer.from('abc'),
    lengths: u32Bytes([1, 1]),
  } as const
  test.each([
    {
      type: scalar('float32'),
      column: f64(1, 2),
      message: 'its declared type float32 is sent as f32, not as f64',
    },
    {
      type: scalar('float64'),
      column: i64(1n, 2n),
      message: 'its declared type float64 is sent as f64, not as i64',
    },
    {
      type: scalar('int8'),
      column: raw(Buffer.from('1'), Buffer.from('2')),
      message: 'its declared type int8 is sent as f32, not as var',
    },
    {
      type: scalar('string'),
      column: f32(1, 2),
      message: 'its declared type string is sent as var, not as f32',
    },
    {
      type: list('float32'),
      column: f32(1, 2),
      message: 'its declared type list<float32> is sent as list<f32>, not as f32',
    },
    {
      type: scalar('float32'),
      column: lists([1, 1], 1, 2),
      message: 'its declared type float32 is sent as f32, not as list<f32>',
    },
    {
      type: f16,
      column: wireColumnOf('x', list('float64'), [[], []]),
      message: 'its declared type embedding<2, f16> is sent as list<f32>, not as list<f64>',
    },
    { type: scalar('float32'), column: f32(1), message: 'the column has 1 cells, expected 2' },
    {
      type: scalar('float32'),
      column: present({ class: 'f32', bytes: new Uint8Array(7) }),
      message: "the column's values are 7 bytes, not a multiple of 4",
    },
    {
      type: scalar('string'),
      column: present(shortLengths),
      message: "the column's lengths add up to 2, but it holds 3 bytes",
    },
    {
      type: list('float32'),
      column: lists([1, 2], 1, 2),
      message: "the column's lengths add up to 3, but it holds 2 elements",
    },
    {
      type: list('float32'),
      column: lists([2], 1, 2),
      message: 'the column has 1 cells, expected 2',
    },
    {
      type: scalar('float32'),
      column: { ...f32(1, 2), status: Uint8Array.of(1) },
      message: 'the column has 1 statuses, expected 2',
    },
  ])('$message', ({ type, column, message }) => {
    expect(() => encodeOne(type, column, 2)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: `column 'x': ${message}` }),
    )
  })
})

test('a batch of no rows encodes to no bytes', () => {
  expect(encodeOne(scalar('int8'), wireColumnOf('x', scalar('int8'), []), 0)).toMatchObject({
    rowOffsets: Uint32Array.of(0),
  })
})

test('the event time of each row and the sequence stand in its header', () => {
  const type = scalar('bool')
  const layout = createRowLayout({ layoutId: 300, features: [{ id: 1, type }] })
  const columns = [wireColumnOf('x', type, [cellOf(type, true), null])]
  const eventTimesUs = BigInt64Array.of(-1n, 1n)
  const batch = { columns, eventTimesUs, sequence: 2n ** 64n - 1n, rowCount: 2 }
  const encoded = encodeRows([layout], batch)
  expect('rows' in encoded && Buffer.from(encoded.rows).toString('hex')).toBe(
    'ac02' +
      '7fffffffffffffff' +
      'ffffffffffffffff' +
      '0101' +
      'ac02' +
      '8000000000000001' +
      'ffffffffffffffff' +
      '00',
  )
})

describe('layouts in order of preference', () => {
  const type = scalar('int8')
  const features = [{ id: 1, type }]
  const plain = createRowLayout({ layoutId: 2, features })
  const versionFormat = { eventBaseUs: 1000n, eventUnitUs: 10n, eventBytes: 1, sequence: 7n }
  const coding = {
    mapping: { kind: 'integer', unit: 1n },
    classes: [
      { kind: 'range', prefixBits: 1, base: -4n, width: 3, exponent: 0 },
      { kind: 'null', prefixBits: 1 },
    ],
  } as const
  const profile = {
    id: 1,
    encodings: new Map([[1, { kind: 'coded', coding } as const]]),
    sampleRowCount: 1,
  }
  const compact = createRowLayout({ layoutId: 3, features, versionFormat, profile })
  const learned = createRowLayout({ layoutId: 4, features, profile })

  const hexRows = (values: readonly number[], eventTimesUs: bigint[], sequence: bigint) => {
    const batch = {
      columns: [f32(...values)],
      eventTimesUs: BigInt64Array.from(eventTimesUs),
      sequence,
      rowCount: values.length,
    }
    const encoded = encodeRows([compact, learned, plain], batch)
    if (!('rows' in encoded)) return []
    return values.map((_, row) => {
      const [begin, end] = encoded.rowOffsets.subarray(row, row + 2)
      return Buffer.from(encoded.rows.subarray(begin, end)).toString('hex')
    })
  }

  test('each row is in the first layout that its version fits', () => {
    const head = (eventTimeUs: bigint, sequence: bigint) =>
      (eventTimeUs + 2n ** 63n).toString(16) + sequence.toString(16).padStart(16, '0')
    // Bits, first to last: no exception, prefix 0, the value above -4.
    expect(hexRows([-4, 3], [1000n, 3550n], 7n)).toEqual(['030000', '03ff1c'])
    expect(hexRows([-4, 3], [1001n, 3560n], 7n)).toEqual([
      `04${head(1001n, 7n)}00`,
      `04${head(3560n, 7n)}1c`,
    ])
    expect(hexRows([-4], [1000n], 8n)).toEqual([`04${head(1000n, 8n)}00`])
  })

  test('a value that no class holds is an exception of its row alone', () => {
    // An exception, of the first feature, set, then 4 as it is.
    expect(hexRows([4, 0], [1000n, 1000n], 7n)).toEqual(['03002700', '030010'])
  })

  test('the last layout takes every row', () => {
    const batch = { columns: [f32(1)], eventTimesUs: BigInt64Array.of(0n), sequence: 1n }
    expect(() => encodeRows([compact], { ...batch, rowCount: 1 })).toThrow('takes every row')
    expect(() => encodeRows([], { ...batch, rowCount: 1 })).toThrow('takes every row')
  })

  test('layouts of different features are a bug', () => {
    const other = createRowLayout({ layoutId: 5, features: [{ id: 2, type }] })
    const batch = { columns: [f32(1)], eventTimesUs: BigInt64Array.of(0n), sequence: 1n }
    expect(() => encodeRows([other, plain], { ...batch, rowCount: 1 })).toThrow(TypeError)
  })
})
