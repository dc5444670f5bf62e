import { expect, test } from 'vitest'
import {
  type Drawer,
  drawnColumn,
  logNormal,
  nullable,
} from '../../test/support/profile-samples.js'
import { learnProfile } from './learn-profile.js'
import { reportProfile } from './profile-report.js'

const rowCount = 4096
const drawn: readonly [string, Drawer][] = [
  ['int16', (prng) => prng.below(64)],
  ['float32', nullable(0.05, logNormal(3))],
  ['float32', logNormal(6)],
  ['categorical', (prng) => ['red', 'green', 'blue', 'grey'][prng.below(4)]],
  ['list<int32>', (prng) => Array.from({ length: 4 }, () => prng.below(16))],
]
const columns = drawn.map(([typeText, draw], index) => ({
  ...drawnColumn(typeText, draw, { rowCount, seed: index }),
  name: `f${index}`,
}))
const features = columns.map(({ name, type }, index) => ({ id: index + 1, name, type }))
const sample = { rowCount, columns }
const report = reportProfile(learnProfile(sample, features), sample, features)

test('every feature is told of, in order', () => {
  expect(report.features.map(({ name, type, cellCount }) => [name, type, cellCount])).toEqual([
    ['f0', 'int16', rowCount],
    ['f1', 'float32', rowCount],
    ['f2', 'float32', rowCount],
    ['f3', 'categorical', rowCount],
    ['f4', 'list<int32>', rowCount],
  ])
})

test('bits stand beside the entropy, which is left out where most values are distinct', () => {
  const [ints, digits3, digits6, colours, lists] = report.features
  expect(ints?.bitsPerCell).toBe(6)
  expect(ints?.entropyBits).toBeCloseTo(6, 1)
  expect(digits3?.entropyBits).toBeGreaterThan(9)
  expect(digits6?.entropyBits).toBeUndefined()
  expect(colours?.entropyBits).toBeCloseTo(2, 1)
  expect(lists?.entropyBits).toBeCloseTo(16, 0)
  expect(report.entropyBytes).toBeUndefined()
})

test('encodings are told in words, with what the others would take', () => {
  const [ints, digits3, , colours, lists] = report.features
  expect(ints).toMatchObject({ encoding: 'integers, 6 bits', why: 'instead of plain 17.0 bits' })
  expect(digits3?.encoding).toMatch(/^decimals, -?\d+ to \d+ places, \d+ ranges of .* bits, null/)
  expect(digits3?.why).toMatch(/IEEE bits \d+\.\d/)
  expect(colours?.encoding).toBe('dictionary, 4 values, 2 bits')
  expect(lists?.encoding).toBe('lengths: always the same; elements: integers, 4 bits')
})

test('bytes of a row are those of its bits and half a byte', () => {
  const bits = report.features.reduce((sum, { bitsPerCell }) => sum + bitsPerCell, 0)
  expect(report.bodyBytes).toBeCloseTo((bits + 1 + 3.5) / 8, 6)
  // 1 presence byte, 2 + 0.95 * 4 + 4, texts of about 5 bytes, 1 + 4 * 4.
  expect(report.plainBodyBytes).toBeCloseTo(1 + 2 + 3.8 + 4 + 5 + 17, 0)
})

test('an older profile is judged as it is', () => {
  const plain = { id: 3, encodings: new Map(), sampleRowCount: 10 }
  const plainReport = reportProfile(plain, sample, features)
  expect(plainReport.features.map(({ encoding }) => encoding)).toEqual(
    new Array(features.length).fill('plain'),
  )
  expect(plainReport.features[0]?.why).toBe('on these rows integers 6.0 bits')
})

test('a view whose values come again and again has an entropy', () => {
  const few = { rowCount, columns: columns.slice(0, 2) }
  const { entropyBytes, bodyBytes } = reportProfile(learnProfile(few, features), few, features)
  expect(entropyBytes).toBeGreaterThan(1.9)
  expect(entropyBytes).toBeLessThan(bodyBytes)
})
