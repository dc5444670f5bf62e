/**
 * The canonical workloads: views, rows, models and requests, the same for every run of a seed.
 *
 * The idea: a bench names a workload and a row count; everything else follows from the seed, and every
 * distribution is written down here and nowhere else. At least `distinctRowsMin` different rows are
 * rotated wherever rows are timed, so that no figure is that of one row in the nearest cache.
 *
 * Distributions:
 *   float32 'mean'    normal, mean 40, deviation 15, rounded to float32
 *   float32 'share'   uniform in [0, 1), rounded to float32
 *   float32 'amount'  log-normal, mu 3, sigma 1, to two decimals, rounded to float32
 *   int16             floor of an exponential of mean 200, at most 32,767
 *   list<int32>       0 to 8 elements, uniform; elements uniform in [0, 24)
 *   null              each cell on its own, with probability 0.05
 *   event times       uniform over the 24 h before the workload's instant
 *   join keys         10 characters: a letter and nine digits
 */
import { column } from '../dist/client/index.js'
import { createSeededPrng } from '../dist/prng.js'

export const distinctRowsMin = 10_000
export const seed = 20_010_615

const nullShare = 0.05
const dayUs = 24n * 3600n * 1_000_000n

const drawers = {
  mean: (prng) => Math.fround(40 + 15 * normal(prng)),
  share: (prng) => Math.fround(prng.next()),
  amount: (prng) => Math.fround(Math.round(100 * Math.exp(3 + normal(prng))) / 100),
  int16: (prng) => Math.min(32_767, Math.floor(-200 * Math.log(1 - prng.next()))),
  list: (prng) => Array.from({ length: prng.below(9) }, () => prng.below(24)),
}

/** Box and Muller's: two uniform numbers make a normal one. */
function normal(prng) {
  return Math.sqrt(-2 * Math.log(1 - prng.next())) * Math.cos(2 * Math.PI * prng.next())
}

const typeOf = (kind) => ({ int16: 'int16', list: 'list<int32>' })[kind] ?? 'float32'

/** `counts` features of each kind, named kind by kind. */
function featuresOf(counts) {
  return Object.entries(counts).flatMap(([kind, featureCount]) =>
    Array.from({ length: featureCount }, (_, index) => ({
      name: `${kind}_${index}`,
      type: typeOf(kind),
      kind,
    })),
  )
}

/** Views by name: one join key each, a string. */
export const views = {
  /** 14 float32, 5 int16, 3 int lists: the view of the memory and write targets. */
  ranking_22: view('ranking_22', 'item', { mean: 6, share: 5, amount: 3, int16: 5, list: 3 }),
  /** The same without its lists. */
  numeric_19: view('numeric_19', 'item', { mean: 6, share: 5, amount: 3, int16: 5 }),
  /** 16 + 7 = the 23 model inputs of `ranking`. */
  store_16: view('store_16', 'store', { mean: 5, share: 4, amount: 3, int16: 4 }),
  consumer_7: view('consumer_7', 'consumer', { mean: 3, share: 2, amount: 1, int16: 1 }),
  wide_50: view('wide_50', 'item', { mean: 20, share: 15, amount: 5, int16: 10 }),
}

function view(name, entity, counts) {
  return Object.freeze({ name, entity, keyName: `${entity}_id`, features: featuresOf(counts) })
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
  const atUs = BigInt(Date.now()) * 1000n
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

/**
 * Rows of entities `begin` to `begin + rowCount` - 1 as request columns. Values depend on the seed, the
 * view and `begin`. Event times end at `atUs`.
 */
export function makeRows(workloadView, { begin, rowCount, atUs }) {
  const prng = createSeededPrng(seed + begin + 1_000_003 * workloadView.features.length)
  const keys = Array.from({ length: rowCount }, (_, row) => keyOf(workloadView.entity, begin + row))
  const eventTimesUs = BigInt64Array.from(
    { length: rowCount },
    () => atUs - BigInt(Math.floor(prng.next() * Number(dayUs))),
  )
  return {
    keys: [column.strings(workloadView.keyName, keys)],
    eventTimesUs,
    features: workloadView.features.map((feature) => makeColumn(feature, rowCount, prng)),
  }
}

function makeColumn({ name, type, kind }, rowCount, prng) {
  const values = Array.from({ length: rowCount }, () =>
    prng.next() < nullShare ? null : drawers[kind](prng),
  )
  return column.fromValues(name, type, values)
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
      prng.next() < nullShare ? Number.NaN : drawers[kind](prng),
    ),
  )
}

/** A value of `kind`: where a synthetic model puts its thresholds. */
export function drawValue(kind, prng) {
  return drawers[kind](prng)
}
