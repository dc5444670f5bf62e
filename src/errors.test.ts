import { describe, expect, test } from 'vitest'
import { LarderError } from './errors.js'

test('an error has its code, message, details and cause', () => {
  const cause = new Error('below')
  const error = new LarderError('bad_model', 'no model', { cause, details: { offset: 3 } })
  expect(error).toMatchObject({ name: 'LarderError', code: 'bad_model', message: 'no model' })
  expect([error.cause, error.details]).toEqual([cause, { offset: 3 }])
  expect(error).toBeInstanceOf(Error)
})

test('without options there are no details and no cause', () => {
  const error = new LarderError('not_found', 'none')
  expect(error.details).toEqual({})
  expect('cause' in error).toBe(false)
})

describe('whatever was thrown becomes one', () => {
  test('ours pass unchanged', () => {
    const error = new LarderError('refused', 'no')
    expect(LarderError.from(error)).toBe(error)
  })

  test.each([
    [new DOMException('gone', 'AbortError'), 'cancelled', 'the call was cancelled'],
    [AbortSignal.abort().reason, 'cancelled', 'the call was cancelled'],
    [new DOMException('late', 'TimeoutError'), 'deadline_exceeded', 'the deadline passed first'],
    [new TypeError('x is undefined'), 'internal', 'x is undefined'],
    ['a text', 'internal', 'a text'],
    [undefined, 'internal', 'undefined'],
    [null, 'internal', 'null'],
    [Object.create(null), 'internal', expect.any(String)],
    [Symbol('s'), 'internal', 'Symbol(s)'],
  ])('%#', (thrown, code, message) => {
    expect(LarderError.from(thrown)).toMatchObject({ code, message })
  })

  test('with what was thrown as its cause', () => {
    const thrown = new RangeError('low')
    expect(LarderError.from(thrown).cause).toBe(thrown)
  })
})
