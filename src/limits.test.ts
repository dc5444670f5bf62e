import { expect, test } from 'vitest'
import * as limits from './limits.js'

const bounds: [string, number][] = Object.entries(limits).flatMap(([name, bound]) =>
  typeof bound === 'number'
    ? [[name, bound]]
    : Object.entries(bound).map(([part, value]): [string, number] => [`${name}.${part}`, value]),
)
const isShare = ([name]: [string, number]) => /Share(Min)?$/.test(name)
const shares = bounds.filter(isShare)
const counts = bounds.filter((bound) => !isShare(bound))

test.each(counts)('%s is a whole number above 0', (_name, bound) => {
  expect(Number.isSafeInteger(bound) && bound > 0).toBe(true)
})

test.each(shares)('%s is a share', (_name, bound) => {
  expect(bound).toBeGreaterThan(0)
  expect(bound).toBeLessThan(1)
})

test.each(bounds)('%s says its unit', (name) => {
  expect(name).toMatch(/Ms|Bytes|Max|Share|Count|[Rr]ows/)
})

const waits = counts.filter(([name]) => /TimeoutMs|PollMs|PeriodMs|DelayMs|RenewMs/.test(name))

test.each(waits)('%s is no longer than a timer of Node can wait', (_name, waitMs) => {
  expect(waitMs).toBeLessThan(2 ** 31)
})

test('a reply of the most rows may have at least a thousand features', () => {
  expect(limits.replyValuesMax).toBeGreaterThanOrEqual(limits.requestRowsMax * 1000)
})

test('an input may hold the largest embedding in each of the most rows', () => {
  expect(limits.inputElementsMax).toBeGreaterThanOrEqual(
    limits.embeddingDimMax * limits.requestRowsMax,
  )
})

test('a full batch of bulk rows fits a message', () => {
  // The widest row that a bulk load is promised to carry at full batch length.
  const bulkRowBytes = 22 * 8
  expect(limits.batchRowsMax * bulkRowBytes).toBeLessThan(limits.messageBytesMax)
})

test('a lost lease is noticed before another daemon could have it', () => {
  expect(limits.leaseRenewMs * 2).toBeLessThan(limits.leaseMs)
})
