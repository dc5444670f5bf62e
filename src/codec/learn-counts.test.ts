import { expect, test } from 'vitest'
import { sampleColumn } from '../../test/support/profile-samples.js'
import { assert } from '../assert.js'
import { cellRows, countIntegers, countTexts, integersAt } from './learn-counts.js'

test('cells that a row lacks are neither set nor null', () => {
  const column = sampleColumn('f', 'int8', [1, null, undefined, 2])
  expect(cellRows(column)).toEqual({ setRows: [0, 3], nullCount: 1 })
})

test('distinct integers come ascending, with their counts', () => {
  const { values, counts, valueCount } = countIntegers(BigInt64Array.of(5n, -1n, 5n, 0n, 5n))
  expect([...values]).toEqual([-1n, 0n, 5n])
  expect([...counts]).toEqual([1, 1, 3])
  expect(valueCount).toBe(5)
})

test.each([
  ['bool', [true, false], [1n, 0n]],
  ['int16', [-3, 7], [-3n, 7n]],
  ['int32', [-(2 ** 31), 7], [-(2n ** 31n), 7n]],
  ['int64', [-(2n ** 63n), 7n], [-(2n ** 63n), 7n]],
  ['float32', [1, -2], [0x3f80_0000n, 0xc000_0000n]],
  ['float64', [1, -2], [0x3ff0_0000_0000_0000n, -0x4000_0000_0000_0000n]],
] as const)('%s values stand as 64-bit integers', (scalar, values, integers) => {
  const column = sampleColumn('f', scalar, values)
  assert(column.values.class !== 'list', 'the column is of scalars')
  expect([...integersAt(scalar, column.values, [1, 0])]).toEqual([...integers].reverse())
})

test('distinct texts come by how often they do, then by their bytes', () => {
  const { values } = sampleColumn('f', 'string', ['b', 'é', 'a', 'é', ''])
  assert(values.class !== 'list', 'the column is of scalars')
  const texts = countTexts(values, [0, 1, 2, 3, 4])
  expect(texts.map(({ bytes, count }) => [Buffer.from(bytes).toString(), count])).toEqual([
    ['é', 2],
    ['', 1],
    ['a', 1],
    ['b', 1],
  ])
})
