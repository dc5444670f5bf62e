/**
 * XGBoost's prediction rules, written down as plainly as possible: the engine's tests compare with it.
 * It reads well-formed models only, one row at a time, and shares nothing with the engine. A score is
 * left as a margin: transforms are compared with XGBoost's own.
 */

/** The parts of a parsed model file that matter here. */
export interface XgboostFile {
  readonly learner: {
    readonly gradient_booster: GbtreeFile | DartFile
    readonly learner_model_param: {
      readonly base_score: string
      readonly num_class: string
      readonly num_target: string
    }
  }
}

interface GbtreeFile {
  readonly name: 'gbtree'
  readonly model: TreesFile
}

interface DartFile {
  readonly name: 'dart'
  readonly gbtree: { readonly model: TreesFile }
  readonly weight_drop: readonly number[]
}

interface TreesFile {
  readonly tree_info: readonly number[]
  readonly trees: readonly TreeFile[]
}

/** A tree's arrays, by node. */
export interface TreeFile {
  readonly left_children: readonly number[]
  readonly right_children: readonly number[]
  readonly split_indices: readonly number[]
  readonly split_conditions: readonly number[]
  readonly split_type: readonly number[]
  readonly default_left: readonly number[]
  readonly categories: readonly number[]
  readonly categories_nodes: readonly number[]
  readonly categories_segments: readonly number[]
  readonly categories_sizes: readonly number[]
}

export interface XgboostEvaluator {
  margins(row: readonly number[]): number[]
  leaves(row: readonly number[]): number[]
}

/** An evaluator of a model whose objective takes `base_score` for a margin. */
export function createXgboostEvaluator({ learner }: XgboostFile): XgboostEvaluator {
  const booster = learner.gradient_booster
  const { trees, tree_info: outputs } =
    booster.name === 'dart' ? booster.gbtree.model : booster.model
  const {
    base_score: baseScore,
    num_class: classCount,
    num_target: targetCount,
  } = learner.learner_model_param
  const outputCount = Math.max(1, Number(classCount), Number(targetCount))
  const bases = baseScore.replaceAll(/[[\]]/g, '').split(',').map(Number).map(Math.fround)
  return {
    margins: (row) => {
      const floats = row.map(Math.fround)
      const sums = Array.from({ length: outputCount }, (_, i) => at(bases, i % bases.length))
      trees.forEach((tree, index) => {
        const plain = Math.fround(at(tree.split_conditions, leafOf(tree, floats)))
        const weight = booster.name === 'dart' ? Math.fround(at(booster.weight_drop, index)) : 1
        const output = at(outputs, index)
        sums[output] = Math.fround(at(sums, output) + Math.fround(plain * weight))
      })
      return sums
    },
    leaves: (row) => trees.map((tree) => leafOf(tree, row.map(Math.fround))),
  }
}

function leafOf(tree: TreeFile, row: readonly number[]): number {
  let node = 0
  while (at(tree.left_children, node) !== -1) {
    node = at(goesLeft(tree, node, row) ? tree.left_children : tree.right_children, node)
  }
  return node
}

function goesLeft(tree: TreeFile, node: number, row: readonly number[]): boolean {
  const x = at(row, at(tree.split_indices, node))
  if (Number.isNaN(x)) return at(tree.default_left, node) === 1
  if (at(tree.split_type, node) === 0) return x < Math.fround(at(tree.split_conditions, node))
  if (x < 0 || x >= 2 ** 24) return true
  const set = tree.categories_nodes.indexOf(node)
  const begin = at(tree.categories_segments, set)
  const members = tree.categories.slice(begin, begin + at(tree.categories_sizes, set))
  return !members.includes(Math.trunc(x))
}

function at(values: readonly number[], index: number): number {
  const value = values[index]
  if (value === undefined) throw new Error(`no value at ${index}: the model is not well formed`)
  return value
}
