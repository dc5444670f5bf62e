import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import { valuesAt } from '../../test/support/test-models.js'
import { cellStatus, type FeatureColumn, type ScalarValues } from '../column.js'
import { inputElementsMax } from '../limits.js'
import { createSeededPrng, type Prng } from '../prng.js'
import type { BoundListInput, BoundTextListInput } from './bind-input.js'
import { type InputSources, valueOrigin } from './input-sources.js'
import type { ListColumn } from './model.js'
import { resolveLists } from './resolve-lists.js'
import { createTextNumbers } from './text-numbers.js'

const { present, nullValue, notFound, outsideMaxAge, unavailable } = cellStatus
const nothing: InputSources = { given: undefined, stored: undefined, servesStale: true }
const source = {
  inputName: 'x',
  name: 'sales.x',
  type: declaredType('list<float32>'),
  feature: undefined,
  modelDefault: undefined,
  viewDefault: undefined,
}

function numbers(words: Partial<BoundListInput> = {}): BoundListInput {
  const form = { kind: 'list', items: 'number', itemsMax: 5 } as const
  return { kind: 'list', ...source, form, exactInFloat32: true, ...words }
}

const pair = (words: Partial<BoundListInput> = {}) =>
  numbers({ form: { kind: 'embedding', dim: 2 }, ...words })

function texts(words: Partial<BoundTextListInput> = {}): BoundTextListInput {
  return { kind: 'textList', ...source, itemsMax: 3, ...words }
}

/** A list column; undefined is a null. */
function column(
  rows: readonly (readonly number[] | undefined)[],
  status: readonly number[] = rows.map((row) => (row === undefined ? nullValue : present)),
): FeatureColumn {
  const values = Float32Array.from(rows.flatMap((row) => row ?? []))
  return listColumn(rows, status, { class: 'f32', values })
}

function listColumn(
  rows: readonly (readonly unknown[] | undefined)[],
  status: readonly number[],
  elements: ScalarValues,
): FeatureColumn {
  const lengths = Uint32Array.from(rows, (row) => row?.length ?? 0)
  const values = { class: 'list', lengths, elements } as const
  return { name: 'sales.x', type: source.type, values, status: Uint8Array.from(status) }
}

function textColumn(...rows: readonly (readonly string[])[]): FeatureColumn {
  const pieces = rows.flat().map((value) => Buffer.from(value))
  // Not at the start of its memory: what arrives in a message seldom is.
  const data = Buffer.concat([Buffer.from('?'), ...pieces]).subarray(1)
  const lengths = Uint32Array.from(pieces, (piece) => piece.byteLength)
  return listColumn(
    rows,
    rows.map(() => present),
    { class: 'var', data, lengths },
  )
}

function resolve(
  input: BoundListInput | BoundTextListInput,
  sources: Partial<InputSources>,
  rowCount: number,
  textNumbers = createTextNumbers(),
) {
  return resolveLists(input, { ...nothing, ...sources }, { rowCount, texts: textNumbers })
}

const rowsOf = (resolved: { readonly column: ListColumn; readonly origins: Uint8Array }) =>
  Array.from(resolved.origins, (_, row) => valuesAt(resolved.column, row))

describe('where the elements come from', () => {
  const own = { modelDefault: [9], viewDefault: [8] }
  test.each([
    ['given and stored', present, present, [1], valueOrigin.given, 0],
    ['not given, stored', notFound, present, [2, 2], valueOrigin.stored, present],
    ['given as null, stored', nullValue, present, [9], valueOrigin.modelDefault, 0],
    ['not given, stored null', notFound, nullValue, [9], valueOrigin.modelDefault, nullValue],
    ['not given, tier gone', notFound, unavailable, [9], valueOrigin.modelDefault, unavailable],
  ])('%s', (_case, givenStatus, storedStatus, elements, origin, status) => {
    const given = column([givenStatus === present ? [1] : []], [givenStatus])
    const stored = column([storedStatus === present ? [2, 2] : []], [storedStatus])
    const resolved = resolve(numbers(own), { given, stored }, 1)
    expect(rowsOf(resolved)).toEqual([elements])
    expect([...resolved.origins, ...resolved.statuses]).toEqual([origin, status])
  })

  test.each([
    ['the model’s default', numbers(own), [9], valueOrigin.modelDefault],
    ['the view’s', numbers({ viewDefault: [8, 7] }), [8, 7], valueOrigin.viewDefault],
    ['an empty list', numbers(), [], valueOrigin.missing],
    ['as many NaN as an embedding has', pair(), [Number.NaN, Number.NaN], valueOrigin.missing],
    ['an embedding’s default', pair({ viewDefault: [1, 2] }), [1, 2], valueOrigin.viewDefault],
    ['no text', texts(), [], valueOrigin.missing],
    [
      'default texts',
      texts({ modelDefault: ['a', 'b', 'a'] }),
      [0, 1, 0],
      valueOrigin.modelDefault,
    ],
  ])('without any value: %s, there once for all rows', (_case, input, elements, origin) => {
    const resolved = resolve(input, {}, 3)
    expect(rowsOf(resolved)).toEqual([elements, elements, elements])
    expect(resolved.column.lengths).toHaveLength(1)
    expect([...resolved.origins]).toEqual([origin, origin, origin])
  })

  test('a list given once for all rows is there once', () => {
    const given = column([[1, 2]])
    const stored = column([[3], [4]])
    const resolved = resolve(numbers(), { given, stored }, 2)
    expect(resolved.column).toEqual({
      values: Float32Array.of(1, 2),
      lengths: Uint32Array.of(2),
    })
    expect(rowsOf(resolved)).toEqual([
      [1, 2],
      [1, 2],
    ])
    expect(rowsOf(resolve(numbers(), { given: column([[]], [notFound]), stored }, 2))).toEqual([
      [3],
      [4],
    ])
  })

  test('older than max age: served or not by its view', () => {
    const stored = column([[1], [2, 3]], [present, outsideMaxAge])
    const served = resolve(numbers(), { stored, servesStale: true }, 2)
    expect(rowsOf(served)).toEqual([[1], [2, 3]])
    const dropped = resolve(numbers(), { stored, servesStale: false }, 2)
    expect(rowsOf(dropped)).toEqual([[1], []])
    expect([...dropped.origins]).toEqual([valueOrigin.stored, valueOrigin.missing])
  })

  test('no rows make an empty column', () => {
    expect(resolve(numbers(), {}, 0).column).toEqual({
      values: new Float32Array(0),
      lengths: new Uint32Array(0),
    })
  })
})

describe('the elements the model sees', () => {
  test('stored numbers that need no change are the stored column itself', () => {
    const stored = column([[1, 2], undefined, [3]])
    const { column: seen, origins } = resolve(numbers(), { stored }, 3)
    const { values } = stored
    expect(
      values.class === 'list' && values.elements.class === 'f32' && values.elements.values,
    ).toBe(seen.values)
    expect([...origins]).toEqual([valueOrigin.stored, valueOrigin.missing, valueOrigin.stored])
  })

  test('are float64 where a default or the type is', () => {
    const stored = column([[0.1], undefined])
    const input = numbers({ exactInFloat32: false, viewDefault: [0.1] })
    expect(resolve(input, { stored }, 2).column).toEqual({
      values: Float64Array.of(Math.fround(0.1), 0.1),
      lengths: Uint32Array.of(1, 1),
    })
    const doubles = listColumn([[0.1]], [present], { class: 'f64', values: Float64Array.of(0.1) })
    expect(resolve(numbers({ exactInFloat32: false }), { stored: doubles }, 1).column.values).toBe(
      doubles.values.class === 'list' && doubles.values.elements.class === 'f64'
        ? doubles.values.elements.values
        : undefined,
    )
  })

  const integers = (
    rows: readonly (readonly bigint[])[],
    status = rows.map((): number => present),
  ) => listColumn(rows, status, { class: 'i64', values: BigInt64Array.from(rows.flat()) })

  test('int64 elements are exact, or refused with their row', () => {
    const input = numbers({ exactInFloat32: false })
    const fine = integers([[2n ** 53n], [-1n, 0n]])
    expect(rowsOf(resolve(input, { stored: fine }, 2))).toEqual([[2 ** 53], [-1, 0]])
    const beyond = integers([[1n], [0n, 2n ** 53n + 1n]])
    expect(() => resolve(input, { stored: beyond }, 2)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message:
          "feature 'sales.x', row 1: int64 9007199254740993 is beyond 2^53 and not exact as a model input",
      }),
    )
    const unseen = integers([[2n ** 60n]], [outsideMaxAge])
    expect(rowsOf(resolve(input, { stored: unseen, servesStale: false }, 1))).toEqual([[]])
  })

  test.each([
    ['too many', numbers(), [1, 2, 3, 4, 5, 6], "6 elements, but input 'x' takes at most 5"],
    ['too few for an embedding', pair(), [1], "1 elements, but input 'x' takes exactly 2"],
    ['too many for an embedding', pair(), [1, 2, 3], "3 elements, but input 'x' takes exactly 2"],
    ['none for an embedding', pair(), [], "0 elements, but input 'x' takes exactly 2"],
  ])('%s are refused, given or stored', (_case, input, wrong, message) => {
    const rows = [[1, 2], wrong]
    for (const sources of [{ given: column(rows) }, { stored: column(rows) }]) {
      expect(() => resolve(input, sources, 2)).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          message: `feature 'sales.x', row 1: ${message}`,
        }),
      )
    }
  })

  test('more elements over all rows than a request may have are refused before they are made', () => {
    const modelDefault = new Array<number>(inputElementsMax / 1024).fill(0)
    const stored = column(new Array<undefined>(1025).fill(undefined))
    const rowCount = 1025
    expect(() => resolve(numbers({ modelDefault }), { stored }, rowCount)).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message: expect.stringContaining(
          `has ${modelDefault.length * rowCount} elements in 1025 rows`,
        ),
      }),
    )
  })

  test('a column that is no list is a bug that stops', () => {
    const stored = {
      ...column([[1]]),
      values: { class: 'f32', values: Float32Array.of(1) } as const,
    }
    expect(() => resolve(numbers(), { stored }, 1)).toThrow(
      "input 'x' was bound to a list, not to f32",
    )
  })
})

describe('texts', () => {
  test('are numbers that are equal where the texts are, over all lists of a model', () => {
    const shared = createTextNumbers()
    const one = resolve(texts(), { given: textColumn(['é', 'b', 'é'], []) }, 2, shared)
    const two = resolve(texts(), { stored: textColumn(['b'], ['', 'e\u0301']) }, 2, shared)
    expect(rowsOf(one)).toEqual([[0, 1, 0], []])
    expect(rowsOf(two)).toEqual([[1], [2, 3]])
    expect(shared.list()).toEqual(['é', 'b', '', 'e\u0301'])
  })

  test('a default’s texts are only met where it stands in', () => {
    const shared = createTextNumbers()
    const input = texts({ viewDefault: ['x'] })
    resolve(input, { given: textColumn(['a']) }, 1, shared)
    expect(shared.list()).toEqual(['a'])
    const stored = { ...textColumn(['a'], []), status: Uint8Array.of(present, nullValue) }
    expect(rowsOf(resolve(input, { stored }, 2, shared))).toEqual([[0], [1]])
  })

  test('too many are refused with their row', () => {
    const given = textColumn([], ['a', 'b', 'c', 'd'])
    expect(() => resolve(texts(), { given }, 2)).toThrow(
      "feature 'sales.x', row 1: 4 elements, but input 'x' takes at most 3",
    )
  })
})

test('stored columns as they are, and cell by cell, are the same', () => {
  for (let seed = 0; seed < 500; seed++) {
    const prng = createSeededPrng(seed)
    const input =
      prng.below(2) === 0 ? pair(randomWords(prng, 2)) : numbers(randomWords(prng, prng.below(3)))
    const rowCount = 1 + prng.below(5)
    const stored = randomColumn(prng, rowCount, input.form.kind === 'embedding' ? 2 : undefined)
    const servesStale = prng.below(2) === 0
    const quick = resolve(input, { stored, servesStale }, rowCount)
    // A column in which nothing is given: each cell is looked at.
    const given = column(
      new Array<undefined>(rowCount).fill(undefined),
      new Array(rowCount).fill(notFound),
    )
    const slow = resolve(input, { given, stored, servesStale }, rowCount)
    expect({ seed, rows: rowsOf(quick), origins: quick.origins, statuses: quick.statuses }).toEqual(
      {
        seed,
        rows: rowsOf(slow),
        origins: slow.origins,
        statuses: slow.statuses,
      },
    )
  }
})

function randomWords(prng: Prng, count: number): Partial<BoundListInput> {
  const own = () =>
    prng.below(3) === 0 ? Array.from({ length: count }, () => prng.below(9)) : undefined
  return { modelDefault: own(), viewDefault: own(), exactInFloat32: prng.below(3) > 0 }
}

function randomColumn(prng: Prng, rowCount: number, dim: number | undefined): FeatureColumn {
  const statuses = [present, present, nullValue, notFound, outsideMaxAge, unavailable]
  const status = Array.from({ length: rowCount }, () => statuses[prng.below(statuses.length)] ?? 1)
  const rows = status.map((code) =>
    code === present || code === outsideMaxAge
      ? Array.from({ length: dim ?? prng.below(6) }, () => prng.below(100) / 8)
      : undefined,
  )
  return column(rows, status)
}
