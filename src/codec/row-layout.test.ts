import { describe, expect, test } from 'vitest'
import { createRowLayout, featureNumbers } from './row-layout.js'

const bool = { kind: 'scalar', scalar: 'bool' } as const
const embedding = { kind: 'embedding', dim: 64, storage: 'int8' } as const

test('a layout is frozen, and keeps its features in order', () => {
  const features = [
    { id: 7, type: bool },
    { id: 3, type: embedding },
  ]
  const layout = createRowLayout({ layoutId: 2, features })
  expect(layout).toMatchObject({ layoutId: 2, features })
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
