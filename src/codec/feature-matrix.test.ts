import { describe, expect, test } from 'vitest'
import { decodeAll, encodeCells, layoutOf } from '../../test/support/codec-batches.js'
import { cellsOfColumn } from '../../test/support/codec-columns.js'
import { cellOf } from '../../test/support/reference-row.js'
import { assert } from '../assert.js'
import { cellStatus, type FeatureColumn } from '../column.js'
import type { DefaultValue } from '../declared.js'
import type { FeatureType, ScalarType } from '../feature-type.js'
import { applyDefault } from './feature-matrix.js'

const scalar = (type: ScalarType): FeatureType => ({ kind: 'scalar', scalar: type })
const list = (element: ScalarType): FeatureType => ({ kind: 'list', element })

/** A column of `value`, null, `value`. */
function columnWithNull(type: FeatureType, value: DefaultValue): FeatureColumn {
  const layout = layoutOf([type])
  const cell = cellOf(type, value)
  const [column] = decodeAll(layout, encodeCells(layout, [[cell], [null], [cell]])).columns
  assert(column !== undefined, 'one column')
  return column
}

const cases: readonly { type: FeatureType; value: DefaultValue; other: DefaultValue }[] = [
  { type: scalar('bool'), value: false, other: true },
  { type: scalar('int16'), value: 5, other: -7 },
  { type: scalar('int32'), value: 5, other: -7 },
  { type: scalar('int64'), value: 5n, other: 2n ** 53n + 1n },
  { type: scalar('float32'), value: 0.5, other: Number.NaN },
  { type: scalar('float64'), value: 0.1, other: -0 },
  { type: scalar('string'), value: 'abc', other: 'é' },
  { type: scalar('bytes'), value: Uint8Array.of(1, 2), other: new Uint8Array(0) },
  { type: list('int32'), value: [1, 2, 3], other: [] },
  { type: list('int64'), value: [], other: [1n, 2n] },
  { type: list('string'), value: ['a', '', 'bcd'], other: ['x', 'yz'] },
  { type: { kind: 'embedding', dim: 2, storage: 'f32' }, value: [1, 2], other: [3, 4] },
]

describe('applyDefault', () => {
  test.each(cases)(
    'fills the cells asked for and keeps the rest: $type',
    ({ type, value, other }) => {
      const column = columnWithNull(type, value)
      const before = cellsOfColumn(column)
      const filled = applyDefault(column, other, [cellStatus.nullValue])
      const [cell, filler] = [cellOf(type, value), cellOf(type, other)]
      expect(cellsOfColumn(filled)).toEqual([cell, filler, cell])
      expect(filled.status).toEqual(column.status)
      expect(cellsOfColumn(column)).toEqual(before)
    },
  )

  test('a column without such cells is handed back as it is', () => {
    const column = columnWithNull(scalar('float32'), 1)
    expect(applyDefault(column, 2, [cellStatus.unavailable])).toBe(column)
  })

  test.each<{ type: FeatureType; wrong: DefaultValue }>([
    { type: scalar('int64'), wrong: 1 },
    { type: scalar('float32'), wrong: 'x' },
    { type: scalar('string'), wrong: 1 },
  ])('a default of another type is a bug: $type', ({ type, wrong }) => {
    const value = type.kind === 'scalar' && type.scalar === 'int64' ? 1n : 0
    const column = columnWithNull(
      type,
      type.kind === 'scalar' && type.scalar === 'string' ? '' : value,
    )
    expect(() => applyDefault(column, wrong, [cellStatus.nullValue])).toThrow('the default')
  })
})
