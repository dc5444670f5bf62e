import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import {
  f32,
  f64,
  i64,
  lists,
  listsOf,
  texts,
  wireColumn,
} from '../../test/support/wire-columns.js'
import { cellStatus, type WireColumn } from '../column.js'
import { LarderError } from '../errors.js'
import type { FeatureType } from '../feature-type.js'
import { listElementsMax } from '../limits.js'
import { createSeededPrng } from '../prng.js'
import { parseGivenColumn } from './given-column.js'

const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)

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
    ['float32', lists([1]), 'came as list of f32, which does not fit float32 (f32)'],
    ['list<float32>', f32(1), 'came as f32, which does not fit list<float32> (list of f32)'],
    [
      'list<int32>',
      listsOf([1], texts('a')),
      'came as list of var, which does not fit list<int32> (list of f64)',
    ],
    [
      'list<string>',
      lists([1]),
      'came as list of f32, which does not fit list<string> (list of var)',
    ],
    [
      'embedding<1, f16>',
      listsOf([1], f64(1)),
      'came as list of f64, which does not fit embedding<1, f16> (list of f32)',
    ],
    [
      'embedding<1, f32>',
      f32(1),
      'came as f32, which does not fit embedding<1, f32> (list of f32)',
    ],
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

describe('lists', () => {
  test.each([
    ['list<float32>', lists([1.5], [], [2, 3]), 'f32', Float32Array.of(1.5, 2, 3)],
    ['list<float64>', listsOf([2, 0, 1], f32(0.5, 1, 2)), 'f64', Float64Array.of(0.5, 1, 2)],
    ['list<bool>', listsOf([1, 1, 1], i64(0n, 1n, 1n)), 'f32', Float32Array.of(0, 1, 1)],
    ['list<int32>', listsOf([0, 0, 1], f64(-7)), 'f64', Float64Array.of(-7)],
    ['list<int64>', listsOf([0, 1, 0], f64(2 ** 53)), 'i64', BigInt64Array.of(2n ** 53n)],
    ['list<timestamp>', listsOf([0, 1, 0], i64(-1n)), 'i64', BigInt64Array.of(-1n)],
    ['embedding<1, int8>', lists([1], [2], [Number.NaN]), 'f32', Float32Array.of(1, 2, Number.NaN)],
  ])('a %s', (type, values, elementClass, expected) => {
    const { lengths } = values.class === 'list' ? values : { lengths: undefined }
    expect(valuesOf(type, values)).toEqual({
      class: 'list',
      lengths: new Uint32Array(Uint8Array.from(lengths ?? []).buffer),
      elements: { class: elementClass, values: expected },
    })
  })

  test('of texts keep their bytes', () => {
    expect(valuesOf('list<categorical>', listsOf([2, 0, 1], texts('é', '', 'b')))).toEqual({
      class: 'list',
      lengths: Uint32Array.of(2, 0, 1),
      elements: {
        class: 'var',
        data: new Uint8Array(Buffer.from('éb')),
        lengths: Uint32Array.of(2, 0, 1),
      },
    })
  })

  test('a cell without a value has no elements', () => {
    const status = [present, nullValue, notFound]
    const parse = (lengths: readonly number[]) =>
      parseGivenColumn(
        wireColumn('x', listsOf(lengths, f32(1, 2)), status),
        declaredType('embedding<2, f32>'),
      )
    expect(parse([2, 0, 0]).values).toMatchObject({ lengths: Uint32Array.of(2, 0, 0) })
    expect(() => parse([2, 1, 0])).toThrow("column 'x', row 1: 1 elements, but it has no value")
  })

  const many = listElementsMax + 1
  test.each([
    ['list<float32>', listsOf([1, 2], f32(1)), ': its lengths add up to 3 elements, it has 1'],
    ['list<float32>', listsOf([0], f32(1)), ': its lengths add up to 0 elements, it has 1'],
    [
      'list<float32>',
      listsOf([many], f32()),
      `, row 0: ${many} elements, at most 65536 are allowed`,
    ],
    [
      'list<float32>',
      listsOf([1], { class: 'f32', bytes: new Uint8Array(5) }),
      ': its lengths add up to 1 elements, it has no whole number of f32 elements',
    ],
    [
      'embedding<3, f32>',
      lists([1, 2, 3], [1, 2]),
      ', row 1: 2 elements instead of the 3 of embedding<3, f32>',
    ],
    [
      'list<int8>',
      listsOf([1, 0, 2], f32(1, 2, 128)),
      ', row 2, element 1: 128 is not a int8 (a whole number from -128 to 127)',
    ],
    [
      'list<int64>',
      listsOf([1], f64(2 ** 63)),
      ', row 0, element 0: 9223372036854776000 is not a int64 (a whole number from -9223',
    ],
    [
      'list<string>',
      listsOf([0, 2], texts('a', Buffer.of(0xff))),
      ', row 1, element 1: not valid UTF-8',
    ],
    [
      'list<string>',
      listsOf([1], { class: 'var', data: Buffer.from('ab'), lengths: Buffer.of(1, 0, 0, 0) }),
      ': its lengths add up to 1 bytes, its data has 2',
    ],
  ])('a %s that does not fit is refused with its place', (type, values, message) => {
    expect(() => valuesOf(type, values)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(`column 'x'${message}`),
      }),
    )
  })

  test.each([
    ['list<float32>', 4],
    ['list<int16>', 4],
    ['list<string>', 4],
    ['list<timestamp>', 8],
    ['embedding<3, f32>', 4],
  ])('random bytes as a %s are a column or refused, never a crash', (typeText, cellBytes) => {
    const type = declaredType(typeText)
    const prng = createSeededPrng(1_957_1004)
    const smallBytes = (byteCount: number) =>
      Uint8Array.from({ length: byteCount }, () =>
        prng.below(3) === 0 ? prng.below(256) : prng.below(4) * prng.below(2),
      )
    const tally = { parsed: 0, refused: 0 }
    for (let run = 0; run < fuzzRuns; run++) {
      const lengths = smallBytes(4 * (1 + prng.below(3)))
      for (let at = 0; at < lengths.length; at += 4)
        lengths.fill(0, at + 1 + prng.below(40), at + 4)
      const bytes = smallBytes(prng.below(4) * cellBytes + (prng.below(8) === 0 ? 1 : 0))
      const elements =
        typeText === 'list<string>'
          ? ({ class: 'var', data: smallBytes(prng.below(4)), lengths: bytes } as const)
          : ({ class: cellBytes === 8 ? 'i64' : 'f32', bytes } as const)
      const status = prng.below(2) === 0 ? undefined : smallBytes(lengths.length / 4)
      const outcome = parseOutcome(
        { name: 'x', values: { class: 'list', lengths, elements }, status },
        type,
      )
      tally[outcome]++
    }
    expect(tally.parsed).toBeGreaterThan(0)
    expect(tally.refused).toBeGreaterThan(0)
    expect(tally.parsed + tally.refused).toBe(fuzzRuns)
  })
})

/** Throws for whatever is neither a sound column nor `invalid_argument`. */
function parseOutcome(wire: WireColumn, type: FeatureType): 'parsed' | 'refused' {
  try {
    const { values, status } = parseGivenColumn(wire, type)
    if (values.class !== 'list') throw new Error('a list came as no list')
    const { lengths, elements } = values
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const elementCount = elements.class === 'var' ? elements.lengths.length : elements.values.length
    if (total !== elementCount || lengths.length !== status.length) throw new Error('unsound')
    return 'parsed'
  } catch (thrown) {
    if (thrown instanceof LarderError && thrown.code === 'invalid_argument') return 'refused'
    throw thrown
  }
}

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
