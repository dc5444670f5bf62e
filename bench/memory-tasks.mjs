/**
 * What `redis-memory` measures, as tasks: each starts a server or two, writes rows in one layout, reads a
 * sample of them back and compares it, and resolves with the bytes by layout.
 */
import { isDeepStrictEqual } from 'node:util'
import { rowAt } from './data-sets.mjs'
import { feastLayout } from './feast-layout.mjs'
import { copyWithoutExpiry, verifyLoad, writeLoad } from './learned-load.mjs'
import { listpackLimits, measureUsage, withClient } from './redis-usage.mjs'

/** Of peers' rows, where they expire at all. */
const expireSeconds = 30 * 86_400
const pipelineRowCount = 500
/** Rows read back of each layout. */
const verifiedRowCount = 500
/** Servers that run at once: most of a measurement is waiting. */
const tasksAtOnce = 4

/** Feast's hash at both limits, with and without expiry. */
export function feastTasks(...dataSets) {
  const parts = dataSets.map((dataSet) => ({ dataSet, layout: feastLayout(dataSet) }))
  return [
    peerTask(['feast', 'feast_expiry'], 'default', parts),
    peerTask(['feast_raised', 'feast_expiry_raised'], 'raised', parts),
  ]
}

/** `parts` are data sets, each with its layout; a second name is for the same keys with an expiry. */
export function peerTask([name, expiryName], limits, parts) {
  const write = async (url) => {
    for (const part of parts) await writePeer(url, part)
  }
  return () =>
    measureUsage({
      settings: listpackLimits[limits],
      rehearse: (url) => writePeer(url, parts[0], pipelineRowCount),
      stages: [[name, write], ...(expiryName === undefined ? [] : [[expiryName, expireAll]])],
      verify: async (url) => {
        for (const part of parts) await verifyPeer(url, part)
      },
    })
}

/** Writes the first `rowCountMax` rows. */
async function writePeer(url, { dataSet, layout }, rowCountMax = Infinity) {
  const rowCount = Math.min(dataSet.rowCount, rowCountMax)
  await withClient(url, async (client) => {
    for (let begin = 0; begin < rowCount; begin += pipelineRowCount) {
      const pipeline = client.pipeline()
      const end = Math.min(rowCount, begin + pipelineRowCount)
      for (let index = begin; index < end; index++) layout.add(pipeline, rowAt(dataSet, index))
      const failed = (await pipeline.exec()).find(([error]) => error !== null)
      if (failed !== undefined) throw failed[0]
    }
  })
}

/** Lets every key expire. */
async function expireAll(url) {
  await withClient(url, async (client) => {
    for await (const keys of client.scanBufferStream({ count: pipelineRowCount })) {
      const pipeline = client.pipeline()
      for (const key of keys) pipeline.expire(key, expireSeconds)
      await pipeline.exec()
    }
  })
}

/** Throws where a row that is read back is not the one that was written. */
async function verifyPeer(url, { dataSet, layout }) {
  const step = Math.ceil(dataSet.rowCount / verifiedRowCount)
  await withClient(url, async (client) => {
    for (let index = 0; index < dataSet.rowCount; index += step) {
      const row = rowAt(dataSet, index)
      const { cells, eventTimeUs = row.eventTimeUs } = await layout.read(client, row)
      if (isDeepStrictEqual(cells, row.cells) && eventTimeUs === row.eventTimeUs) continue
      throw new Error(`${dataSet.name}, row ${index}: ${cells} came back for ${row.cells}`)
    }
  })
}

/** Larder's packings as they are recommended: `string` at any limits, `bucket` at raised ones. */
export function larderTasks(...loads) {
  return [
    larderTask('string', loads, 'string', 'default'),
    larderTask('bucket', loads, 'bucket', 'raised'),
  ]
}

/** Measures `loads` as NAME_expiry, as the tier writes, and NAME, the same bytes without expiry. */
export function larderTask(name, loads, packingKind, limits) {
  const settings = listpackLimits[limits]
  const write = async (url) => {
    for (const load of loads) await writeLoad(url, load, packingKind)
  }
  const measureWithoutExpiry = (fromUrl) =>
    measureUsage({
      settings,
      rehearse: (url) => copyWithoutExpiry(fromUrl, url, 1),
      stages: [[name, (url) => copyWithoutExpiry(fromUrl, url)]],
      verify: async () => {},
    })
  return async () => {
    let withoutExpiry
    const withExpiry = await measureUsage({
      settings,
      rehearse: (url) => writeLoad(url, loads[0], packingKind, 1),
      stages: [[`${name}_expiry`, write]],
      verify: async (url) => {
        for (const load of loads) await verifyLoad(url, load, packingKind)
        withoutExpiry = await measureWithoutExpiry(url)
      },
    })
    return { ...withoutExpiry, ...withExpiry }
  }
}

/** Runs `tasks`, a few at once; their usages by name. A failure waits until no server runs any more. */
export async function measureAll(tasks) {
  const usages = {}
  const waiting = [...tasks]
  const work = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      Object.assign(usages, await task())
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: tasksAtOnce }, work))
  const failed = ends.find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return usages
}
