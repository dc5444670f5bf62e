import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import { f32, f64, i64, lists, texts, wireColumn } from '../../test/support/wire-columns.js'
import { cellStatus, type WireColumn } from '../column.js'
import { parseGivenColumn } from './given-column.js'

const { present, nullValue, notFound, outsideMaxAge, unavailable } = cellStatus

function valuesOf(type: string, values: WireColumn['values']) {
  return parseGivenColumn(wireColumn('x', values), declaredType(type)).values
}

describe('numbers', () => {
  test.each([
    ['float32', f32(1.5, Number.NaN), 'f32', Float32Array.of(1.5, Number.NaN)],
    ['float64', f64(-0, Number.POSITIVE_INFINITY), 'f64', Float64Array.of(-0, Infinity)],
    ['float64', f32(0.1), 'f64', Float64Array.of(Math.fround(0.1))],
    ['bool', f32(0, 1), 'f32', Float32Array.of(0, 1)],
    ['bool', i64(1n), 'f32', Float32Array.of(1)],
    ['int8', f64(-128, 127), 'f32', Float32Array.of(-128, 127)],
    ['int16', i64(-32768n), 'f32', Float32Array.of(-32768)],
    ['int32', f32(-0), 'f64', Float64Array.of(0)],
    ['int32', i64(2147483647n), 'f64', Float64Array.of(2147483647)],
    ['int64', f64(2 ** 53 + 2), 'i64', BigInt64Array.of(9007199254740994n)],
    ['int64', i64(2n ** 63n - 1n), 'i64', BigInt64Array.of(2n ** 63n - 1n)],
    ['timestamp', i64(-(2n ** 63n)), 'i64', BigInt64Array.of(-(2n ** 63n))],
    ['float64', f64(), 'f64', new Float64Array(0)],
  ])('a %s', (type, values, columnClass, expected) => {
    expect(valuesOf(type, values)).toEqual({ class: columnClass, values: expected })
  })

  test.each([
    ['bool', f32(0, 2), 'row 1: 2 is not a bool (a whole number from 0 to 1)'],
    ['bool', f32(0.5), 'row 0: 0.5 is not a bool (a whole number from 0 to 1)'],
    ['int8', f64(128), 'row 0: 128 is not a int8 (a whole number from -128 to 127)'],
    ['int8', i64(-129n), 'row 0: -129 is not a int8 (a whole number from -128 to 127)'],
    ['int16', f32(Number.NaN), 'row 0: NaN is not a int16 (a whole number from -32768 to 32767)'],
    ['int32', f64(Infinity), 'row 0: Infinity is not a int32 (a whole number from -2147483648'],
    ['int32', i64(2n ** 31n), 'row 0: 2147483648 is not a int32 (a whole number from -2147483648'],
    ['int64', f64(2 ** 63), 'row 0: 9223372036854776000 is not a int64 (a whole number from -9223'],
    ['timestamp', f64(1e300), 'row 0: 1e+300 is not a timestamp (a whole number from -9223'],
  ])('a %s that does not fit is refused with row, value and bound', (type, values, message) => {
    expect(() => valuesOf(type, values)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(`column 'x', ${message}`),
      }),
    )
  })

  test.each([
    ['float32', f64(1), 'came as f64, which does not fit float32 (f32)'],
    ['float32', i64(1n), 'came as i64, which does not fit float32 (f32)'],
    ['float64', i64(1n), 'came as i64, which does not fit float64 (f64)'],
    ['int32', texts('1'), 'came as var, which does not fit int32 (f64)'],
    ['string', f32(1), 'came as f32, which does not fit string (var)'],
    ['float32', lists([1]), 'came as list, which does not fit float32 (f32)'],
    ['list<float32>', lists([1]), 'came as list, which does not fit list<float32> (list)'],
    ['embedding<1, f32>', f32(1), 'came as f32, which does not fit embedding<1, f32> (list)'],
  ])('a %s of a wrong class is refused', (type, values, message) => {
    expect(() => valuesOf(type, values)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: `column 'x' ${message}` }),
    )
  })
})

describe('text', () => {
  test('keeps its bytes', () => {
    const values = valuesOf('string', texts('é', '', 'a\0b'))
    expect(values).toEqual({
      class: 'var',
      data: new Uint8Array(Buffer.from('éa\0b')),
      lengths: Uint32Array.of(2, 0, 3),
    })
  })

  test.each([
    [texts('ab', Buffer.of(0xff)), 'row 1: not valid UTF-8'],
    // Together they are a character, each alone is none.
    [texts(Buffer.of(0xc3), Buffer.of(0xa9)), 'row 0: not valid UTF-8'],
    [texts(Buffer.of(0xed, 0xa0, 0x80)), 'row 0: not valid UTF-8'],
  ])('that is not UTF-8 is refused with its row', (values, message) => {
    expect(() => valuesOf('categorical', values)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: `column 'x', ${message}` }),
    )
  })

  test.each([
    [Buffer.from('abc'), 2],
    [Buffer.from('a'), 2],
    [Buffer.alloc(0), 4294967295],
  ])('of other lengths than its data is refused', (data, byteCount) => {
    const lengths = new Uint8Array(Uint32Array.of(byteCount).buffer)
    expect(() => valuesOf('string', { class: 'var', data, lengths })).toThrow(
      `column 'x': its lengths add up to ${byteCount} bytes, its data has ${data.byteLength}`,
    )
  })
})

describe('statuses', () => {
  test('without any, every cell is present', () => {
    const { status } = parseGivenColumn(wireColumn('x', f32(1, 2)), declaredType('float32'))
    expect([...status]).toEqual([present, present])
  })

  test('are kept, and values of cells without one are not looked at', () => {
    const status = [present, nullValue, notFound]
    const given = parseGivenColumn(wireColumn('x', f32(1, 0.5, 999), status), declaredType('int8'))
    expect([...given.status]).toEqual(status)
    expect(given.values).toEqual({ class: 'f32', values: Float32Array.of(1, 0, 0) })
  })

  test.each([
    [[present], 'has 2 cells and 1 status bytes'],
    [[present, present, present], 'has 2 cells and 3 status bytes'],
    [[], 'has 2 cells and 0 status bytes'],
  ])('of another number than cells are refused: %j', (status, message) => {
    expect(() =>
      parseGivenColumn(wireColumn('x', f32(1, 2), status), declaredType('float32')),
    ).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: `column 'x' ${message}` }),
    )
  })

  test.each([0, outsideMaxAge, unavailable, 6, 255])('status %d cannot be given', (code) => {
    const column = wireColumn('x', f32(1, 2), [present, code])
    expect(() => parseGivenColumn(column, declaredType('float32'))).toThrow(
      `column 'x', row 1: status ${code} cannot be given (only PRESENT, NULL_VALUE or NOT_FOUND)`,
    )
  })
})

test('a column of broken cells is a bug here: rows are counted first', () => {
  const values = { class: 'f32', bytes: new Uint8Array(3) } as const
  expect(() => valuesOf('float32', values)).toThrow('the rows of a request are counted before')
})
