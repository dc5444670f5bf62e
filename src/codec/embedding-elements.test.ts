import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cellOf, encodeReferenceCell } from '../../test/support/reference-row.js'
import type { FeatureType } from '../feature-type.js'
import { halfBitsOf, int8ScaleOf, int8StepsOf } from './embedding-elements.js'

function stored(storage: 'f16' | 'int8', elements: readonly number[]): Buffer {
  const type: FeatureType = { kind: 'embedding', dim: elements.length, storage }
  return encodeReferenceCell(type, cellOf(type, elements) ?? [])
}

const edges = [
  0,
  -0,
  1,
  65_504,
  65_519,
  2 ** -24,
  2 ** -25,
  2 ** -14,
  2 ** -15 + 2 ** -25,
  1.00048828125,
]

test('halves are those of the reference', () => {
  let caseCount = 0
  const inRange = fc.float({ min: -65_504, max: 65_504, noNaN: true })
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...edges), inRange), (value) => {
      expect(halfBitsOf(value)).toBe(stored('f16', [value]).readUInt16LE())
      caseCount++
    }),
    { seed: 5, numRuns: 1000 },
  )
  expect(caseCount).toBe(1000)
  expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(halfBitsOf)).toEqual([
    0x7c00, 0xfc00,
  ])
  expect(halfBitsOf(Number.NaN)).toBeGreaterThan(0x7c00)
})

test('steps and scales are those of the reference', () => {
  let caseCount = 0
  const elements = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(elements, (values) => {
      const bytes = stored('int8', values)
      const floats = Float32Array.from(values)
      expect(int8ScaleOf(floats)).toBe(bytes.readFloatLE())
      expect(Buffer.from(int8StepsOf(floats).buffer)).toEqual(Buffer.from(bytes.subarray(4)))
      caseCount++
    }),
    { seed: 5, numRuns: 500 },
  )
  expect(caseCount).toBe(500)
})
