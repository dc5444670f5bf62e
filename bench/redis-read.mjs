/**
 * `redis-read`: client CPU of reading 200 rows through the Redis tier and decoding them into columns, in
 * either packing, over that of a bare ioredis `mgetBuffer` of the same rows, which is the floor.
 *
 * Rounds alternate, so that a slow spell of the machine falls on both, and the best one of each counts.
 * Each side has a process of its own; a call reads other rows than the one before.
 */
import { createSeededPrng } from '../dist/prng.js'
import { drawDataSet } from './data-sets.mjs'
import { judgeOf, keysOf, learnLoad, packingOf, writeLoad } from './learned-load.mjs'
import { rounded } from './measure.mjs'
import { listpackLimits, unlessMissing, withClient } from './redis-usage.mjs'
import { startPart, startRedis, withStarted } from './started.mjs'
import { distinctRowsMin, seed, views } from './workload.mjs'

const rowsPerCall = 200
/** Calls under way at once: one after the other, and as many as a loaded daemon has. */
const underWayCounts = [1, 20]

const measurePacking = unlessMissing((packingKind, effort) =>
  withStarted((started) => measure(started, packingKind, effort)),
)

export const cases = { string: measurePacking, bucket: measurePacking }

/** Calls before the first round are for V8, which compiles what is hot. */
export const efforts = {
  quick: { warmUpCallCount: 5000, roundMs: 200, roundCount: 10, rowCount: distinctRowsMin },
  full: { warmUpCallCount: 20_000, roundMs: 500, roundCount: 30, rowCount: 10 * distinctRowsMin },
}

/** What ratios are to be at most. */
export const targets = Object.freeze({
  string_1_under_way_cpu_over_mget: 1.35,
  string_20_under_way_cpu_over_mget: 1.35,
})

/** The floor reads the rows as strings, from a Redis of its own. */
async function measure(started, packingKind, effort) {
  const { warmUpCallCount, roundMs, roundCount, rowCount } = effort
  const load = learnLoad(drawDataSet(views.ranking_22, rowCount))
  const server = await startRedis(started, listpackLimits.raised)
  const floorServer = await startRedis(started, listpackLimits.raised)
  await writeLoad(server.url, load, packingKind)
  await writeLoad(floorServer.url, load, 'string')
  const rowSets = makeRowSets(rowCount)
  const mget = await startPart(started, 'floor-part', {
    kind: 'mget',
    url: floorServer.url,
    keySets: await findKeys(floorServer.url, load, rowSets),
  })
  const tier = await startPart(started, 'tier-read-part', {
    url: server.url,
    definitions: load.definitions,
    features: load.features,
    judge: judgeOf(load.dataSet),
    keySets: rowSets.map((rows) => keysOf(load, packingOf(load, packingKind), rows)),
  })
  for (const part of [tier, mget]) {
    await part.ask({ begin: 0, end: warmUpCallCount, concurrency: Math.max(...underWayCounts) })
  }
  const figures = { [`${packingKind}_row_bytes`]: rounded(load.rowBytes) }
  const ratios = {}
  for (const concurrency of underWayCounts) {
    const rounds = await runRounds({ tier, mget }, roundCount, { concurrency, roundMs })
    const key = `${packingKind}_${concurrency}_under_way`
    const [tierUs, mgetUs] = ['tier', 'mget'].map((name) =>
      Math.min(...rounds.map((cpuUs) => cpuUs[name])),
    )
    figures[`${key}_tier_cpu_us_per_call`] = rounded(tierUs)
    figures[`${key}_mget_cpu_us_per_call`] = rounded(mgetUs)
    ratios[`${key}_cpu_over_mget`] = rounded(tierUs / mgetUs)
  }
  return { figures, ratios }
}

/** CPU of a call of either part by round. */
async function runRounds(parts, roundCount, round) {
  const rounds = []
  for (let at = 0; at < roundCount; at++) {
    const cpuUs = {}
    for (const [name, part] of Object.entries(parts)) {
      const measured = await part.ask(round)
      cpuUs[name] = measured.cpuUs / measured.stepCount
    }
    rounds.push(cpuUs)
  }
  return rounds
}

/** Rows of each call: together every row once, in random order. */
function makeRowSets(rowCount) {
  const prng = createSeededPrng(seed)
  const rows = Uint32Array.from({ length: rowCount }, (_, row) => row)
  for (let last = rowCount - 1; last > 0; last--) {
    const other = prng.below(last + 1)
    ;[rows[last], rows[other]] = [rows[other], rows[last]]
  }
  return Array.from({ length: Math.floor(rowCount / rowsPerCall) }, (_, index) =>
    rows.slice(index * rowsPerCall, (index + 1) * rowsPerCall),
  )
}

/** The tier's own keys in Redis, found by the join keys that they end in. */
async function findKeys(url, { dataSet }, rowSets) {
  const [joinKeys] = dataSet.keyColumns
  const byEntity = new Map()
  await withClient(url, async (client) => {
    for await (const keys of client.scanBufferStream({ count: 1000 })) {
      for (const key of keys) byEntity.set(key.toString('latin1', key.length - 10), key)
    }
  })
  return rowSets.map((rows) => Array.from(rows, (row) => byEntity.get(joinKeys[row])))
}
