import { expect, test } from 'vitest'
import { parseInstant } from './instant.js'

test.each([
  { text: '1970-01-01T00:00:00Z', instantUs: 0n },
  { text: '2001-06-15T18:00:00Z', instantUs: 992_628_000_000_000n },
  { text: '2001-06-15 18:00:00.25Z', instantUs: 992_628_000_250_000n },
  { text: '2001-06-15T20:00:00.000001+02:00', instantUs: 992_628_000_000_001n },
  { text: '2001-06-15T13:30:00-04:30', instantUs: 992_628_000_000_000n },
  { text: '1969-12-31T23:59:59.999999Z', instantUs: -1n },
  { text: '2000-02-29T00:00:00Z', instantUs: 951_782_400_000_000n },
])('$text is $instantUs µs', ({ text, instantUs }) => {
  expect(parseInstant(text)).toBe(instantUs)
})

test.each([
  '',
  '2001-06-15',
  '2001-06-15T18:00:00',
  '2001-02-29T00:00:00Z',
  '2001-13-01T00:00:00Z',
  '2001-06-15T24:00:00Z',
  '2001-06-15T18:60:00Z',
  '2001-06-15T18:00:60Z',
  '2001-06-15T18:00:00+24:00',
  '2001-06-15T18:00:00.1234567Z',
  '992628000',
])('%j is not an instant', (text) => {
  expect(() => parseInstant(text)).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: `${JSON.stringify(text)} is not an instant: write it like 2001-06-15T18:00:00Z`,
    }),
  )
})
