/**
 * A view's layouts change under rows that are there: features come, go and come back, profiles are
 * learned, packings change. Old rows stay as they were written, and readable beside new ones.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column, type RequestColumn } from '../src/client/index.js'
import type { FeatureEncoding } from '../src/encoding-profile.js'
import { encodeProfile } from '../src/profile-json.js'
import { describeOnBothKinds, readRecorded } from './support/e2e-both-kinds.js'
import {
  type E2eDaemon,
  freshTiers,
  hourUs,
  nowUs,
  secondUs,
  startDaemon,
  type TierUrls,
} from './support/e2e-daemon.js'
import { placeOf, withWarmTier } from './support/e2e-stored-rows.js'
import { block, decimals, dictionary, integers, listOf } from './support/encodings.js'
import { never } from './support/tier-rows.js'

const clicks = '{ name: clicks, type: int32 }'
const score = '{ name: score, type: float32 }'
const word = '{ name: word, type: categorical }'
const path = '{ name: path, type: "list<int16>" }'
const more = '{ name: more, type: int32 }'
const scoreDefault = '{ name: score, type: float32, default: -1 }'

function definitionsOf(features: readonly string[], settings: readonly string[] = []): string {
  return `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: live
    entity: user
    latency_class: realtime
    ttl: 1d
    retention: 30d
${settings.map((setting) => `    ${setting}\n`).join('')}\
    features: [${features.join(', ')}]
feature_services: [{ name: all, views: [{ view: live }] }]
`
}

interface User {
  readonly clicks: number | null
  readonly score: number | null
  readonly path: readonly number[] | null
  readonly word?: string | null
  readonly more?: number | null
}

function columnsOf(user: User): RequestColumn[] {
  return [
    column.fromValues('clicks', 'int32', [user.clicks]),
    column.fromValues('score', 'float32', [user.score]),
    column.fromValues('path', 'list<int16>', [user.path]),
    ...(user.word === undefined ? [] : [column.fromValues('word', 'categorical', [user.word])]),
    ...(user.more === undefined ? [] : [column.fromValues('more', 'int32', [user.more])]),
  ]
}

/** As JSON text, for features with these ids. */
function profileOf(encodings: readonly (readonly [id: number, FeatureEncoding])[]): string {
  return JSON.stringify(
    encodeProfile({ id: 0, encodings: new Map(encodings), sampleRowCount: 1000 }),
  )
}

const shortPaths = listOf([[0n, 2], 'null'], integers(1n, [0n, 6]))
const firstProfile = profileOf([
  [1, integers(1n, [0n, 8], 'null')],
  [2, decimals([0n, 10, 2], 'literal')],
  [3, dictionary(['red', 'green'], [0n, 1])],
  [4, shortPaths],
])
const secondProfile = profileOf([
  [1, integers(1n, [0n, 4], [0n, 16])],
  [2, decimals([0n, 12, 1])],
  [4, block(4, [0n, 5])],
  [5, integers(1n, [0n, 3])],
])

describeOnBothKinds((recorder) => {
  let tiers: TierUrls
  let daemon: E2eDaemon
  const written = new Map<string, User>()

  beforeAll(async () => {
    tiers = await freshTiers(recorder.kind)
    daemon = await startDaemon({ tiers, definitions: definitionsOf([clicks, score, word, path]) })
  })
  afterAll(() => daemon.stop())

  async function write(
    name: string,
    user: User,
    version: {
      readonly schemaVersion: number
      readonly eventTimeUs?: bigint
      readonly sequence?: bigint
    },
  ) {
    const { schemaVersion, eventTimeUs = nowUs, sequence } = version
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: `${name}, schema ${schemaVersion}`,
      view: 'live',
      schemaVersion,
      keys: [column.strings('user', [name])],
      features: columnsOf(user),
      eventTimesUs: BigInt64Array.of(eventTimeUs),
      ...(sequence === undefined ? {} : { sequence }),
    })
    await writer.close()
    expect(ack).toMatchObject({ storedCount: 1, durable: true, visible: true, error: undefined })
    written.set(name, user)
  }

  /** The rows of all users as warm holds them, by name. */
  function storedRows(): Promise<Map<string, string>> {
    return withWarmTier(tiers, async (opened) => {
      const join = [column.strings('user', ['ann'])]
      const { generation } = await placeOf(opened, { view: 'live', join })
      const found = new Map<string, string>()
      for await (const { keys, rows } of opened.tier.scan(generation, never) ?? []) {
        for (const [slot, row] of rows.entries()) {
          const key = keys.bytes.subarray(keys.offsets[slot], keys.offsets[slot + 1])
          found.set(Buffer.from(key).toString(), Buffer.from(row).toString('hex'))
        }
      }
      return found
    })
  }

  /** The layout that each user's row is stored in. */
  async function layoutsOf(...names: readonly string[]): Promise<(number | undefined)[]> {
    const rows = await storedRows()
    return names.map((name) => Number.parseInt(rows.get(name)?.slice(0, 2) ?? '', 16))
  }

  /** Each cell of a user as `STATUS value`, by feature. */
  async function readUsers(label: string): Promise<Record<string, Record<string, string>>> {
    const names = [...written.keys()]
    const result = await readRecorded(recorder, daemon, label, {
      service: 'all',
      keys: [column.strings('user', names)],
    })
    const cellsAt = (row: number) =>
      result.columns.map(({ name, statusAt, valueAt }) => [
        name.replace('live.', ''),
        `${statusAt(row)} ${JSON.stringify(valueAt(row))}`,
      ])
    return Object.fromEntries(names.map((name, row) => [name, Object.fromEntries(cellsAt(row))]))
  }

  /** What the users' cells are, of these features; a user without one was written without it. */
  function expectedUsers(...features: readonly (keyof User)[]) {
    const cellOf = (value: User[keyof User]) => {
      if (value === undefined) return 'notFound null'
      return value === null ? 'nullValue null' : `present ${JSON.stringify(value)}`
    }
    return Object.fromEntries(
      [...written].map(([name, user]) => [
        name,
        Object.fromEntries(features.map((feature) => [feature, cellOf(user[feature])])),
      ]),
    )
  }

  async function viewNow() {
    const { views } = await daemon.client.registry()
    return views[0]
  }

  let loadSequence: bigint

  // Each step starts from what the one before it left.
  test('rows of a plain, a learned and a compact layout are read side by side', async () => {
    await write('ann', { clicks: 7, score: 0.25, word: 'red', path: [1, 2] }, { schemaVersion: 1 })
    const target = { view: 'live', schemaVersion: 1 }
    const learned = await daemon.client.registerLayout({ ...target, profileJson: firstProfile })
    await write('bob', { clicks: 8, score: 0.5, word: 'green', path: [] }, { schemaVersion: 1 })
    const loaded = await daemon.client.registerLayout({
      ...target,
      profileId: learned.profileId,
      version: { eventBaseUs: nowUs - hourUs, eventUnitUs: secondUs, eventBytes: 2 },
      loadId: 'first load',
    })
    loadSequence = loaded.sequence
    const ofLoad = { schemaVersion: 1, sequence: loadSequence }
    const cat: User = { clicks: null, score: null, word: 'red', path: null }
    await write('cat', cat, { ...ofLoad, eventTimeUs: nowUs - secondUs })
    await write('dan', { ...cat, clicks: 1 }, { ...ofLoad, eventTimeUs: nowUs - 1n })
    expect([learned, loaded]).toMatchObject([
      { layoutId: 3, profileId: 1 },
      { layoutId: 4, profileId: 1 },
    ])
    expect(await layoutsOf('ann', 'bob', 'cat', 'dan')).toEqual([2, 3, 4, 3])
    const expected = expectedUsers('clicks', 'score', 'word', 'path')
    expect(await readUsers('three layouts')).toEqual(expected)
  })

  test('values that a profile never saw are stored as they are', async () => {
    const eve: User = {
      clicks: -(2 ** 31),
      score: 2 ** -149,
      word: 'ultraviolet',
      path: [32_767, -1],
    }
    await write('eve', eve, { schemaVersion: 1, sequence: loadSequence })
    expect(await layoutsOf('eve')).toEqual([4])
    const expected = expectedUsers('clicks', 'score', 'word', 'path')
    expect(await readUsers('exceptions')).toEqual(expected)
  })

  test('an added feature: the profile goes on, and old rows lack it', async () => {
    await daemon.apply(definitionsOf([clicks, score, word, path, more]))
    const fay: User = { clicks: 9, score: 0.75, word: 'red', path: [3], more: 70_000 }
    await write('fay', fay, { schemaVersion: 2 })
    await write('gus', { clicks: 10, score: 1, word: 'red', path: [] }, { schemaVersion: 1 })
    expect((await viewNow())?.layouts).toMatchObject([
      { id: 2, schemaVersion: 1, profileId: 0 },
      { id: 3, schemaVersion: 1, profileId: 1 },
      { id: 4, schemaVersion: 1, profileId: 1 },
      { id: 5, schemaVersion: 2, profileId: 0 },
      { id: 6, schemaVersion: 2, profileId: 1 },
    ])
    expect(await layoutsOf('fay', 'gus')).toEqual([6, 3])
    const expected = expectedUsers('clicks', 'score', 'word', 'path', 'more')
    expect(await readUsers('added')).toEqual(expected)
  })

  test('a dropped feature is gone from answers, and rows that name an older schema are taken', async () => {
    await daemon.apply(definitionsOf([clicks, score, path, more]))
    const hal: User = { clicks: 11, score: 2.5, path: [4, 5], more: 1 }
    await write('hal', hal, { schemaVersion: 3 })
    await write('ida', { ...hal, word: 'green' }, { schemaVersion: 2 })
    const { more: _, ...older } = hal
    await write('jim', { ...older, word: 'blue' }, { schemaVersion: 1 })
    expect(await layoutsOf('hal', 'ida', 'jim')).toEqual([8, 6, 3])
    const expected = expectedUsers('clicks', 'score', 'path', 'more')
    expect(await readUsers('dropped')).toEqual(expected)
  })

  test('a feature dropped and added again starts empty, whatever old rows hold', async () => {
    await daemon.apply(definitionsOf([clicks, score, path, more, word]))
    for (const [name, { word: _, ...user }] of written) written.set(name, user)
    const kim: User = { clicks: 12, score: 3, path: [], more: 2, word: 'red' }
    await write('kim', kim, { schemaVersion: 4 })
    expect(await layoutsOf('kim')).toEqual([10])
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('added again')).toEqual(expected)
  })

  test('another order of features needs no new layout', async () => {
    const before = (await viewNow())?.layouts
    await daemon.apply(definitionsOf([word, more, path, score, clicks]))
    expect((await viewNow())?.layouts).toEqual(before)
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('reordered')).toEqual(expected)
  })

  test('a new profile: rows of the one before are read beside its own', async () => {
    const target = { view: 'live', schemaVersion: 4, profileJson: secondProfile }
    const learned = await daemon.client.registerLayout(target)
    expect(learned).toMatchObject({ layoutId: 11, profileId: 2 })
    const leo: User = {
      clicks: 13,
      score: Math.fround(0.3),
      path: [7, 7, 7, 7, 7, 7, 7, 7],
      more: 3,
      word: '',
    }
    await write('leo', leo, { schemaVersion: 4 })
    await write('mia', { clicks: 14, score: -0, path: [], word: 'red' }, { schemaVersion: 1 })
    // The old word of a row is not the new one.
    written.set('mia', { clicks: 14, score: -0, path: [] })
    expect(await layoutsOf('leo', 'mia', 'kim')).toEqual([11, 3, 10])
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('new profile')).toEqual(expected)
  })

  test('a changed default and a new packing rewrite nothing', async () => {
    const before = await storedRows()
    const settings = ['packing: bucket', 'expected_entities: 1000']
    await daemon.apply(definitionsOf([clicks, scoreDefault, path, more, word], settings))
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('repacked')).toEqual(expected)
    expect(await readUsers('repacked, again')).toEqual(expected)
    expect(await storedRows()).toEqual(before)
    const defaulted = await readRecorded(recorder, daemon, 'defaults', {
      service: 'all',
      keys: [column.strings('user', ['cat', 'nobody', 'bob'])],
      features: ['live.score'],
      applyDefaults: true,
    })
    expect(defaulted.columns[0]?.values).toEqual({
      class: 'f32',
      values: Float32Array.of(-1, -1, 0.5),
    })
  })

  test('a row is replaced across layouts by the newer version, and by no older one', async () => {
    const newer: User = { clicks: 15, score: 4, path: [1], more: 4, word: 'red' }
    await write('cat', newer, { schemaVersion: 4 })
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('replaced')).toEqual(expected)
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: 'the load once more',
      view: 'live',
      schemaVersion: 1,
      keys: [column.strings('user', ['cat'])],
      features: columnsOf({ clicks: 0, score: 0, path: [], word: 'red' }),
      eventTimesUs: BigInt64Array.of(nowUs - secondUs),
      sequence: loadSequence,
    })
    await writer.close()
    expect(ack).toMatchObject({ storedCount: 0, badRowCount: 0, durable: true })
    expect(await readUsers('not replaced')).toEqual(expected)
  })

  test('a daemon that starts anew reads them all', async () => {
    await daemon.stop()
    daemon = await startDaemon({ tiers })
    const expected = expectedUsers('clicks', 'score', 'path', 'more', 'word')
    expect(await readUsers('restarted')).toEqual(expected)
  })
})

describe('two daemons on one Redis and one PostgreSQL', () => {
  let first: E2eDaemon
  let second: E2eDaemon

  beforeAll(async () => {
    const tiers = await freshTiers('servers')
    const definitions = definitionsOf([clicks, score, word, path])
    first = await startDaemon({ tiers, definitions })
    second = await startDaemon({ tiers })
  })
  afterAll(async () => {
    await first.stop()
    await second.stop()
  })

  test.each([
    { name: 'a learned layout', user: 'ann', load: {} },
    {
      name: 'a compact layout of a load',
      user: 'bob',
      load: {
        version: { eventBaseUs: nowUs - hourUs, eventUnitUs: secondUs, eventBytes: 2 },
        loadId: 'first load',
      },
    },
  ])('one reads rows of $name that only the other has seen', async ({ user, load }) => {
    const target = { view: 'live', schemaVersion: 1, profileJson: firstProfile }
    const { sequence } = await first.client.registerLayout({ ...target, ...load })
    const values = { clicks: 300, score: 0.5, path: [1, 2, 3], word: 'green' }
    const keys = [column.strings('user', [user])]
    const writer = first.client.openWriter()
    const ack = await writer.write({
      batchId: user,
      view: 'live',
      schemaVersion: 1,
      keys,
      features: columnsOf(values),
      eventTimesUs: BigInt64Array.of(nowUs),
      ...(sequence === 0n ? {} : { sequence }),
    })
    await writer.close()
    expect(ack).toMatchObject({ storedCount: 1, durable: true, visible: true })
    const found = await second.client.getFeatures({ view: 'live', keys })
    expect(found.toRows()).toEqual([
      {
        'live.clicks': values.clicks,
        'live.score': values.score,
        'live.word': values.word,
        'live.path': values.path,
      },
    ])
  })
})
