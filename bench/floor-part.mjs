/**
 * Part of a floor: one bare operation in a process of its own, told by its `kind`. Nothing of Larder is
 * measured here but the kernel: these are what its parts cost alone.
 */
import { servePart } from './part.mjs'

/** Operations under way at once: as many as the daemon has requests, or batches. */
const kinds = {
  mget: { concurrency: 20, open: openMget },
  kernel: { concurrency: 1, open: openKernel },
  'lmdb-put': { concurrency: 4, open: openLmdbPut },
  'postgres-upsert': { concurrency: 4, open: openPostgresUpsert },
  'redis-set': { concurrency: 4, open: openRedisSet },
}

servePart(async (options) => {
  const { concurrency, open } = kinds[options.kind]
  return { concurrency, ...(await open(options, concurrency)) }
})

/** ioredis `mgetBuffer` of the very keys that the daemon reads. */
async function openMget({ url, keySets }) {
  const { Redis } = await import('ioredis')
  const client = new Redis(url)
  const sets = keySets.map((keys) => keys.map((key) => Buffer.from(key)))
  const step = async (index) => {
    const values = await client.mgetBuffer(sets[index % sets.length])
    if (values.includes(null)) throw new Error('the floor reads keys that are not there')
  }
  return { step, close: () => client.disconnect() }
}

/** The tree engine on columns that are ready. */
async function openKernel({ modelText, columnSets, rowCount }) {
  const { loadAddon } = await import('../dist/native.js')
  const { runModes } = await import('../dist/native-trees.js')
  const limits = await import('../dist/limits.js')
  const native = loadAddon()
  const { handle } = native.lightgbmParse(Buffer.from(modelText), {
    modelBytesMax: limits.modelFileBytesMax,
    treesMax: limits.modelTreesMax,
    nodesMax: limits.modelNodesMax,
    featuresMax: limits.modelFeaturesMax,
  })
  const output = new Float64Array(rowCount)
  const step = async (index) => {
    const columns = columnSets[index % columnSets.length]
    native.treesRun(handle, columns, rowCount, 0, rowCount, output, runModes.transformed)
  }
  return { step, close: () => native.treesFree(handle) }
}

/** One transaction per batch of the same keys and rows, flushed to disk. */
async function openLmdbPut({ folder, batches }) {
  const { open } = await import('lmdb')
  const rows = open({ path: folder, noSubdir: false, keyEncoding: 'binary', encoding: 'binary' })
  const step = async (index) => {
    const { keys, values } = batches[index]
    const committed = rows.transaction(() => {
      for (const [row, key] of keys.entries()) rows.putSync(key, Buffer.from(values[row]))
    })
    const flushed = rows.flushed.then(() => undefined)
    await committed
    await flushed
  }
  return { step, close: () => rows.close() }
}

/** One statement per batch: an unconditional upsert of key and row, committed with fsync. */
async function openPostgresUpsert({ url, batches }, concurrency) {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, max: concurrency })
  await pool.query('CREATE TABLE floor_rows (ekey BYTEA PRIMARY KEY, row_bytes BYTEA NOT NULL)')
  const statement =
    'INSERT INTO floor_rows SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[]) ' +
    'ON CONFLICT (ekey) DO UPDATE SET row_bytes = excluded.row_bytes'
  const step = async (index) => {
    const { keys, values } = batches[index]
    await pool.query(statement, [keys.map(toBuffer), values.map(toBuffer)])
  }
  return { step, close: () => pool.end() }
}

/** One pipeline per batch of SET with an expiry. */
async function openRedisSet({ url, batches }) {
  const { Redis } = await import('ioredis')
  const client = new Redis(url)
  const step = async (index) => {
    const { keys, values } = batches[index]
    const pipeline = client.pipeline()
    for (const [row, key] of keys.entries()) {
      pipeline.set(toBuffer(key), toBuffer(values[row]), 'PX', 30 * 24 * 3_600_000)
    }
    await pipeline.exec()
  }
  return { step, close: () => client.disconnect() }
}

function toBuffer(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
