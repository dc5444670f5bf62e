import { describe, expect, test } from 'vitest'
import { formOf } from '../../test/support/tier-rows.js'
import { encodeVersionOnlyRow, fenceLayoutId, tombstoneLayoutId } from '../codec/row-version.js'
import { clockSkewMs, expiryJitterShare, futureBoundMs } from '../limits.js'
import { createSeededPrng } from '../prng.js'
import { keepRowMs, keepStoredMs, keepTombstoneMs, withJitter } from './expiry.js'
import { plainForm } from './row-form.js'

const dayUs = 86_400_000_000n
const nowUs = 1_000_000n * dayUs

describe('a row is kept until its retention ends, plus the skew of clocks', () => {
  test.each([
    ['of now', 0n, 86_400_000],
    ['an hour old', -3_600_000_000n, 82_800_000],
    ['of the future', 3_600_000_000n, 90_000_000],
    ['at its end', -dayUs, 0],
    ['1 us before its end', -dayUs + 1n, 1],
    ['1 us past its end', -dayUs - 1n, 0],
    ['long past its end', -500_000n * dayUs, 0],
  ])('%s', (_case, ageUs, leftMs) => {
    const life = { eventTimeUs: nowUs + ageUs, retentionUs: dayUs, nowUs }
    expect(keepRowMs(life)).toBe(leftMs + clockSkewMs)
    expect(keepTombstoneMs(life)).toBe(leftMs + clockSkewMs + futureBoundMs)
  })

  test('event times before 1970 and a retention of a hundred years are ordinary', () => {
    const life = { eventTimeUs: -1n, retentionUs: 36_500n * dayUs, nowUs: 0n }
    expect(keepRowMs(life)).toBe(36_500 * 86_400_000 + clockSkewMs)
  })
})

describe('a stored row is kept by what its bytes say', () => {
  const view = { retentionUs: dayUs, nowUs }
  test.each([
    [tombstoneLayoutId, 86_400_000 + clockSkewMs + futureBoundMs],
    [fenceLayoutId, 86_400_000 + clockSkewMs],
  ] as const)('layout %d', (layoutId, keepMs) => {
    const row = encodeVersionOnlyRow(layoutId, { eventTimeUs: nowUs, sequence: 1n })
    expect(keepStoredMs(row, view, plainForm.versions)).toBe(keepMs)
  })

  test('a row of a compact version', () => {
    const format = { eventBaseUs: nowUs, eventUnitUs: 1_000_000n, eventBytes: 1, sequence: 1n }
    const { versions } = formOf(new Map([[3, format]]))
    expect(keepStoredMs(Uint8Array.of(3, 60), view, versions)).toBe(86_460_000 + clockSkewMs)
    expect(() => keepStoredMs(Uint8Array.of(4, 60), view, versions)).toThrow(
      'layout 4 of a stored row',
    )
  })

  test('bytes that are no row are told', () => {
    expect(() => keepStoredMs(new Uint8Array(3), view, plainForm.versions)).toThrow(
      expect.objectContaining({ code: 'corrupt_row' }),
    )
  })
})

test('jitter only ever lengthens, by at most its share, and spreads', () => {
  const prng = createSeededPrng(7)
  const kept = Array.from({ length: 1000 }, () => withJitter(10_000, prng))
  expect(Math.min(...kept)).toBeGreaterThanOrEqual(10_000)
  expect(Math.max(...kept)).toBeLessThanOrEqual(10_000 * (1 + expiryJitterShare))
  expect(new Set(kept).size).toBeGreaterThan(300)
  expect(withJitter(0, prng)).toBe(0)
})
