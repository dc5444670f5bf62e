/**
 * Shapley values by their definition, over all coalitions: exponential in the features, so for a few of
 * them. The engine's contributions are compared with it.
 */

/** What a coalition of features is worth, per output. */
export type Worth = (known: readonly boolean[]) => readonly number[]

/** [output][feature + 1]; the last of each is what no feature is worth. */
export function shapleyValues(featureCount: number, worth: Worth): number[][] {
  const coalitions = Array.from({ length: 2 ** featureCount }, (_, bits) =>
    Array.from({ length: featureCount }, (_, feature) => ((bits >> feature) & 1) === 1),
  )
  const worths = coalitions.map(worth)
  const outputs = [...(worths[0]?.keys() ?? [])]
  return outputs.map((output) => {
    const worthOf = (bits: number) => worths[bits]?.[output] ?? NaN
    const values = Array.from({ length: featureCount }, (_, feature) => {
      const without = [...coalitions.keys()].filter((bits) => ((bits >> feature) & 1) === 0)
      return without.reduce((sum, bits) => {
        const gain = worthOf(bits | (1 << feature)) - worthOf(bits)
        return sum + gain * weightOf(coalitions[bits] ?? [])
      }, 0)
    })
    return [...values, worthOf(0)]
  })
}

/** The share of the orders of all features in which exactly these come before a certain other one. */
function weightOf(coalition: readonly boolean[]): number {
  const before = coalition.filter(Boolean).length
  return (
    (factorial(before) * factorial(coalition.length - before - 1)) / factorial(coalition.length)
  )
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}
