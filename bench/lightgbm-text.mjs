/**
 * A synthetic LightGBM model as version 4 text, the same for every run of a seed.
 *
 * The idea: what a kernel costs depends on the shape of its trees and on which way rows go, not on what
 * the trees have learned. Trees grow as LightGBM grows them, a leaf at a time; which leaf is split is
 * uniform, the feature is uniform, and the threshold is a value drawn from that feature's own
 * distribution, so that rows reach all leaves. Missing values are NaN and go either way by a coin.
 */
import { createSeededPrng } from '../dist/prng.js'
import { drawValue } from './workload.mjs'

/** decision_type: NaN stands for missing (2 << 2), and goes left by default (1 << 1) or not. */
const nanGoesRight = 8
const nanGoesLeft = 10

/** The text of a regression model of `treeCount` trees over `inputs`, each `{ name, kind }`. */
export function makeLightgbmText({ inputs, treeCount, leafCount, seed }) {
  const prng = createSeededPrng(seed)
  const trees = Array.from({ length: treeCount }, (_, index) =>
    treeLines(index, { inputs, leafCount, prng }).join('\n'),
  )
  const header = [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${inputs.length - 1}`,
    'objective=regression',
    `feature_names=${inputs.map(({ name }) => name).join(' ')}`,
    `feature_infos=${inputs.map(() => '[-1000000:1000000]').join(' ')}`,
    `tree_sizes=${trees.map((text) => text.length + 2).join(' ')}`,
  ]
  return `${header.join('\n')}\n\n${trees.map((text) => `${text}\n\n`).join('')}end of trees\n`
}

function treeLines(index, { inputs, leafCount, prng }) {
  const { lefts, rights } = growShape(leafCount, prng)
  const features = lefts.map(() => prng.below(inputs.length))
  const decisions = lefts.map(() => (prng.below(2) === 0 ? nanGoesLeft : nanGoesRight))
  return [
    `Tree=${index}`,
    `num_leaves=${leafCount}`,
    'num_cat=0',
    `split_feature=${features.join(' ')}`,
    `threshold=${features.map((feature) => drawValue(inputs[feature].kind, prng)).join(' ')}`,
    `decision_type=${decisions.join(' ')}`,
    `left_child=${lefts.join(' ')}`,
    `right_child=${rights.join(' ')}`,
    `leaf_value=${Array.from({ length: leafCount }, () => prng.next() - 0.5).join(' ')}`,
    'is_linear=0',
    'shrinkage=0.1',
    '',
  ]
}

/** Children of each inner node: another inner node, or ~leaf. A split leaf keeps its number on the left. */
function growShape(leafCount, prng) {
  const lefts = [~0]
  const rights = [~1]
  for (let node = 1; node < leafCount - 1; node++) {
    const leaf = ~prng.below(node + 1)
    const side = lefts.includes(leaf) ? lefts : rights
    side[side.indexOf(leaf)] = node
    lefts.push(leaf)
    rights.push(~(node + 1))
  }
  return { lefts, rights }
}
