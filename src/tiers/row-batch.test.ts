import { expect, test } from 'vitest'
import { RowBatch, rowState, tierCode } from './row-batch.js'

const bytes = (...values: number[]) => Uint8Array.from(values)

test('every slot starts pending, from no tier', () => {
  const batch = new RowBatch(2)
  expect([...batch.states]).toEqual([rowState.pending, rowState.pending])
  expect([...batch.tiers]).toEqual([tierCode.none, tierCode.none])
  expect(() => batch.rowAt(0)).toThrow('only a slot with a row has bytes')
})

test('slots are filled in any order, by several tiers, and filled again', () => {
  const batch = new RowBatch(4)
  batch.setRow(2, bytes(1, 2, 3), tierCode.hot)
  batch.setAbsent(0, tierCode.hot)
  batch.setFailed(1, tierCode.hot)
  batch.setRow(0, bytes(4), tierCode.warm)
  batch.setAbsent(1, tierCode.warm)
  batch.setRow(3, bytes(), tierCode.warm)
  expect([...batch.states]).toEqual([1, 2, 1, 1])
  expect([...batch.tiers]).toEqual([3, 3, 2, 3])
  expect([0, 2, 3].map((slot) => [...batch.rowAt(slot)])).toEqual([[4], [1, 2, 3], []])
})

test('a row may start later than the block it comes in', () => {
  const batch = new RowBatch(2)
  batch.setRow(0, bytes(1, 2, 3), tierCode.hot, 1)
  batch.setRow(1, bytes(4, 5), tierCode.hot, 2)
  expect([0, 1].map((slot) => [...batch.rowAt(slot)])).toEqual([[2, 3], []])
})

test('many rows come in one block', () => {
  const batch = new RowBatch(2)
  batch.setRow(0, bytes(9), tierCode.hot)
  const start = batch.append(bytes(1, 2, 3, 4))
  batch.setAppended(1, start + 1, 2, tierCode.warm)
  batch.setAppended(0, start + 4, 0, tierCode.warm)
  expect([0, 1].map((slot) => [...batch.rowAt(slot)])).toEqual([[], [2, 3]])
  expect(() => batch.setAppended(0, start + 2, 3, tierCode.warm)).toThrow(
    'a row lies in what was copied in',
  )
})

test('a first block is taken as it is, and copied when there are more', () => {
  const batch = new RowBatch(2)
  const block = bytes(1, 2, 3)
  batch.setAppended(0, batch.adopt(block) + 1, 2, tierCode.hot)
  expect(batch.arena).toBe(block)
  batch.setAppended(1, batch.adopt(bytes(4)), 1, tierCode.hot)
  block.fill(9)
  expect([0, 1].map((slot) => [...batch.rowAt(slot)])).toEqual([[2, 3], [4]])
})

test('a row is copied in, and survives the growth of the arena', () => {
  const batch = new RowBatch(40, 1)
  const row = bytes(9, 9)
  batch.setRow(0, row, tierCode.hot)
  row.fill(0)
  const firstArena = batch.arena
  for (let slot = 1; slot < 40; slot++) batch.setRow(slot, bytes(slot, slot), tierCode.hot)
  expect(batch.arena).not.toBe(firstArena)
  expect(batch.states.every((state) => state === rowState.row)).toBe(true)
  expect([0, 1, 39].map((slot) => [...batch.rowAt(slot)])).toEqual([
    [9, 9],
    [1, 1],
    [39, 39],
  ])
})

test('one row may be larger than all that was expected', () => {
  const batch = new RowBatch(1, 0)
  batch.setRow(0, new Uint8Array(100_000).fill(7), tierCode.warm)
  expect(batch.rowAt(0).byteLength).toBe(100_000)
  expect(batch.arena.subarray(batch.starts[0]).every((byte) => byte === 7)).toBe(true)
})

test.each([3, 4])('slot %d of 3 is a bug that stops', (slot) => {
  const batch = new RowBatch(3)
  expect(() => batch.setRow(slot, bytes(1), tierCode.hot)).toThrow(
    'a row lands in a slot of its batch',
  )
})

test('an empty batch holds nothing', () => {
  expect(new RowBatch(0)).toMatchObject({ count: 0, states: new Uint8Array(0) })
})
