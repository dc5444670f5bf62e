import { expect, test } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.js'
import { createRecordedObserver } from '../../test/support/recorded-observer.js'
import { createScriptedTier } from '../../test/support/scripted-tier.js'
import { formOf, plainKeys } from '../../test/support/tier-rows.js'
import { encodeVersionOnlyRow, tombstoneLayoutId } from '../codec/row-version.js'
import { fillAgeMsMax } from '../limits.js'
import { untilAborted } from './abortable.js'
import { keepStoredMs } from './expiry.js'
import { HotFiller } from './hot-filler.js'
import { RowBatch, tierCode } from './row-batch.js'

const row = encodeVersionOnlyRow(tombstoneLayoutId, { eventTimeUs: 5n, sequence: 1n })

function planOf(fillsHot: readonly boolean[]) {
  const keys = plainKeys(
    fillsHot.map((_, slot) => ({ generation: 1, key: Buffer.from(`k${slot}`) })),
  )
  const ranges = fillsHot.map((fills, slot) => ({
    start: slot,
    end: slot + 1,
    readsHot: fills,
    fillsHot: fills,
    keepRowMs: () => slot,
  }))
  return { hotKeys: keys, warmKeys: keys, ranges }
}

function createTools() {
  const clock = createManualClock(0)
  const hot = createScriptedTier('hot')
  const observer = createRecordedObserver()
  return { clock, hot, observer, filler: new HotFiller(hot, clock, observer) }
}

test('copies rows of views that are filled, and nothing else', async () => {
  const { hot, filler } = createTools()
  const from = new RowBatch(5)
  for (const slot of [0, 1, 4]) from.setRow(slot, row, tierCode.warm)
  from.setAbsent(2, tierCode.warm)
  from.setFailed(3, tierCode.warm)
  filler.start(planOf([true, false, true, true, true]), Uint32Array.of(0, 1, 2, 3, 4), from, 0)
  await filler.settled()
  expect(hot.calls).toEqual(['write k0 k4'])
  expect(hot.writes[0]?.keepMs).toEqual(Float64Array.of(0, 4))
})

test.each([
  { title: 'no row', bytes: new Uint8Array(3) },
  {
    title: 'a row of a layout that is not known here',
    bytes: Uint8Array.of(9, ...row.subarray(1)),
  },
])('does not copy $title', async ({ bytes }) => {
  const { hot, filler } = createTools()
  const from = new RowBatch(2)
  from.setRow(0, bytes, tierCode.warm)
  from.setRow(1, row, tierCode.warm)
  const plan = planOf([true, true])
  const { versions } = formOf(new Map())
  const keepRowMs = (stored: Uint8Array) =>
    keepStoredMs(stored, { retentionUs: 1000n, nowUs: 0n }, versions)
  const ranges = plan.ranges.map((range) => ({ ...range, keepRowMs }))
  filler.start({ ...plan, ranges }, Uint32Array.of(0, 1), from, 0)
  await filler.settled()
  expect(hot.calls).toEqual(['write k1'])
})

test("has its own copy: the batch is the reader's to use again", async () => {
  const { hot, filler } = createTools()
  const from = new RowBatch(1)
  from.setRow(0, row, tierCode.warm)
  filler.start(planOf([true]), Uint32Array.of(0), from, 0)
  from.rowAt(0).fill(0xee)
  await filler.settled()
  expect(hot.rows.get('1:k0')).toEqual(Uint8Array.from(row))
})

test('gives up when its row is too old to be copied', async () => {
  const { clock, hot, observer, filler } = createTools()
  hot.before.write = (signal) => untilAborted(new Promise(() => {}), signal)
  const from = new RowBatch(1)
  from.setRow(0, row, tierCode.warm)
  clock.advance(100)
  filler.start(planOf([true]), Uint32Array.of(0), from, 0)
  clock.advance(fillAgeMsMax - 100)
  await filler.settled()
  expect(observer.events).toEqual(['fill failed 1', 'failed hot: the deadline passed first'])
})
