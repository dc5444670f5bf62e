import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import { type ColumnValues, cellStatus, type FeatureColumn } from '../column.js'
import { createSeededPrng } from '../prng.js'
import type { BoundNumberInput } from './bind-input.js'
import { createCategoryCodes } from './category-codes.js'
import { type InputSources, valueOrigin } from './input-sources.js'
import { resolveNumbers } from './resolve-numbers.js'

const { present, nullValue, notFound, outsideMaxAge, unavailable } = cellStatus
const nothing: InputSources = { given: undefined, stored: undefined, servesStale: true }

function input(typeText: string, words: Partial<BoundNumberInput> = {}): BoundNumberInput {
  return {
    kind: 'number',
    inputName: 'x',
    name: 'sales.mean',
    type: declaredType(typeText),
    feature: undefined,
    codes: undefined,
    modelDefault: undefined,
    viewDefault: undefined,
    exactInFloat32: false,
    ...words,
  }
}

function column(values: ColumnValues, status: readonly number[]): FeatureColumn {
  return {
    name: 'sales.mean',
    type: declaredType('float64'),
    values,
    status: Uint8Array.from(status),
  }
}

function numbers(values: readonly number[], status = values.map((): number => present)) {
  return column({ class: 'f64', values: Float64Array.from(values) }, status)
}

function text(...values: readonly string[]): FeatureColumn {
  const pieces = values.map((value) => Buffer.from(value))
  // Not at the start of its memory: what arrives in a message seldom is.
  const data = Buffer.concat([Buffer.from('?'), ...pieces]).subarray(1)
  const lengths = Uint32Array.from(pieces, (piece) => piece.byteLength)
  return column(
    { class: 'var', data, lengths },
    values.map(() => present),
  )
}

describe('where a value comes from', () => {
  test.each([
    ['given and stored', present, present, 1, valueOrigin.given, 0],
    ['not given, stored', notFound, present, 2, valueOrigin.stored, present],
    ['given as null, stored', nullValue, present, 9, valueOrigin.modelDefault, 0],
    ['not given, stored null', notFound, nullValue, 9, valueOrigin.modelDefault, nullValue],
    ['not given, no row', notFound, notFound, 9, valueOrigin.modelDefault, notFound],
    ['not given, tier gone', notFound, unavailable, 9, valueOrigin.modelDefault, unavailable],
  ])('%s', (_case, givenStatus, storedStatus, value, origin, status) => {
    const sources = { given: numbers([1], [givenStatus]), stored: numbers([2], [storedStatus]) }
    const bound = input('float64', { modelDefault: 9, viewDefault: 8 })
    const resolved = resolveNumbers(bound, { ...sources, servesStale: true }, 1)
    expect([...resolved.column, ...resolved.origins, ...resolved.statuses]).toEqual([
      value,
      origin,
      status,
    ])
  })

  test.each([
    [true, 2, valueOrigin.stored],
    [false, 8, valueOrigin.viewDefault],
  ])('older than max age, served stale: %s', (servesStale, value, origin) => {
    const stored = numbers([2], [outsideMaxAge])
    const resolved = resolveNumbers(
      input('float64', { viewDefault: 8 }),
      { given: undefined, stored, servesStale },
      1,
    )
    expect(resolved).toEqual({
      column: Float64Array.of(value),
      origins: Uint8Array.of(origin),
      statuses: Uint8Array.of(outsideMaxAge),
    })
  })

  test.each([
    [9, 8, 9, valueOrigin.modelDefault],
    [undefined, 8, 8, valueOrigin.viewDefault],
    [undefined, undefined, Number.NaN, valueOrigin.missing],
    [0, 8, 0, valueOrigin.modelDefault],
    [-0, undefined, -0, valueOrigin.modelDefault],
    [Number.NaN, 8, Number.NaN, valueOrigin.modelDefault],
  ])('no value, model default %s, view default %s', (modelDefault, viewDefault, value, origin) => {
    const resolved = resolveNumbers(input('float64', { modelDefault, viewDefault }), nothing, 2)
    expect([...resolved.column]).toEqual([value, value])
    expect([...resolved.origins]).toEqual([origin, origin])
    expect([...resolved.statuses]).toEqual([0, 0])
  })

  test('one given cell stands for every row', () => {
    const stored = numbers([1, 2, 3])
    const resolved = resolveNumbers(
      input('float64'),
      { given: numbers([7]), stored, servesStale: true },
      3,
    )
    expect([...resolved.column]).toEqual([7, 7, 7])
    const notGiven = { given: numbers([7], [notFound]), stored, servesStale: true }
    expect([...resolveNumbers(input('float64'), notGiven, 3).column]).toEqual([1, 2, 3])
  })

  test.each([
    [present, 7, valueOrigin.given, 0],
    [nullValue, 9, valueOrigin.modelDefault, 0],
  ])('one given cell of status %d, whatever is stored', (status, value, origin, told) => {
    const sources = { given: numbers([7], [status]), stored: numbers([1, 2]), servesStale: true }
    const resolved = resolveNumbers(input('float64', { modelDefault: 9 }), sources, 2)
    expect(resolved).toEqual({
      column: Float64Array.of(value, value),
      origins: Uint8Array.of(origin, origin),
      statuses: Uint8Array.of(told, told),
    })
  })

  test('stored columns as they are, and cell by cell, are the same', () => {
    const statuses = [present, nullValue, notFound, outsideMaxAge, unavailable]
    for (let seed = 0; seed < 500; seed++) {
      const prng = createSeededPrng(seed)
      const rowCount = 2 + prng.below(5)
      const status = Array.from({ length: rowCount }, () => statuses[prng.below(5)] ?? present)
      const stored = numbers(
        status.map(() => prng.below(100) / 8),
        status,
      )
      const own = () => (prng.below(3) === 0 ? prng.below(9) : undefined)
      const exactInFloat32 = prng.below(2) === 0
      const bound = input('float64', { modelDefault: own(), viewDefault: own(), exactInFloat32 })
      const servesStale = prng.below(2) === 0
      const quick = resolveNumbers(bound, { given: undefined, stored, servesStale }, rowCount)
      // A column in which nothing is given: each cell is looked at.
      const given = numbers(
        status.map(() => 0),
        status.map(() => notFound),
      )
      expect({ seed, ...quick }).toEqual({
        seed,
        ...resolveNumbers(bound, { given, stored, servesStale }, rowCount),
      })
    }
  })

  test('given and stored rows mix', () => {
    const given = numbers([10, 11, 12], [present, notFound, nullValue])
    const resolved = resolveNumbers(
      input('float64'),
      { given, stored: numbers([1, 2, 3]), servesStale: true },
      3,
    )
    expect([...resolved.column]).toEqual([10, 2, Number.NaN])
  })

  test('stored gaps are filled in a copy, and without gaps nothing is copied', () => {
    const bound = input('float64', { modelDefault: 9 })
    const whole = numbers([1, 2, 3])
    expect(resolveNumbers(bound, { ...nothing, stored: whole }, 3).column).toBe(
      whole.values.class === 'f64' && whole.values.values,
    )
    const gaps = numbers([1, 0, 3], [present, nullValue, outsideMaxAge])
    const resolved = resolveNumbers(bound, { ...nothing, stored: gaps }, 3)
    const { stored, modelDefault } = valueOrigin
    expect(resolved).toEqual({
      column: Float64Array.of(1, 9, 3),
      origins: Uint8Array.of(stored, modelDefault, stored),
      statuses: Uint8Array.of(present, nullValue, outsideMaxAge),
    })
    expect(gaps.values).toEqual({ class: 'f64', values: Float64Array.of(1, 0, 3) })
  })

  test('no rows make an empty column', () => {
    expect(resolveNumbers(input('float64'), nothing, 0).column).toEqual(new Float64Array(0))
  })
})

describe('the value the model sees', () => {
  test('a column is of float32 exactly where the binding says so', () => {
    const given = column({ class: 'f32', values: Float32Array.of(0.1) }, [present])
    const sources = { ...nothing, given }
    expect(resolveNumbers(input('float32', { exactInFloat32: true }), sources, 1).column).toEqual(
      Float32Array.of(0.1),
    )
    const inexactDefault = input('float32', { modelDefault: 0.1 })
    expect(resolveNumbers(inexactDefault, sources, 1).column).toEqual(
      Float64Array.of(Math.fround(0.1)),
    )
    expect(resolveNumbers(inexactDefault, nothing, 1).column).toEqual(Float64Array.of(0.1))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -0, 5e-324, Number.MAX_VALUE, 2 ** 53 + 2])(
    'the float64 %s arrives as it is',
    (value) => {
      const { column: values } = resolveNumbers(
        input('float64'),
        { ...nothing, given: numbers([value]) },
        1,
      )
      expect(values).toEqual(Float64Array.of(value))
    },
  )

  const integers = (...values: bigint[]) =>
    column(
      { class: 'i64', values: BigInt64Array.from(values) },
      values.map(() => present),
    )

  test.each([0n, -1n, 2n ** 53n, -(2n ** 53n)])('the int64 %s is exact', (value) => {
    const { column: values } = resolveNumbers(
      input('int64'),
      { ...nothing, stored: integers(value) },
      1,
    )
    expect([...values]).toEqual([Number(value)])
  })

  test.each([2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 53n + 2n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'the int64 %s is refused with its row',
    (value) => {
      const sources = { ...nothing, stored: integers(5n, value) }
      expect(() => resolveNumbers(input('int64'), sources, 2)).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          message:
            `feature 'sales.mean', row 1: int64 ${value} is beyond 2^53 and not exact as a ` +
            'model input',
        }),
      )
    },
  )

  test('an integer beyond 2^53 in a cell without a value is not looked at', () => {
    const stored = column({ class: 'i64', values: BigInt64Array.of(2n ** 60n) }, [notFound])
    expect(resolveNumbers(input('int64'), { ...nothing, stored }, 1).column).toEqual(
      Float64Array.of(Number.NaN),
    )
  })
})

describe('categories', () => {
  const codes = createCategoryCodes(declaredType('string'), ['é', 'DE', ''])

  test('texts become codes, an unseen one is missing but given', () => {
    const given = text('DE', '', 'é', 'de', 'DE ')
    const resolved = resolveNumbers(input('string', { codes }), { ...nothing, given }, 5)
    expect([...resolved.column]).toEqual([1, 2, 0, Number.NaN, Number.NaN])
    expect([...resolved.origins]).toEqual(Array(5).fill(valueOrigin.given))
  })

  test.each([
    ['f32', column({ class: 'f32', values: Float32Array.of(3, 4, -0) }, [1, 1, 1])],
    ['f64', numbers([3, 4, -0])],
    ['i64', column({ class: 'i64', values: BigInt64Array.of(3n, 4n, 0n) }, [1, 1, 1])],
  ])('numbers of class %s become codes by value', (_class, given) => {
    const numeric = createCategoryCodes(declaredType('float64'), [0, 3.0])
    const { column: values } = resolveNumbers(
      input('float64', { codes: numeric, exactInFloat32: true }),
      { ...nothing, given },
      3,
    )
    expect([...values]).toEqual([1, Number.NaN, 0])
  })

  test('NaN is no category', () => {
    const numeric = createCategoryCodes(declaredType('float64'), [0, 1])
    const sources = { ...nothing, given: numbers([Number.NaN]) }
    expect(resolveNumbers(input('float64', { codes: numeric }), sources, 1).column[0]).toBeNaN()
  })

  test('text without codes, and lists, are bugs that stop', () => {
    expect(() => resolveNumbers(input('string'), { ...nothing, given: text('a') }, 1)).toThrow(
      'a text input is bound only with category codes',
    )
    const elements = { class: 'f32', values: new Float32Array(0) } as const
    const given = column({ class: 'list', lengths: Uint32Array.of(0), elements }, [present])
    expect(() => resolveNumbers(input('float64'), { ...nothing, given }, 1)).toThrow(
      "input 'x' was bound to a list",
    )
  })
})
