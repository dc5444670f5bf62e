/**
 * Learned profiles in use: whatever a sample was, rows come back bit for bit; and where values are smooth,
 * rows that were not in the sample take about as many bytes as those that were.
 *
 * `LARDER_FUZZ_SEED` sets the seed.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { valueKinds } from '../bench/value-kinds.mjs'
import { assert } from '../src/assert.js'
import { learnProfile } from '../src/codec/learn-profile.js'
import { lz4Bytes } from '../src/codec/lz4-bytes.js'
import type { EncodingProfile } from '../src/encoding-profile.js'
import { type FeatureType, formatFeatureType, parseFeatureType } from '../src/feature-type.js'
import { createSeededPrng } from '../src/prng.js'
import { checkProfile } from '../src/profile-check.js'
import { decodeAll, encodeCells } from './support/codec-batches.js'
import {
  decodeBatch,
  encodeBatch,
  keptCells,
  type LearnedBatch,
  plainLayout,
} from './support/learned-batches.js'
import { cellArbitrary, everyType } from './support/random-row.js'
import { cellOf, type ReferenceCell } from './support/reference-row.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20260101)
/** Features of one type, each with its cells. */
interface Columns {
  readonly type: FeatureType
  readonly cells: readonly (readonly ReferenceCell[])[]
}

function featuresOf({ type, cells }: Columns) {
  return cells.map((_, index) => ({ id: index + 1, type, name: `f${index + 1}` }))
}

function rowsOf({ cells: [first = [], ...others] }: Columns): ReferenceCell[][] {
  return first.map((cell, row) => [cell, ...others.map((column) => column[row] ?? null)])
}

/** What the columns teach. */
function learn(columns: Columns): EncodingProfile {
  const features = featuresOf(columns)
  const layout = { layoutId: 2, features }
  const rows = encodeCells(layout, rowsOf(columns))
  const sample = { rowCount: rows.length, columns: decodeAll(layout, rows).columns }
  const profile = learnProfile(sample, features, { compressedBytes: lz4Bytes })
  checkProfile(profile, features)
  return profile
}

function batchOf(profile: EncodingProfile, columns: Columns): LearnedBatch {
  const features = featuresOf(columns)
  const rows = rowsOf(columns)
  return {
    layouts: [{ layoutId: 2, features, versionFormat: 'full', profile }, plainLayout(features, 3)],
    rows,
    eventTimesUs: rows.map(() => 0n),
  }
}

/** That the rows come back, and how many bytes they take, without layout id and version. */
function bodyBytesOf(batch: LearnedBatch): number {
  const rows = encodeBatch(batch)
  const features = batch.layouts[0]?.features ?? []
  expect(decodeBatch(batch.layouts, rows)).toEqual(
    batch.rows.map((cells) => keptCells(cells, features)),
  )
  return rows.reduce((sum, row) => sum + row.byteLength - headBytes, 0)
}

const headBytes = 17

describe(`adversarial columns (seed ${seed})`, () => {
  const namedTypes = everyType.map((type) => ({ type, name: formatFeatureType(type) }))

  test.each(namedTypes)('rows of the sample and others come back: $name', ({ type }) => {
    const cells = fc.sample(cellArbitrary(type), { seed, numRuns: 200 })
    const profile = learn({ type, cells: [cells.slice(0, 100)] })
    expect(profile.encodings.size).toBe(1)
    expect(bodyBytesOf(batchOf(profile, { type, cells: [cells] }))).toBeGreaterThan(0)
  })

  test.each(namedTypes)('one value learned, all others written: $name', ({ type }) => {
    const cells = fc.sample(cellArbitrary(type), { seed: seed + 1, numRuns: 100 })
    const repeated = cells.map(() => cells[0] ?? null)
    const profile = learn({ type, cells: [repeated] })
    const sampleBytes = bodyBytesOf(batchOf(profile, { type, cells: [repeated] }))
    const otherBytes = bodyBytesOf(batchOf(profile, { type, cells: [cells] }))
    expect(sampleBytes).toBeLessThanOrEqual(otherBytes)
  })
})

/** Several features, so that what rounding to whole bytes adds does not hide the rest. */
const featureCount = 4
/** Names that a sample has once are not learned, and so names need more rows. */
const rowCounts = new Map([['category', 8192]])
const rowCountUsual = 2048
const kinds = Object.entries(valueKinds).map(([name, kind]) => ({
  name,
  rowCount: rowCounts.get(name) ?? rowCountUsual,
  ...kind,
}))

describe('smooth distributions', () => {
  test.each(kinds)(
    'other rows take about the bytes of the sample: $name',
    ({ rowCount, ...kind }) => {
      const type = parseFeatureType(kind.type)
      assert(type !== undefined, 'a type')
      const prng = createSeededPrng(seed)
      const drawColumns = () => ({
        type,
        cells: Array.from({ length: featureCount }, () =>
          // Nulls are one in twenty.
          Array.from({ length: rowCount }, () =>
            prng.below(20) === 0 ? null : cellOf(type, kind.draw(prng)),
          ),
        ),
      })
      const sample = drawColumns()
      const profile = learn(sample)
      const sampleBytes = bodyBytesOf(batchOf(profile, sample))
      const otherBytes = bodyBytesOf(batchOf(profile, drawColumns()))
      expect(otherBytes / sampleBytes).toBeLessThanOrEqual(1.1)
    },
  )
})
