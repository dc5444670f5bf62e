import { expect, test } from 'vitest'
import { entityKeyAt, formAt, generationAt, withGeneration } from './key-batch.js'
import { concatGenerationKeys, concatKeys } from './key-concat.js'
import { plainForm } from './row-form.js'

test('keys of any bytes and lengths come back as they were, with their generations', () => {
  const singles = [
    { generation: 1, key: Buffer.from('') },
    { generation: 2 ** 53 - 1, key: Buffer.of(0, 0xff, 0) },
    { generation: 1, key: Buffer.alloc(1024, 7) },
  ]
  const keys = concatGenerationKeys(singles)
  expect(keys.count).toBe(3)
  expect(singles.map((_, index) => Buffer.from(entityKeyAt(keys, index)))).toEqual(
    singles.map(({ key }) => key),
  )
  expect(singles.map((_, index) => generationAt(keys, index))).toEqual([1, 2 ** 53 - 1, 1])
})

test('a key is a view into the batch, not a copy', () => {
  const keys = concatGenerationKeys([{ generation: 1, key: Buffer.from('ab') }])
  expect(entityKeyAt(keys, 0).buffer).toBe(keys.bytes.buffer)
})

test('an empty batch', () => {
  expect(concatGenerationKeys([])).toEqual({
    count: 0,
    generations: new Float64Array(0),
    bytes: new Uint8Array(0),
    offsets: Uint32Array.of(0),
  })
})

test('each key has the form of its generation; a generation without one is a bug that stops', () => {
  const other = { ...plainForm }
  const forms = new Map([
    [1, plainForm],
    [2, other],
  ])
  const singles = [2, 1, 3].map((generation) => ({ generation, key: Buffer.from('k') }))
  const keys = concatKeys(singles, forms)
  expect([formAt(keys, 0), formAt(keys, 1)]).toEqual([other, plainForm])
  expect(() => formAt(keys, 2)).toThrow('every generation of a key batch has its form')
})

test('the same keys under one generation', () => {
  const given = concatGenerationKeys([{ generation: 1, key: Buffer.from('k') }])
  const keys = withGeneration(given, 7, plainForm)
  expect(generationAt(keys, 0)).toBe(7)
  expect(formAt(keys, 0)).toBe(plainForm)
  expect(keys.bytes).toBe(given.bytes)
})
