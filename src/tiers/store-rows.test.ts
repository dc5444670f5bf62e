import { beforeEach, expect, test } from 'vitest'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import {
  createRecordedObserver,
  type RecordedObserver,
} from '../../test/support/recorded-observer.js'
import { createScriptedTier, type ScriptedTier } from '../../test/support/scripted-tier.js'
import { plainKeys } from '../../test/support/tier-rows.js'
import { encodeVersionOnlyRow, tombstoneLayoutId } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import { untilAborted } from './abortable.js'
import { type StorePlan, type StoreTiers, storeRows } from './store-rows.js'
import { writesOf } from './tier.js'

const never = new AbortController().signal
const signals = { signal: never, hotSignal: never }

let clock: ManualClock
let hot: ScriptedTier
let warm: ScriptedTier
let observer: RecordedObserver
let tiers: StoreTiers
beforeEach(() => {
  clock = createManualClock(0)
  hot = createScriptedTier('hot')
  warm = createScriptedTier('warm')
  observer = createRecordedObserver()
  tiers = { hot, warm, clock, observer }
})

function planOf(names: readonly string[], { sequence = 1n, inHot = true } = {}): StorePlan {
  const keysUnder = (generation: number) =>
    plainKeys(names.map((name) => ({ generation, key: Buffer.from(name) })))
  const row = encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: 0n, sequence })
  const rows = names.map((_, slot) => ({ slot, row, keepMs: 1000 }))
  return {
    writes: writesOf(keysUnder(1), rows),
    hotKeys: inHot ? keysUnder(7) : undefined,
    keepRowMs: () => 2000,
  }
}

const fail = (code: 'unavailable' | 'hot_out_of_memory') => () => {
  throw new LarderError(code, 'no')
}

test('rows go to warm, then to hot under its own generation', async () => {
  hot.before.write = () => {
    expect([...warm.rows.keys()]).toEqual(['1:a', '1:b'])
  }
  expect(await storeRows(tiers, planOf(['a', 'b']), signals)).toEqual({
    storedCount: 2,
    durable: true,
    visible: true,
    hotFailure: undefined,
  })
  expect([...hot.rows.keys()]).toEqual(['7:a', '7:b'])
  expect(observer.events).toEqual(['written warm 2/2', 'written hot 2/2'])
})

test.each([
  ['a view that is not kept in hot', false, true],
  ['one tier in both roles', true, false],
])('%s: visible as soon as warm has it', async (_case, inHot, hasHot) => {
  const result = await storeRows(
    { ...tiers, hot: hasHot ? hot : undefined },
    planOf(['a'], { inHot }),
    signals,
  )
  expect(result).toMatchObject({ storedCount: 1, durable: true, visible: true })
  expect(hot.calls).toEqual([])
})

test('what warm does not keep through a crash is not called durable', async () => {
  const result = await storeRows(
    { ...tiers, warm: { ...warm, durable: false } },
    planOf(['a']),
    signals,
  )
  expect(result).toMatchObject({ durable: false, visible: true })
})

test('what was superseded in warm reaches hot as warm has it, never as it came', async () => {
  await storeRows(tiers, planOf(['a'], { sequence: 5n }), signals)
  hot.rows.clear()
  const older = await storeRows(tiers, planOf(['a', 'b'], { sequence: 4n }), signals)
  expect(older).toEqual({ storedCount: 1, durable: true, visible: true, hotFailure: undefined })
  expect(hot.rows.get('7:a')).toEqual(warm.rows.get('1:a'))
  expect([...hot.rows.keys()]).toEqual(['7:a', '7:b'])
  expect(hot.writes[1]?.keepMs).toEqual(Float64Array.of(2000, 2000))
})

test('where warm cannot be asked what is newest, the batch is not visible', async () => {
  await storeRows(tiers, planOf(['a'], { sequence: 5n }), signals)
  warm.before.read = fail('unavailable')
  const older = await storeRows(tiers, planOf(['a'], { sequence: 4n }), signals)
  expect(older).toMatchObject({ visible: false, hotFailure: { code: 'unavailable' } })
})

test('where warm fails nothing reaches hot, and the failure is thrown', async () => {
  warm.before.write = fail('unavailable')
  await expect(storeRows(tiers, planOf(['a']), signals)).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect(hot.calls).toEqual([])
})

test('where hot fails the batch is durable and not visible; its retry completes it', async () => {
  hot.before.write = fail('unavailable')
  expect(await storeRows(tiers, planOf(['a']), signals)).toMatchObject({
    storedCount: 1,
    durable: true,
    visible: false,
    hotFailure: { code: 'unavailable' },
  })
  expect(observer.events).toEqual(['written warm 1/1', 'failed hot: no'])
  hot.before = {}
  expect(await storeRows(tiers, planOf(['a']), signals)).toMatchObject({
    storedCount: 0,
    durable: true,
    visible: true,
  })
  expect([...hot.rows.keys()]).toEqual(['7:a'])
})

test('a full hot tier keeps what was visible, and is told', async () => {
  await storeRows(tiers, planOf(['a', 'b']), signals)
  hot.before.write = fail('hot_out_of_memory')
  const result = await storeRows(tiers, planOf(['a'], { sequence: 2n }), signals)
  expect(result).toMatchObject({
    durable: true,
    visible: false,
    hotFailure: { code: 'hot_out_of_memory' },
  })
  expect([...hot.rows.keys()]).toEqual(['7:a', '7:b'])
})

test('a hot tier that is late ends the wait for visible at its own signal', async () => {
  hot.before.write = (signal) => untilAborted(new Promise(() => {}), signal)
  const stored = storeRows(tiers, planOf(['a']), { signal: never, hotSignal: clock.timeout(50) })
  clock.advance(50)
  expect(await stored).toMatchObject({
    durable: true,
    visible: false,
    hotFailure: { code: 'deadline_exceeded' },
  })
})
