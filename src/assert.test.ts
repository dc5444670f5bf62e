import { expect, test } from 'vitest'
import { assert, unreachable } from './assert.js'
import { LarderError } from './errors.js'

test.each([true, 1, 'a', {}])('%j holds', (condition) => {
  expect(() => assert(condition, 'a rule')).not.toThrow()
})

test.each([false, 0, '', undefined, null, Number.NaN])('%s stops with the rule', (condition) => {
  expect(() => assert(condition, 'a rule')).toThrow(
    expect.objectContaining({ name: 'AssertionError', message: 'a rule' }),
  )
})

test('a bug is reported as one, not as bad input', () => {
  const reported = (() => {
    try {
      return assert(false, 'a rule')
    } catch (thrown) {
      return LarderError.from(thrown)
    }
  })()
  expect(reported).toMatchObject({ code: 'internal', message: 'a rule' })
})

test('what cannot be is named when it is', () => {
  // Only a bug, or a cast like this one, brings a value here.
  expect(() => unreachable({ kind: 'new' } as never)).toThrow('unreachable: {"kind":"new"}')
})
