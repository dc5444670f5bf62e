/**
 * LightGBM's prediction rules, written down as plainly as possible: the engine's tests compare with
 * it. It reads well-formed files only, one row at a time, and shares nothing with the engine.
 */

export interface LightgbmEvaluator {
  readonly outputCount: number
  readonly treeCount: number
  /** The plain sum of the trees. */
  raw(row: readonly number[]): number[]
  /** Averaged where the model says so, then through the objective. */
  transformed(row: readonly number[]): number[]
  leaves(row: readonly number[]): number[]
  /**
   * The raw scores where only some features are known: at a split on another one a row goes both ways,
   * weighted by the file's counts. Not for linear trees.
   */
  expected(row: readonly number[], known: readonly boolean[]): number[]
}

const zeroBound = Math.fround(1e-35)

export function createLightgbmEvaluator(text: string): LightgbmEvaluator {
  const [headerText = '', ...treeTexts] = text.split('end of trees')[0]?.split(/^Tree=/m) ?? []
  const header = keyValues(headerText)
  const outputCount = Number(header.get('num_tree_per_iteration') ?? header.get('num_class'))
  const iterationCount = Math.floor(treeTexts.length / outputCount)
  const trees = treeTexts.slice(0, iterationCount * outputCount).map(parseTree)
  const isAveraged = /^average_output\r?$/m.test(headerText)

  const raw = (row: readonly number[]) => {
    const scores = new Array<number>(outputCount).fill(0)
    const dense = row.map(withoutTinyValues)
    trees.forEach((tree, index) => {
      const output = index % outputCount
      scores[output] = at(scores, output) + leafOutput(tree, leafOf(tree, dense), dense)
    })
    return scores
  }
  return {
    outputCount,
    treeCount: trees.length,
    raw,
    transformed: (row) => {
      const scores = raw(row)
      const averaged = isAveraged ? scores.map((score) => score / iterationCount) : scores
      return transform(header.get('objective') ?? 'custom', averaged)
    },
    leaves: (row) => trees.map((tree) => leafOf(tree, row.map(withoutTinyValues))),
    expected: (row, known) => {
      const dense = row.map(withoutTinyValues)
      const scores = new Array<number>(outputCount).fill(0)
      trees.forEach((tree, index) => {
        const output = index % outputCount
        const root = tree.leafValues.length === 1 ? -1 : 0
        scores[output] = at(scores, output) + expectedBelow(tree, root, dense, known)
      })
      return scores
    },
  }
}

interface Tree {
  readonly features: readonly number[]
  readonly thresholds: readonly number[]
  readonly decisions: readonly number[]
  readonly lefts: readonly number[]
  readonly rights: readonly number[]
  readonly leafValues: readonly number[]
  readonly nodeCounts: readonly number[]
  readonly leafCounts: readonly number[]
  readonly categoryBounds: readonly number[]
  readonly categoryWords: readonly number[]
  readonly linear: readonly LinearLeaf[]
}

interface LinearLeaf {
  readonly constant: number
  readonly terms: readonly { readonly feature: number; readonly coefficient: number }[]
}

function keyValues(text: string): Map<string, string> {
  const pairs = text
    .split(/\r?\n/)
    .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)] as const)
  return new Map(pairs)
}

function numberOf(word: string): number {
  const special = { inf: Infinity, '-inf': -Infinity, nan: NaN, '-nan': NaN }[word]
  return special ?? Number(word)
}

function parseTree(text: string): Tree {
  const values = keyValues(text)
  const list = (key: string) => (values.get(key)?.match(/[^ ]+/g) ?? []).map(numberOf)
  const features = list('split_feature')
  const decisions = list('decision_type')
  return {
    features,
    thresholds: list('threshold'),
    decisions: decisions.length > 0 ? decisions : features.map(() => 0),
    lefts: list('left_child'),
    rights: list('right_child'),
    leafValues: list('leaf_value'),
    nodeCounts: list('internal_count'),
    leafCounts: list('leaf_count'),
    categoryBounds: list('cat_boundaries'),
    categoryWords: list('cat_threshold'),
    linear: values.get('is_linear') === '1' ? linearLeaves(list) : [],
  }
}

function linearLeaves(list: (key: string) => number[]): LinearLeaf[] {
  const features = list('leaf_features')
  const coefficients = list('leaf_coeff')
  const counts = list('num_features')
  let begin = 0
  return list('leaf_const').map((constant, leaf) => {
    const end = begin + at(counts, leaf)
    const terms = features
      .slice(begin, end)
      .map((feature, i) => ({ feature, coefficient: at(coefficients, begin + i) }))
    begin = end
    return { constant, terms }
  })
}

/** Dense rows lose values this small, -0.0 included: they become 0.0. */
function withoutTinyValues(x: number): number {
  return Math.abs(x) <= zeroBound ? 0 : x
}

function leafOf(tree: Tree, row: readonly number[]): number {
  let node = tree.leafValues.length === 1 ? -1 : 0
  while (node >= 0) node = goesLeft(tree, node, row) ? at(tree.lefts, node) : at(tree.rights, node)
  return -node - 1
}

function expectedBelow(
  tree: Tree,
  node: number,
  row: readonly number[],
  known: readonly boolean[],
): number {
  if (node < 0) return at(tree.leafValues, -node - 1)
  const [left, right] = [at(tree.lefts, node), at(tree.rights, node)]
  const below = (child: number) => expectedBelow(tree, child, row, known)
  if (known[at(tree.features, node)] === true)
    return below(goesLeft(tree, node, row) ? left : right)
  const countOf = (child: number) =>
    child < 0 ? at(tree.leafCounts, -child - 1) : at(tree.nodeCounts, child)
  const [leftCount, rightCount] = [countOf(left), countOf(right)]
  return (leftCount * below(left) + rightCount * below(right)) / countOf(node)
}

function goesLeft(tree: Tree, node: number, row: readonly number[]): boolean {
  const decision = at(tree.decisions, node)
  const threshold = at(tree.thresholds, node)
  const given = at(row, at(tree.features, node))
  if ((decision & 1) === 1) return isInCategories(tree, threshold, given)
  const isDefaultLeft = (decision & 2) === 2
  const missing = (decision >> 2) & 3
  const x = Number.isNaN(given) && missing !== 2 ? 0 : given
  const isMissing = missing === 1 ? Math.abs(x) <= zeroBound : missing === 2 && Number.isNaN(x)
  return isMissing ? isDefaultLeft : x <= threshold
}

function isInCategories(tree: Tree, set: number, x: number): boolean {
  const category = Math.trunc(x)
  if (Number.isNaN(category) || category < 0 || category > 2147483647) return false
  const begin = at(tree.categoryBounds, set)
  const end = at(tree.categoryBounds, set + 1)
  const word = begin + Math.floor(category / 32)
  return word < end && ((at(tree.categoryWords, word) >>> (category % 32)) & 1) === 1
}

function leafOutput(tree: Tree, leaf: number, row: readonly number[]): number {
  const linear = tree.linear[leaf]
  const isPlain = linear === undefined || linear.terms.some((t) => Number.isNaN(at(row, t.feature)))
  if (isPlain) return at(tree.leafValues, leaf)
  return linear.terms.reduce((sum, t) => sum + t.coefficient * at(row, t.feature), linear.constant)
}

function transform(objective: string, scores: number[]): number[] {
  const [name = '', ...tokens] = objective.split(' ')
  const slope = Number(tokens.find((token) => token.startsWith('sigmoid:'))?.slice(8) ?? 1)
  const hasSqrt = tokens.includes('sqrt')
  switch (name) {
    case 'binary':
    case 'multiclassova':
    case 'cross_entropy':
      return scores.map((score) => 1 / (1 + Math.exp(-slope * score)))
    case 'multiclass':
      return softmax(scores)
    case 'cross_entropy_lambda':
      return scores.map((score) => Math.log1p(Math.exp(score)))
    case 'poisson':
    case 'gamma':
    case 'tweedie':
      return scores.map(Math.exp)
    case 'huber':
      return scores
    default:
      return hasSqrt ? scores.map((score) => Math.sign(score) * score * score) : scores
  }
}

function softmax(scores: readonly number[]): number[] {
  const max = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - max))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

function at(values: readonly number[], index: number): number {
  const value = values[index]
  if (value === undefined)
    throw new Error(`no value at ${index}: the model text is not well formed`)
  return value
}
