import { expect, test } from 'vitest'
import { entityKeyAt, generationAt } from './key-batch.js'
import { concatKeys } from './key-concat.js'

test('keys of any bytes and lengths come back as they were, with their generations', () => {
  const singles = [
    { generation: 1, key: Buffer.from('') },
    { generation: 2 ** 53 - 1, key: Buffer.of(0, 0xff, 0) },
    { generation: 1, key: Buffer.alloc(1024, 7) },
  ]
  const keys = concatKeys(singles)
  expect(keys.count).toBe(3)
  expect(singles.map((_, index) => Buffer.from(entityKeyAt(keys, index)))).toEqual(
    singles.map(({ key }) => key),
  )
  expect(singles.map((_, index) => generationAt(keys, index))).toEqual([1, 2 ** 53 - 1, 1])
})

test('a key is a view into the batch, not a copy', () => {
  const keys = concatKeys([{ generation: 1, key: Buffer.from('ab') }])
  expect(entityKeyAt(keys, 0).buffer).toBe(keys.bytes.buffer)
})

test('an empty batch', () => {
  expect(concatKeys([])).toEqual({
    count: 0,
    generations: new Float64Array(0),
    bytes: new Uint8Array(0),
    offsets: Uint32Array.of(0),
  })
})
