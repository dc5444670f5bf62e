import { expect, test } from 'vitest'
import { plainKeys } from '../../test/support/tier-rows.js'
import { RowBatch } from './row-batch.js'
import { SharedMisses } from './shared-misses.js'

const keysOf = (generation: number, ...names: string[]) =>
  plainKeys(names.map((name) => ({ generation, key: Buffer.from(name, 'latin1') })))

/** A read that a test ends. */
function createRead() {
  let end = () => {}
  let fail = (_: Error) => {}
  const done = new Promise<void>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  return { done, end, fail }
}

test('a read is found by generation and key until it ends', async () => {
  const misses = new SharedMisses()
  const from = new RowBatch(3)
  const { done, end } = createRead()
  misses.announce(keysOf(1, 'a', 'b', 'c\0\xff'), [1, 2], from, done)
  expect(misses.find(keysOf(1, 'x', 'b'), 1)).toEqual({ from, fromSlot: 1, done })
  expect(misses.find(keysOf(1, 'c\0\xff'), 0)).toMatchObject({ fromSlot: 2 })
  expect(misses.find(keysOf(1, 'a'), 0)).toBeUndefined()
  expect(misses.find(keysOf(2, 'b'), 0)).toBeUndefined()
  expect(misses.find(keysOf(1, 'c\0'), 0)).toBeUndefined()
  end()
  await done
  expect(misses.find(keysOf(1, 'b'), 0)).toBeUndefined()
})

test('a generation and a key are not taken for another pair', () => {
  const misses = new SharedMisses()
  misses.announce(keysOf(1, '1:a'), [0], new RowBatch(1), createRead().done)
  expect(misses.find(keysOf(11, ':a'), 0)).toBeUndefined()
  expect(misses.find(keysOf(1, '1:a'), 0)).toBeDefined()
})

test('a read that throws is forgotten too', async () => {
  const misses = new SharedMisses()
  const { done, fail } = createRead()
  misses.announce(keysOf(1, 'a'), [0], new RowBatch(1), done)
  fail(new Error('gone'))
  await expect(done).rejects.toThrow('gone')
  expect(misses.find(keysOf(1, 'a'), 0)).toBeUndefined()
})

test('the end of an older read leaves a newer one of the same key', async () => {
  const misses = new SharedMisses()
  const [older, newer] = [createRead(), createRead()]
  const from = new RowBatch(1)
  misses.announce(keysOf(1, 'a'), [0], new RowBatch(1), older.done)
  misses.announce(keysOf(1, 'a'), [0], from, newer.done)
  older.end()
  await older.done
  expect(misses.find(keysOf(1, 'a'), 0)?.from).toBe(from)
  newer.end()
  await newer.done
  expect(misses.find(keysOf(1, 'a'), 0)).toBeUndefined()
})
