import { expect, test } from 'vitest'
import { countedBits } from './data-sets.mjs'
import { valueKinds } from './value-kinds.mjs'
import { drawRows, entropyOf, makeRows, views } from './workload.mjs'

interface Feature {
  readonly name: string
  readonly type: string
  readonly kind: string
}

const atUs = 1_000_000_000_000_000n

test('the same seed draws the same rows, other entities other ones', () => {
  for (const view of Object.values(views)) {
    const rows = { begin: 0, rowCount: 20, atUs }
    expect(drawRows(view, rows)).toEqual(drawRows(view, rows))
    expect(makeRows(view, rows)).toEqual(makeRows(view, rows))
    expect(drawRows(view, { ...rows, begin: 20 }).cells).not.toEqual(drawRows(view, rows).cells)
  }
})

test('ranking_22 is the view that the targets name', () => {
  const features: readonly Feature[] = views.ranking_22.features
  const types = features.map(({ type }) => type)
  const countOf = (type: string) => types.filter((each) => each === type).length
  expect(['float32', 'int16', 'list<int32>'].map(countOf)).toEqual([14, 5, 3])
  const digits = features.map(({ kind }) => /^digits_(\d)$/.exec(kind)?.[1]).filter(Boolean)
  expect(digits.join('')).toBe('33334444455566')
  const nameChars = features.reduce((sum, { name }) => sum + name.length, 0) / features.length
  expect(Math.abs(nameChars - 31)).toBeLessThan(1)
  expect(entropyOf(views.ranking_22).columnBytes).toBeCloseTo(73.1, 1)
})

test('cells are null, event times whole seconds, and keys long as the header says', () => {
  const rowCount = 5000
  const { keys, eventTimesUs, cells } = drawRows(views.ranking_22, { begin: 0, rowCount, atUs })
  expect(keys.every((key) => key.length === 10)).toBe(true)
  const agesUs = Array.from(eventTimesUs, (timeUs) => atUs - timeUs)
  expect(agesUs.every((ageUs) => ageUs >= 0n && ageUs < 86_400_000_000n)).toBe(true)
  expect(agesUs.every((ageUs) => ageUs % 1_000_000n === 0n)).toBe(true)
  const nullCount = cells.flat().filter((cell: unknown) => cell === null).length
  expect(nullCount / (rowCount * cells.length)).toBeCloseTo(0.05, 2)
})

test.each(['below_24', 'below_1000', 'category', 'sparse', 'flag', 'count', 'digits_3'] as const)(
  'the entropy of %s that is computed is the one that is counted',
  (kind) => {
    const feature = { name: kind, type: valueKinds[kind].type, kind }
    const view = { name: kind, entity: 'item', keyName: 'item_id', features: [feature] }
    const { cells } = drawRows(view, { begin: 0, rowCount: 200_000, atUs })
    const { bits, isCounted } = countedBits(feature.type, cells[0] ?? [])
    expect(isCounted).toBe(true)
    expect(Math.abs(bits - 8 * entropyOf(view).columnBytes)).toBeLessThan(0.03)
  },
)

test('a column of distinct values has no entropy that could be counted', () => {
  expect(countedBits('float32', [1, 2, 3, null])).toMatchObject({ isCounted: false })
  expect(countedBits('float32', [1, 1, 1, 1])).toEqual({ isCounted: true, bits: 0 })
  expect(countedBits('float32', [1, 1, 2, 2])).toEqual({ isCounted: true, bits: 1 })
  expect(
    countedBits('list<int32>', [
      [1, 2],
      [1, 2],
    ]),
  ).toEqual({ isCounted: true, bits: 2 })
})
