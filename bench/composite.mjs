/**
 * `composite`: a search scorer of 23 inputs over 200 rows, one call at a time: 12 numbers, 3 categories, 2
 * embeddings, 6 lists; cosine similarity, matches and transformed numbers under a logistic regression.
 *
 * As a request has them: what is the consumer's or the query's is one value for all rows, what is the
 * store's is a value per row. The floor is what its parts' arithmetic costs alone, in plain
 * JavaScript on the same columns: the vectors' sums and nothing else.
 */
import { loadCompositeModel } from '../dist/predict/composite/composite-model.js'
import { createSeededPrng } from '../dist/prng.js'
import { ownCpuUs, rounded } from './measure.mjs'
import { distinctRowsMin, seed } from './workload.mjs'

const rowCounts = [1, 200, 1000]
const dims = [32, 64]

export const cases = Object.fromEntries(dims.map((dim) => [`dim_${dim}`, measure]))

export const efforts = {
  quick: { roundMs: 200, roundCount: 5 },
  full: { roundMs: 1000, roundCount: 10 },
}

export const targets = { dim_32_200_rows_us: 100, dim_64_200_rows_us: 100 }

const storeNumbers = ['distance', 'rating', 'prep_minutes', 'price', 'orders_7d', 'ctr', 'fee']
const consumerNumbers = ['hour', 'budget', 'orders_28d', 'patience', 'age_days']
const storeCategories = ['cuisine', 'size']
const categoryCount = 12
/** Items of lists, and of how many values: on average half of the most there can be. */
const storeLists = { tags: 10, dishes: 20, promotions: 6 }
const consumerLists = { liked_tags: 30, ordered_dishes: 50, recent_tags: 10 }
const vocabularySize = 60

function graphText(dim) {
  const categories = Array.from({ length: categoryCount }, (_, index) => `c${index}`)
  const inputs = [
    ...[...storeNumbers, ...consumerNumbers].map((name) => ({
      name,
      kind: 'numerical',
      default: 0,
    })),
    ...[...storeCategories, 'daypart'].map((name) => ({ name, kind: 'categorical', categories })),
    ...['store_vector', 'consumer_vector'].map((name) => ({ name, kind: 'embedding', dim })),
    ...Object.entries({ ...storeLists, ...consumerLists }).map(([name, length_max]) => {
      return { name, kind: 'list', items: 'number', length_max }
    }),
  ]
  const weights = Object.fromEntries(categories.map((name, index) => [name, index / 10 - 0.5]))
  const nodes = [
    { name: 'similar', op: 'cosine_similarity', of: ['store_vector', 'consumer_vector'] },
    { name: 'tag_hits', op: 'count_matches', of: ['tags', 'liked_tags'] },
    { name: 'dish_hits', op: 'count_matches', of: ['dishes', 'ordered_dishes'], unique: true },
    { name: 'recent_hits', op: 'count_matches', of: ['tags', 'recent_tags'], unique: true },
    { name: 'first_tag', op: 'count_matches_at', at: 0, of: ['tags', 'liked_tags', 'recent_tags'] },
    { name: 'promotion_count', op: 'size', of: 'promotions' },
    { name: 'far', op: 'clip', of: 'distance', low: 0, high: 20 },
    { name: 'volume', op: 'add', of: ['orders_7d', 1] },
    { name: 'log_volume', op: 'log', of: 'volume' },
    { name: 'over_budget', op: 'greater', of: ['price', 'budget'] },
    { name: 'slow', op: 'divide', of: ['prep_minutes', 'patience'] },
    { name: 'hour_band', op: 'bucketize', of: 'hour', boundaries: [6, 11, 14, 17, 22] },
    { name: 'hour_hot', op: 'one_hot', of: 'hour_band', count: 6 },
    { name: 'known_ctr', op: 'first_present', of: ['ctr', 0.01] },
    {
      name: 'result',
      op: 'logistic',
      bias: -1.2,
      of: {
        ...{ similar: 2.5, tag_hits: 0.2, dish_hits: 0.4, recent_hits: 0.3, first_tag: 0.1 },
        ...{ promotion_count: 0.05, far: -0.15, log_volume: 0.3, over_budget: -0.8, slow: -0.2 },
        ...{ known_ctr: 0.03, rating: 0.05, fee: -0.1, orders_28d: 0.01, age_days: -0.001 },
        ...{
          cuisine: weights,
          size: weights,
          daypart: weights,
          hour_hot: [0.1, 0, 0.2, 0, 0.3, 0],
        },
      },
    },
  ]
  return JSON.stringify({ inputs, nodes }, null, 2)
}

function makeColumns(prng, { rowCount, dim }) {
  const numbers = (count) => Float32Array.from({ length: count }, () => prng.next() * 24)
  const codes = (count) => Float64Array.from({ length: count }, () => prng.below(categoryCount))
  const vectors = (count) => ({
    values: Float32Array.from({ length: count * dim }, () => prng.next() - 0.5),
    lengths: new Uint32Array(count).fill(dim),
  })
  const lists = (count, most) => {
    const lengths = Uint32Array.from({ length: count }, () => prng.below(most + 1))
    const itemCount = lengths.reduce((sum, length) => sum + length, 0)
    const values = Float64Array.from({ length: itemCount }, () => prng.below(vocabularySize))
    return { values, lengths }
  }
  return [
    ...storeNumbers.map(() => numbers(rowCount)),
    ...consumerNumbers.map(() => numbers(1)),
    ...storeCategories.map(() => codes(rowCount)),
    codes(1),
    vectors(rowCount),
    vectors(1),
    ...Object.values(storeLists).map((most) => lists(rowCount, most)),
    ...Object.values(consumerLists).map((most) => lists(1, most)),
  ]
}

async function measure(caseName, effort) {
  const dim = Number(caseName.slice('dim_'.length))
  const model = await loadCompositeModel({
    path: 'graph.json',
    text: graphText(dim),
    loadNested: () => Promise.reject(new Error('nothing is nested')),
  })
  if (model.inputs.length !== 23) throw new Error(`the scorer has ${model.inputs.length} inputs`)
  const prng = createSeededPrng(seed)
  const figures = {}
  for (const rowCount of rowCounts) {
    const batchCount = Math.ceil(distinctRowsMin / Math.max(rowCount, 20))
    const batches = Array.from({ length: batchCount }, () => makeColumns(prng, { rowCount, dim }))
    const outputs = batches.map(() => new Float64Array(rowCount))
    const score = (index) => model.predict(batches[index], rowCount, outputs[index], { raw: false })
    const ns = await timeCalls(score, { callCount: batchCount, ...effort })
    if (!outputs.every(isScored)) throw new Error('a score is not a probability that differs')
    figures[`${caseName}_${rowCount}_rows_us`] = rounded(ns / 1000)
    figures[`${caseName}_ns_per_row_${rowCount}`] = rounded(ns / rowCount)
  }
  const { store, consumer } = vectorsOf(makeColumns(prng, { rowCount: 200, dim }))
  const floorNs = await timeCalls(() => sumProducts(store, consumer, dim), {
    callCount: 1,
    ...effort,
  })
  figures[`${caseName}_floor_dot_200_rows_us`] = rounded(floorNs / 1000)
  const over = figures[`${caseName}_200_rows_us`] / figures[`${caseName}_floor_dot_200_rows_us`]
  return { figures, ratios: { [`${caseName}_200_rows_over_floor_dot`]: rounded(over) } }
}

function isScored(output) {
  return (
    output.every((score) => score >= 0 && score <= 1) && new Set(output).size > output.length / 2
  )
}

/** CPU nanoseconds of `call(index)`, the best round; each is awaited before the next. */
async function timeCalls(call, { callCount, roundMs, roundCount }) {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round <= roundCount; round++) {
    const startMs = performance.now()
    const startUs = ownCpuUs()
    let passCount = 0
    while (passCount === 0 || performance.now() - startMs < roundMs) {
      for (let index = 0; index < callCount; index++) await call(index)
      passCount++
    }
    const ns = ((ownCpuUs() - startUs) * 1000) / (passCount * callCount)
    // The first round warms up.
    if (round > 0) best = Math.min(best, ns)
  }
  return best
}

function vectorsOf(columns) {
  const [store, consumer] = columns.slice(15, 17)
  return { store: store.values, consumer: consumer.values }
}

function sumProducts(store, consumer, dim) {
  let total = 0
  for (let begin = 0; begin < store.length; begin += dim) {
    let sum = 0
    for (let i = 0; i < dim; i++) sum += (store[begin + i] ?? 0) * (consumer[i] ?? 0)
    total += sum
  }
  return total
}
