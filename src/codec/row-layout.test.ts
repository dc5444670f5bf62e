import { describe, expect, test } from 'vitest'
import type { CodeClass } from '../encoding-profile.js'
import type { CompactVersion } from '../version-format.js'
import { createRowLayout, featureNumbers } from './row-layout.js'

const bool = { kind: 'scalar', scalar: 'bool' } as const
const embedding = { kind: 'embedding', dim: 64, storage: 'int8' } as const

test('a layout is frozen, and keeps its features in order', () => {
  const features = [
    { id: 7, type: bool },
    { id: 3, type: embedding },
  ]
  const layout = createRowLayout({ layoutId: 2, features })
  expect(layout).toMatchObject({ layoutId: 2, features, isPlain: true })
  expect(Object.isFrozen(layout) && Object.isFrozen(layout.features)).toBe(true)
  expect([...featureNumbers(features)]).toEqual([7, 0, 0, 0, 0, 3, 2, 5, 2, 64])
})

describe('bugs of the caller', () => {
  test.each([
    { layoutId: 1, rule: 'a meaning of their own' },
    { layoutId: 2.5, rule: 'a u32' },
    { layoutId: 2 ** 32, rule: 'a u32' },
  ])('layout id $layoutId', ({ layoutId, rule }) => {
    expect(() => createRowLayout({ layoutId, features: [] })).toThrow(rule)
  })

  test('a feature that stands in a row twice', () => {
    const features = [
      { id: 7, type: bool },
      { id: 7, type: embedding },
    ]
    expect(() => createRowLayout({ layoutId: 2, features })).toThrow(
      'a feature stands in a row once',
    )
  })
})

describe('what was registered and cannot be', () => {
  const compact: CompactVersion = {
    eventBaseUs: 5n,
    eventUnitUs: 1n,
    eventBytes: 2,
    sequence: 2n ** 64n - 1n,
  }

  test('a layout that is not plain does not take every row', () => {
    const layout = createRowLayout({ layoutId: 2, features: [], versionFormat: compact })
    expect(layout.isPlain).toBe(false)
  })

  test.each([
    { change: { eventUnitUs: 0n }, reason: 'an event time unit of 0 us is less than 1' },
    {
      change: { eventBaseUs: -(2n ** 53n) },
      reason: 'event times from -9007199254740992 us in units of 1 us pass 2^53',
    },
  ])('$reason', ({ change, reason }) => {
    const versionFormat = { ...compact, ...change }
    expect(() => createRowLayout({ layoutId: 9, features: [], versionFormat })).toThrow(
      expect.objectContaining({ code: 'internal', message: `layout 9: ${reason}` }),
    )
  })

  test.each([-1, 7])('an event time of %d bytes is a bug', (eventBytes) => {
    const versionFormat = { ...compact, eventBytes }
    expect(() => createRowLayout({ layoutId: 9, features: [], versionFormat })).toThrow(
      'a compact event time has 0 to 6 bytes',
    )
  })

  test('a profile that breaks a rule names the feature and the bound', () => {
    const classes: CodeClass[] = [
      { kind: 'range', prefixBits: 0, base: 0n, width: 65, exponent: 0 },
    ]
    const coding = { mapping: { kind: 'integer', unit: 1n }, classes } as const
    const profile = {
      id: 1,
      encodings: new Map([[7, { kind: 'coded', coding } as const]]),
      sampleRowCount: 1,
    }
    expect(() =>
      createRowLayout({ layoutId: 9, features: [{ id: 7, type: bool }], profile }),
    ).toThrow(
      expect.objectContaining({
        code: 'internal',
        message: 'layout 9: feature id 7: a width of 65 bits, at most 64 are allowed',
      }),
    )
  })
})
