/**
 * Random, well-formed LightGBM model texts with every construct, for comparing two evaluators.
 * Far odder than training yields: any mix of missing types, infinite and NaN thresholds, linear
 * leaves beside categories, trees of one leaf, several outputs.
 */
import type { Prng } from '../../src/prng.js'

const randomFeatureCount = 5

const oddNumbers = ['inf', '-inf', 'nan', '0', '-0', '1e+308', '-1e+308', '1.0000000180025095e-35']
const oddInputs = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  5e-324,
  Math.fround(1e-35),
  -Math.fround(1e-35),
  1.0000000180025097e-35,
  1e308,
  -0.5,
  -1,
  31,
  32,
  95,
  96,
  2147483647,
  2147483648,
]

/**
 * A model text; `prng` alone decides which. One for contributions has what they need: counts, no linear
 * trees, finite leaves.
 */
export function randomLightgbmText(prng: Prng, { forContributions = false } = {}): string {
  const outputCount = 1 + prng.below(3)
  const treeCount = prng.below(20)
  const names = Array.from({ length: randomFeatureCount }, (_, i) => `f${i}`)
  const isAveraged = prng.below(4) === 0 && treeCount >= outputCount
  const header = [
    'tree',
    'version=v4',
    'num_class=1',
    `num_tree_per_iteration=${outputCount}`,
    'label_index=0',
    `max_feature_idx=${randomFeatureCount - 1}`,
    ...(isAveraged ? ['average_output'] : []),
    `feature_names=${names.join(' ')}`,
    '',
  ]
  const treeOf = forContributions ? randomCountedTree : randomTree
  // Trees with categories or linear leaves, which no bitmask kernel takes, are in half of the models.
  const isPlain = prng.below(2) === 0
  const trees = Array.from({ length: treeCount }, (_, i) => [
    `Tree=${i}`,
    ...treeOf(prng, isPlain),
    '',
  ])
  return `${[...header, ...trees.flat(), 'end of trees', ''].join('\n')}`
}

/** One input per feature; thresholds of random models are among them. */
export function randomLightgbmRow(prng: Prng): number[] {
  return Array.from({ length: randomFeatureCount }, () => randomInput(prng))
}

function randomInput(prng: Prng): number {
  const kind = prng.below(4)
  if (kind === 0) return oddInputs[prng.below(oddInputs.length)] ?? 0
  if (kind === 1) return prng.below(120) - 10
  return Number(gridNumber(prng))
}

/** Few distinct values, so that inputs often equal thresholds. */
function gridNumber(prng: Prng): string {
  return String((prng.below(41) - 20) / 8)
}

function randomNumber(prng: Prng): string {
  return prng.below(8) === 0 ? (oddNumbers[prng.below(oddNumbers.length)] ?? '0') : gridNumber(prng)
}

function randomTree(prng: Prng, isPlain: boolean): string[] {
  const leafCount = 1 + prng.below(prng.below(4) === 0 ? 80 : 8)
  const { lefts, rights } = randomShape(prng, leafCount)
  const decisions = lefts.map(() => {
    return !isPlain && prng.below(4) === 0 ? 1 : 2 * prng.below(6)
  })
  const setCount = decisions.filter((decision) => decision === 1).length
  let set = 0
  const thresholds = decisions.map((d) => (d === 1 ? String(set++) : randomNumber(prng)))
  const wordCounts = Array.from({ length: setCount }, () => prng.below(4))
  const bounds = [0]
  for (const count of wordCounts) bounds.push((bounds.at(-1) ?? 0) + count)
  const words = Array.from({ length: bounds.at(-1) ?? 0 }, () => prng.below(4294967296))
  const isLinear = !isPlain && prng.below(3) === 0
  return [
    `num_leaves=${leafCount}`,
    `num_cat=${setCount}`,
    `split_feature=${lefts.map(() => prng.below(randomFeatureCount)).join(' ')}`,
    `threshold=${thresholds.join(' ')}`,
    `decision_type=${decisions.join(' ')}`,
    `left_child=${lefts.join(' ')}`,
    `right_child=${rights.join(' ')}`,
    `leaf_value=${Array.from({ length: leafCount }, () => randomLeaf(prng)).join(' ')}`,
    ...(setCount > 0 ? [`cat_boundaries=${bounds.join(' ')}`] : []),
    ...(setCount > 0 ? [`cat_threshold=${words.join(' ')}`] : []),
    ...(isLinear ? randomLinear(prng, leafCount) : ['is_linear=0']),
    'shrinkage=0.1',
  ]
}

/** A random tree that has contributions. */
function randomCountedTree(prng: Prng, isPlain: boolean): string[] {
  const lines = randomTree(prng, isPlain)
  const list = (key: string) =>
    (lines.find((line) => line.startsWith(`${key}=`)) ?? '').slice(key.length + 1).match(/\S+/g) ??
    []
  const leaves = list('leaf_value').map((value) => (Number.isFinite(Number(value)) ? value : '0.5'))
  const plain = lines.filter(
    (line) => !/^(leaf_value|is_linear|leaf_(const|features|coeff))/.test(line),
  )
  const counts = randomCounts(prng, list('left_child').map(Number), list('right_child').map(Number))
  return [...plain, `leaf_value=${leaves.map(withinReach).join(' ')}`, ...counts]
}

/** Without 1e308: sums of such leaves overflow. */
function withinReach(value: string): string {
  return Math.abs(Number(value)) > 1e300 ? '-3' : value
}

/** Mostly those of some training set; now and then a node has more rows than its children together. */
function randomCounts(prng: Prng, lefts: readonly number[], rights: readonly number[]): string[] {
  const leafCounts = Array.from({ length: lefts.length + 1 }, () => prng.below(20))
  const nodeCounts: number[] = []
  const countOf = (child: number) => (child < 0 ? leafCounts[~child] : nodeCounts[child]) ?? 0
  // A node comes before its children.
  for (let node = lefts.length - 1; node >= 0; node--) {
    const sum = countOf(lefts[node] ?? 0) + countOf(rights[node] ?? 0)
    nodeCounts[node] = Math.max(1, sum) + (prng.below(8) === 0 ? prng.below(9) : 0)
  }
  return [`leaf_count=${leafCounts.join(' ')}`, `internal_count=${nodeCounts.join(' ')}`]
}

function randomLeaf(prng: Prng): string {
  return prng.below(16) === 0 ? randomNumber(prng) : String(prng.next() - 0.5)
}

/** Splits a random leaf until there are enough: every shape of tree can come out. */
function randomShape(prng: Prng, leafCount: number): { lefts: number[]; rights: number[] } {
  const lefts: number[] = []
  const rights: number[] = []
  for (let node = 0; node < leafCount - 1; node++) {
    if (node > 0) {
      const leaf = ~prng.below(node + 1)
      const side = lefts.includes(leaf) ? lefts : rights
      side[side.indexOf(leaf)] = node
      lefts.push(leaf)
    } else {
      lefts.push(~0)
    }
    rights.push(~(node + 1))
  }
  return { lefts, rights }
}

function randomLinear(prng: Prng, leafCount: number): string[] {
  const counts = Array.from({ length: leafCount }, () => prng.below(4))
  const perLeaf = (value: () => string) =>
    counts.map((count) => `${Array.from({ length: count }, value).join(' ')} `).join(' ')
  return [
    'is_linear=1',
    `leaf_const=${counts.map(() => gridNumber(prng)).join(' ')}`,
    `num_features=${counts.join(' ')}`,
    `leaf_features=${perLeaf(() => String(prng.below(randomFeatureCount)))}`,
    `leaf_coeff=${perLeaf(() => String(prng.next() - 0.5))}`,
  ]
}
