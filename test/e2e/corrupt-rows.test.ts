/**
 * Bytes that are no row, in each store: their cells are UNAVAILABLE, counted, and the rest is served.
 */
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import { openLmdbStore } from '../../src/tiers/lmdb-store.js'
import {
  type E2eDaemon,
  freshTiers,
  nowUs,
  secondUs,
  startDaemon,
  type TierUrls,
} from '../support/e2e-daemon.js'
import { placeOf, withWarmTier } from '../support/e2e-stored-rows.js'

const definitions = `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: hot_view
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 2d
    features: [{ name: word, type: string, default: none }]
  - name: warm_view
    entity: user
    latency_class: relaxed
    ttl: 1h
    retention: 2d
    features: [{ name: word, type: string, default: none }]
`

const user = (...names: readonly string[]) => column.strings('user', names)

interface Store {
  readonly view: 'hot_view' | 'warm_view'
  readonly tiers: () => Promise<TierUrls>
  /** Puts `bytes` where the row of user `bad` is. */
  readonly overwrite: (tiers: TierUrls, bytes: Buffer) => Promise<void>
}

const stores: Readonly<Record<'LMDB' | 'PostgreSQL' | 'Redis', Store>> = {
  LMDB: { view: 'warm_view', tiers: () => freshTiers('embedded'), overwrite: overwriteLmdb },
  PostgreSQL: { view: 'warm_view', tiers: () => freshTiers('servers'), overwrite: overwriteSql },
  Redis: { view: 'hot_view', tiers: () => freshTiers('servers'), overwrite: overwriteRedis },
}

/** Layout 2, an event time now, sequence 1: the head of a row that is sound so far. */
const header = Buffer.alloc(17)
header[0] = 2
header.writeBigUInt64BE(nowUs + (1n << 63n), 1)
header.writeBigUInt64BE(1n, 9)

const garbage = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.of(2)],
  ['a layout id without end', Buffer.alloc(40, 0xff)],
  ['half a version', header.subarray(0, 10)],
  ['a version and nothing else', header],
  ['a length beyond the row', Buffer.concat([header, Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 0x0f)])],
  ['more than the row', Buffer.concat([header, Buffer.alloc(500, 0xaa)])],
  [
    'an unregistered layout',
    Buffer.concat([Buffer.of(77), header.subarray(1), Buffer.of(1, 2, 3)]),
  ],
] as const

describe.each(['LMDB', 'PostgreSQL', 'Redis'] as const)('in %s', (name) => {
  const { view, tiers: makeTiers, overwrite } = stores[name]
  let tiers: TierUrls
  let daemon: E2eDaemon
  let batchCount = 0

  beforeAll(async () => {
    tiers = await makeTiers()
    daemon = await startDaemon({ tiers, definitions })
    await write(['bad', 'good'], nowUs - 2n * secondUs)
  })
  afterAll(() => daemon.stop())

  async function write(names: readonly string[], eventTimeUs: bigint) {
    const writer = daemon.client.openWriter()
    batchCount += 1
    const ack = await writer.write({
      batchId: `batch ${batchCount}`,
      view,
      schemaVersion: 1,
      keys: [user(...names)],
      features: [column.strings('word', names)],
      eventTimesUs: new BigInt64Array(names.length).fill(eventTimeUs),
    })
    await writer.close()
    expect(ack).toMatchObject({ durable: true, visible: true, error: undefined })
    return ack
  }

  async function readBoth() {
    const result = await daemon.client.getFeatures({ view, keys: [user('bad', 'good')] })
    return [0, 1].map((row) => [result.columns[0]?.statusAt(row), result.columns[0]?.valueAt(row)])
  }

  async function corruptCount(): Promise<number> {
    const { text } = await daemon.fetchHttp('/metrics')
    const line = new RegExp(`^larder_corrupt_rows_total\\{view="${view}"\\} (\\d+)$`, 'm').exec(
      text,
    )
    return Number(line?.[1] ?? 0)
  }

  test.each(garbage)('%s', async (_, bytes) => {
    await overwrite(tiers, bytes)
    const before = await corruptCount()
    expect(await readBoth()).toEqual([
      ['unavailable', null],
      ['present', 'good'],
    ])
    expect(await corruptCount()).toBe(before + 1)
  })

  test('a later write replaces what is no row', async () => {
    await overwrite(tiers, Buffer.of(0xff))
    await write(['bad'], nowUs - secondUs)
    expect(await readBoth()).toEqual([
      ['present', 'bad'],
      ['present', 'good'],
    ])
  })

  test('so does a delete', async () => {
    await overwrite(tiers, Buffer.of(0xff))
    for await (const _ of daemon.client.deleteEntities({ entity: 'user', keys: [user('bad')] })) {
      // Only the end matters.
    }
    expect((await readBoth())[0]).toEqual(['notFound', null])
  })
})

async function overwriteLmdb(tiers: TierUrls, bytes: Buffer): Promise<void> {
  const { generation, key } = await placeInWarm(tiers)
  const store = openLmdbStore(tiers.warm.slice('lmdb:'.length))
  const place = Buffer.alloc(8)
  place.writeBigUInt64BE(BigInt(generation))
  // Six bytes of expiry stand before the row.
  await store.rows.put(Buffer.concat([place, key]), Buffer.concat([Buffer.alloc(6, 0x0f), bytes]))
  await store.close()
}

async function overwriteSql(tiers: TierUrls, bytes: Buffer): Promise<void> {
  const { generation, key } = await placeInWarm(tiers)
  const client = new pg.Client({ connectionString: tiers.warm })
  await client.connect()
  // Eight bytes of hash stand before the key.
  const changed = await client.query(
    `UPDATE larder.feature_rows SET encoded_row = $1
     WHERE generation = $2 AND substring(ekey FROM 9) = $3`,
    [bytes, generation, key],
  )
  await client.end()
  expect(changed.rowCount).toBe(1)
}

async function overwriteRedis(tiers: TierUrls, bytes: Buffer): Promise<void> {
  const client = new Redis(tiers.hot)
  const keys = await client.keysBuffer('*bad')
  expect(keys).toHaveLength(1)
  for (const key of keys) await client.set(key, bytes)
  client.disconnect()
}

function placeInWarm(tiers: TierUrls) {
  return withWarmTier(tiers, (opened) =>
    placeOf(opened, { view: 'warm_view', join: [user('bad')] }),
  )
}
