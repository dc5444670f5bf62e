/**
 * Definitions change under rows that are there: features come and go, old writers go on, other daemons
 * follow.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import { systemClock } from '../../src/clock.js'
import { describeOnBothKinds, readRecorded, recordAck } from '../support/e2e-both-kinds.js'
import { type E2eDaemon, freshTiers, nowUs, startDaemon } from '../support/e2e-daemon.js'

function definitionsOf(features: readonly string[], latencyClass = 'realtime'): string {
  return `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: live
    entity: user
    latency_class: ${latencyClass}
    ttl: 1d
    retention: 30d
    features: [${features.join(', ')}]
feature_services: [{ name: all, views: [{ view: live }] }]
`
}

const clicks = '{ name: clicks, type: int32 }'
const score = '{ name: score, type: float32 }'
const scoreDefault = (value: number) => `{ name: score, type: float32, default: ${value} }`
const clickColumn = (...values: readonly (number | null)[]) =>
  column.fromValues('clicks', 'int32', values)
const scoreColumn = (...values: readonly (number | null)[]) =>
  column.fromValues('score', 'float32', values)

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon

  beforeAll(async () => {
    daemon = await startDaemon({
      tiers: await freshTiers(recorder.kind),
      definitions: definitionsOf([clicks]),
    })
  })
  afterAll(() => daemon.stop())

  async function write(
    user: string,
    schemaVersion: number,
    features: readonly RequestColumn[],
    eventTimeUs = nowUs,
  ) {
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: `${user}, schema ${schemaVersion}`,
      view: 'live',
      schemaVersion,
      keys: [column.strings('user', [user])],
      features: [...features],
      eventTimesUs: BigInt64Array.of(eventTimeUs),
    })
    await writer.close()
    recordAck(recorder, `write ${user}, schema ${schemaVersion}`, ack)
    return ack
  }

  /** Each cell of a user as `STATUS value`, by feature. */
  async function cellsOf(user: string, label: string) {
    const result = await readRecorded(recorder, daemon, `${user} ${label}`, {
      service: 'all',
      keys: [column.strings('user', [user])],
    })
    return Object.fromEntries(
      result.columns.map((cells) => [
        cells.name.replace('live.', ''),
        `${cells.statusAt(0)} ${cells.valueAt(0)}`,
      ]),
    )
  }

  // Each step starts from the definitions that the one before it left.
  test('an added feature is NOT_FOUND in older rows and there in newer ones', async () => {
    await write('ann', 1, [clickColumn(1)])
    await daemon.apply(definitionsOf([clicks, score]))
    await write('bob', 2, [clickColumn(2), scoreColumn(0.5)])
    expect(await cellsOf('ann', 'add')).toEqual({ clicks: 'present 1', score: 'notFound null' })
    expect(await cellsOf('bob', 'add')).toEqual({ clicks: 'present 2', score: 'present 0.5' })
  })

  test('a writer with the old schema version goes on, and its rows say what they lack', async () => {
    const ack = await write('cat', 1, [clickColumn(3)])
    expect(ack).toMatchObject({ durable: true, visible: true, error: undefined })
    expect(await cellsOf('cat', 'old')).toEqual({ clicks: 'present 3', score: 'notFound null' })
  })

  test('rows are never merged: an old schema version over a new row hides the new feature', async () => {
    await write('bob', 1, [clickColumn(4)], nowUs + 1n)
    expect(await cellsOf('bob', 'merged')).toEqual({ clicks: 'present 4', score: 'notFound null' })
  })

  test('a batch of an old schema version may not carry a newer feature', async () => {
    const ack = await write('dan', 1, [clickColumn(1), scoreColumn(1)])
    expect(ack).toMatchObject({ durable: false, error: { code: 'invalid_argument' } })
    expect(ack.error?.message).toContain("schema version 1, has no feature 'score'")
    expect(await cellsOf('dan', 'refused')).toEqual({
      clicks: 'notFound null',
      score: 'notFound null',
    })
  })

  test('a changed default holds for rows that are there', async () => {
    await write('eve', 2, [clickColumn(5), scoreColumn(null)])
    const scoreBytes = async (label: string) => {
      const keys = [column.strings('user', ['eve', 'ann'])]
      const options = { service: 'all', keys, applyDefaults: true, features: ['live.score'] }
      return (await readRecorded(recorder, daemon, label, options)).columns[0]?.values
    }
    await daemon.apply(definitionsOf([clicks, scoreDefault(1.5)]))
    expect(await scoreBytes('first default')).toEqual({
      class: 'f32',
      values: Float32Array.of(1.5, 1.5),
    })
    await daemon.apply(definitionsOf([clicks, scoreDefault(-2)]))
    expect(await scoreBytes('second default')).toEqual({
      class: 'f32',
      values: Float32Array.of(-2, -2),
    })
  })

  test('a dropped feature is gone from answers, and its old schema version is still taken', async () => {
    await write('fay', 2, [clickColumn(6), scoreColumn(0.25)])
    await daemon.apply(definitionsOf([clicks]))
    expect(await cellsOf('fay', 'dropped')).toEqual({ clicks: 'present 6' })
    const ack = await write('gus', 2, [clickColumn(7), scoreColumn(0.75)])
    expect(ack).toMatchObject({ durable: true, error: undefined })
    expect(await cellsOf('gus', 'dropped')).toEqual({ clicks: 'present 7' })
  })

  test('a feature dropped and added again starts empty', async () => {
    await daemon.apply(definitionsOf([clicks, score]))
    expect(await cellsOf('fay', 'again')).toEqual({ clicks: 'present 6', score: 'notFound null' })
    const { views } = await daemon.client.registry()
    expect(views[0]).toMatchObject({ schemaVersion: 4, features: [{ id: 1 }, { id: 3 }] })
    await write('hal', 4, [clickColumn(8), scoreColumn(2)])
    expect(await cellsOf('hal', 'again')).toEqual({ clicks: 'present 8', score: 'present 2' })
  })

  test('another order of features needs no new schema version', async () => {
    await daemon.apply(definitionsOf([score, clicks]))
    const { views } = await daemon.client.registry()
    expect(views[0]?.schemaVersion).toBe(4)
    expect(Object.keys(await cellsOf('hal', 'reordered'))).toEqual(['score', 'clicks'])
  })

  test('a view that leaves relaxed never serves what hot held before', async () => {
    await daemon.apply(definitionsOf([clicks, score], 'relaxed'))
    await write('ivy', 4, [clickColumn(1), scoreColumn(1)])
    await write('ivy', 1, [clickColumn(2)], nowUs + 1n)
    await daemon.apply(definitionsOf([clicks, score], 'realtime'))
    const cells = { clicks: 'present 2', score: 'notFound null' }
    expect(await cellsOf('ivy', 'class changed')).toEqual(cells)
    await write('hal', 1, [clickColumn(9)], nowUs + 1n)
    expect(await cellsOf('hal', 'class changed')).toMatchObject({ clicks: 'present 9' })
  })
})

describe('two daemons on one Redis and one PostgreSQL', () => {
  let first: E2eDaemon
  let second: E2eDaemon

  beforeAll(async () => {
    const tiers = await freshTiers('servers')
    first = await startDaemon({ tiers, definitions: definitionsOf([clicks]) })
    second = await startDaemon({ tiers })
  })
  afterAll(async () => {
    await first.stop()
    await second.stop()
  })

  const keys = [column.strings('user', ['ann'])]

  test('definitions applied by one are served by the other within a second', async () => {
    const appliedAtMs = systemClock.monotonicMs()
    await first.apply(definitionsOf([clicks, scoreDefault(0.5)]))
    const { registryVersion } = await first.client.registry()
    const isTakenUp = async () => (await second.client.registry()).registryVersion
    await expect.poll(isTakenUp, { interval: 20, timeout: 5000 }).toBe(registryVersion)
    // The poll's period is half a second; the rest is for a busy machine.
    expect(systemClock.monotonicMs() - appliedAtMs).toBeLessThan(2000)
  })

  test('a row of a layout that a daemon has not seen yet makes it look, not fail', async () => {
    await first.apply(definitionsOf([clicks, scoreDefault(0.5), '{ name: more, type: bool }']))
    const writer = first.client.openWriter()
    const ack = await writer.write({
      batchId: 'new layout',
      view: 'live',
      schemaVersion: 3,
      keys,
      features: [clickColumn(1), scoreColumn(0.25), column.bools('more', [true])],
      eventTimesUs: BigInt64Array.of(nowUs),
    })
    await writer.close()
    expect(ack).toMatchObject({ durable: true, visible: true })
    const result = await second.client.getFeatures({ view: 'live', keys })
    expect(result.toRows()).toEqual([{ 'live.clicks': 1, 'live.score': 0.25, 'live.more': true }])
  })

  test('what one daemon acknowledged the other serves, and deletes for both', async () => {
    const clicksSeenBy = async (daemon: E2eDaemon) =>
      (await daemon.client.getFeatures({ view: 'live', keys })).columns[0]?.valueAt(0)
    expect([await clicksSeenBy(first), await clicksSeenBy(second)]).toEqual([1, 1])
    for await (const _ of second.client.deleteEntities({ entity: 'user', keys })) {
      // Only the end matters here.
    }
    expect([await clicksSeenBy(first), await clicksSeenBy(second)]).toEqual([null, null])
  })

  test('of two daemons that apply at once, one is told that the registry went on', async () => {
    const { registryVersion: expectedVersion } = await first.client.registry()
    const files = (name: string) => ({
      files: [{ path: 'f.yaml', text: definitionsOf([clicks, `{ name: ${name}, type: bool }`]) }],
    })
    const options = { allowDrop: true, expectedVersion }
    const outcomes = await Promise.allSettled([
      first.client.apply(files('left'), options),
      second.client.apply(files('right'), options),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(reasons).toEqual([expect.objectContaining({ code: 'aborted' })])
  })
})
