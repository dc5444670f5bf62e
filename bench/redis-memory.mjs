/**
 * `redis-memory`: what rows take in Redis, Larder's beside the layouts that users have today, on the same
 * data, each on a fresh server.
 *
 * Larder's rows go the product's way: a profile and a version learned from a sample, rows encoded in the
 * first layout that holds them, written through the Redis tier as a load writes them. What is measured is
 * `used_memory` and resident memory of the whole server before and after; a sample of the rows is then
 * read back, decoded and compared, of every layout.
 */
import { redisFootprint } from '../dist/tiers/redis-footprint.js'
import { drawDataSet, readFlights } from './data-sets.mjs'
import { learnLoad } from './learned-load.mjs'
import { rounded } from './measure.mjs'
import { feastTasks, larderTask, larderTasks, measureAll, peerTask } from './memory-tasks.mjs'
import { hashedNamesLayout, keyPerFeatureLayout, packedFloat32Layout } from './peer-layouts.mjs'
import { floorBytes } from './redis-floor.mjs'
import { describeServer, listpackLimits, unlessMissing } from './redis-usage.mjs'
import { withStarted } from './started.mjs'
import { views } from './workload.mjs'

export const cases = {
  ranking_22: unlessMissing(measureRanking),
  decimal_22: unlessMissing(measureBesideFeast),
  decimal_50: unlessMissing(measureBesideFeast),
  decimal_10: unlessMissing(measureBesideFloor),
  vector_10: unlessMissing(measureBesideFloor),
  unseen_23: unlessMissing(measureBesideFeast),
  flights: unlessMissing(measureFlights),
}

/**
 * Counts at which Redis' tables, which double, are equally full: 100,000 of 131,072 places, 12,500 of
 * 16,384, 6,250 of 8,192.
 */
export const efforts = {
  quick: { rankingRowCount: 12_500, otherRowCount: 6_250 },
  full: { rankingRowCount: 100_000, otherRowCount: 100_000 },
}

/** What figures and ratios are to be at most. */
export const targets = Object.freeze({
  string_expiry_bytes_per_entity: 222,
  string_bytes_per_entity: 180,
  bucket_expiry_bytes_per_entity: 117,
  bucket_expiry_rss_bytes_per_entity: 122,
  decimal_22_string_vs_feast: 1 / 3,
  decimal_22_string_vs_feast_raised: 1 / 3,
  decimal_22_string_expiry_vs_feast_expiry: 1 / 3,
  decimal_22_bucket_vs_feast_raised: 1 / 4,
  decimal_22_bucket_expiry_vs_feast_expiry_raised: 1 / 4,
  decimal_50_string_vs_feast: 1 / 3,
  decimal_50_string_vs_feast_raised: 1 / 3,
  decimal_50_string_expiry_vs_feast_expiry: 1 / 3,
  decimal_50_bucket_vs_feast_raised: 1 / 4,
  decimal_50_bucket_expiry_vs_feast_expiry_raised: 1 / 4,
  decimal_10_string_vs_floor: 1.1,
  decimal_10_string_expiry_vs_floor: 1.1,
  vector_10_string_vs_floor: 1.1,
  vector_10_string_expiry_vs_floor: 1.1,
})

/** All layouts, on the view of the memory targets. Its figures have no prefix. */
async function measureRanking(caseName, { rankingRowCount }) {
  const dataSet = drawDataSet(views[caseName], rankingRowCount)
  const load = learnLoad(dataSet)
  const peerOf = (names, limits, layout) => peerTask(names, limits, [{ dataSet, layout }])
  const usages = await measureAll([
    peerOf(['key_per_feature'], 'default', keyPerFeatureLayout(dataSet)),
    peerOf(['hashed_names', 'hashed_names_expiry'], 'default', hashedNamesLayout(dataSet)),
    peerOf(['hashed_names_raised'], 'raised', hashedNamesLayout(dataSet)),
    peerOf(['packed_float32', 'packed_float32_expiry'], 'default', packedFloat32Layout(dataSet)),
    ...feastTasks(dataSet),
    ...larderTasks(load),
    larderTask('bucket_default', [load], 'bucket', 'default'),
  ])
  return report('', load, usages, await limitFigures())
}

/** Feast's layout and Larder's packings. */
async function measureBesideFeast(caseName, { otherRowCount }) {
  const dataSet = drawDataSet(views[caseName], otherRowCount)
  const load = learnLoad(dataSet)
  const usages = await measureAll([...feastTasks(dataSet), ...larderTasks(load)])
  return report(`${caseName}_`, load, usages, {})
}

/** Larder's packings beside what no encoding could go below. */
async function measureBesideFloor(caseName, { otherRowCount }) {
  const dataSet = drawDataSet(views[caseName], otherRowCount)
  const load = learnLoad(dataSet)
  const usages = await measureAll(larderTasks(load))
  const measured = report(`${caseName}_`, load, usages, {})
  for (const name of Object.keys(usages)) {
    const floor = floorBytes(name, dataSet)
    measured.figures[`${caseName}_${name}_floor_bytes_per_entity`] = rounded(floor)
    const perEntity = usages[name].usedBytes / otherRowCount
    measured.ratios[`${caseName}_${name}_vs_floor`] = rounded(perEntity / floor)
  }
  return measured
}

/**
 * The four views of the example, all in one Redis. Feast keeps the views of one entity in one hash; the
 * product would keep `route_month`, which is relaxed, in warm only.
 */
async function measureFlights(caseName) {
  const dataSets = await withStarted(({ folder }) => readFlights(folder))
  const loads = dataSets.map((dataSet, index) => learnLoad(dataSet, index + 1))
  const usages = await measureAll([...feastTasks(...dataSets), ...larderTasks(...loads)])
  const rows = loads.map((load) => rowFigures(load, `${caseName}_${load.dataSet.name}_`))
  const totals = Object.entries(usages).map(([name, { usedBytes }]) => [
    `${caseName}_${name}_total_bytes`,
    usedBytes,
  ])
  return {
    figures: Object.assign({}, ...rows, Object.fromEntries(totals)),
    ratios: ratiosOf(`${caseName}_`, usages),
  }
}

function report(prefix, load, usages, further) {
  const { rowCount } = load.dataSet
  const figures = { ...further, ...rowFigures(load, prefix) }
  const ratios = ratiosOf(prefix, usages)
  for (const [name, { usedBytes, rssBytes }] of Object.entries(usages)) {
    figures[`${prefix}${name}_bytes_per_entity`] = rounded(usedBytes / rowCount)
    figures[`${prefix}${name}_rss_bytes_per_entity`] = rounded(rssBytes / rowCount)
  }
  for (const [name, bytes] of Object.entries(computedUses(load))) {
    figures[`${prefix}${name}_computed_bytes_per_entity`] = rounded(bytes)
    const measured = usages[name].usedBytes / rowCount
    ratios[`${prefix}${name}_computed_vs_measured`] = rounded(bytes / measured)
  }
  return { figures, ratios }
}

/** Bytes of a row beside the entropy of what it holds, and how it was written. */
function rowFigures({ rowBytes, plainRowBytes, compactShare, dataSet: { entropy } }, prefix) {
  const { columnBytes, eventTimeBytes, uncountedColumnCount } = entropy
  return {
    [`${prefix}row_bytes`]: rounded(rowBytes),
    [`${prefix}plain_row_bytes`]: rounded(plainRowBytes),
    [`${prefix}column_entropy_bytes_per_row`]: rounded(columnBytes),
    [`${prefix}event_time_entropy_bytes_per_row`]: rounded(eventTimeBytes),
    [`${prefix}entropy_uncounted_columns`]: uncountedColumnCount,
    [`${prefix}compact_rows_share`]: rounded(compactShare),
  }
}

/** Larder's bytes over Feast's, at equal settings. */
function ratiosOf(prefix, usages) {
  const pairs = [
    ['string', 'feast'],
    ['string', 'feast_raised'],
    ['string_expiry', 'feast_expiry'],
    ['bucket', 'feast_raised'],
    ['bucket_expiry', 'feast_expiry_raised'],
  ]
  const known = pairs.filter((pair) => pair.every((name) => usages[name] !== undefined))
  return Object.fromEntries(
    known.map(([ours, theirs]) => [
      `${prefix}${ours}_vs_${theirs}`,
      rounded(usages[ours].usedBytes / usages[theirs].usedBytes),
    ]),
  )
}

/** What the product's cost model says of the same rows. */
function computedUses({ dataSet, encoded: { rowOffsets } }) {
  const { keyColumns, rowCount } = dataSet
  const keyBytes = keyColumns[0].reduce((sum, key) => sum + key.length, 0) / rowCount
  const rowBytes = Array.from(
    { length: rowCount },
    (_, row) => rowOffsets[row + 1] - rowOffsets[row],
  )
  const stringUse = (expires) =>
    mean(
      rowBytes.map((bytes) =>
        redisFootprint({ packing: 'string', keyBytes, rowBytes: bytes, expires }),
      ),
    )
  const bucketUse = (expires) =>
    redisFootprint({ packing: 'bucket', keyBytes, rowBytes: mean(rowBytes), expires })
  return {
    string: stringUse(false),
    string_expiry: stringUse(true),
    bucket: bucketUse(false),
    bucket_expiry: bucketUse(true),
  }
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

async function limitFigures() {
  const figures = {}
  for (const [name, settings] of Object.entries(listpackLimits)) {
    const server = await describeServer(settings)
    figures[`${name}_hash_max_listpack_entries`] = server.listpackEntries
    figures[`${name}_hash_max_listpack_value_bytes`] = server.listpackValueBytes
    console.error(`Redis ${server.version}, ${server.allocator}, ${name} listpack limits`)
  }
  return figures
}
