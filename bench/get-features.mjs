/**
 * `get-features`: 100 rows of 50 features a request (40 float32, 10 int16), embedded.
 *
 * The floor is a bare gRPC echo of the same sizes: looking up and decoding come on top of it.
 */
import { column } from '../dist/client/index.js'
import { GetFeaturesRequest } from '../dist/gen/larder/v1/serving.js'
import { connectionCount, measureServing, servingReport } from './serving.mjs'
import { startDaemon, withStarted, writeBatches } from './started.mjs'
import { definitionText, distinctRowsMin, keyOf, makeBatches, views } from './workload.mjs'

const rowsPerRequest = 100
const { wide_50: view } = views
const valuesPerRequest = rowsPerRequest * view.features.length

export const cases = {
  embedded: (caseName, effort) => withStarted((started) => measure(started, caseName, effort)),
}

export const efforts = { quick: { roundMs: 400 }, full: { roundMs: 5000 } }

async function measure(started, caseName, { roundMs }) {
  const daemon = await startDaemon(started, {
    hot: 'memory:',
    definitions: definitionText([view], 'wide'),
  })
  await writeBatches(
    daemon.client,
    makeBatches(view, { rowCount: distinctRowsMin, batchRowCount: 1000 }),
  )
  const requests = makeRequests()
  const { rowCount, columns } = await daemon.client.getFeatures(requests[0])
  if (rowCount !== rowsPerRequest || columns.length !== view.features.length) {
    throw new Error(`the daemon answered ${rowCount} rows of ${columns.length} features`)
  }
  const measured = await measureServing(started, {
    daemon,
    rpc: 'GetFeatures',
    bodies: requests.map(encodeRequest),
    parts: {},
    beside: {},
    roundMs,
  })
  const { figures, ratios } = servingReport(caseName, measured)
  figures[`${caseName}_values_per_second`] = Math.round(measured.perSecond * valuesPerRequest)
  const valuesPerCpuSecond = (1e6 * valuesPerRequest) / measured.cpuUs
  figures[`${caseName}_values_per_cpu_second`] = Math.round(valuesPerCpuSecond)
  return { figures, ratios }
}

/** Requests that together name every row once. */
function makeRequests() {
  const requestCount = distinctRowsMin / rowsPerRequest
  if (requestCount % connectionCount !== 0) throw new Error('requests do not make whole rounds')
  return Array.from({ length: requestCount }, (_, index) => {
    const keys = Array.from({ length: rowsPerRequest }, (_, row) =>
      keyOf(view.entity, row * requestCount + index),
    )
    return { service: 'wide', keys: [column.strings(view.keyName, keys)] }
  })
}

function encodeRequest({ service, keys }) {
  const target = { $case: 'service', value: service }
  const message = GetFeaturesRequest.fromPartial({ target, keys })
  return Buffer.from(GetFeaturesRequest.encode(message).finish())
}
