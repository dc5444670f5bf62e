/**
 * Random, well-formed XGBoost models with every construct, for comparing two evaluators. Far odder
 * than training yields: infinite and NaN thresholds, deleted nodes, empty category sets, trees of one
 * leaf, several outputs in any order, dart weights.
 */
import type { Prng } from '../../src/prng.js'
import type { TreeFile, XgboostFile } from './xgboost-evaluator.js'

const featureCount = 5
const largest = 3.4028234663852886e38

const oddNumbers = [Infinity, -Infinity, NaN, 0, -0, 1e-45, -1e-45, 1e-40, largest, -largest]
const oddInputs = [
  ...oddNumbers,
  5e-324,
  1e39,
  -1e300,
  -0.5,
  -1,
  0.99,
  31,
  32,
  95,
  96,
  16777215,
  16777216,
  16777217,
]

/** A model as a file's text and as the value it stands for; `prng` alone decides which. */
export function randomXgboostModel(prng: Prng): {
  readonly text: string
  readonly value: XgboostFile
} {
  const outputCount = 1 + prng.below(3)
  const trees = Array.from({ length: prng.below(20) }, (_, id) => randomTree(prng, id))
  const model = {
    gbtree_model_param: { num_trees: String(trees.length), num_parallel_tree: '1' },
    tree_info: trees.map(() => prng.below(outputCount)),
    trees,
  }
  const weights = trees.map(() => Math.fround(prng.next()))
  const isDart = prng.below(3) === 0
  const bases = Array.from({ length: prng.below(2) === 0 ? 1 : outputCount }, () =>
    gridNumber(prng),
  )
  const isClasses = prng.below(2) === 0 && outputCount > 1
  const value = {
    learner: {
      attributes: {},
      feature_names: Array.from({ length: featureCount }, (_, i) => `x${i}`),
      feature_types: [],
      gradient_booster: isDart
        ? ({ name: 'dart', gbtree: { name: 'gbtree', model }, weight_drop: weights } as const)
        : ({ name: 'gbtree', model } as const),
      learner_model_param: {
        base_score:
          prng.below(2) === 0 || bases.length > 1 ? `[${bases.join(',')}]` : `${bases[0]}`,
        boost_from_average: '0',
        num_class: isClasses ? String(outputCount) : '0',
        num_feature: String(featureCount),
        num_target: isClasses ? '1' : String(outputCount),
      },
      objective: { name: isClasses ? 'multi:softprob' : 'reg:squarederror' },
    },
    version: [3, 2, 0],
  }
  return { text: textOf(value), value }
}

/** One input per feature; thresholds of random models are among them. */
export function randomXgboostRow(prng: Prng): number[] {
  return Array.from({ length: featureCount }, () => randomInput(prng))
}

/** JSON with the numbers that XGBoost spells in words. */
function textOf(value: unknown): string {
  const marked = JSON.stringify(value, (_, item) => {
    if (Object.is(item, -0)) return '@-0.0@'
    return typeof item === 'number' && !Number.isFinite(item) ? `@${item}@` : item
  })
  return marked.replaceAll(/"@|@"/g, '')
}

function randomInput(prng: Prng): number {
  const kind = prng.below(4)
  if (kind === 0) return oddInputs[prng.below(oddInputs.length)] ?? 0
  if (kind === 1) return prng.below(120) - 10
  return gridNumber(prng)
}

/** Few distinct values, so that inputs often equal thresholds. */
function gridNumber(prng: Prng): number {
  return (prng.below(41) - 20) / 8
}

function randomNumber(prng: Prng): number {
  return prng.below(8) === 0 ? (oddNumbers[prng.below(oddNumbers.length)] ?? 0) : gridNumber(prng)
}

function randomTree(prng: Prng, id: number): TreeFile {
  const { lefts, rights, nodeCount } = randomShape(prng)
  const isDeleted = Array.from({ length: nodeCount }, (_, node) => node >= lefts.length)
  const perNode = <Item>(make: (node: number) => Item) =>
    Array.from({ length: nodeCount }, (_, node) => make(node))
  const isInner = (node: number) => (lefts[node] ?? -1) !== -1
  const splitTypes = perNode((node) => (isInner(node) && prng.below(3) === 0 ? 1 : 0))
  const nodes = perNode((node) => node).filter((node) => splitTypes[node] === 1)
  const sets = nodes.map(() => Array.from({ length: prng.below(8) }, () => randomCategory(prng)))
  let end = 0
  const segments = sets.map((set) => {
    end += set.length
    return end - set.length
  })
  const tree = {
    id,
    base_weights: perNode(() => 0.5),
    categories: sets.flat(),
    categories_nodes: nodes,
    categories_segments: segments,
    categories_sizes: sets.map((set) => set.length),
    default_left: perNode(() => prng.below(2)),
    left_children: perNode((node) => lefts[node] ?? -1),
    right_children: perNode((node) => rights[node] ?? -1),
    split_conditions: perNode((node) =>
      isInner(node) || prng.below(16) === 0 ? randomNumber(prng) : Math.fround(prng.next() - 0.5),
    ),
    split_indices: perNode((node) =>
      isDeleted[node] === true ? 2147483647 : prng.below(featureCount),
    ),
    split_type: splitTypes,
    sum_hessian: perNode(() => 1.5),
    tree_param: { num_nodes: String(nodeCount), size_leaf_vector: '1' },
  }
  return tree
}

function randomCategory(prng: Prng): number {
  return prng.below(400) === 0 ? 2 ** 24 - 1 - prng.below(2) : prng.below(100)
}

/** Splits a random leaf until there are enough: every shape of tree, in a shuffled numbering. */
function randomShape(prng: Prng): { lefts: number[]; rights: number[]; nodeCount: number } {
  const splitCount = prng.below(prng.below(4) === 0 ? 60 : 8)
  const lefts = [-1]
  const rights = [-1]
  for (let split = 0; split < splitCount; split++) {
    const leaves = lefts.flatMap((left, node) => (left === -1 ? [node] : []))
    const leaf = leaves[prng.below(leaves.length)] ?? 0
    const isMirrored = prng.below(2) === 0
    lefts[leaf] = lefts.length + (isMirrored ? 1 : 0)
    rights[leaf] = lefts.length + (isMirrored ? 0 : 1)
    lefts.push(-1, -1)
    rights.push(-1, -1)
  }
  return { lefts, rights, nodeCount: lefts.length + prng.below(3) }
}
