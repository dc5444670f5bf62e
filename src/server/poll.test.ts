import { expect, test } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.js'
import { startPoll } from './poll.js'

function start(step: () => Promise<void>) {
  const clock = createManualClock(0)
  const lines: string[] = []
  const note = (_facts: object, message: string) => void lines.push(message)
  const log = { info: note, warn: note, error: note }
  const timer = startPoll(clock, log, { what: 'looking', periodMs: 100, step })
  return { clock, lines, timer }
}

/** Lets what a tick started come to its end. */
const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

test('a failure is told once, and its end', async () => {
  const answers = [false, true, true, false, true]
  const { clock, lines, timer } = start(async () => {
    if (answers.shift()) throw new Error('gone')
  })
  for (const _ of [...answers]) {
    clock.advance(100)
    await settled()
  }
  expect(answers).toEqual([])
  expect(lines).toEqual([
    'looking fails and is tried again: gone',
    'looking works again',
    'looking fails and is tried again: gone',
  ])
  timer.stop()
})

test('a step that still runs is not started twice; a stopped poll starts none', async () => {
  let startCount = 0
  const ends: (() => void)[] = []
  const { clock, timer } = start(() => {
    startCount++
    return new Promise((resolve) => void ends.push(resolve))
  })
  clock.advance(500)
  expect(startCount).toBe(1)
  ends.shift()?.()
  await settled()
  clock.advance(100)
  expect(startCount).toBe(2)
  timer.stop()
  ends.shift()?.()
  await settled()
  clock.advance(500)
  expect(startCount).toBe(2)
})
