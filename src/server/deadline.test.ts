import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.js'
import { cancelSignalOf, deadlineOf } from './deadline.js'

const startMs = Date.UTC(2026, 0, 1)
const defaultMs = 1000

function callUntil(deadline: Date | number) {
  return Object.assign(new EventEmitter(), { getDeadline: () => deadline })
}

describe('a deadline', () => {
  test.each([
    ['brought as a date, less what the reply takes', new Date(startMs + 300), 280],
    ['brought as a number', startMs + 300, 280],
    ['short: a tenth is for the reply', startMs + 100, 90],
    ['later than the default', startMs + 5000, 4980],
    ['none', Number.POSITIVE_INFINITY, defaultMs],
    ['no date', new Date(Number.NaN), defaultMs],
    ['further away than a timer can wait', startMs + 2 ** 40, 2 ** 31 - 1],
  ])('%s', (_case, deadline, leftMs) => {
    const clock = createManualClock(startMs)
    const { atMs, signal } = deadlineOf(callUntil(deadline), clock, defaultMs)
    expect(atMs).toBe(leftMs)
    clock.advance(leftMs - 1)
    expect(signal.aborted).toBe(false)
    clock.advance(1)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
  })

  test.each([startMs, startMs - 1, startMs - 1e9])('that is past leaves nothing', (deadline) => {
    const clock = createManualClock(startMs)
    const { atMs, signal } = deadlineOf(callUntil(deadline), clock, defaultMs)
    clock.advance(0)
    expect([atMs, signal.aborted]).toEqual([0, true])
  })

  test('the caller going away fires it at once', () => {
    const call = callUntil(startMs + 300)
    const { signal } = deadlineOf(call, createManualClock(startMs), defaultMs)
    call.emit('cancelled')
    expect(signal.reason).toMatchObject({ name: 'AbortError' })
  })

  test('that was ended fires no more, neither by time nor by the caller', () => {
    const clock = createManualClock(startMs)
    const call = callUntil(startMs + 300)
    const { signal, end } = deadlineOf(call, clock, defaultMs)
    end()
    call.emit('cancelled')
    clock.advance(1000)
    expect(signal.aborted).toBe(false)
  })
})

test('without a deadline only the caller going away fires', () => {
  const call = callUntil(Number.POSITIVE_INFINITY)
  const signal = cancelSignalOf(call)
  expect(signal.aborted).toBe(false)
  call.emit('cancelled')
  expect(signal.aborted).toBe(true)
})
