import { expect, test } from 'vitest'
import { cellsOfColumn } from '../../test/support/codec-columns.js'
import { type Drawer, drawnColumn } from '../../test/support/profile-samples.js'
import { encodeReferenceCell } from '../../test/support/reference-row.js'
import { assert } from '../assert.js'
import { sampleLists } from './learn-lists.js'
import { plainLists } from './plain-list-bytes.js'

const smallInts: Drawer = (prng) => Array.from({ length: prng.below(200) }, () => prng.below(100))

test.each<[string, Drawer]>([
  ['list<bool>', (prng) => [prng.next() < 0.5, true]],
  ['list<int8>', smallInts],
  ['list<int16>', smallInts],
  ['list<int32>', smallInts],
  ['list<int64>', smallInts],
  ['list<float32>', smallInts],
  ['list<float64>', smallInts],
  ['list<string>', (prng) => ['', 'x'.repeat(prng.below(300))]],
  ['list<bytes>', (prng) => [Uint8Array.of(prng.below(256))]],
  ['embedding<3, f32>', () => [1, -0.5, 3]],
  ['embedding<3, f16>', () => [1, -0.5, 65_504]],
  ['embedding<3, int8>', () => [1, -0.5, 0.001]],
])('a %s has the bytes of a plain row', (typeText, draw) => {
  const column = drawnColumn(typeText, draw, { rowCount: 20, seed: 1 })
  const { type } = column
  assert(type.kind !== 'scalar', 'the type is a list')
  const plain = cellsOfColumn(column).map((cell) => encodeReferenceCell(type, cell ?? []))
  expect(plainLists(sampleLists(type, column)).map((bytes) => Buffer.from(bytes))).toEqual(plain)
})
