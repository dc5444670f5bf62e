/**
 * A load of a data set as the product does it: what `larder load` learns, the layouts that the registry
 * then has, rows encoded in the first layout that holds them, written by the Redis tier; for `bucket` a
 * bucket at a time. There is no daemon between: its rows would be the same bytes.
 */
import { isDeepStrictEqual } from 'node:util'
import { column } from '../dist/client/index.js'
import { readColumn } from '../dist/client/response-column.js'
import { encodeEntityKeys } from '../dist/codec/entity-key.js'
import { learnProfile } from '../dist/codec/learn-profile.js'
import { learnVersion, measureEventTimes } from '../dist/codec/learn-version.js'
import { lz4Bytes } from '../dist/codec/lz4-bytes.js'
import { createRowDecoder, decodeRows } from '../dist/codec/row-decode.js'
import { encodeRows } from '../dist/codec/row-encode.js'
import { createRowLayout } from '../dist/codec/row-layout.js'
import { firstLayoutId } from '../dist/codec/row-version.js'
import { bucketOf } from '../dist/codec/store-key.js'
import { parseFeatureType } from '../dist/feature-type.js'
import { rowsPerBucketTarget, sampleRowsMax } from '../dist/limits.js'
import { stringPacking } from '../dist/packing.js'
import { createSeededPrng } from '../dist/prng.js'
import { openRedisTier } from '../dist/tiers/redis-tier.js'
import { RowBatch, tierCode } from '../dist/tiers/row-batch.js'
import { withClient } from './redis-usage.mjs'
import { toRequestColumns, toWireColumn } from './workload.mjs'

const seeds = Object.freeze({ hotKey: 1n, hotCheck: 2n, warmSpread: 3n })
const sequence = 1_000_000n
const keepMs = 31 * 86_400_000
const batchRowCount = 2000
const verifiedRowCount = 1000
const never = new AbortController().signal

/** Layout ids: plain, learned with full versions, and the load's own. */
const layoutIds = { plain: firstLayoutId, learned: firstLayoutId + 1, compact: firstLayoutId + 2 }

/** Learns from `dataSet` and encodes all of it; `generation` keeps several apart in one Redis. */
export function learnLoad(dataSet, generation = 1) {
  const features = dataSet.features.map(({ name, type }, index) => ({
    id: index + 1,
    name,
    type: parseFeatureType(type),
  }))
  const definitions = learnLayouts(dataSet, features)
  const layouts = definitions.map((definition) => createRowLayout(definition))
  const encoded = encodeAll(layouts, dataSet)
  const plain = encodeAll(layouts.slice(-1), dataSet)
  const layoutIdsMax = Math.max(...Object.values(layoutIds))
  const compact = definitions
    .filter(({ versionFormat }) => versionFormat !== 'full')
    .map(({ layoutId, versionFormat }) => [layoutId, versionFormat])
  return {
    ...{ dataSet, generation, definitions, features, encoded },
    entityKeys: encodeKeys(dataSet),
    versions: { layoutIdMax: layoutIdsMax, compact: new Map(compact) },
    decoder: createRowDecoder(layouts, features),
    rowBytes: encoded.rows.byteLength / dataSet.rowCount,
    plainRowBytes: plain.rows.byteLength / dataSet.rowCount,
    compactShare: shareOf(encoded, layoutIds.compact),
  }
}

/** In the order in which they are tried for a row. */
function learnLayouts(dataSet, features) {
  const stride = Math.ceil(dataSet.rowCount / sampleRowsMax)
  const rows = allIndices(dataSet.rowCount).filter((row) => row % stride === 0)
  const sample = { rowCount: rows.length, columns: columnsOf(dataSet, rows) }
  const profile = learnProfile(sample, features, { compressedBytes: lz4Bytes })
  const version = learnVersion(measureEventTimes(dataSet.eventTimesUs))
  const learned = { layoutId: layoutIds.learned, features, versionFormat: 'full', profile }
  return [
    ...(version === undefined
      ? []
      : [{ ...learned, layoutId: layoutIds.compact, versionFormat: { ...version, sequence } }]),
    learned,
    { layoutId: layoutIds.plain, features, versionFormat: 'full' },
  ]
}

/** Cells of `rows` as the learner takes them, and as a decoder gives them back. */
function columnsOf({ features, cells }, rows) {
  const picked = cells.map((values) => Array.from(rows, (row) => values[row]))
  return toRequestColumns(features, picked).map((wire, index) =>
    readColumn({ ...wire, type: features[index].type }, rows.length),
  )
}

function encodeAll(layouts, { features, cells, eventTimesUs, rowCount }) {
  const encoded = encodeRows(layouts, {
    columns: toRequestColumns(features, cells).map(toWireColumn),
    ...{ eventTimesUs, sequence, rowCount },
  })
  if ('problems' in encoded) throw new Error(`row refused: ${encoded.problems[0].reason}`)
  return encoded
}

function encodeKeys({ keyNames, keyColumns, rowCount }) {
  const columns = keyNames.map((name, index) =>
    toWireColumn(column.strings(name, keyColumns[index])),
  )
  const keyTypes = keyNames.map((name) => ({ name, type: 'string' }))
  return encodeEntityKeys(keyTypes, columns, rowCount)
}

function shareOf({ rows, rowOffsets }, layoutId) {
  const rowCount = rowOffsets.length - 1
  const ofLayout = allIndices(rowCount).filter((row) => rows[rowOffsets[row]] === layoutId)
  return ofLayout.length / rowCount
}

/** Writes the load as the daemon's hot step does, batch by batch, the first `batchCountMax`. */
export async function writeLoad(url, load, packingKind, batchCountMax = Infinity) {
  await withTier(url, async (tier) => {
    const packing = packingOf(load, packingKind)
    for (const rows of batchesOf(load, packing).slice(0, batchCountMax)) {
      const { storedCount } = await tier.write(writesOf(load, packing, rows), never)
      if (storedCount !== rows.length)
        throw new Error(`${storedCount} of ${rows.length} rows stored`)
    }
  })
}

function writesOf(load, packing, rows) {
  const { bytes, offsets } = takeBytes(load.encoded.rows, load.encoded.rowOffsets, rows)
  return {
    keys: keysOf(load, packing, rows),
    rows: bytes,
    rowOffsets: offsets,
    keepMs: new Float64Array(rows.length).fill(keepMs),
  }
}

/** Reads rows back through the tier and decodes them; throws where one is not the one written. */
export async function verifyLoad(url, load, packingKind) {
  const { dataSet, decoder } = load
  const stride = Math.ceil(dataSet.rowCount / verifiedRowCount)
  const rows = allIndices(dataSet.rowCount).filter((row) => row % stride === 0)
  const slots = allIndices(rows.length)
  await withTier(url, async (tier) => {
    const into = new RowBatch(rows.length)
    const keys = keysOf(load, packingOf(load, packingKind), rows)
    const failure = await tier.read(keys, slots, into, tierCode.hot, never)
    if (failure !== undefined) throw failure
    const { columns, eventTimesUs } = decodeRows(decoder, into, judgeOf(dataSet), { slots })
    for (const [index, { name, values, status }] of columnsOf(dataSet, rows).entries()) {
      const read = columns[index]
      if (isDeepStrictEqual([read.values, read.status], [values, status])) continue
      throw new Error(`${dataSet.name}: the cells of '${name}' did not come back as they were`)
    }
    const writtenTimesUs = BigInt64Array.from(rows, (row) => dataSet.eventTimesUs[row])
    if (!isDeepStrictEqual(eventTimesUs, writtenTimesUs)) throw new Error('event times differ')
  })
}

/** Every row is fresh. */
export function judgeOf({ eventTimesUs }) {
  const nowUs = eventTimesUs.reduce((last, timeUs) => (timeUs > last ? timeUs : last))
  return { nowUs, ttlUs: 10n ** 12n, retentionUs: 10n ** 13n, onStale: 'serve' }
}

/** The redis tier of the server. */
export async function openTier(url) {
  const prng = createSeededPrng(1)
  return await openRedisTier({ url, kind: 'redis', displayUrl: url, seeds, prng }, never)
}

/** Runs `use` with the redis tier of the server, and closes it. */
async function withTier(url, use) {
  const tier = await openTier(url)
  try {
    return await use(tier)
  } finally {
    await tier.close()
  }
}

/** The keys of `rows`, as a plan hands them to the tier. */
export function keysOf({ entityKeys, generation, versions }, packing, rows) {
  return {
    count: rows.length,
    forms: new Map([[generation, { packing, versions }]]),
    generations: new Float64Array(rows.length).fill(generation),
    ...takeBytes(entityKeys.bytes, entityKeys.offsets, rows),
  }
}

/** As a view of that many expected entities has it. */
export function packingOf({ dataSet }, kind) {
  const bucketCount = Math.ceil(dataSet.rowCount / rowsPerBucketTarget)
  return kind === 'bucket' ? { kind, bucketCount } : stringPacking
}

/** Rows as a load sends them: for `bucket` sorted by bucket, and no bucket in two batches. */
function batchesOf({ entityKeys, dataSet: { rowCount } }, packing) {
  const order = allIndices(rowCount)
  if (packing.kind === 'string') {
    const batchCount = Math.ceil(rowCount / batchRowCount)
    return Array.from({ length: batchCount }, (_, index) =>
      order.subarray(index * batchRowCount, (index + 1) * batchRowCount),
    )
  }
  const buckets = bucketOf(entityKeys, packing.bucketCount, seeds.hotKey)
  order.sort((a, b) => buckets[a] - buckets[b])
  const batches = []
  for (let begin = 0; begin < rowCount; ) {
    let end = Math.min(rowCount, begin + batchRowCount)
    while (end < rowCount && buckets[order[end]] === buckets[order[end - 1]]) end++
    batches.push(order.subarray(begin, end))
    begin = end
  }
  return batches
}

/** The byte strings of `picked`, in its order, in a blob of their own. */
function takeBytes(bytes, offsets, picked) {
  const taken = new Uint32Array(picked.length + 1)
  for (const [at, index] of picked.entries()) {
    taken[at + 1] = taken[at] + offsets[index + 1] - offsets[index]
  }
  const blob = new Uint8Array(taken[picked.length])
  for (const [at, index] of picked.entries()) {
    blob.set(bytes.subarray(offsets[index], offsets[index + 1]), taken[at])
  }
  return { bytes: blob, offsets: taken }
}

/**
 * Copies strings and hashes, each hash in one write, into another Redis, where none expires; the first
 * `scanCountMax` answers to SCAN.
 */
export async function copyWithoutExpiry(fromUrl, toUrl, scanCountMax = Infinity) {
  let scanCount = 0
  await withClient(fromUrl, (from) =>
    withClient(toUrl, async (to) => {
      for await (const keys of from.scanBufferStream({ count: 500 })) {
        if (scanCount++ >= scanCountMax) break
        const types = await ask(from, keys, (pipeline, key) => pipeline.type(key))
        const values = await ask(from, keys, (pipeline, key, index) =>
          types[index] === 'hash' ? pipeline.callBuffer('HGETALL', key) : pipeline.getBuffer(key),
        )
        await ask(to, keys, (pipeline, key, index) =>
          types[index] === 'hash'
            ? pipeline.hset(key, ...values[index])
            : pipeline.set(key, values[index]),
        )
      }
    }),
  )
}

/** One command per key in one round trip; throws the first error. */
async function ask(client, keys, addCommand) {
  const pipeline = client.pipeline()
  for (const [index, key] of keys.entries()) addCommand(pipeline, key, index)
  const replies = await pipeline.exec()
  const failed = replies.find(([error]) => error !== null)
  if (failed !== undefined) throw failed[0]
  return replies.map(([, value]) => value)
}

function allIndices(count) {
  return Uint32Array.from({ length: count }, (_, index) => index)
}
