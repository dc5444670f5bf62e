import { expect, test } from 'vitest'
import { cellStatus, cellStatusText, type WireValues, wireCellCount } from './column.js'
import { CellStatus } from './gen/larder/v1/column.js'

test('statuses have the codes and the names that the proto gives them', () => {
  const ours = Object.entries(cellStatus).map(([name, code]) => [
    code,
    Object.entries(cellStatusText).find(([known]) => known === name)?.[1],
  ])
  const theirs = Object.entries(CellStatus)
    .filter(([name, code]) => name.startsWith('CELL_STATUS_') && Number(code) > 0)
    .map(([name, code]) => [code, name.replace('CELL_STATUS_', '')])
  expect(ours).toEqual(theirs)
})

const bytes = (byteCount: number) => new Uint8Array(byteCount)
const elements = { class: 'f64', bytes: bytes(3) } as const

test.each<[string, WireValues, number | undefined]>([
  ['f32', { class: 'f32', bytes: bytes(12) }, 3],
  ['f64', { class: 'f64', bytes: bytes(16) }, 2],
  ['i64', { class: 'i64', bytes: bytes(8) }, 1],
  ['none', { class: 'i64', bytes: bytes(0) }, 0],
  ['text by its lengths', { class: 'var', data: bytes(5), lengths: bytes(8) }, 2],
  ['lists by theirs', { class: 'list', lengths: bytes(4), elements }, 1],
  ['half an f32', { class: 'f32', bytes: bytes(6) }, undefined],
  ['half an f64', { class: 'f64', bytes: bytes(12) }, undefined],
  ['half an i64', { class: 'i64', bytes: bytes(4) }, undefined],
  ['half a length', { class: 'var', data: bytes(0), lengths: bytes(2) }, undefined],
  ['half a count', { class: 'list', lengths: bytes(7), elements }, undefined],
])('cells of %s', (_case, values, cellCount) => {
  expect(wireCellCount(values)).toBe(cellCount)
})
