import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from './duration.js'

test.each([
  { text: '36h', durationUs: 129_600_000_000n },
  { text: '30d', durationUs: 2_592_000_000_000n },
  { text: '15m', durationUs: 900_000_000n },
  { text: '10s', durationUs: 10_000_000n },
  { text: '500ms', durationUs: 500_000n },
  { text: '1d12h', durationUs: 129_600_000_000n },
  { text: '1d2h3m4s5ms', durationUs: 93_784_005_000n },
  { text: '36500d', durationUs: 3_153_600_000_000_000n },
])('$text is $durationUs µs', ({ text, durationUs }) => {
  expect(parseDuration(text)).toBe(durationUs)
})

test.each(['', '36', 'h', '-1h', '1.5h', '1h 2m', '2m1h', '1h1h', '36H', '1w', ' 1h', '1us', 'ms'])(
  '%j is not a duration',
  (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: `${JSON.stringify(text)} is not a duration: write 36h, 30d, 15m, 10s, 500ms or 1d12h`,
      }),
    )
  },
)

test.each(['0h', '0d0ms', '36501d', '36500d1ms', '999999999999999d'])(
  '%s is out of bounds',
  (text) => {
    expect(() => parseDuration(text)).toThrow(`"${text}" is not between 1ms and 36500d`)
  },
)

test('every duration is read back from its text', () => {
  const durations = fc.bigInt({ min: 1n, max: 3_153_600_000_000n }).map((ms) => ms * 1000n)
  const law = fc.property(durations, (durationUs) => {
    expect(parseDuration(formatDuration(durationUs))).toBe(durationUs)
  })
  expect(() => fc.assert(law, { seed: 3 })).not.toThrow()
})
