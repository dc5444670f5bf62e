/**
 * Which of several writes of one row stands, whatever the order they come in, and what deletes do.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import type { DeleteEntitiesOptions } from '../../src/client/start-call.js'
import { describeOnBothKinds, readRecorded, recordAck } from '../support/e2e-both-kinds.js'
import {
  type E2eDaemon,
  freshTiers,
  hourUs,
  minuteUs,
  nowUs,
  secondUs,
  startDaemon,
} from '../support/e2e-daemon.js'

const definitions = `
entities:
  - { name: user, keys: { user: string } }
  - { name: visit, keys: { user: string, page: int32 } }
feature_views:
  - name: live
    entity: user
    latency_class: realtime
    ttl: 1d
    retention: 30d
    features: [{ name: clicks, type: int32 }]
  - name: slow
    entity: user
    latency_class: relaxed
    ttl: 1d
    retention: 30d
    features: [{ name: clicks, type: int32 }]
  - name: visits
    entity: visit
    latency_class: standard
    ttl: 1d
    retention: 30d
    features: [{ name: seconds, type: int16 }]
`

interface TestBatch {
  readonly batchId: string
  readonly users: readonly string[]
  readonly times: readonly bigint[]
  readonly clicks: readonly number[]
  readonly sequence?: bigint
}

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon

  beforeAll(async () => {
    daemon = await startDaemon({ tiers: await freshTiers(recorder.kind), definitions })
  })
  afterAll(() => daemon.stop())

  async function write(view: string, batch: TestBatch, label = `${view} ${batch.batchId}`) {
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: `${view} ${batch.batchId}`,
      view,
      schemaVersion: 1,
      keys: [column.strings('user', batch.users)],
      features: [column.int32('clicks', batch.clicks)],
      eventTimesUs: BigInt64Array.from(batch.times),
      ...(batch.sequence === undefined ? {} : { sequence: batch.sequence }),
    })
    await writer.close()
    recordAck(recorder, `write ${label}`, ack)
    expect(ack).toMatchObject({ durable: true, visible: true, error: undefined })
    return ack
  }

  async function clicksOf(label: string, view: string, users: readonly string[]) {
    const keys = [column.strings('user', users)]
    const options = { view, keys, includeRows: true }
    const result = await readRecorded(recorder, daemon, `read ${view} ${label}`, options)
    return users.map((_, index) => result.columns[0]?.valueAt(index))
  }

  async function remove(options: DeleteEntitiesOptions) {
    let last = { scannedCount: 0n, deletedCount: 0n, durable: false, visible: false, done: false }
    for await (const progress of daemon.client.deleteEntities(options)) last = progress
    expect(last).toMatchObject({ durable: true, visible: true, done: true })
    return last
  }

  for (const view of ['live', 'slow']) {
    test(`${view}: within a batch the highest event time stands, then the last index`, async () => {
      const ack = await write(view, {
        batchId: 'duplicates',
        users: ['a', 'b', 'a', 'b', 'a', 'c'],
        times: [nowUs, nowUs, nowUs - secondUs, nowUs, nowUs, nowUs],
        clicks: [1, 2, 3, 4, 5, 6],
      })
      expect(ack).toMatchObject({ rowCount: 6, storedCount: 3 })
      expect(await clicksOf('duplicates', view, ['a', 'b', 'c'])).toEqual([5, 4, 6])
    })

    test(`${view}: a later correction at the same event time stands`, async () => {
      const row = { users: ['fixed'], times: [nowUs] }
      const first = await write(view, { batchId: 'first', ...row, clicks: [1] })
      const second = await write(view, { batchId: 'second', ...row, clicks: [2] })
      expect(second.sequence).toBeGreaterThan(first.sequence)
      expect(await clicksOf('corrected', view, ['fixed'])).toEqual([2])
    })

    test(`${view}: a replayed batch changes nothing, even after a correction`, async () => {
      const old = { users: ['replayed', 'lost'], times: [nowUs, nowUs], clicks: [1, 1] }
      const first = await write(view, { batchId: 'original', ...old })
      const fixed = { users: ['replayed'], times: [nowUs], clicks: [2] }
      await write(view, { batchId: 'correction', ...fixed })
      const again = await write(view, { batchId: 'original', ...old }, `${view} again`)
      expect(again).toMatchObject({ sequence: first.sequence, storedCount: 0, rowCount: 2 })
      expect(await clicksOf('replayed', view, ['replayed', 'lost'])).toEqual([2, 1])
    })

    test(`${view}: an older batch is superseded, whenever it comes`, async () => {
      const users = ['late', 'new']
      const times = [nowUs, nowUs]
      await write(view, { batchId: 'newest', users: ['late'], times: [nowUs], clicks: [9] })
      const older = [nowUs - hourUs, nowUs - hourUs]
      const ack = await write(view, { batchId: 'older', users, times: older, clicks: [1, 2] })
      expect(ack).toMatchObject({ rowCount: 2, storedCount: 1 })
      expect(await clicksOf('superseded', view, users)).toEqual([9, 2])
      await write(view, { batchId: 'newer', users, times, clicks: [10, 11] })
      expect(await clicksOf('newer', view, users)).toEqual([10, 11])
    })

    test(`${view}: the sequences that writers bring decide at equal event times`, async () => {
      const row = { users: ['sequenced'], times: [nowUs] }
      await write(view, { batchId: 'high', ...row, clicks: [1], sequence: 1000n })
      const low = await write(view, { batchId: 'low', ...row, clicks: [2], sequence: 999n })
      expect(low).toMatchObject({ storedCount: 0, sequence: 999n })
      expect(await clicksOf('sequenced', view, ['sequenced'])).toEqual([1])
    })

    test(`${view}: an event time within the future bound shadows older writes`, async () => {
      const users = ['early']
      const times = [nowUs + hourUs]
      await write(view, { batchId: 'ahead', users, times, clicks: [1] })
      await write(view, { batchId: 'present', users, times: [nowUs], clicks: [2] })
      expect(await clicksOf('ahead', view, users)).toEqual([1])
    })
  }

  test('a delete reaches every view of the entity, and what is not there', async () => {
    const rows = { users: ['gone', 'stays'], times: [nowUs - minuteUs, nowUs], clicks: [1, 2] }
    await write('live', { batchId: 'to delete', ...rows })
    await write('slow', { batchId: 'to delete', ...rows })
    const users = ['gone', 'never there']
    const done = await remove({ entity: 'user', keys: [column.strings('user', users)] })
    expect(done.deletedCount).toBe(4n)
    for (const view of ['live', 'slow']) {
      const clicks = await clicksOf('deleted', view, ['gone', 'stays', 'never there'])
      expect(clicks).toEqual([null, 2, null])
    }
  })

  test('a deleted row stays away from older writes and comes back with a newer one', async () => {
    const users = ['back']
    await write('live', { batchId: 'before', users, times: [nowUs], clicks: [1] })
    await remove({ entity: 'user', keys: [column.strings('user', users)] })
    const older = { users, times: [nowUs - 1n], clicks: [2] }
    expect(await write('live', { batchId: 'after, older', ...older })).toMatchObject({
      storedCount: 0,
    })
    expect(await clicksOf('still deleted', 'live', users)).toEqual([null])
    await write('live', { batchId: 'after, newer', users, times: [nowUs + 1n], clicks: [3] })
    expect(await clicksOf('back', 'live', users)).toEqual([3])
  })

  test('a delete takes the stored event time where that is later than now', async () => {
    const users = ['ahead of time']
    await write('live', { batchId: 'future', users, times: [nowUs + minuteUs], clicks: [1] })
    await remove({ entity: 'user', keys: [column.strings('user', users)] })
    expect(await clicksOf('deleted ahead', 'live', users)).toEqual([null])
  })

  test('a delete as of an event time leaves newer rows', async () => {
    const users = ['old row', 'new row']
    const times = [nowUs - hourUs, nowUs - minuteUs]
    await write('live', { batchId: 'two ages', users, times, clicks: [1, 2] })
    const keys = [column.strings('user', users)]
    const done = await remove({ entity: 'user', keys, eventTimeUs: nowUs - 2n * minuteUs })
    // Two tombstones for the view without rows, one here.
    expect(done.deletedCount).toBe(3n)
    expect(await clicksOf('as of', 'live', users)).toEqual([null, 2])
  })

  test('a delete by part of a key finds every match', async () => {
    const users = ['ann', 'ann', 'bob', 'an', 'ann']
    const pages = [1, 2, 1, 1, -3]
    const keys: RequestColumn[] = [column.strings('user', users), column.int32('page', pages)]
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: 'visits',
      view: 'visits',
      schemaVersion: 1,
      keys,
      features: [column.int16('seconds', [1, 2, 3, 4, 5])],
      eventTimesUs: new BigInt64Array(5).fill(nowUs),
    })
    await writer.close()
    recordAck(recorder, 'write visits', ack)
    const secondsOf = async (label: string) => {
      const result = await readRecorded(recorder, daemon, label, { view: 'visits', keys })
      return users.map((_, index) => result.columns[0]?.valueAt(index))
    }
    const byUser = await remove({
      entity: 'visit',
      keys: [column.strings('user', ['ann'])],
      partial: true,
    })
    expect(byUser).toMatchObject({ scannedCount: 5n, deletedCount: 3n })
    expect(await secondsOf('without ann')).toEqual([null, null, 3, 4, null])
    const byPage = await remove({
      entity: 'visit',
      keys: [column.int32('page', [1, 2])],
      partial: true,
    })
    expect(byPage.deletedCount).toBe(2n)
    expect(await secondsOf('without pages')).toEqual([null, null, null, null, null])
  })

  test('a batch larger than one statement is stored whole', async () => {
    const users = Array.from({ length: 2500 }, (_, index) => `many ${index}`)
    const clicks = users.map((_, index) => index)
    const times = users.map(() => nowUs)
    const ack = await write('live', { batchId: 'many', users, times, clicks })
    expect(ack).toMatchObject({ rowCount: 2500, storedCount: 2500 })
    const asked = users.slice(1500)
    expect(await clicksOf('many', 'live', asked)).toEqual(clicks.slice(1500))
  })
})
