/**
 * Lengths of prefix codes: the best for given weights where no code may be longer than a bound.
 *
 * Package-merge, the coin collector's problem: a symbol of weight w offers one coin of value w for each
 * length 1 to the bound; the cheapest coins that fill the code space say how long each code is. Lengths
 * so found always fill it exactly.
 */
import { assert } from '../assert.js'

interface Package {
  readonly weight: number
  /** The symbols that it holds, as often as it holds them. */
  readonly symbols: readonly number[]
}

/** The length in bits of each weight's code; a lone weight needs none. At most 2^`bitsMax` weights. */
export function codeLengths(weights: readonly number[], bitsMax: number): number[] {
  assert(weights.length >= 1 && weights.length <= 2 ** bitsMax, 'so many codes there can be')
  const lengths = weights.map(() => 0)
  if (weights.length === 1) return lengths
  const coins = weights
    .map((weight, symbol): Package => ({ weight, symbols: [symbol] }))
    .sort((a, b) => a.weight - b.weight)
  let packages: readonly Package[] = coins
  for (let level = 1; level < bitsMax; level++) packages = merge(coins, paired(packages))
  for (const { symbols } of packages.slice(0, 2 * weights.length - 2)) {
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1
  }
  return lengths
}

/** Each two neighbours as one package; an odd last one is of no use. */
function paired(packages: readonly Package[]): Package[] {
  const pairs: Package[] = []
  for (let index = 0; index + 1 < packages.length; index += 2) {
    const [first, second] = packages.slice(index, index + 2)
    assert(first !== undefined && second !== undefined, 'both lie within the packages')
    pairs.push({
      weight: first.weight + second.weight,
      symbols: [...first.symbols, ...second.symbols],
    })
  }
  return pairs
}

/** Both by weight, coins first among equals. */
function merge(coins: readonly Package[], packages: readonly Package[]): Package[] {
  return [...coins, ...packages].sort((a, b) => a.weight - b.weight)
}
