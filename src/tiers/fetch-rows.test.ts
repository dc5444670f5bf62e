import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import {
  createRecordedObserver,
  type RecordedObserver,
} from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { plainKeys } from '../../test/support/tier-rows.js'
import { systemClock } from '../clock.js'
import { encodeVersionOnlyRow, tombstoneLayoutId } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import { fillAgeMsMax, warmReadFloorMs } from '../limits.js'
import type { FetchPlan, FetchRange } from './fetch-plan.js'
import { type FetchTiers, fetchRows } from './fetch-rows.js'
import { HotFiller } from './hot-filler.js'
import type { RowBatch } from './row-batch.js'
import { SharedMisses } from './shared-misses.js'

const warmGeneration = 1
const hotGeneration = 7

let clock: ManualClock
let hot: ScriptedTier
let warm: ScriptedTier
let observer: RecordedObserver
let filler: HotFiller
let tiers: FetchTiers
beforeEach(() => {
  clock = createManualClock(Date.UTC(2026, 0, 1))
  hot = createScriptedTier('hot')
  warm = createScriptedTier('warm')
  observer = createRecordedObserver()
  filler = new HotFiller(hot, clock, observer)
  tiers = { hot: { tier: hot, filler }, warm, misses: new SharedMisses(), clock, observer }
})

function row(sequence: bigint): Uint8Array {
  return Uint8Array.from(encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: 0n, sequence }))
}

function putWarm(key: string, sequence: bigint): void {
  warm.rows.set(`${warmGeneration}:${key}`, row(sequence))
}

function putHot(key: string, sequence: bigint): void {
  hot.rows.set(`${hotGeneration}:${key}`, row(sequence))
}

/** A plan of one range of hot keys and one of keys that only warm has. */
function planOf(hotNames: readonly string[], warmNames: readonly string[] = []): FetchPlan {
  const keysUnder = (generation: number) =>
    plainKeys([...hotNames, ...warmNames].map((name) => ({ generation, key: Buffer.from(name) })))
  const range = (start: number, end: number, inHot: boolean): FetchRange => ({
    start,
    end,
    readsHot: inHot,
    fillsHot: inHot,
    keepRowMs: () => 1000,
  })
  const split = hotNames.length
  return {
    hotKeys: keysUnder(hotGeneration),
    warmKeys: keysUnder(warmGeneration),
    ranges: [range(0, split, true), range(split, split + warmNames.length, false)],
  }
}

function fetch(plan: FetchPlan, leftMs = 1000, signal = new AbortController().signal) {
  return fetchRows(tiers, plan, { atMs: clock.monotonicMs() + leftMs, signal })
}

const stateNames = ['pending', 'row', 'absent', 'failed']
const tierNames = ['none', 'near', 'hot', 'warm']

/** Each slot as `row warm`, `absent hot` and so on. */
function told(batch: RowBatch): string[] {
  return Array.from(
    batch.states,
    (state, slot) => `${stateNames[state]} ${tierNames[batch.tiers[slot] ?? 0]}`,
  )
}

/** A promise and what ends it. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('falling through', () => {
  test('hot answers alone where it has every row', async () => {
    putHot('a', 1n)
    putHot('b', 1n)
    expect(told(await fetch(planOf(['a', 'b'])))).toEqual(['row hot', 'row hot'])
    expect(warm.calls).toEqual([])
  })

  test('warm is read once, for what hot lacks and what lives only there', async () => {
    putHot('a', 1n)
    putWarm('b', 1n)
    putWarm('d', 1n)
    const batch = await fetch(planOf(['a', 'b', 'c'], ['d', 'e']))
    expect(told(batch)).toEqual(['row hot', 'row warm', 'absent warm', 'row warm', 'absent warm'])
    expect(hot.calls[0]).toBe('read a b c')
    expect(warm.calls).toEqual(['read b c d e'])
    expect(observer.events).toContain('read hot 1/3')
    expect(observer.events).toContain('read warm 2/4')
  })

  test('without a hot tier everything is read from warm', async () => {
    putWarm('a', 1n)
    tiers = { ...tiers, hot: undefined }
    expect(told(await fetch(planOf(['a'], ['b'])))).toEqual(['row warm', 'absent warm'])
    expect(hot.calls).toEqual([])
  })

  test('an empty plan reads nothing', async () => {
    expect((await fetch(planOf([]))).count).toBe(0)
    expect([...hot.calls, ...warm.calls]).toEqual([])
  })

  test('a hot tier that fails costs nothing but the detour', async () => {
    putWarm('a', 1n)
    hot.before.read = () => {
      throw new LarderError('unavailable', 'hot is gone')
    }
    expect(told(await fetch(planOf(['a', 'b'])))).toEqual(['row warm', 'absent warm'])
    expect(observer.events).toContain('failed hot: hot is gone')
  })

  test('a warm tier that fails leaves the rows that hot had', async () => {
    putHot('a', 1n)
    warm.before.read = () => {
      throw new LarderError('unavailable', 'warm is gone')
    }
    expect(told(await fetch(planOf(['a', 'b'])))).toEqual(['row hot', 'failed warm'])
    expect(observer.events).toContain('failed warm: warm is gone')
  })

  test.each([
    [warmReadFloorMs - 1, 'failed warm'],
    [warmReadFloorMs, 'row warm'],
  ])('with %d ms left a miss is told as %s', async (leftMs, state) => {
    putWarm('a', 1n)
    expect(told(await fetch(planOf(['a']), leftMs))).toEqual([state])
  })
})

describe('filling hot', () => {
  test('what warm had is in hot afterwards, under its generation there', async () => {
    putWarm('a', 3n)
    putWarm('c', 1n)
    await fetch(planOf(['a', 'b'], ['c']))
    await filler.settled()
    expect([...hot.rows.keys()]).toEqual([`${hotGeneration}:a`])
    expect(hot.writes[0]?.keepMs).toEqual(Float64Array.of(1000))
    expect(observer.events).toContain('fill stored 1')
    await fetch(planOf(['a']))
    expect(warm.calls).toHaveLength(1)
  })

  test('never hides a newer row', async () => {
    putWarm('a', 3n)
    hot.before.write = () => putHot('a', 4n)
    await fetch(planOf(['a']))
    await filler.settled()
    expect(hot.rows.get(`${hotGeneration}:a`)).toEqual(row(4n))
  })

  test.each([
    [fillAgeMsMax - 1, ['write a'], 'fill stored 1'],
    [fillAgeMsMax, [], 'fill late 1'],
  ])('a row read %d ms ago', async (ageMs, writes, event) => {
    putWarm('a', 1n)
    warm.before.read = () => clock.advance(ageMs)
    await fetch(planOf(['a']), 10_000)
    await filler.settled()
    expect(hot.calls.filter((call) => call.startsWith('write'))).toEqual(writes)
    expect(observer.events).toContain(event)
  })

  test('a fill that fails is told, and the reader has its row', async () => {
    putWarm('a', 1n)
    hot.before.write = () => {
      throw new LarderError('hot_out_of_memory', 'hot is full')
    }
    expect(told(await fetch(planOf(['a'])))).toEqual(['row warm'])
    await filler.settled()
    expect(observer.events.slice(-2)).toEqual(['fill failed 1', 'failed hot: hot is full'])
  })

  test.each([
    ['corrupt_row', 'row warm'],
    ['internal', undefined],
  ] as const)('a row of which the time to keep it is a %s', async (code, state) => {
    putWarm('a', 1n)
    const plan = planOf(['a'])
    const keepRowMs = () => {
      throw new LarderError(code, 'no row')
    }
    const ranges = plan.ranges.map((range) => ({ ...range, keepRowMs }))
    const outcome = fetch({ ...plan, ranges }).then(told, (error: LarderError) => error.code)
    expect(await outcome).toEqual(state === undefined ? code : [state])
    expect(hot.writes).toEqual([])
  })
})

describe('concurrent misses', () => {
  test('for one key are read once, and both have the row', async () => {
    const { opened, open } = gate()
    putWarm('a', 1n)
    putWarm('b', 1n)
    warm.before.read = () => opened
    const first = fetch(planOf(['a', 'x']))
    const second = fetch(planOf(['b', 'a', 'x']))
    await vi.waitFor(() => expect(warm.calls).toHaveLength(2))
    open()
    expect(told(await first)).toEqual(['row warm', 'absent warm'])
    const batch = await second
    expect(told(batch)).toEqual(['row warm', 'row warm', 'absent warm'])
    expect(batch.rowAt(1)).toEqual(row(1n))
    expect(warm.calls).toEqual(['read a x', 'read b'])
  })

  test('are not shared for views that hot does not serve, nor without a hot tier', async () => {
    const { opened, open } = gate()
    warm.before.read = () => opened
    const fetches = [fetch(planOf([], ['a'])), fetch(planOf([], ['a']))]
    tiers = { ...tiers, hot: undefined }
    fetches.push(fetch(planOf(['a'])), fetch(planOf(['a'])))
    await vi.waitFor(() => expect(warm.calls).toHaveLength(4))
    open()
    await Promise.all(fetches)
    expect(warm.calls).toEqual(['read a', 'read a', 'read a', 'read a'])
  })

  test('a read that failed for another is tried again', async () => {
    const { opened, open } = gate()
    putWarm('a', 1n)
    warm.before.read = async () => {
      warm.before = {}
      await opened
      throw new LarderError('deadline_exceeded', 'too late')
    }
    const first = fetch(planOf(['a']))
    await vi.waitFor(() => expect(warm.calls).toHaveLength(1))
    const second = fetch(planOf(['a']))
    await hasJoined()
    open()
    expect(told(await first)).toEqual(['failed warm'])
    expect(told(await second)).toEqual(['row warm'])
  })

  test('a reader whose deadline comes first is told so, not that there is no row', async () => {
    const { opened, open } = gate()
    putWarm('a', 1n)
    warm.before.read = () => opened
    const first = fetch(planOf(['a']))
    await vi.waitFor(() => expect(warm.calls).toHaveLength(1))
    const second = fetch(planOf(['a']), 50, clock.timeout(50))
    await hasJoined()
    clock.advance(50)
    expect(told(await second)).toEqual(['failed warm'])
    open()
    expect(told(await first)).toEqual(['row warm'])
  })

  test('a thousand joined keys are one wait on the signal', async () => {
    const { opened, open } = gate()
    const warnings: string[] = []
    const listen = (warning: Error) => warnings.push(warning.name)
    process.on('warning', listen)
    const names = Array.from({ length: 1000 }, (_, index) => `k${index}`)
    warm.before.read = () => opened
    const first = fetch(planOf(names))
    await vi.waitFor(() => expect(warm.calls).toHaveLength(1))
    const second = fetch(planOf(names))
    await hasJoined()
    open()
    expect(new Set(told(await second))).toEqual(new Set(['absent warm']))
    await first
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  /** Both readers have asked hot, and all that needs no other answer is done. */
  async function hasJoined(): Promise<void> {
    await vi.waitFor(() => expect(hot.calls).toHaveLength(2))
    await systemClock.sleep(0)
  }

  afterEach(async () => {
    await filler.settled()
  })
})
