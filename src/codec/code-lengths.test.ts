import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeLengths } from './code-lengths.js'

test.each<[number[], number, number[]]>([
  [[5], 10, [0]],
  [[5, 0], 10, [1, 1]],
  [[4, 2, 1, 1], 10, [1, 2, 3, 3]],
  [[1, 1, 1], 2, [2, 2, 1]],
  [[100, 10, 1, 1], 2, [2, 2, 2, 2]],
])('weights %j, at most %i bits: %j', (weights, bitsMax, lengths) => {
  const found = codeLengths(weights, bitsMax)
  expect(costOf(weights, found)).toBe(costOf(weights, lengths))
  expect(kraftSum(found)).toBe(1)
})

test('codes fill the code space, heed the bound, and cost what Huffman codes do where it is wide', () => {
  const weightsArbitrary = fc.array(fc.nat(100_000), { minLength: 2, maxLength: 32 })
  let caseCount = 0
  fc.assert(
    fc.property(weightsArbitrary, fc.integer({ min: 5, max: 10 }), (weights, bitsMax) => {
      const bounded = codeLengths(weights, bitsMax)
      expect(kraftSum(bounded)).toBe(1)
      expect(Math.max(...bounded)).toBeLessThanOrEqual(bitsMax)
      expect(costOf(weights, codeLengths(weights, 31))).toBe(huffmanCost(weights))
      caseCount++
    }),
    { seed: 4, numRuns: 200 },
  )
  expect(caseCount).toBe(200)
})

function kraftSum(lengths: readonly number[]): number {
  return lengths.reduce((sum, bits) => sum + 2 ** -bits, 0)
}

function costOf(weights: readonly number[], lengths: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (lengths[index] ?? 0), 0)
}

/** The sum of all inner nodes of a Huffman tree. */
function huffmanCost(weights: readonly number[]): number {
  const nodes = [...weights]
  let cost = 0
  while (nodes.length > 1) {
    nodes.sort((a, b) => a - b)
    const [first = 0, second = 0] = nodes.splice(0, 2)
    cost += first + second
    nodes.push(first + second)
  }
  return cost
}
