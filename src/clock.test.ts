import { describe, expect, test } from 'vitest'
import { createManualClock } from '../test/support/manual-clock.js'
import { createFrozenClock, createLiveClock, systemClock } from './clock.js'

describe('the system clock', () => {
  test('tells one time of day, in milliseconds and in microseconds', () => {
    const before = systemClock.nowMs()
    const nowUs = systemClock.nowUs()
    const after = systemClock.nowMs()
    expect(nowUs).toBeGreaterThanOrEqual(BigInt(before) * 1000n)
    expect(nowUs).toBeLessThanOrEqual(BigInt(after) * 1000n)
    expect(before).toBeGreaterThan(Date.UTC(2026, 0, 1) - 366 * 86_400_000)
  })

  test('never goes back', () => {
    const readings = Array.from({ length: 100 }, () => systemClock.monotonicMs())
    expect(readings).toEqual([...readings].sort((a, b) => a - b))
  })

  test('a sleep ends', async () => {
    await expect(systemClock.sleep(1)).resolves.toBeUndefined()
    await expect(systemClock.sleep(1, new AbortController().signal)).resolves.toBeUndefined()
  })

  test('a signal ends a sleep with its reason, before or during it', async () => {
    const reason = new Error('enough')
    await expect(systemClock.sleep(1e6, AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const sleep = systemClock.sleep(1e6, controller.signal)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
  })

  test('a timeout fires as one', async () => {
    const signal = systemClock.timeout(1)
    await expect(systemClock.sleep(1e6, signal)).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('what is to happen later happens once, unless it was stopped', async () => {
    const fired: string[] = []
    systemClock.after(1, () => fired.push('stopped')).stop()
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => {
        fired.push('after')
        resolve()
      })
    })
    await systemClock.sleep(5)
    expect(fired).toEqual(['after'])
  })

  test('a timer ticks until it is stopped', async () => {
    let tickCount = 0
    await new Promise<void>((resolve) => {
      const timer = systemClock.every(1, () => {
        tickCount++
        if (tickCount < 3) return
        timer.stop()
        resolve()
      })
    })
    await systemClock.sleep(5)
    expect(tickCount).toBe(3)
  })
})

describe('the judging clock', () => {
  test("of ordinary service is the system's", () => {
    const clock = createManualClock(5)
    const judging = createLiveClock(clock)
    expect([judging.nowUs(), judging.frozen]).toEqual([5000n, false])
    clock.advance(2)
    expect(judging.nowUs()).toBe(7000n)
  })

  test.each([0n, -1n, 992_628_000_000_000n])('of a replay stands at %s', (atUs) => {
    const judging = createFrozenClock(atUs)
    expect([judging.nowUs(), judging.nowUs(), judging.frozen]).toEqual([atUs, atUs, true])
  })
})
