import { expect, test } from 'vitest'
import { entry, keysOf } from '../../test/support/tier-rows.js'
import type { RedisReply } from './redis-connection.js'
import { groupPlaces, placeRows } from './redis-places.js'
import { fillFromReply, planRead } from './redis-reads.js'
import { RowBatch, rowState, tierCode } from './row-batch.js'
import { plainForm } from './row-form.js'

const seeds = { hotKey: 1n, hotCheck: 2n, warmSpread: 3n }
const bucketForm = { ...plainForm, packing: { kind: 'bucket', bucketCount: 3 } } as const

/** The places of `count` raw keys, and the one group they make. */
function placesOf(count: number, form = plainForm) {
  const entries = Array.from({ length: count }, (_, index) =>
    entry({ generation: 1, key: `key ${index}`, form }),
  )
  const slots = Uint32Array.from(entries.keys())
  const places = placeRows(keysOf(entries), slots, { seeds, shardCount: 1 })
  const [group] = groupPlaces(places, 1)
  if (group === undefined) throw new Error('there are rows')
  return { places, group }
}

/** What `reply` makes of a batch: each slot's row as text, undefined where absent. */
function filledBy(reply: RedisReply, count: number, form = plainForm) {
  const { places, group } = placesOf(count, form)
  const into = new RowBatch(count, 1)
  fillFromReply(places, group, reply, { into, from: tierCode.hot })
  return Array.from(into.states, (state, slot) =>
    state === rowState.row ? Buffer.from(into.rowAt(slot)).toString() : undefined,
  )
}

test.each([
  {
    title: 'in one piece of memory',
    pieces: ['a-bc-d'],
    ends: [
      [0, 1],
      [2, 4],
      [5, 6],
    ],
  },
  {
    title: 'empty',
    pieces: ['abc'],
    ends: [
      [0, 0],
      [0, 0],
      [3, 3],
    ],
  },
])('values $title', ({ pieces, ends }) => {
  const [memory = ''] = pieces
  const buffer = Buffer.from(memory)
  const values = ends.map(([start, end]) => buffer.subarray(start, end))
  expect(filledBy(values, 3)).toEqual(values.map(String))
})

test('values in several pieces of memory, in any order, with gaps and without a value between', () => {
  const far = Buffer.alloc(10_000, 'x')
  const values: RedisReply[] = [
    null,
    far.subarray(9000, 9003),
    far.subarray(9003, 9004),
    null,
    far.subarray(9100, 9101),
    far.subarray(10, 12),
    Buffer.from('own'),
    far.subarray(5000, 5001),
    null,
    Buffer.alloc(0),
    null,
  ]
  expect(filledBy(values, values.length)).toEqual(values.map((value) => value?.toString()))
})

test('a block of values of a bucket read', () => {
  const value = (text: string) => {
    const bytes = Buffer.from(`EXP${text}`)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.byteLength)
    return Buffer.concat([length, bytes])
  }
  const absent = Buffer.alloc(4, 0xff)
  const tooShort = Buffer.from([0, 0, 0, 1, 0x20])
  const block = Buffer.concat([value('row'), absent, value(''), tooShort, value('last'), tooShort])
  expect(filledBy(block, 6, bucketForm)).toEqual(['row', undefined, '', '', 'last', ''])
})

test('memory between values that lie far apart is not taken with them', () => {
  const memory = Buffer.alloc(1_000_000)
  const values = [0, 500_000, 999_999].map((start) => memory.subarray(start, start + 1))
  const { places, group } = placesOf(3)
  const into = new RowBatch(3, 1)
  fillFromReply(places, group, values, { into, from: tierCode.hot })
  expect(into.arena.byteLength).toBeLessThan(10_000)
})

test('rows with keys of their own are read by MGET, those in buckets by a script', () => {
  const names = [plainForm, bucketForm].map((form) => {
    const { places, group } = placesOf(3, form)
    return planRead(places, group).first.name
  })
  expect(names).toEqual(['mget', 'evalsha'])
})
