import { describe, expect, test } from 'vitest'
import { createSeededPrng, type Prng, randomSeed, systemPrng } from './prng.js'

const draws = (prng: Prng, count = 1000) => Array.from({ length: count }, () => prng.next())

describe('a seeded run', () => {
  test('repeats, on every machine', () => {
    expect(draws(createSeededPrng(42))).toEqual(draws(createSeededPrng(42)))
    // The published mulberry32 gives these for seed 1.
    expect(draws(createSeededPrng(1), 3)).toEqual([
      0.6270739405881613, 0.002735721180215478, 0.5274470399599522,
    ])
  })

  test.each([0, 1, 2 ** 31, 2 ** 32 - 1, -1])('seed %d spreads over [0, 1)', (seed) => {
    const values = draws(createSeededPrng(seed))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean).toBeCloseTo(0.5, 1)
  })

  test('other seeds are other runs', () => {
    expect(draws(createSeededPrng(1))).not.toEqual(draws(createSeededPrng(2)))
  })
})

describe.each([
  ['seeded', createSeededPrng(7)],
  ['the system', systemPrng],
])('integers below a bound, %s', (_name, prng) => {
  test('are all of them, and nothing else', () => {
    const values = Array.from({ length: 1000 }, () => prng.below(5))
    expect([...new Set(values)].sort()).toEqual([0, 1, 2, 3, 4])
  })

  test('of one is always 0; up to 2^32 they stay below', () => {
    const values = Array.from({ length: 100 }, () => [prng.below(1), prng.below(2 ** 32)])
    expect(values.every(([one]) => one === 0)).toBe(true)
    expect(values.every(([, wide = -1]) => Number.isInteger(wide) && wide >= 0)).toBe(true)
  })
})

test("the system's draws differ, also over many of them", () => {
  const values = draws(systemPrng)
  expect(new Set(values).size).toBeGreaterThan(990)
  expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...values)).toBeLessThan(1)
})

test.each([0, 1, 24])('%d random bytes, others each time', (byteCount) => {
  expect(randomSeed(byteCount)).toHaveLength(byteCount)
  expect(randomSeed(24)).not.toEqual(randomSeed(24))
})
