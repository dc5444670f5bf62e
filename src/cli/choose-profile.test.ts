import { describe, expect, test } from 'vitest'
import { sampleColumn } from '../../test/support/profile-samples.js'
import { FeatureView } from '../gen/larder/v1/admin.js'
import { encodeProfile } from '../profile-json.js'
import { betterOf, judgeProfiles, typedFeatures } from './choose-profile.js'
import type { SampledRows } from './load-sample.js'

const features = [
  { id: 4, name: 'count', type: 'int32' },
  { id: 7, name: 'label', type: 'categorical' },
]

function viewWith(profileJson = ''): FeatureView {
  return FeatureView.fromPartial({ name: 'v', features, profileJson })
}

/** Counts below `countMax`, and few labels. */
function sampleOf(countMax: number): SampledRows {
  const rows = Array.from({ length: 2000 }, (_, row) => row)
  return {
    rowCount: rows.length,
    columns: [
      sampleColumn(
        'count',
        'int32',
        rows.map((row) => (row * 7919) % countMax),
      ),
      sampleColumn(
        'label',
        'categorical',
        rows.map((row) => ['a', 'b', 'c'][row % 3]),
      ),
    ],
    eventTimesUs: new BigInt64Array(rows.length),
  }
}

function learnedJson(countMax: number): string {
  const { learned } = judgeProfiles(viewWith(), sampleOf(countMax))
  return JSON.stringify(encodeProfile({ ...learned.profile, id: 3 }))
}

describe('judgeProfiles', () => {
  test('without a profile the plain one is current, and what is learned beats it', () => {
    const judged = judgeProfiles(viewWith(), sampleOf(64))
    // 1 byte of presence, 4 of the integer, 2 of the text.
    expect(judged.plain.bodyBytes).toBeCloseTo(7, 5)
    expect(judged.current).toBe(judged.plain)
    expect(judged.learned.bodyBytes).toBeLessThan(2)
    expect(betterOf(judged)).toBe(judged.learned)
    expect(Array.from(judged.learned.profile.encodings.keys())).toEqual([4, 7])
  })

  test('a profile learned from the like stays', () => {
    const judged = judgeProfiles(viewWith(learnedJson(64)), sampleOf(64))
    expect(judged.current.profile.id).toBe(3)
    expect(judged.isWorthwhile).toBe(false)
    expect(betterOf(judged)).toBe(judged.current)
  })

  test('a profile that the values have outgrown does not', () => {
    const judged = judgeProfiles(viewWith(learnedJson(8)), sampleOf(100_000))
    expect(judged.current.bodyBytes).toBeGreaterThan(judged.learned.bodyBytes * 1.05)
    expect(betterOf(judged)).toBe(judged.learned)
  })
})

test('long texts that repeat themselves are compressed', () => {
  const texts = Array.from({ length: 200 }, (_, row) => `${row} ${'over and over '.repeat(50)}`)
  const view = FeatureView.fromPartial({ features: [{ id: 0, name: 'text', type: 'string' }] })
  const { learned } = judgeProfiles(view, {
    rowCount: texts.length,
    columns: [sampleColumn('text', 'string', texts)],
    eventTimesUs: new BigInt64Array(texts.length),
  })
  expect(learned.profile.encodings.get(0)).toMatchObject({
    kind: 'block',
    lz4BytesMin: expect.any(Number),
  })
  expect(learned.bodyBytes).toBeLessThan(100)
})

test('a type that this client does not know is a bug', () => {
  const view = FeatureView.fromPartial({ features: [{ id: 0, name: 'f', type: 'int128' }] })
  expect(() => typedFeatures(view)).toThrow('feature "f" has the unknown type "int128"')
})
