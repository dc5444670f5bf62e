import { expect, test } from 'vitest'
import { shortenFloat32 } from './float32-digits.js'

test.each([
  { value: Math.fround(0.1), shortest: 0.1 },
  { value: Math.fround(4.2), shortest: 4.2 },
  { value: Math.fround(30.395834), shortest: 30.395834 },
  { value: 16_777_216, shortest: 16_777_216 },
  { value: 0.1, shortest: 0.1 },
  { value: 1 / 3, shortest: 1 / 3 },
  { value: 2 ** -149, shortest: 1.4013e-45 },
  { value: -0, shortest: -0 },
  { value: Number.NaN, shortest: Number.NaN },
  { value: Number.NEGATIVE_INFINITY, shortest: Number.NEGATIVE_INFINITY },
])('$value is written $shortest', ({ value, shortest }) => {
  expect(shortenFloat32(value)).toBe(shortest)
})
