import { expect, test } from 'vitest'
import { cellsOfColumn } from '../../test/support/codec-columns.js'
import {
  type Drawer,
  drawnColumn,
  logNormal,
  normal,
  nullable,
} from '../../test/support/profile-samples.js'
import { randomProfile } from '../../test/support/random-profile.js'
import { decodeLearnedRow, encodeLearnedRow } from '../../test/support/reference-learned-row.js'
import { cellStatus, type FeatureColumn } from '../column.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { createSeededPrng } from '../prng.js'
import { learnProfile } from './learn-profile.js'
import { costProfile } from './profile-cost.js'

const rowCount = 300
const texts: Drawer = (prng) => ['a', 'Zürich', '', 'x'.repeat(prng.below(40))][prng.below(4)]

const drawers: readonly [string, Drawer][] = [
  ['bool', (prng) => prng.next() < 0.2],
  ['int8', (prng) => prng.below(20) - 10],
  ['int64', (prng) => BigInt(prng.below(1000)) * 60n],
  ['timestamp', (prng) => BigInt(prng.below(86_400)) * 1_000_000n],
  ['float32', logNormal(3)],
  ['float32', (prng) => [Number.NaN, -0, 0, 1.5][prng.below(4)]],
  ['float64', normal],
  ['float64', (prng) => prng.below(1000) / 100],
  ['categorical', texts],
  ['bytes', (prng) => Uint8Array.of(prng.below(3), 0xff)],
  ['list<int32>', (prng) => Array.from({ length: prng.below(8) }, () => prng.below(50))],
  ['list<bool>', (prng) => Array.from({ length: prng.below(8) }, () => prng.next() < 0.5)],
  ['list<string>', (prng) => Array.from({ length: prng.below(3) }, () => `${prng.below(9)}`)],
  ['list<float64>', (prng) => [normal(prng), prng.below(9)]],
  ['embedding<3, f32>', (prng) => [1, 2, 3].map(() => Math.fround(normal(prng)))],
]
const columns = drawers.map(([typeText, draw], index): FeatureColumn => {
  const column = drawnColumn(typeText, nullable(0.1, draw), { rowCount, seed: index })
  return { ...column, name: `f${index}` }
})
const features = columns.map(({ name, type }, index) => ({ id: index + 1, name, type }))
const sample = { rowCount, columns }

/** What one column of the sample takes in rows of its own, exceptions among them. */
function writtenBits(profile: EncodingProfile, index: number) {
  const feature = features[index]
  const column = columns[index]
  const own = feature === undefined ? [] : [feature]
  const layout = { layoutId: 2, features: own, versionFormat: emptyVersion, profile }
  const cells = (column === undefined ? [] : cellsOfColumn(column)).map((cell, row) =>
    column?.status[row] === cellStatus.nullValue ? null : cell,
  )
  const rows = cells.map((cell) => ({ layoutId: 2, eventTimeUs: 0n, sequence: 0n, cells: [cell] }))
  const encoded = rows.map((row) => encodeLearnedRow(row, layout) ?? Buffer.alloc(0))
  const decoded = encoded.map((bytes) => decodeLearnedRow(bytes, [layout]))
  return { rows, decoded, bytes: encoded.reduce((sum, row) => sum + row.byteLength - 1, 0) }
}

const emptyVersion = { eventBaseUs: 0n, eventUnitUs: 1n, eventBytes: 0, sequence: 0n }

const profiles: readonly [string, EncodingProfile][] = [
  ['plain', { id: 0, encodings: new Map(), sampleRowCount: 0 }],
  ['learned', learnProfile(sample, features)],
  ...[1, 2, 3, 4].map((seed): [string, EncodingProfile] => [
    `random ${seed}`,
    randomProfile(features, createSeededPrng(seed)),
  ]),
]

test.each(profiles)(
  '%s: the cost is what the reference writes, up to the padding',
  (_, profile) => {
    for (const [index, feature] of features.entries()) {
      const { rows, decoded, bytes } = writtenBits(profile, index)
      expect(decoded).toEqual(rows)
      const cost = costProfile(profile, sample, [feature])
      // A row's own bit is in `bitsPerRow`; its last byte is filled up.
      const bitsAtLeast = cost.bitsPerRow * rowCount
      expect(8 * bytes).toBeGreaterThanOrEqual(bitsAtLeast - 0.001)
      expect(8 * bytes).toBeLessThanOrEqual(bitsAtLeast + 7 * rowCount + 0.001)
    }
  },
)

test('a learned profile is never dearer than the plain one, and has hardly an exception', () => {
  const learnedCost = costProfile(learnProfile(sample, features), sample, features)
  const plain = costProfile({ id: 0, encodings: new Map(), sampleRowCount: 0 }, sample, features)
  for (const [index, { bitsPerCell }] of learnedCost.features.entries()) {
    expect(bitsPerCell).toBeLessThanOrEqual(plain.features[index]?.bitsPerCell ?? 0)
  }
  const exceptionCount = learnedCost.features.reduce((sum, each) => sum + each.exceptionCount, 0)
  expect(exceptionCount).toBeLessThan(rowCount / 10)
  expect(learnedCost.bitsPerRow).toBeLessThan(plain.bitsPerRow / 2)
})
