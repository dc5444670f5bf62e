import { expect, test } from 'vitest'
import {
  type Drawer,
  drawnColumn,
  logNormal,
  normal,
  nullable,
  sampleColumn,
} from '../../test/support/profile-samples.js'
import { assert } from '../assert.js'
import type { FeatureColumn } from '../column.js'
import { profileJsonBytesMax } from '../limits.js'
import { createSeededPrng } from '../prng.js'
import { checkProfile } from '../profile-check.js'
import { encodeProfile } from '../profile-json.js'
import { learnProfile, weighFeatures } from './learn-profile.js'
import { costProfile } from './profile-cost.js'

const rowCount = 16_384

function learned(column: FeatureColumn, featureCount = 1) {
  const features = [{ id: 7, name: column.name, type: column.type }]
  const others = Array.from({ length: featureCount - 1 }, (_, index) => ({
    id: 100 + index,
    name: `other_${index}`,
    type: column.type,
  }))
  const all = [...features, ...others]
  const sample = { rowCount: column.status.length, columns: [column] }
  const profile = learnProfile(sample, all)
  checkProfile(profile, all)
  const encoding = profile.encodings.get(7)
  assert(encoding !== undefined, 'the feature has cells')
  const costOf = (other: FeatureColumn) => {
    const cost = costProfile(profile, { rowCount, columns: [other] }, all).features[0]
    assert(cost !== undefined, 'the feature has cells')
    return cost
  }
  return { encoding, costOf }
}

const zipfTexts: Drawer = (prng) => `category-${Math.floor(1 / (0.02 + prng.next()))}`
const geometric: Drawer = (prng) => Math.floor(-2 * Math.log(1 - prng.next()))

// Bits per value: the entropy of the distribution itself, or a little above it.
test.each<[string, string, Drawer, string, number]>([
  ['a constant', 'int16', () => 7, 'coded', 0],
  ['uniform over a power of two', 'int16', (prng) => prng.below(128), 'coded', 7],
  ['uniform over 100', 'int32', (prng) => prng.below(100), 'coded', 6.9],
  ['uniform over 24', 'int8', (prng) => prng.below(24), 'coded', 4.7],
  ['geometric', 'int16', geometric, 'coded', 2.8],
  ['booleans', 'bool', (prng) => prng.next() < 0.5, 'coded', 1],
  ['a wide counter', 'int64', (prng) => BigInt(10 ** 12 + prng.below(2 ** 20)), 'coded', 20.1],
  ['random 64-bit ids', 'int64', random64, 'coded', 64],
  ['seconds of a day', 'timestamp', secondOfDay, 'coded', 17.1],
  ['3 digits', 'float32', logNormal(3), 'coded', 10.9],
  ['4 digits', 'float32', logNormal(4), 'coded', 14.2],
  ['5 digits', 'float32', logNormal(5), 'coded', 17.5],
  ['6 digits', 'float32', logNormal(6), 'coded', 20.9],
  ['small numbers', 'float32', logNormal(4, { mu: -6, sigma: 2 }), 'coded', 15],
  [
    'prices',
    'float64',
    (prng) => Math.round(100 * Math.exp(3 + normal(prng))) / 100,
    'coded',
    13.5,
  ],
  ['normal float32', 'float32', (prng) => Math.fround(normal(prng)), 'coded', 26.8],
  ['normal float64', 'float64', (prng) => normal(prng), 'coded', 55.8],
  ['float32 in a float64', 'float64', (prng) => Math.fround(normal(prng)), 'coded', 27],
  ['categories', 'categorical', zipfTexts, 'coded', 5.1],
  ['texts that never come again', 'string', randomText, 'block', 64],
  ['lists', 'list<int32>', intList, 'packed_list', 32.2],
  [
    'lists of texts',
    'list<string>',
    (prng) => [zipfTexts(prng), 'b'].map(String),
    'packed_list',
    8,
  ],
  ['embeddings', 'embedding<4, f32>', embedding, 'packed_list', 4 * 26.8],
  ['embeddings of halves', 'embedding<4, f16>', embedding, 'packed_list', 4 * 13.9],
  ['embeddings of steps', 'embedding<4, int8>', embedding, 'packed_list', 32 + 4 * 7.8],
  ['sparse counts', 'int32', (prng) => (prng.next() < 0.9 ? 0 : prng.below(1000)), 'coded', 2.05],
])('%s', (_, typeText, draw, kind, bitsMax) => {
  const { encoding, costOf } = learned(drawnColumn(typeText, draw, { rowCount, seed: 1 }))
  const cost = costOf(drawnColumn(typeText, draw, { rowCount, seed: 2 }))
  expect(encoding.kind).toBe(kind)
  expect(cost.bitsPerCell).toBeLessThanOrEqual(bitsMax)
})

function random64(prng: { below(bound: number): number }): bigint {
  return BigInt.asIntN(64, (BigInt(prng.below(2 ** 32)) << 32n) + BigInt(prng.below(2 ** 32)))
}
function secondOfDay(prng: { below(bound: number): number }): bigint {
  return 1_700_000_000_000_000n + 1_000_000n * BigInt(prng.below(86_400))
}
function randomText(prng: { below(bound: number): number }): string {
  return String(10 ** 7 + prng.below(9 * 10 ** 7))
}
function intList(prng: { below(bound: number): number }): number[] {
  return Array.from({ length: prng.below(11) }, () => prng.below(50))
}
function embedding(prng: Parameters<Drawer>[0]): number[] {
  return Array.from({ length: 4 }, () => Math.fround(normal(prng)))
}

// Learned on one half, tried on another: what the sample lacked must not cost much.
test.each<[string, string, Drawer]>([
  ['uniform', 'int32', (prng) => prng.below(1_000_000)],
  ['exponential', 'int32', (prng) => Math.floor(-5000 * Math.log(1 - prng.next()))],
  ['3 digits', 'float32', logNormal(3)],
  ['5 digits', 'float32', nullable(0.05, logNormal(5))],
  ['normal float32', 'float32', (prng) => Math.fround(normal(prng))],
  ['prices', 'float32', (prng) => Math.fround(Math.round(100 * Math.exp(3 + normal(prng))) / 100)],
  ['timestamps', 'timestamp', (prng) => BigInt(prng.below(2 ** 31)) * 1_000_000n],
])('%s: exceptions are rare on unseen values, also from a small sample', (_, typeText, draw) => {
  const unseen = drawnColumn(typeText, draw, { rowCount, seed: 9 })
  const small = learned(drawnColumn(typeText, draw, { rowCount: 1000, seed: 3 }), 22)
  const great = learned(drawnColumn(typeText, draw, { rowCount: rowCount / 2, seed: 3 }), 22)
  expect(small.costOf(unseen).exceptionCount / rowCount).toBeLessThan(0.005)
  expect(great.costOf(unseen).exceptionCount / rowCount).toBeLessThan(0.0005)
  const seenBits = great.costOf(drawnColumn(typeText, draw, { rowCount: rowCount / 2, seed: 3 }))
  expect(great.costOf(unseen).bitsPerCell).toBeLessThan(1.02 * seenBits.bitsPerCell)
})

test.each([
  ['int8', null],
  ['list<float32>', null],
  ['list<int64>', []],
  ['string', ''],
  ['embedding<2, int8>', [0, 0]],
  ['float32', Number.NaN],
  ['float64', -0],
  ['float32', Number.POSITIVE_INFINITY],
  ['bool', true],
  ['int64', -(2n ** 63n)],
])('a column of %s that is always %o takes no bits, or next to none', (typeText, value) => {
  const { costOf } = learned(sampleColumn('f', typeText, new Array(100).fill(value)))
  const { bitsPerCell, exceptionCount } = costOf(
    sampleColumn('f', typeText, new Array(100).fill(value)),
  )
  expect(exceptionCount).toBe(0)
  expect(bitsPerCell).toBeLessThanOrEqual(typeText.startsWith('embedding') ? 32 : 0)
})

test('a sentinel far away leaves the usual values short', () => {
  const draw: Drawer = (prng) => (prng.next() < 0.1 ? -(2n ** 63n) : BigInt(prng.below(10)))
  const { costOf } = learned(drawnColumn('int64', draw, { rowCount, seed: 5 }))
  expect(costOf(drawnColumn('int64', draw, { rowCount, seed: 6 })).bitsPerCell).toBeLessThan(4)
})

test('long texts are compressed where that is measured to save', () => {
  const prng = createSeededPrng(8)
  const texts = Array.from({ length: 200 }, () => `{"id":${prng.next()},${'"a":0,'.repeat(40)}}`)
  const columns = [sampleColumn('t', 'string', texts)]
  const features = [{ id: 1, name: 't', type: { kind: 'scalar', scalar: 'string' } as const }]
  const compressedBytes = (bytes: Uint8Array) => Math.ceil(bytes.byteLength / 4)
  const sample = { rowCount: 200, columns }
  expect(learnProfile(sample, features, { compressedBytes }).encodings.get(1)).toMatchObject({
    kind: 'block',
    lz4BytesMin: 64,
  })
  expect(learnProfile(sample, features).encodings.get(1)).not.toHaveProperty('lz4BytesMin', 64)
})

test('the same sample teaches the same profile, with the id 0', () => {
  const column = drawnColumn('float32', logNormal(4), { rowCount: 2000, seed: 1 })
  const features = [{ id: 1, name: column.name, type: column.type }]
  const sample = { rowCount: 2000, columns: [column] }
  expect(learnProfile(sample, features)).toEqual(learnProfile(sample, features))
  expect(learnProfile(sample, features)).toMatchObject({ id: 0, sampleRowCount: 2000 })
})

test('features that the sample says nothing of are left out', () => {
  const unset = sampleColumn('unset', 'int8', [undefined, undefined])
  const features = [
    { id: 1, name: 'unset', type: unset.type },
    { id: 2, name: 'absent', type: unset.type },
  ]
  const sample = { rowCount: 2, columns: [unset] }
  expect(weighFeatures(sample, features)).toEqual([])
  expect(learnProfile(sample, features).encodings.size).toBe(0)
})

test('dictionaries have room in the JSON of a profile, however many there are', () => {
  const text = (index: number) => `${'x'.repeat(100)}${index % 2000}`
  const texts = Array.from({ length: 4000 }, (_, index) => text(index))
  const columns = Array.from({ length: 30 }, (_, index) =>
    sampleColumn(`t${index}`, 'string', texts),
  )
  const features = columns.map(({ name, type }, index) => ({ id: index + 1, name, type }))
  const profile = learnProfile({ rowCount: 4000, columns }, features)
  checkProfile(profile, features)
  expect(JSON.stringify(encodeProfile(profile)).length).toBeLessThan(profileJsonBytesMax)
  expect(profile.encodings.get(30)).toMatchObject({ coding: { mapping: { kind: 'dictionary' } } })
})
