import { expect, test } from 'vitest'
import { learnVersion, measureEventTimes } from './learn-version.js'

const noonUs = 1_700_000_000_000_000n

test.each([
  { name: 'one time', offsets: [0n], unitUs: 1n, eventBytes: 0 },
  {
    name: 'seconds of a day',
    offsets: [1_000_000n, 3_000_000n, 86_400_000_000n],
    unitUs: 1_000_000n,
    eventBytes: 3,
  },
  {
    name: 'hours of a day',
    offsets: [0n, 3_600_000_000n, 86_400_000_000n],
    unitUs: 3_600_000_000n,
    eventBytes: 1,
  },
  {
    name: 'days of ten years',
    offsets: [0n, 86_400_000_000n, 3650n * 86_400_000_000n],
    unitUs: 86_400_000_000n,
    eventBytes: 2,
  },
  {
    name: 'weeks, in days where that takes no more',
    offsets: [0n, 604_800_000_000n],
    unitUs: 3_600_000_000n,
    eventBytes: 1,
  },
  { name: 'microseconds', offsets: [0n, 1n, 255n], unitUs: 1n, eventBytes: 1 },
  {
    name: 'steps that nobody uses',
    offsets: [0n, 7_777n, 7_777n * 255n],
    unitUs: 7_777n,
    eventBytes: 1,
  },
])('$name', ({ offsets, unitUs, eventBytes }) => {
  const times = BigInt64Array.from(offsets, (offset) => noonUs + offset)
  expect(learnVersion(measureEventTimes(times))).toEqual({
    eventBaseUs: noonUs + (offsets[0] ?? 0n),
    eventUnitUs: unitUs,
    eventBytes,
  })
})

test.each([
  { name: 'times beyond 2^53', times: [2n ** 53n, 2n ** 53n + 1n] },
  { name: 'times before -2^53', times: [-(2n ** 53n), 0n] },
  { name: 'a range whose last value would be beyond 2^53', times: [0n, 2n ** 52n + 1n] },
])('$name have no compact version', ({ times }) => {
  expect(learnVersion(measureEventTimes(BigInt64Array.from(times)))).toBeUndefined()
})

test('times are measured whatever their order', () => {
  expect(measureEventTimes(BigInt64Array.of(30n, -10n, 10n))).toEqual({
    minUs: -10n,
    maxUs: 30n,
    stepUs: 20n,
  })
})
