/**
 * The canonical workloads: views, rows, models and requests, the same for every run of a seed.
 *
 * The idea: a bench names a workload and a row count; everything else follows from the seed.
 * `value-kinds.mjs` writes the distributions of values down; those of rows are here:
 *
 *   null          each cell on its own, with probability 0.05
 *   event times   uniform over the 24 h before the workload's instant, to the second
 *   join keys     10 characters: a letter and nine digits
 *
 * At least `distinctRowsMin` different rows are rotated wherever rows are timed, so that no figure is that
 * of one row in the nearest cache.
 */
import { column } from '../dist/client/index.js'
import { createSeededPrng } from '../dist/prng.js'
import { choiceBits, valueKinds } from './value-kinds.mjs'

export const distinctRowsMin = 10_000
export const seed = 20_010_615

const nullShare = 0.05
const daySeconds = 86_400

/** `counts` features of each kind, named kind by kind. */
function featuresOf(counts, nameOf = (kind, index) => `${kind}_${index}`) {
  return Object.entries(counts).flatMap(([kind, featureCount]) =>
    Array.from({ length: featureCount }, (_, index) => ({
      name: nameOf(kind, index),
      type: valueKinds[kind].type,
      kind,
    })),
  )
}

/** Names of about 31 characters, as feature stores have them. */
const longName = (kind, index) => `item_${kind}_in_last_28_days_${index}`

/** 4 + 5 + 3 + 2 floats of 3 to 6 significant digits, 5 small integers. */
const rankingNumbers = {
  ...{ digits_3: 4, digits_4: 5, digits_5: 3, digits_6: 2 },
  ...{ below_24: 1, below_100: 1, below_200: 1, below_500: 1, below_1000: 1 },
}
const rankingLists = { ids_0_10: 1, ids_5: 1, ids_0_20: 1 }

/** Views by name: one join key each, a string. */
export const views = {
  /** 14 float32, 5 int16, 3 int lists: the view of the memory and write targets. */
  ranking_22: view(
    'ranking_22',
    'item',
    featuresOf({ ...rankingNumbers, ...rankingLists }, longName),
  ),
  /** The same without its lists. */
  numeric_19: view('numeric_19', 'item', featuresOf(rankingNumbers, longName)),
  /** 16 + 7 = the 23 model inputs of `ranking`. */
  store_16: view('store_16', 'store', featuresOf({ mean: 5, share: 4, amount: 3, count: 4 })),
  consumer_7: view(
    'consumer_7',
    'consumer',
    featuresOf({ mean: 3, share: 2, amount: 1, count: 1 }),
  ),
  wide_50: view('wide_50', 'item', featuresOf({ mean: 20, share: 15, amount: 5, count: 10 })),
  /** Decimal floats only. */
  decimal_10: view('decimal_10', 'item', featuresOf(decimals(3, 3, 2, 2), longName)),
  decimal_22: view('decimal_22', 'item', featuresOf(decimals(6, 6, 5, 5), longName)),
  decimal_50: view('decimal_50', 'item', featuresOf(decimals(13, 13, 12, 12), longName)),
  /** Nine decimal floats and an embedding. */
  vector_10: view(
    'vector_10',
    'item',
    featuresOf({ ...decimals(3, 2, 2, 2), vector_64: 1 }, longName),
  ),
  /** Kinds of values of which the others have none. */
  unseen_23: view(
    'unseen_23',
    'item',
    featuresOf({
      ...{ raw: 4, counter: 3, instant: 2, category: 2 },
      ...{ cents: 3, sparse: 4, flag: 3, text: 2 },
    }),
  ),
}

function decimals(...[digits3, digits4, digits5, digits6]) {
  return { digits_3: digits3, digits_4: digits4, digits_5: digits5, digits_6: digits6 }
}

function view(name, entity, features) {
  return Object.freeze({ name, entity, keyName: `${entity}_id`, features })
}

/** Entropy of a row's cells, nulls included, and of its event time, in bytes. */
export function entropyOf(workloadView) {
  const cellBits = workloadView.features.map(
    ({ kind }) => choiceBits(nullShare) + (1 - nullShare) * valueKinds[kind].bits,
  )
  return {
    columnBytes: cellBits.reduce((sum, bits) => sum + bits, 0) / 8,
    eventTimeBytes: Math.log2(daySeconds) / 8,
  }
}

/** A view's definition as YAML: realtime, so that hot serves it; fresh for as long as a bench runs. */
export function definitionText(workloadViews, service) {
  const entities = [...new Map(workloadViews.map((each) => [each.entity, each.keyName]))]
  return [
    'entities:',
    ...entities.map(([name, key]) => `  - { name: ${name}, keys: { ${key}: string } }`),
    'feature_views:',
    ...workloadViews.flatMap((each) => [
      `  - name: ${each.name}`,
      `    entity: ${each.entity}`,
      '    latency_class: realtime',
      '    ttl: 36h',
      '    retention: 30d',
      '    features:',
      ...each.features.map(({ name, type }) => `      - { name: ${name}, type: "${type}" }`),
    ]),
    'feature_services:',
    `  - name: ${service}`,
    '    views:',
    ...workloadViews.map((each) => `      - { view: ${each.name} }`),
    '',
  ].join('\n')
}

/** The join key of entity `index`: 10 characters. */
export function keyOf(entity, index) {
  return `${entity[0]}${String(index).padStart(9, '0')}`
}

/**
 * Entities 0 to `rowCount` - 1 of a view as batches for the writer, of up to `batchRowCount` rows; event
 * times end now.
 */
export function makeBatches(workloadView, { rowCount, batchRowCount }) {
  const atUs = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000n
  return Array.from({ length: Math.ceil(rowCount / batchRowCount) }, (_, index) => {
    const begin = index * batchRowCount
    const rows = { begin, rowCount: Math.min(batchRowCount, rowCount - begin), atUs }
    return {
      batchId: `${workloadView.name}-${index}`,
      view: workloadView.name,
      schemaVersion: 1,
      ...makeRows(workloadView, rows),
    }
  })
}

/** The rows of `drawRows` as request columns. */
export function makeRows(workloadView, rows) {
  const { keys, eventTimesUs, cells } = drawRows(workloadView, rows)
  return {
    keys: [column.strings(workloadView.keyName, keys)],
    eventTimesUs,
    features: toRequestColumns(workloadView.features, cells),
  }
}

/**
 * Rows of entities `begin` to `begin + rowCount` - 1: `cells` are values by feature, then by row, null
 * where there is none. They depend on the seed, the view and `begin`. Event times end at `atUs`.
 */
export function drawRows(workloadView, { begin, rowCount, atUs }) {
  const prng = createSeededPrng(seed + begin + 1_000_003 * workloadView.features.length)
  return {
    keys: Array.from({ length: rowCount }, (_, row) => keyOf(workloadView.entity, begin + row)),
    eventTimesUs: BigInt64Array.from(
      { length: rowCount },
      () => atUs - BigInt(prng.below(daySeconds)) * 1_000_000n,
    ),
    cells: workloadView.features.map(({ kind }) =>
      Array.from({ length: rowCount }, () =>
        prng.next() < nullShare ? null : valueKinds[kind].draw(prng),
      ),
    ),
  }
}

export function toRequestColumns(features, cells) {
  return features.map(({ name, type }, index) => column.fromValues(name, type, cells[index]))
}

/** Request columns as the codec takes them: what the daemon makes of a message. */
export function toWireColumn({ name, values, status }) {
  return {
    name,
    values: toWireValues(values),
    status: status.byteLength === 0 ? undefined : status,
  }
}

function toWireValues({ $case, value }) {
  if ($case === 'var') return { class: 'var', ...value }
  if ($case !== 'list') return { class: $case, bytes: value }
  return { class: 'list', lengths: value.lengths, elements: toWireValues(value.elements) }
}

/** Model columns of `rowCount` rows: f32, NaN where null, as the kernel takes them. */
export function makeModelColumns(workloadView, rowCount, begin) {
  const prng = createSeededPrng(seed + begin)
  return workloadView.features.map(({ kind }) =>
    Float32Array.from({ length: rowCount }, () =>
      prng.next() < nullShare ? Number.NaN : valueKinds[kind].draw(prng),
    ),
  )
}

/** A value of `kind`: where a synthetic model puts its thresholds. */
export function drawValue(kind, prng) {
  return valueKinds[kind].draw(prng)
}
