import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import { unaligned } from '../../test/support/wire-columns.js'
import { type ColumnValues, cellStatus } from '../column.js'
import { Column } from '../gen/larder/v1/column.js'
import { bytesOf, formatColumn, parseColumns, parseInt64s } from './messages.js'

const status = Uint8Array.of(1, 2)
const f32 = { class: 'f32', values: Float32Array.of(1.5, Number.NaN) } as const
const text = {
  class: 'var',
  data: new Uint8Array(Buffer.from('añ')),
  lengths: Uint32Array.of(1, 2),
} as const

describe('a column goes out and comes back', () => {
  test.each<[string, ColumnValues]>([
    ['float32', f32],
    ['float64', { class: 'f64', values: Float64Array.of(-0, 1e300) }],
    ['int64', { class: 'i64', values: BigInt64Array.of(2n ** 62n, -1n) }],
    ['string', text],
    ['list<float32>', { class: 'list', lengths: Uint32Array.of(2, 0), elements: f32 }],
    ['list<string>', { class: 'list', lengths: Uint32Array.of(0, 2), elements: text }],
  ])('%s', (typeText, values) => {
    const column = { name: 'x', type: declaredType(typeText), values, status }
    const sent = Column.decode(Column.encode(formatColumn(column, [cellStatus.present])).finish())
    expect(sent.type).toBe(typeText)
    const [parsed] = parseColumns([sent], 'column')
    expect(parsed?.status).toEqual(bytesOf(status))
    expect(parsed?.values).toEqual(wireOf(values))
  })

  test('without cells', () => {
    const values = { class: 'f32', values: new Float32Array(0) } as const
    const column = { name: 'x', type: declaredType('bool'), values, status: new Uint8Array(0) }
    expect(parseColumns([formatColumn(column, [])], 'column')).toEqual([
      { name: 'x', values: { class: 'f32', bytes: Buffer.alloc(0) }, status: undefined },
    ])
  })
})

const { present, nullValue, outsideMaxAge } = cellStatus

test.each([
  ['the present cells alone', [present], []],
  ['stale ones too', [present, outsideMaxAge], [1, 0, 1]],
  ['none', [], [0, 0, 0]],
])('cells that carry a value: %s', (_case, valued, hasValue) => {
  const values = { class: 'f32', values: Float32Array.of(1, 0, 3) } as const
  const codes = Uint8Array.of(present, nullValue, outsideMaxAge)
  const column = { name: 'x', type: declaredType('float32'), values, status: codes }
  expect([...formatColumn(column, valued).hasValue]).toEqual(hasValue)
})

/** The bytes that carry `values`. */
function wireOf(values: ColumnValues): object {
  switch (values.class) {
    case 'list': {
      const { lengths, elements } = values
      return { class: 'list', lengths: bytesOf(lengths), elements: wireOf(elements) }
    }
    case 'var':
      return { class: 'var', data: bytesOf(values.data), lengths: bytesOf(values.lengths) }
    default:
      return { class: values.class, bytes: bytesOf(values.values) }
  }
}

test('a view into larger memory sends its own part only', () => {
  expect(bytesOf(Uint8Array.of(1, 2, 3, 4).subarray(1, 3))).toEqual(Buffer.of(2, 3))
})

test.each([
  [Column.create({ values: { $case: 'f32', value: Buffer.alloc(4) } }), 'key column 0 has no name'],
  [Column.create({ name: 'x' }), "key column 'x' has no values"],
  [
    Column.create({ name: 'x', values: { $case: 'list', value: { lengths: Buffer.alloc(4) } } }),
    "list column 'x' has no elements field",
  ],
])('%# is refused', (message, text) => {
  expect(() => parseColumns([message], 'key column')).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message: text }),
  )
})

describe('int64 values', () => {
  test('need not be aligned', () => {
    const values = BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)
    expect(parseInt64s(unaligned(values), 'event_times')).toEqual(values)
    expect(parseInt64s(new Uint8Array(0), 'event_times')).toEqual(new BigInt64Array(0))
  })

  test.each([1, 7, 9])('%d bytes are refused', (byteCount) => {
    expect(() => parseInt64s(new Uint8Array(byteCount), 'event_times')).toThrow(
      `event_times has ${byteCount} bytes, not a whole number of 8-byte values`,
    )
  })
})
