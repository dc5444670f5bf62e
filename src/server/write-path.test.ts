import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { createRecordedObserver } from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { f32, texts, wireColumn } from '../../test/support/wire-columns.js'
import { createLiveClock } from '../clock.js'
import { layoutIdOf, readRowHeader } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import { ackTimeoutMsDefault, ackTimeoutMsMax, batchIdBytesMax, futureBoundMs } from '../limits.js'
import type { Snapshot } from '../registry/snapshot.js'
import { untilAborted } from '../tiers/abortable.js'
import type { WriteBatch } from './plan-write.js'
import { rowFormsOf } from './row-forms.js'
import { createSequencer } from './sequencer.js'
import { type WriteTools, writeBatch } from './write-path.js'

const definitions = `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32 }]
`
const never = new AbortController().signal

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

let clock: ManualClock
let hot: ScriptedTier
let warm: ScriptedTier
let tools: WriteTools
beforeEach(() => {
  clock = createManualClock(Date.UTC(2026, 0, 1))
  hot = createScriptedTier('hot')
  warm = createScriptedTier('warm')
  tools = {
    tiers: { hot, warm, clock, observer: createRecordedObserver() },
    registryStore: createMemoryRegistryStore(),
    sequencer: createSequencer(clock, () => 3),
    assertMayWrite: () => {},
    judgingClock: createLiveClock(clock),
    clock,
    batchRowsMax: 3,
  }
})

function batchOf(words: Partial<WriteBatch> = {}): WriteBatch {
  return {
    batchId: 'file:0-1',
    view: 'sales',
    schemaVersion: 1,
    keys: [wireColumn('shop', texts('a', 'b'))],
    eventTimesUs: BigInt64Array.of(clock.nowUs(), clock.nowUs()),
    features: [wireColumn('mean', f32(1, 2))],
    sequence: 0n,
    ackTimeoutMs: 0,
    ...words,
  }
}

const write = (batch: WriteBatch, signal = never) => writeBatch(tools, snapshot, batch, signal)
const sequencesIn = (tier: ScriptedTier) =>
  [...tier.rows.values()].map(
    (row) => readRowHeader(row, rowFormsOf(viewOf(snapshot, 'sales')).warm.versions).sequence,
  )

const gone = () => {
  throw new LarderError('unavailable', 'it is gone')
}

describe('a good batch', () => {
  test('is durable and visible, under one sequence in both tiers', async () => {
    const ack = await write(batchOf())
    expect(ack).toEqual({
      batchId: 'file:0-1',
      sequence: ack.sequence,
      durable: true,
      visible: true,
      rowCount: 2,
      storedCount: 2,
      badRows: [],
      badRowCount: 0,
      error: undefined,
      hotFailure: undefined,
    })
    expect([...sequencesIn(warm), ...sequencesIn(hot)]).toEqual(Array(4).fill(ack.sequence))
  })

  test('a retry has the sequence of the first try and changes nothing', async () => {
    const first = await write(batchOf())
    clock.advance(1000)
    const rows = structuredClone([...warm.rows])
    const retry = await write(batchOf({ eventTimesUs: batchTimes(first.rowCount, -1000) }))
    expect(retry).toMatchObject({ sequence: first.sequence, storedCount: 0, durable: true })
    expect([...warm.rows]).toEqual(rows)
  })

  test('another batch of the same rows is newer', async () => {
    const first = await write(batchOf())
    const other = await write(batchOf({ batchId: 'file:again' }))
    expect(other.storedCount).toBe(2)
    expect(other.sequence).toBeGreaterThan(first.sequence)
  })

  test('a retry completes what hot missed', async () => {
    hot.before.write = gone
    const first = await write(batchOf())
    expect(first).toMatchObject({ durable: true, visible: false, error: undefined })
    expect(first.hotFailure).toMatchObject({ code: 'unavailable', message: 'it is gone' })
    hot.before = {}
    expect(await write(batchOf())).toMatchObject({ visible: true, sequence: first.sequence })
    expect([...hot.rows.values()]).toEqual([...warm.rows.values()])
  })

  test("a client's own sequence stands, and needs no memory of the batch", async () => {
    const ack = await write(batchOf({ sequence: 77n }))
    expect([ack.sequence, ...sequencesIn(warm)]).toEqual([77n, 77n, 77n])
    expect((await write(batchOf())).sequence).not.toBe(77n)
  })

  test.each([
    [0, ackTimeoutMsDefault],
    [10, 10],
    [ackTimeoutMsMax, ackTimeoutMsMax],
  ])('an ack timeout of %d ms: visible is waited for %d ms', async (ackTimeoutMs, waitedMs) => {
    let asked = () => {}
    const hotAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    hot.before.write = (signal) => {
      asked()
      return untilAborted(new Promise(() => {}), signal)
    }
    let isOver = false
    const ack = write(batchOf({ ackTimeoutMs })).finally(() => {
      isOver = true
    })
    await hotAsked
    clock.advance(waitedMs - 1)
    await Promise.resolve()
    expect(isOver).toBe(false)
    clock.advance(1)
    expect(await ack).toMatchObject({ durable: true, visible: false, storedCount: 2 })
  })
})

describe('rows of a view that has learned', () => {
  const seats = definitions.replace('{ name: mean, type: float32 }', '{ name: seats, type: int16 }')
  const sequence = 77n
  let learned: Snapshot
  beforeEach(async () => {
    const registry = await applyDefinitions(createMemoryRegistryStore(), seats)
    const eventBaseUs = clock.nowUs()
    await registry.registerLayout(
      {
        view: 'sales',
        schemaVersion: 1,
        profile: integerProfile([1]),
        versionFormat: { eventBaseUs, eventUnitUs: 1000n, eventBytes: 1, sequence },
      },
      never,
    )
    learned = registry.current()
  })

  /** Written by a batch of the given sequence, at so many microseconds from now. */
  async function layoutsOf(batchSequence: bigint, ...aheadUs: readonly bigint[]) {
    const nowUs = clock.nowUs()
    const batch = batchOf({
      keys: [wireColumn('shop', texts(...aheadUs.map((ahead) => String(ahead))))],
      eventTimesUs: BigInt64Array.from(aheadUs, (ahead) => nowUs + ahead),
      features: [wireColumn('seats', f32(...aheadUs.map(() => 7)))],
      sequence: batchSequence,
    })
    const ack = await writeBatch({ ...tools, batchRowsMax: 10 }, learned, batch, never)
    expect(ack).toMatchObject({ storedCount: aheadUs.length, error: undefined })
    return [...warm.rows.values()].map(layoutIdOf)
  }

  test("are written in their load's layout where their event times fit it", async () => {
    expect(await layoutsOf(sequence, 0n, 255_000n, 256_000n, 1500n, -1000n)).toEqual([
      4, 4, 3, 3, 3,
    ])
  })

  test('are written in the learned layout where they are of no load', async () => {
    expect(await layoutsOf(0n, 0n)).toEqual([3])
    expect([...hot.rows.values()]).toEqual([...warm.rows.values()])
  })

  test('that come later win, whatever layout either has', async () => {
    await layoutsOf(sequence, 0n)
    expect(await layoutsOf(sequence + 1n, 0n)).toEqual([3])
  })
})

describe('a batch that is refused stores nothing', () => {
  const many = (count: number) => ({
    keys: [wireColumn('shop', texts(...Array.from({ length: count }, (_, row) => `s${row}`)))],
    eventTimesUs: new BigInt64Array(count).fill(clock.nowUs()),
    features: [wireColumn('mean', f32(...Array(count).fill(1)))],
  })

  test.each([
    [() => ({ batchId: '' }), 'invalid_argument', 'batch_id has 0 bytes, it must have 1 to 128'],
    [
      () => ({ batchId: `${'é'.repeat(batchIdBytesMax / 2)}x` }),
      'invalid_argument',
      'batch_id has 129 bytes, it must have 1 to 128',
    ],
    [() => ({ batchId: 'a\0b' }), 'invalid_argument', 'batch_id has a NUL character'],
    [
      () => ({ batchId: 'larder:load:files' }),
      'invalid_argument',
      "batch_id must not begin with 'larder:load:'",
    ],
    [() => many(0), 'invalid_argument', 'the batch has no rows'],
    [() => many(4), 'resource_exhausted', 'the batch has 4 rows, at most 3 are allowed: split it'],
    [
      () => ({ ackTimeoutMs: ackTimeoutMsMax + 1 }),
      'invalid_argument',
      'ack_timeout_ms is 60001, at most 60000 is allowed',
    ],
    [() => ({ view: 'sale' }), 'not_found', 'no feature view \'sale\': did you mean "sales"?'],
    [
      () => ({ schemaVersion: 2 }),
      'invalid_argument',
      "view 'sales' has no readable schema version 2; the current one is 1",
    ],
    [
      () => ({ features: [] }),
      'invalid_argument',
      "view 'sales', schema version 1: feature column 'mean' is missing; a batch carries every " +
        'feature, null where unknown',
    ],
  ])('%#', async (words, code, message) => {
    const ack = await write(batchOf(words()))
    expect(ack).toMatchObject({ durable: false, visible: false, sequence: 0n, storedCount: 0 })
    expect(ack.error).toMatchObject({ code, message })
    expect([...warm.calls, ...hot.calls]).toEqual([])
  })

  test('for one bad row of several', async () => {
    const eventTimesUs = BigInt64Array.of(clock.nowUs(), 0n)
    const ack = await write(batchOf({ eventTimesUs }))
    expect(ack).toMatchObject({ rowCount: 2, badRowCount: 1, badRows: [{ rowIndex: 1 }] })
    expect(ack.error?.message).toContain(
      '1 of 2 rows are bad, nothing of the batch is stored; first: row 1, event_times: event time',
    )
    expect(warm.calls).toEqual([])
  })

  test('for a sequence of the future', async () => {
    const sequence = BigInt(clock.nowMs() - Date.UTC(2020, 0, 1) + futureBoundMs + 1) << 22n
    const ack = await write(batchOf({ sequence }))
    expect(ack.error).toMatchObject({ code: 'invalid_argument' })
    expect(warm.calls).toEqual([])
  })

  test('while the lease is lost', async () => {
    tools = { ...tools, assertMayWrite: gone }
    expect((await write(batchOf())).error).toMatchObject({ code: 'unavailable' })
    expect((await write(batchOf({ sequence: 7n }))).error).toMatchObject({ code: 'unavailable' })
    expect(warm.calls).toEqual([])
  })
})

test('a batch that warm fails is not acknowledged, and its retry completes it', async () => {
  warm.before.write = gone
  const failed = await write(batchOf())
  expect(failed).toMatchObject({ durable: false, visible: false, storedCount: 0 })
  expect(failed.error).toMatchObject({ code: 'unavailable' })
  expect(hot.calls).toEqual([])
  warm.before = {}
  expect(await write(batchOf())).toMatchObject({ durable: true, storedCount: 2 })
})

test('a batch whose id cannot be remembered is not stored', async () => {
  const registryStore = { ...tools.registryStore, recordBatch: async () => gone() }
  tools = { ...tools, registryStore }
  expect((await write(batchOf())).error).toMatchObject({ code: 'unavailable' })
  expect(warm.calls).toEqual([])
})

test('the writer going away is told as that', async () => {
  warm.before.write = (signal) => untilAborted(new Promise(() => {}), signal)
  const ack = await write(batchOf(), AbortSignal.abort())
  expect(ack.error).toMatchObject({ code: 'cancelled' })
})

/** Event times of `count` rows, `aheadMs` from now. */
function batchTimes(count: number, aheadMs: number): BigInt64Array {
  return new BigInt64Array(count).fill(clock.nowUs() + BigInt(aheadMs) * 1000n)
}
