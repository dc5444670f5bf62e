import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { createRecordedObserver } from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { i64, texts, wireColumn } from '../../test/support/wire-columns.js'
import { createLiveClock } from '../clock.js'
import { encodeEntityKeys } from '../codec/entity-key.js'
import { encodeVersionOnlyRow, fenceLayoutId, readRowHeader } from '../codec/row-version.js'
import type { WireColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { clockSkewMs, futureBoundMs } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { plainForm } from '../tiers/row-form.js'
import {
  type DeleteProgress,
  type DeleteRequest,
  type DeleteTools,
  deleteEntities,
} from './delete-path.js'
import { createSequencer } from './sequencer.js'

const definitions = `
entities:
  - { name: stay, keys: { user: int64, shop: string } }
  - { name: shop, keys: { shop: string } }
  - { name: lonely, keys: { id: string } }
feature_views:
  - { name: visits, entity: stay, latency_class: realtime, ttl: 1h, retention: 1d, features: [{ name: mean, type: float32 }] }
  - { name: slow, entity: stay, latency_class: relaxed, ttl: 1h, retention: 2d, features: [{ name: mean, type: float32 }] }
  - { name: sales, entity: shop, latency_class: realtime, ttl: 1h, retention: 1d, features: [{ name: mean, type: float32 }] }
`

const never = new AbortController().signal

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

let clock: ManualClock
let hot: ScriptedTier
let warm: ScriptedTier
let tools: DeleteTools
beforeEach(() => {
  clock = createManualClock(Date.UTC(2026, 0, 1))
  hot = createScriptedTier('hot')
  warm = createScriptedTier('warm')
  tools = {
    tiers: { hot, warm, clock, observer: createRecordedObserver() },
    sequencer: createSequencer(clock, () => 3),
    assertMayWrite: () => {},
    judgingClock: createLiveClock(clock),
    clock,
    batchRowsMax: 3,
  }
})

function requestOf(words: Partial<DeleteRequest> = {}): DeleteRequest {
  const keys = [wireColumn('user', i64(1n)), wireColumn('shop', texts('a'))]
  return { entity: 'stay', keys, eventTimeUs: 0n, partial: false, ...words }
}

async function run(words: Partial<DeleteRequest> = {}): Promise<DeleteProgress[]> {
  const steps: DeleteProgress[] = []
  for await (const step of deleteEntities(tools, snapshot, requestOf(words), never)) {
    steps.push(step)
  }
  return steps
}

/** Where a row of `view` for this stay lies in warm. */
function pathOf(view: string, user: bigint, shop: string): string {
  const { entity, generation } = viewOf(snapshot, view)
  const columns = [wireColumn('user', i64(user)), wireColumn('shop', texts(shop))]
  const encoded = encodeEntityKeys(entity.keys, columns, 1)
  if ('problems' in encoded) throw new Error('the key is good')
  return `${generation}:${Buffer.from(encoded.bytes).toString('latin1')}`
}

/** A row that is no tombstone: its layout does not matter here. */
function put(view: string, user: bigint, shop: string, eventTimeUs = clock.nowUs() - 5n): string {
  const row = encodeVersionOnlyRow(fenceLayoutId, { eventTimeUs, sequence: 1n })
  const path = pathOf(view, user, shop)
  warm.rows.set(path, row)
  return path
}

const headerAt = (path: string) =>
  readRowHeader(warm.rows.get(path) ?? new Uint8Array(0), plainForm.versions)

describe('by whole keys', () => {
  test('leaves a tombstone in every view of exactly that entity, present or not', async () => {
    const path = put('visits', 1n, 'a')
    const steps = await run()
    expect(steps.at(-1)).toMatchObject({
      done: true,
      deletedCount: 2,
      scannedCount: 0,
      durable: true,
      visible: true,
    })
    expect([...warm.rows.keys()].sort()).toEqual([path, pathOf('slow', 1n, 'a')].sort())
    expect(headerAt(path)).toEqual({
      layoutId: 0,
      eventTimeUs: clock.nowUs(),
      sequence: steps[0]?.sequence,
    })
    expect(hot.rows.size).toBe(1)
  })

  test('a tombstone outlives every row that it hides', async () => {
    await run()
    const kept = warm.writes.map(({ keepMs }) => keepMs[0])
    const extraMs = clockSkewMs + futureBoundMs
    expect(kept).toEqual([86_400_000 + extraMs, 2 * 86_400_000 + extraMs])
  })

  test('wins over a row whose event time is still to come', async () => {
    const laterUs = clock.nowUs() + 60_000_000n
    const path = put('visits', 1n, 'a', laterUs)
    await run()
    expect(headerAt(path)).toMatchObject({ layoutId: 0, eventTimeUs: laterUs })
  })

  test("takes the caller's event time, and leaves what is newer", async () => {
    const older = put('visits', 1n, 'a', 1000n)
    const newer = put('slow', 1n, 'a', 3000n)
    expect((await run({ eventTimeUs: 2000n })).at(-1)).toMatchObject({ deletedCount: 1 })
    expect(headerAt(older)).toMatchObject({ layoutId: 0, eventTimeUs: 2000n })
    expect(headerAt(newer)).toMatchObject({ layoutId: fenceLayoutId, eventTimeUs: 3000n })
  })

  test('one key named twice is one, and one cell stands for all', async () => {
    const keys = [wireColumn('user', i64(1n, 1n, 2n)), wireColumn('shop', texts('a'))]
    expect((await run({ keys })).at(-1)).toMatchObject({ deletedCount: 4 })
  })

  test('an entity without views is done at once', async () => {
    const keys = [wireColumn('id', texts('a'))]
    expect(await run({ entity: 'lonely', keys })).toMatchObject([{ done: true, deletedCount: 0 }])
  })
})

describe('by part of a key', () => {
  test.each([
    ['the first', [wireColumn('user', i64(1n))], ['1 a', '1 b']],
    ['the last', [wireColumn('shop', texts('a'))], ['1 a', '2 a']],
    ['one that none has', [wireColumn('user', i64(9n))], []],
    ['several', [wireColumn('user', i64(1n, 2n))], ['1 a', '1 b', '2 a']],
  ])('%s: every match goes, nothing else', async (_case, keys: WireColumn[], gone) => {
    const stays = [
      [1n, 'a'],
      [1n, 'b'],
      [2n, 'a'],
      [3n, 'c'],
    ] as const
    for (const [user, shop] of stays) put('visits', user, shop)
    const steps = await run({ keys, partial: true })
    expect(steps.at(-1)).toMatchObject({ done: true, scannedCount: 4, deletedCount: gone.length })
    const deleted = stays.filter(
      ([user, shop]) => headerAt(pathOf('visits', user, shop)).layoutId === 0,
    )
    expect(deleted.map(([user, shop]) => `${user} ${shop}`)).toEqual(gone)
  })

  test('what is deleted already is not counted again', async () => {
    put('visits', 1n, 'a')
    const keys = [wireColumn('user', i64(1n))]
    await run({ keys, partial: true })
    expect((await run({ keys, partial: true })).at(-1)).toMatchObject({
      scannedCount: 1,
      deletedCount: 0,
    })
  })

  test('needs a warm tier that can list its keys', async () => {
    const keys = [wireColumn('user', i64(1n))]
    tools = { ...tools, tiers: { ...tools.tiers, warm: { ...warm, scan: () => undefined } } }
    await expect(run({ keys, partial: true })).rejects.toMatchObject({
      code: 'refused',
      message: 'the warm tier (warm) cannot list its keys: name all join keys',
    })
  })
})

describe('refused before anything is written', () => {
  const user = wireColumn('user', i64(1n))
  const shop = wireColumn('shop', texts('a'))

  test.each([
    [{ entity: 'stey' }, 'not_found', 'no entity \'stey\': did you mean "stay"?'],
    [{ keys: [] }, 'invalid_argument', "name at least one join key of 'stay'"],
    [
      { keys: [user] },
      'invalid_argument',
      "join keys shop of 'stay' are missing; set partial to delete every match",
    ],
    [
      { keys: [user, wireColumn('shopp', texts('a'))], partial: true },
      'invalid_argument',
      "entity 'stay' has no join key 'shopp': did you mean \"shop\"?",
    ],
    [{ keys: [user, user] }, 'invalid_argument', "key column 'user' is there twice"],
    [
      { keys: [wireColumn('user', i64(1n, 2n, 3n, 4n)), shop] },
      'resource_exhausted',
      "column 'user' has 4 rows, at most 3 are allowed in a request",
    ],
  ])('%#', async (words, code, message) => {
    await expect(run(words)).rejects.toMatchObject({ code, message })
    expect(warm.calls).toEqual([])
  })

  test.each([-1n, 2n ** 62n])('an event time of %s', async (eventTimeUs) => {
    const latestUs = clock.nowUs() + BigInt(futureBoundMs) * 1000n
    await expect(run({ eventTimeUs })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: `event_time ${eventTimeUs} us must lie between 0 and ${latestUs} us`,
    })
  })

  test('a value that is no key', async () => {
    const keys = [user, wireColumn('shop', texts('x'.repeat(1100)))]
    await expect(run({ keys })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('row 0: '),
    })
  })

  test('while the lease is lost', async () => {
    const assertMayWrite = () => {
      throw new LarderError('unavailable', 'lost')
    }
    tools = { ...tools, assertMayWrite }
    await expect(run()).rejects.toMatchObject({ code: 'unavailable' })
    expect(warm.calls).toEqual([])
  })
})

test('a hot tier that fails leaves the delete durable and not visible', async () => {
  hot.before.write = () => {
    throw new LarderError('unavailable', 'hot is gone')
  }
  expect((await run()).at(-1)).toMatchObject({ durable: true, visible: false, deletedCount: 2 })
})

test('a warm tier that fails is thrown', async () => {
  warm.before.read = () => {
    throw new LarderError('unavailable', 'warm is gone')
  }
  await expect(run()).rejects.toMatchObject({ code: 'unavailable' })
})
