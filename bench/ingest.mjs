/**
 * `ingest`: rows a second through the real client's writer and gRPC into a daemon, 22 features a row,
 * until every batch is acknowledged as durable and visible; embedded, and on Redis with PostgreSQL.
 *
 * The floor is the same bytes through the bare parts, one after the other: a bare gRPC stream of the
 * same messages, a bare write of the same keys and rows to each store. Its rate is what these would
 * reach if their times added up.
 */
import { Client, credentials } from '@grpc/grpc-js'
import { encodeRows } from '../dist/codec/row-encode.js'
import { createRowLayout } from '../dist/codec/row-layout.js'
import { firstLayoutId } from '../dist/codec/row-version.js'
import { parseFeatureType } from '../dist/feature-type.js'
import { WriteFeaturesRequest, WriteFeaturesResponse } from '../dist/gen/larder/v1/ingest.js'
import { cpuOfUs, rounded } from './measure.mjs'
import { prefixed } from './serving.mjs'
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
  toWireColumn,
  views,
} from './workload.mjs'

const batchRowCount = 1000
/** Written before the clock starts, so that V8 has compiled what is hot. */
const warmUpBatchCount = 10
const inFlightMax = 4
const { ranking_22: view } = views
const path = '/larder.v1.IngestService/WriteFeatures'

export const cases = {
  embedded: (caseName, effort) =>
    withStarted((started) => measureEmbedded(started, caseName, effort)),
  servers: (caseName, effort) =>
    withStarted((started) => measureServers(started, caseName, effort)),
}

export const efforts = {
  quick: { writtenRowCount: 4 * distinctRowsMin },
  full: { writtenRowCount: 40 * distinctRowsMin },
}

async function measureEmbedded(started, caseName, { writtenRowCount }) {
  const written = makeWritten(writtenRowCount)
  const daemon = await startDaemon(started, { hot: 'memory:', definitions })
  const measured = await measureDaemon(daemon, written)
  const floor = {
    grpc: await measureStream(started, written),
    lmdb: await measurePart(started, written, {
      kind: 'lmdb-put',
      folder: `${started.folder}/floor`,
    }),
  }
  return report(caseName, measured, floor)
}

async function measureServers(started, caseName, { writtenRowCount }) {
  const servers = await startServers(started, ['redis', 'postgres'])
  if (servers === undefined) return skipped('redis-server or PostgreSQL is not installed')
  const [redis, postgres] = servers
  const written = makeWritten(writtenRowCount)
  const daemon = await startDaemon(started, {
    hot: `${redis.url}/0`,
    warm: postgres.url,
    definitions,
  })
  const measured = await measureDaemon(daemon, written)
  const floor = {
    grpc: await measureStream(started, written),
    postgres: await measurePart(started, written, { kind: 'postgres-upsert', url: postgres.url }),
    redis: await measurePart(started, written, { kind: 'redis-set', url: `${redis.url}/1` }),
  }
  return report(caseName, measured, floor)
}

const definitions = definitionText([view], 'ranking')

/** The batches, and the keys, rows and messages that they become. */
function makeWritten(writtenRowCount) {
  const layout = createRowLayout({
    layoutId: firstLayoutId,
    features: view.features.map(({ type }, index) => ({
      id: index + 1,
      type: parseFeatureType(type),
    })),
  })
  const rowCount = writtenRowCount + warmUpBatchCount * batchRowCount
  const batches = makeBatches(view, { rowCount, batchRowCount })
  return {
    writtenRowCount,
    batches,
    stored: batches.map((batch, index) => encodeBatch(layout, batch, index * batchRowCount)),
    messages: batches.map(encodeMessage),
  }
}

function encodeBatch(layout, { features, eventTimesUs }, begin) {
  const { rows, rowOffsets } = encodeRows([layout], {
    columns: features.map(toWireColumn),
    eventTimesUs,
    sequence: 1n,
    rowCount: batchRowCount,
  })
  const indices = Array.from({ length: batchRowCount }, (_, row) => row)
  return {
    keys: indices.map((row) => Buffer.from(keyOf(view.entity, begin + row))),
    values: indices.map((row) => Buffer.from(rows.subarray(rowOffsets[row], rowOffsets[row + 1]))),
  }
}

function encodeMessage({ eventTimesUs, ...batch }) {
  const eventTimes = Buffer.from(eventTimesUs.buffer)
  const message = WriteFeaturesRequest.fromPartial({ ...batch, eventTimes })
  return Buffer.from(WriteFeaturesRequest.encode(message).finish())
}

async function measureDaemon(daemon, { batches, writtenRowCount }) {
  await writeBatches(daemon.client, batches.slice(0, warmUpBatchCount))
  const startMs = performance.now()
  const startUs = cpuOfUs(daemon.pid)
  await writeBatches(daemon.client, batches.slice(warmUpBatchCount))
  return {
    rowsPerSecond: (1000 * writtenRowCount) / (performance.now() - startMs),
    daemonCpuUs: (cpuOfUs(daemon.pid) - startUs) / writtenRowCount,
  }
}

/** Rows a second of the same messages over a bare stream, as many unanswered as the writer leaves. */
async function measureStream(started, { messages, writtenRowCount }) {
  const ack = WriteFeaturesResponse.fromPartial({
    batchId: 'batch-00',
    durable: true,
    visible: true,
  })
  const replyBytes = WriteFeaturesResponse.encode(ack).finish().byteLength
  const echo = await startPart(started, 'floor-echo', { path, replyBytes, isStream: true })
  const client = new Client(echo.ready, credentials.createInsecure())
  await sendAll(client, messages.slice(0, warmUpBatchCount))
  const startMs = performance.now()
  await sendAll(client, messages.slice(warmUpBatchCount))
  const rowsPerSecond = (1000 * writtenRowCount) / (performance.now() - startMs)
  client.close()
  return rowsPerSecond
}

function sendAll(client, messages) {
  const asIs = (bytes) => bytes
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(path, asIs, asIs)
    let sentCount = 0
    const sendNext = () => {
      if (sentCount < messages.length) stream.write(messages[sentCount++])
      else stream.end()
    }
    stream.on('data', sendNext)
    stream.on('error', reject)
    stream.on('end', resolve)
    for (let index = 0; index < inFlightMax; index++) sendNext()
  })
}

/** Rows a second of a bare store. */
async function measurePart(started, { stored, writtenRowCount }, options) {
  const part = await startPart(started, 'floor-part', { ...options, batches: stored })
  await part.ask({ begin: 0, end: warmUpBatchCount })
  const { wallMs } = await part.ask({ begin: warmUpBatchCount, end: stored.length })
  return (1000 * writtenRowCount) / wallMs
}

function report(caseName, { rowsPerSecond, daemonCpuUs }, floor) {
  const secondsPerRow = Object.values(floor).reduce((sum, perSecond) => sum + 1 / perSecond, 0)
  const floorRowsPerSecond = 1 / secondsPerRow
  const figures = {
    rows_per_second: rowsPerSecond,
    daemon_cpu_us_per_row: daemonCpuUs,
    floor_rows_per_second: floorRowsPerSecond,
    ...prefixed('floor', floor, '_rows_per_second'),
  }
  return {
    figures: prefixed(caseName, figures, ''),
    ratios: {
      [`${caseName}_rows_per_second_over_floor`]: rounded(rowsPerSecond / floorRowsPerSecond),
    },
  }
}
