import { expect, test } from 'vitest'
import { plainKeys } from '../../test/support/tier-rows.js'
import { entityKeyAt, generationAt } from './key-batch.js'
import { keepMsOfWrite, rowOfWrite } from './row-writes.js'
import { writesOf } from './tier.js'

const keys = plainKeys([
  { generation: 1, key: Buffer.from('first') },
  { generation: 2, key: Buffer.from('') },
  { generation: 3, key: Buffer.from('third') },
])

test('the writes of some slots, in the order they are named', () => {
  const writes = writesOf(keys, [
    { slot: 2, row: Buffer.from('row of third'), keepMs: 30 },
    { slot: 0, row: Buffer.from('r'), keepMs: 10 },
    { slot: 1, row: Buffer.from('empty key'), keepMs: 20 },
  ])
  const told = Array.from({ length: writes.keys.count }, (_, index) => [
    generationAt(writes.keys, index),
    Buffer.from(entityKeyAt(writes.keys, index)).toString(),
    Buffer.from(rowOfWrite(writes, index)).toString(),
    keepMsOfWrite(writes, index),
  ])
  expect(told).toEqual([
    [3, 'third', 'row of third', 30],
    [1, 'first', 'r', 10],
    [2, '', 'empty key', 20],
  ])
})

test('nothing is shared with what was given', () => {
  const row = Buffer.from('abc')
  const given = plainKeys([{ generation: 1, key: Buffer.from('key') }])
  const writes = writesOf(given, [{ slot: 0, row, keepMs: 1 }])
  row.fill(0)
  given.bytes.fill(0)
  expect(Buffer.from(writes.rows).toString()).toBe('abc')
  expect(Buffer.from(writes.keys.bytes).toString()).toBe('key')
})

test('no rows are no writes', () => {
  expect(writesOf(keys, [])).toMatchObject({
    keys: { count: 0, offsets: Uint32Array.of(0) },
    rowOffsets: Uint32Array.of(0),
    keepMs: new Float64Array(0),
  })
})
