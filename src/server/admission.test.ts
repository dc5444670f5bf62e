import { expect, test } from 'vitest'
import { createAdmission } from './admission.js'

test('admits as many calls as allowed, and again as soon as one has ended', () => {
  const admit = createAdmission(2)
  const leave = admit()
  admit()
  expect(admit).toThrow(
    expect.objectContaining({
      code: 'resource_exhausted',
      message: '2 calls are under way, at most 2 are allowed: try again later',
    }),
  )
  leave()
  leave()
  expect(admit()).toBeTypeOf('function')
  expect(admit).toThrow()
})
