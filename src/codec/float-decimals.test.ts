import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decimalValue, mantissaAt, shortestDecimal } from './float-decimals.js'

test.each([
  [0, { mantissa: 0, exponent: 0 }],
  [1.5, { mantissa: 15, exponent: 1 }],
  [-0.001, { mantissa: -1, exponent: 3 }],
  [300, { mantissa: 3, exponent: -2 }],
  [123_456, { mantissa: 123_456, exponent: 0 }],
  [1e22, { mantissa: 1, exponent: -22 }],
])('%d is %j', (value, decimal) => {
  expect(shortestDecimal(value, false)).toEqual(decimal)
  expect(shortestDecimal(Math.fround(value), true)).toEqual(decimal)
})

test.each([-0, Number.NaN, Number.POSITIVE_INFINITY, 1e-23, 1e23, 5e-324])(
  '%d has no decimal',
  (value) => {
    expect(shortestDecimal(value, false)).toBeUndefined()
  },
)

test('a decimal is found and gives back the very value, at its exponent and finer ones', () => {
  let caseCount = 0
  const decimal = fc.record({
    mantissa: fc.integer({ min: -999_999, max: 999_999 }),
    exponent: fc.integer({ min: -10, max: 12 }),
  })
  fc.assert(
    fc.property(decimal, fc.boolean(), (written, isFloat32) => {
      const value = decimalValue(written, isFloat32) + 0
      const shortest = shortestDecimal(value, isFloat32)
      expect(shortest).toBeDefined()
      expect(shortest && decimalValue(shortest, isFloat32)).toBe(value)
      expect(mantissaAt(value, written.exponent, isFloat32)).toBe(written.mantissa)
      caseCount++
    }),
    { seed: 4, numRuns: 2000 },
  )
  expect(caseCount).toBe(2000)
})

test.each([
  [0.125, 2],
  [-0, 0],
  [Number.NaN, 0],
  [Number.POSITIVE_INFINITY, 3],
  [2 ** 60, 0],
])('%d has no mantissa at exponent %i', (value, exponent) => {
  expect(mantissaAt(value, exponent, false)).toBeUndefined()
})
