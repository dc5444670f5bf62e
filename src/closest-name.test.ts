import { expect, test } from 'vitest'
import { closestName, didYouMean, didYouMeanOrKnown } from './closest-name.js'

const known = ['ttl', 'retention', 'latency_class', 'features']

test.each([
  { name: 'tll', closest: 'ttl' },
  { name: 'TTL', closest: 'ttl' },
  { name: 'retension', closest: 'retention' },
  { name: 'latency-class', closest: 'latency_class' },
  { name: 'feature', closest: 'features' },
  { name: 'source', closest: undefined },
  { name: '', closest: undefined },
  { name: 'x'.repeat(1_000_000), closest: undefined },
])('the name closest to $name is $closest', ({ name, closest }) => {
  expect(closestName(name, known)).toBe(closest)
})

test('a suggestion ends a message, or adds nothing', () => {
  expect(didYouMean('tll', known)).toBe(': did you mean "ttl"?')
  expect(didYouMean('zzzzzz', known)).toBe('')
  expect(didYouMeanOrKnown('tll', known)).toBe(': did you mean "ttl"?')
  expect(didYouMeanOrKnown('zzzzzz', known)).toBe(
    ': known are ttl, retention, latency_class, features',
  )
})
