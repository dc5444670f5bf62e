/**
 * Layouts registered through a real daemon: rows written in them are shorter and read as they were, by
 * other daemons too, and a sample shows what is stored.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import { encodeProfile } from '../../src/profile-json.js'
import {
  type E2eDaemon,
  freshTiers,
  nowUs,
  secondUs,
  startDaemon,
  type TierUrls,
  tierKinds,
} from '../support/e2e-daemon.js'
import { integerProfile } from '../support/integer-profile.js'

const definitions = `
entities: [{ name: user, keys: { id: int32 } }]
feature_views:
  - name: clicks
    entity: user
    latency_class: standard
    ttl: 1h
    retention: 1d
    expected_entities: 1000
    features: [{ name: day, type: int64 }, { name: week, type: int64 }]
`
const profileJson = JSON.stringify(encodeProfile(integerProfile([1, 2])))
const version = { eventBaseUs: nowUs - 100n * secondUs, eventUnitUs: secondUs, eventBytes: 1 }
const base = { view: 'clicks', schemaVersion: 1 }

async function write(daemon: E2eDaemon, ids: readonly number[], sequence?: bigint) {
  const writer = daemon.client.openWriter()
  const ack = await writer.write({
    batchId: `${ids.join(' ')} of ${sequence}`,
    ...base,
    keys: [column.float64('id', Float64Array.from(ids))],
    eventTimesUs: BigInt64Array.from(ids, (id) => nowUs - BigInt(id) * secondUs),
    features: ['day', 'week'].map((name, index) =>
      column.int64(
        name,
        ids.map((id) => BigInt(id + index)),
      ),
    ),
    ...(sequence === undefined ? {} : { sequence }),
  })
  await writer.close()
  return ack
}

async function read(daemon: E2eDaemon, ids: readonly number[]) {
  const keys = [column.float64('id', Float64Array.from(ids))]
  const { toRows } = await daemon.client.getFeatures({ view: 'clicks', keys })
  return toRows().map((row) => Object.values(row))
}

describe.each(tierKinds)('on %s tiers', (kind) => {
  let tiers: TierUrls
  let daemon: E2eDaemon
  beforeAll(async () => {
    tiers = await freshTiers(kind)
    daemon = await startDaemon({ tiers, definitions })
  }, 60_000)
  afterAll(() => daemon.stop())

  test("a load's rows take fewer bytes, and every row is read as it was written", async () => {
    await write(daemon, [1, 2])
    const layout = await daemon.client.registerLayout({
      ...base,
      profileJson,
      version,
      loadId: 'files',
    })
    expect(layout).toMatchObject({ registryVersion: 2n, layoutId: 4, profileId: 1 })
    expect(await write(daemon, [3, 4], layout.sequence)).toMatchObject({ storedCount: 2 })
    await write(daemon, [5])
    expect(await read(daemon, [1, 2, 3, 4, 5, 6])).toEqual([
      [1n, 2n],
      [2n, 3n],
      [3n, 4n],
      [4n, 5n],
      [5n, 6n],
      [null, null],
    ])
    const sample = await daemon.client.sampleRows({ view: 'clicks' })
    expect(sample).toMatchObject({ schemaVersion: 1, rowCount: 5, isWholeView: true })
    const bytesById = new Map(
      sample.rowBytes.map((rowBytes, row) => [sample.features[0]?.valueAt(row), rowBytes]),
    )
    // Layout id, version, values: plain; of the load; learned with a whole version.
    const plainBytes = 1 + 16 + 1 + 16
    expect([1n, 3n, 4n, 5n].map((id) => bytesById.get(id))).toEqual([
      plainBytes,
      1 + 1 + 3,
      1 + 1 + 3,
      1 + 16 + 3,
    ])
  })

  test('the same request again finds its layout, and its rows change nothing', async () => {
    const request = { ...base, profileJson, version, loadId: 'files' }
    const layout = await daemon.client.registerLayout(request)
    expect(layout).toMatchObject({ registryVersion: 2n, layoutId: 4 })
    const ack = await write(daemon, [4, 3], layout.sequence)
    expect(ack).toMatchObject({ storedCount: 0, durable: true })
  })

  test('the registry tells of it', async () => {
    const { views } = await daemon.client.registry()
    expect(views[0]).toMatchObject({
      packing: 'string',
      layouts: [
        { id: 2, profileId: 0, version: undefined },
        { id: 3, profileId: 1, version: undefined },
        { id: 4, profileId: 1, version },
      ],
    })
    expect(JSON.parse(views[0]?.profileJson ?? '')).toMatchObject({ id: 1, sampleRowCount: 1000 })
  })

  test('a plan has advice where hot is Redis', async () => {
    const files = [{ path: 'a.yaml', text: definitions }]
    const { changes, advice } = await daemon.client.plan({ files })
    expect(changes).toEqual([])
    const suits = expect.stringMatching(
      /^view clicks: packing bucket would save \d+ % of its memory/,
    )
    expect(advice).toEqual({ embedded: [], servers: [suits] }[kind])
  })
})

test('a daemon that does not know a layout yet reads its rows all the same', async () => {
  const tiers = await freshTiers('servers')
  const first = await startDaemon({ tiers, definitions })
  const second = await startDaemon({ tiers })
  try {
    const { sequence } = await first.client.registerLayout({
      ...base,
      profileJson,
      version,
      loadId: 'files',
    })
    await write(first, [7], sequence)
    expect(await read(second, [7])).toEqual([[7n, 8n]])
  } finally {
    await Promise.all([first.stop(), second.stop()])
  }
}, 60_000)
