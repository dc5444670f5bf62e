/**
 * `predict`, workload `ranking`: 200 stores and 1 consumer a request, 23 features from 2 views (201
 * rows), LightGBM of 100 trees with 31 leaves; near cache off, because there is none yet.
 *
 * The floor is what the parts cost alone: a bare gRPC echo of the same sizes, a bare MGET of the same
 * keys (on Redis), and the bare kernel on ready columns.
 */
import { Redis } from 'ioredis'
import { column } from '../dist/client/index.js'
import { PredictRequest } from '../dist/gen/larder/v1/serving.js'
import { createSeededPrng } from '../dist/prng.js'
import { makeLightgbmText } from './lightgbm-text.mjs'
import { connectionCount, measureServing, servingReport } from './serving.mjs'
import {
  skipped,
  startDaemon,
  startPart,
  startServers,
  withStarted,
  writeBatches,
} from './started.mjs'
import {
  definitionText,
  distinctRowsMin,
  keyOf,
  makeBatches,
  makeModelColumns,
  seed,
  views,
} from './workload.mjs'

const storesPerRequest = 200
const storesPerConsumer = 5
const batchRowCount = 2000
const { store_16: storeView, consumer_7: consumerView } = views

export const cases = {
  embedded: (caseName, effort) => withStarted((started) => measure(started, caseName, effort)),
  redis: (caseName, effort) =>
    withStarted(async (started) => {
      const servers = await startServers(started, ['redis'])
      if (servers === undefined) return skipped('redis-server is not installed')
      return await measure(started, caseName, effort, servers[0])
    }),
}

export const efforts = {
  quick: { roundMs: 400, storeCount: distinctRowsMin },
  full: { roundMs: 5000, storeCount: 10 * distinctRowsMin },
}

async function measure(started, caseName, { roundMs, storeCount }, redis) {
  const modelText = makeLightgbmText({ inputs: modelInputs(), treeCount: 100, leafCount: 31, seed })
  const daemon = await startDaemon(started, {
    hot: redis?.url ?? 'memory:',
    definitions: definitionText([storeView, consumerView], 'ranking_inputs'),
    models: {
      'ranking/model.yaml': 'kind: lightgbm\nservice: ranking_inputs\n',
      'ranking/1/model.txt': modelText,
    },
  })
  const consumerCount = storeCount / storesPerConsumer
  for (const [view, rowCount] of [
    [storeView, storeCount],
    [consumerView, consumerCount],
  ]) {
    await writeBatches(daemon.client, makeBatches(view, { rowCount, batchRowCount }))
  }
  const requests = makeRequests(storeCount)
  await assertScored(daemon.client, requests[0])
  const parts = { kernel: await startKernel(started, modelText) }
  if (redis !== undefined) parts.mget = await startMget(started, redis.url, requests)
  const measured = await measureServing(started, {
    daemon,
    rpc: 'Predict',
    bodies: requests.map(encodeRequest),
    parts,
    beside: redis === undefined ? {} : { redis: redis.pid },
    roundMs,
  })
  const { figures, ratios } = servingReport(caseName, measured)
  figures[`${caseName}_predictions_per_second`] = Math.round(measured.perSecond * storesPerRequest)
  return { figures, ratios }
}

function modelInputs() {
  return [storeView, consumerView].flatMap((view) =>
    view.features.map(({ name, kind }) => ({ name: `${view.name}.${name}`, kind })),
  )
}

/** Requests that together name `distinctRowsMin` stores once each, in random order, a whole round's at a time. */
function makeRequests(storeCount) {
  const prng = createSeededPrng(seed)
  const step = Math.floor(storeCount / distinctRowsMin)
  const stores = Array.from({ length: distinctRowsMin }, (_, index) => index * step)
  for (let last = stores.length - 1; last > 0; last--) {
    const other = prng.below(last + 1)
    ;[stores[last], stores[other]] = [stores[other], stores[last]]
  }
  const requestCount = distinctRowsMin / storesPerRequest
  if (requestCount % connectionCount !== 0) throw new Error('requests do not make whole rounds')
  return Array.from({ length: requestCount }, (_, index) => ({
    stores: stores
      .slice(index * storesPerRequest, (index + 1) * storesPerRequest)
      .map((store) => keyOf('store', store)),
    consumer: keyOf('consumer', prng.below(storeCount / storesPerConsumer)),
  }))
}

function keysOf({ stores, consumer }) {
  return [
    column.strings(storeView.keyName, stores),
    column.strings(consumerView.keyName, [consumer]),
  ]
}

function encodeRequest(request) {
  const message = PredictRequest.fromPartial({ models: ['ranking'], keys: keysOf(request) })
  return Buffer.from(PredictRequest.encode(message).finish())
}

/** Every row is found: what has no value is null, one cell in twenty, not absent. */
async function assertScored(client, request) {
  const { predictions } = await client.predict({ models: ['ranking'], keys: keysOf(request) })
  const [{ scores, defaults }] = predictions
  const missingShare = defaults.missing / (storesPerRequest * modelInputs().length)
  if (scores.length !== storesPerRequest || missingShare > 0.1 || defaults.unavailable > 0) {
    throw new Error(`rows are missing: ${scores.length} scores, ${defaults.missing} missing inputs`)
  }
}

async function startKernel(started, modelText) {
  const columnSets = Array.from({ length: distinctRowsMin / storesPerRequest }, (_, index) => [
    ...makeModelColumns(storeView, storesPerRequest, index),
    ...makeModelColumns(consumerView, 1, index),
  ])
  const options = { kind: 'kernel', modelText, columnSets, rowCount: storesPerRequest }
  return await startPart(started, 'floor-part', options)
}

/** The daemon's own keys in Redis, found by the join keys that they end in. */
async function startMget(started, url, requests) {
  const client = new Redis(url)
  const keys = await client.keysBuffer('*')
  client.disconnect()
  const byEntity = new Map(keys.map((key) => [key.toString('latin1', key.length - 10), key]))
  const keySets = requests.map(({ stores, consumer }) =>
    [...stores, consumer].map((name) => byEntity.get(name)),
  )
  return await startPart(started, 'floor-part', { kind: 'mget', url, keySets })
}
