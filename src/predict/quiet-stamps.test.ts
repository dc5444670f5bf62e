import { expect, test } from 'vitest'
import { QuietStamps } from './quiet-stamps.js'

test('a stamp is quiet when it was the same so long ago, and not after a change', () => {
  const quiet = new QuietStamps(100)
  expect(quiet.isQuiet('a', '1', 0)).toBe(false)
  expect(quiet.isQuiet('a', '1', 99)).toBe(false)
  expect(quiet.isQuiet('a', '1', 100)).toBe(true)
  expect(quiet.isQuiet('a', '2', 200)).toBe(false)
  expect(quiet.isQuiet('a', '1', 250)).toBe(false)
  expect(quiet.isQuiet('a', '1', 349)).toBe(false)
  expect(quiet.isQuiet('a', '1', 350)).toBe(true)
  expect(quiet.isQuiet('b', '1', 350)).toBe(false)
})

test('what is gone is forgotten, and must be left alone anew', () => {
  const quiet = new QuietStamps(0)
  expect([quiet.isQuiet('a', '1', 0), quiet.isQuiet('a', '1', 0)]).toEqual([false, true])
  quiet.keepOnly(new Set())
  expect(quiet.isQuiet('a', '1', 1)).toBe(false)
})
