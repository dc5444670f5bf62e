/**
 * What a cell says: every status, with and without defaults, by age, class and layout.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import { describeOnBothKinds, readRecorded } from '../support/e2e-both-kinds.js'
import {
  dayUs,
  type E2eDaemon,
  freshTiers,
  hourUs,
  minuteUs,
  nowUs,
  startDaemon,
  type TierUrls,
} from '../support/e2e-daemon.js'
import { corruptWarmRow } from '../support/e2e-stored-rows.js'

/** One view as `settings` say, its features as `features` say. */
function definitionsOf(settings: Partial<Record<'retention' | 'ttl' | 'more', string>> = {}) {
  const { retention = '2d', ttl = '1h', more = '' } = settings
  const view = (name: string, latencyClass: string, onStale: string) => `
  - name: ${name}
    entity: user
    latency_class: ${latencyClass}
    ttl: ${ttl}
    retention: ${retention}
    on_stale: ${onStale}
    features:
      - { name: clicks, type: int32, default: 7 }
      - { name: score, type: float64 }
      - { name: word, type: string, default: none }
      - { name: path, type: "list<int32>", default: [1, 2] }${more}`
  return `
entities: [{ name: user, keys: { user: int64 } }]
feature_views:${view('live', 'realtime', 'serve')}${view('careful', 'standard', 'default')}${view('slow', 'relaxed', 'serve')}
`
}
const views = ['live', 'careful', 'slow'] as const

const user = (...ids: readonly bigint[]) => [column.int64('user', ids)]
const clickColumn = (values: readonly (number | null)[]) =>
  column.fromValues('clicks', 'int32', values)
const features = (count: number): RequestColumn[] => [
  clickColumn(Array.from({ length: count }, (_, index) => index)),
  column.fromValues('score', 'float64', new Array<number>(count).fill(0.5)),
  column.fromValues('word', 'string', new Array<string>(count).fill('set')),
  column.fromValues('path', 'list<int32>', new Array<number[]>(count).fill([])),
]
const nulls: RequestColumn[] = [
  clickColumn([null]),
  column.fromValues('score', 'float64', [null]),
  column.fromValues('word', 'string', [null]),
  column.fromValues('path', 'list<int32>', [null]),
]

// Users: 1 fresh, 2 null, 3 at the edge of ttl, 4 just past it, 5 old, 6 deleted, 9 unknown.
const eventTimes = new Map([
  [1n, nowUs],
  [3n, nowUs - hourUs],
  [4n, nowUs - hourUs - 1n],
  [5n, nowUs - 47n * hourUs],
  [6n, nowUs],
])
const everyUser = user(1n, 2n, 3n, 4n, 5n, 6n, 9n)

describeOnBothKinds((recorder) => {
  let tiers: TierUrls
  let daemon: E2eDaemon

  beforeAll(async () => {
    tiers = await freshTiers(recorder.kind)
    daemon = await startDaemon({ tiers, definitions: definitionsOf() })
    for (const view of views) {
      await write(view, [...eventTimes.keys()], [...eventTimes.values()], features(5))
      await write(view, [2n], [nowUs], nulls)
    }
    for await (const _ of daemon.client.deleteEntities({ entity: 'user', keys: user(6n) })) {
      // Progress is for another test.
    }
  })
  afterAll(() => daemon.stop())

  async function write(
    view: string,
    ids: readonly bigint[],
    eventTimesUs: readonly bigint[],
    columns: readonly RequestColumn[],
  ): Promise<void> {
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: `${view} ${ids.join(' ')}`,
      view,
      schemaVersion: 1,
      keys: user(...ids),
      features: [...columns],
      eventTimesUs: BigInt64Array.from(eventTimesUs),
    })
    await writer.close()
    expect(ack).toMatchObject({ durable: true, visible: true, error: undefined })
  }

  function read(label: string, view: string, options: { applyDefaults?: boolean } = {}) {
    return readRecorded(recorder, daemon, `${label} ${view}`, {
      view,
      keys: everyUser,
      includeRows: true,
      ...options,
    })
  }

  const statuses = [
    'present',
    'nullValue',
    'present',
    'outsideMaxAge',
    'outsideMaxAge',
    'notFound',
    'notFound',
  ]

  test.each([
    ['live', 'hot', [0, 0, 1, 2, 3, 0, 0]],
    ['careful', 'hot', [0, 0, 1, 0, 0, 0, 0]],
    ['slow', 'warm', [0, 0, 1, 2, 3, 0, 0]],
  ] as const)('%s: statuses, values, event times and tier %s', async (view, tier, clicks) => {
    const result = await read('plain', view)
    for (const cells of result.columns) {
      expect(everyRow((index) => cells.statusAt(index))).toEqual(statuses)
    }
    expect(result.columns[0]?.values).toEqual({ class: 'f64', values: Float64Array.from(clicks) })
    const [origin] = result.origins
    const timeOf = (id: bigint) => eventTimes.get(id) ?? 0n
    expect([...(origin?.eventTimesUs ?? [])]).toEqual([
      nowUs,
      nowUs,
      timeOf(3n),
      timeOf(4n),
      timeOf(5n),
      0n,
      0n,
    ])
    expect(origin?.tierAt(0)).toBe(tier)
    expect(origin?.tierAt(6)).toBeUndefined()
  })

  test('a client never shows the filler of a cell without a value', async () => {
    const { columns } = await daemon.client.getFeatures({ view: 'careful', keys: everyUser })
    expect(everyRow((index) => columns[0]?.valueAt(index))).toEqual([
      0,
      null,
      1,
      null,
      null,
      null,
      null,
    ])
  })

  test.each([
    ['live', [0, 7, 1, 2, 3, 7, 7], ['set', 'none', 'set', 'set', 'set', 'none', 'none']],
    ['careful', [0, 7, 1, 7, 7, 7, 7], ['set', 'none', 'set', 'none', 'none', 'none', 'none']],
    ['slow', [0, 7, 1, 2, 3, 7, 7], ['set', 'none', 'set', 'set', 'set', 'none', 'none']],
  ] as const)(
    '%s: defaults on request, the status told truthfully',
    async (view, clicks, words) => {
      const result = await read('defaults', view, { applyDefaults: true })
      const [clickCells, scoreCells, wordCells, pathCells] = result.columns
      expect(everyRow((index) => clickCells?.statusAt(index))).toEqual(statuses)
      expect(clickCells?.values).toEqual({ class: 'f64', values: Float64Array.from(clicks) })
      expect(everyRow((index) => scoreCells?.statusAt(index))).toEqual(statuses)
      expect(everyRow((index) => wordCells?.valueAt(index))).toEqual(words)
      expect(everyRow((index) => pathCells?.valueAt(index))).toEqual(
        words.map((word) => (word === 'none' ? [1, 2] : [])),
      )
    },
  )

  test('a subset of features comes in the order asked', async () => {
    const result = await readRecorded(recorder, daemon, 'subset', {
      view: 'live',
      keys: user(1n),
      features: ['live.word', 'live.clicks'],
    })
    expect(result.columns.map(({ name }) => name)).toEqual(['live.word', 'live.clicks'])
  })

  test('a corrupt row is UNAVAILABLE, and the rest is served', async () => {
    await corruptWarmRow(tiers, { view: 'slow', join: user(1n), eventTimeUs: nowUs + 1n })
    const result = await readRecorded(recorder, daemon, 'corrupt', {
      view: 'slow',
      keys: user(1n, 3n),
      applyDefaults: true,
      includeRows: true,
    })
    const [clicks] = result.columns
    expect([clicks?.statusAt(0), clicks?.statusAt(1)]).toEqual(['unavailable', 'present'])
    expect(clicks?.values).toEqual({ class: 'f64', values: Float64Array.of(7, 1) })
    const failing = daemon.client.getFeatures({
      view: 'slow',
      keys: user(3n, 1n),
      failOnUnavailable: true,
    })
    await expect(failing).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("feature 'slow.clicks', row 1, is unavailable"),
    })
  })

  test('a shorter ttl and retention judge the rows that are there', async () => {
    await daemon.apply(definitionsOf({ ttl: '30m', retention: '90m' }))
    const shorter = await read('shorter', 'live')
    expect(everyRow((index) => shorter.columns[0]?.statusAt(index))).toEqual([
      'present',
      'nullValue',
      'outsideMaxAge',
      'outsideMaxAge',
      'notFound',
      'notFound',
      'notFound',
    ])
    await daemon.apply(definitionsOf({ ttl: '2d', retention: '3d' }))
    const longer = await read('longer', 'live')
    expect(everyRow((index) => longer.columns[0]?.statusAt(index))).toEqual([
      'present',
      'nullValue',
      'present',
      'present',
      'present',
      'notFound',
      'notFound',
    ])
    await daemon.apply(definitionsOf())
  })

  test('a feature newer than the row is NOT_FOUND, beside older ones that are PRESENT', async () => {
    await daemon.apply(definitionsOf({ more: '\n      - { name: late, type: int8, default: 3 }' }))
    const result = await readRecorded(recorder, daemon, 'newer feature', {
      view: 'live',
      keys: user(1n, 9n),
      features: ['live.clicks', 'live.late'],
      applyDefaults: true,
    })
    const [clicks, late] = result.columns
    expect([clicks?.statusAt(0), late?.statusAt(0), late?.statusAt(1)]).toEqual([
      'present',
      'notFound',
      'notFound',
    ])
    expect(late?.values).toEqual({ class: 'f32', values: Float32Array.of(3, 3) })
    await daemon.apply(definitionsOf())
  })

  test('after a restart with an empty hot tier, rows come from warm, then from hot again', async () => {
    await daemon.stop()
    const { hot } = await freshTiers(recorder.kind)
    daemon = await startDaemon({ tiers: { hot, warm: tiers.warm } })
    const tierOf = async (view: string) => {
      const request = { view, keys: user(3n), includeRows: true }
      return (await daemon.client.getFeatures(request)).origins[0]?.tierAt(0)
    }
    const first = await Promise.all(views.map((view) => tierOf(view)))
    expect(first).toEqual(['warm', 'warm', 'warm'])
    await expect.poll(() => tierOf('live')).toBe('hot')
    await expect.poll(() => tierOf('careful')).toBe('hot')
    expect(await tierOf('slow')).toBe('warm')
    const filled = await readRecorded(recorder, daemon, 'filled', { view: 'live', keys: user(3n) })
    expect(filled.columns[0]?.valueAt(0)).toBe(1)
  })

  test('as the clock goes on, rows go stale and then past retention', async () => {
    await daemon.stop()
    const { hot } = await freshTiers(recorder.kind)
    const clockAtUs = nowUs + 2n * dayUs
    daemon = await startDaemon({ tiers: { hot, warm: tiers.warm }, clockAtUs })
    const result = await read('two days on', 'live')
    expect(everyRow((index) => result.columns[0]?.statusAt(index))).toEqual([
      'outsideMaxAge',
      'nullValue',
      'notFound',
      'notFound',
      'notFound',
      'notFound',
      'notFound',
    ])
    await daemon.stop()
    const later = { tiers: { ...(await freshTiers(recorder.kind)), warm: tiers.warm } }
    daemon = await startDaemon({ ...later, clockAtUs: clockAtUs + minuteUs })
    const minuteOn = await read('a minute more', 'live')
    expect(everyRow((index) => minuteOn.columns[0]?.statusAt(index))).toEqual(
      new Array(7).fill('notFound'),
    )
    expect(minuteOn.origins[0]?.eventTimesUs).toEqual(new BigInt64Array(7))
  })
})

function everyRow<T>(at: (index: number) => T): T[] {
  return Array.from({ length: 7 }, (_, index) => at(index))
}
