/**
 * Rows of learned layouts: the native encoder and decoder against the plain reference, whatever the
 * profile and the values, on intact rows and on damaged ones.
 *
 * `LARDER_FUZZ_RUNS` sets the number of damaged rows (10^4 unless set), `LARDER_FUZZ_SEED` the seed.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import { createRowDecoder, decodeRows, type RowJudge } from '../src/codec/row-decode.js'
import { createRowLayout } from '../src/codec/row-layout.js'
import { cellStatus, type FeatureColumn } from '../src/column.js'
import type { FeatureEncoding } from '../src/encoding-profile.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { patientJudge, rowState, sequence, slotsOf } from './support/codec-batches.js'
import { cellsOfColumn } from './support/codec-columns.js'
import { block } from './support/encodings.js'
import {
  decodeBatch,
  encodeBatch,
  encodeReferenceBatch,
  keptCells,
  type LearnedBatch,
  oneFeatureBatch,
  plainLayout,
} from './support/learned-batches.js'
import { batchArbitrary } from './support/random-batch.js'
import { randomProfile } from './support/random-profile.js'
import { cellArbitrary, mutateRow, typeArbitrary } from './support/random-row.js'
import { decodeLearnedRow, type LearnedReferenceLayout } from './support/reference-learned-row.js'
import { cellOf, emptyCellOf, type ReferenceFeature } from './support/reference-row.js'
import { varint } from './support/reference-symbols.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20260101)
const fuzzRunCount = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const propertyRuns = { seed, numRuns: 400 }

/** The batch in profiles that compress nothing: the reference cannot. */
function uncompressed(batch: LearnedBatch): LearnedBatch {
  const layouts = batch.layouts.map((layout) => {
    const { profile } = layout
    if (profile === undefined) return layout
    const encodings = [...profile.encodings].map(([id, encoding]): [number, FeatureEncoding] => [
      id,
      encoding.kind === 'block' ? { ...encoding, lz4BytesMin: undefined } : encoding,
    ])
    return { ...layout, profile: { ...profile, encodings: new Map(encodings) } }
  })
  return { ...batch, layouts }
}

describe(`random profiles (seed ${seed})`, () => {
  test('native bytes are the reference bytes, and each row is in the first layout it fits', () => {
    const check = fc.property(batchArbitrary.map(uncompressed), (batch) => {
      expect(encodeBatch(batch)).toEqual(encodeReferenceBatch(batch))
    })
    expect(() => fc.assert(check, propertyRuns)).not.toThrow()
  })

  test('the reference reads what was written, compressed or not, and never more bytes', () => {
    const check = fc.property(batchArbitrary, (batch) => {
      const rows = encodeBatch(batch)
      const references = encodeReferenceBatch(batch)
      const features = batch.layouts[0]?.features ?? []
      const decoded = rows.map((row) => decodeLearnedRow(row, batch.layouts))
      const expected = batch.rows.map((cells, index) => ({
        layoutId: expect.any(Number),
        eventTimeUs: batch.eventTimesUs[index],
        sequence: batch.sequence,
        cells: keptCells(cells, features),
      }))
      expect(decoded).toEqual(expected)
      const longer = rows.filter((row, index) => row.length > (references[index]?.length ?? 0))
      expect(longer).toEqual([])
    })
    expect(() => fc.assert(check, propertyRuns)).not.toThrow()
  })

  test('they are read as their plain rows are: any features, slots, states and ages', () => {
    const choices = fc.record({ batch: batchArbitrary, choiceSeed: fc.nat() })
    const check = fc.property(choices, ({ batch, choiceSeed }) => {
      const plain = { ...batch, layouts: batch.layouts.slice(-1) }
      const read = (written: LearnedBatch) =>
        readBatch(written, batch.layouts, createSeededPrng(choiceSeed))
      expect(read(batch)).toEqual(read(plain))
    })
    expect(() => fc.assert(check, propertyRuns)).not.toThrow()
  })
})

describe(`large batches (seed ${seed})`, () => {
  test.each([
    { name: 'many rows', featureCount: 3, rowCount: 1000 },
    { name: 'many features', featureCount: 200, rowCount: 10 },
  ])('$name: native bytes are the reference bytes, and come back', ({ featureCount, rowCount }) => {
    const prng = createSeededPrng(seed)
    const types = fc.sample(typeArbitrary, { seed, numRuns: featureCount })
    const cells = fc.tuple(...types.map(cellArbitrary))
    const features = types.map((type, index) => ({ id: index + 10, type }))
    const versionFormat = { eventBaseUs: 0n, eventUnitUs: 2n, eventBytes: 1, sequence }
    const compact = { layoutId: 2, features, versionFormat, profile: randomProfile(features, prng) }
    const full = { ...compact, layoutId: 3, versionFormat: 'full' as const }
    const batch = uncompressed({
      layouts: [compact, full, plainLayout(features, 4)],
      rows: fc.sample(cells, { seed, numRuns: rowCount }),
      // An odd one does not fit the first layout.
      eventTimesUs: Array.from({ length: rowCount }, () => BigInt(prng.below(512))),
    })
    const encoded = encodeBatch(batch)
    expect(encoded).toEqual(encodeReferenceBatch(batch))
    expect(new Set(encoded.map(([layoutId]) => layoutId))).toEqual(new Set([2, 3]))
    expect(decodeBatch(batch.layouts, encoded)).toEqual(
      batch.rows.map((row) => keptCells(row, features)),
    )
  })
})

/** The batch as written in its layouts, read by a decoder of `layouts`; the choices are drawn. */
function readBatch(batch: LearnedBatch, layouts: readonly LearnedReferenceLayout[], prng: Prng) {
  const features = batch.layouts[0]?.features ?? []
  const wanted = [...features, { id: 5, type: { kind: 'scalar', scalar: 'string' } as const }]
    .filter(() => prng.below(3) > 0)
    .map(({ id, type }) => ({ id, type, name: `f${id}` }))
  const rows = slotsOf(encodeBatch(batch))
  const states = rows.states.map(() => drawState(prng))
  const slots = Uint32Array.from({ length: 2 * states.length }, () => prng.below(states.length))
  const decoder = createRowDecoder(layouts.map(createRowLayout), wanted)
  return decodeRows(decoder, { ...rows, states }, drawJudge(batch, prng), { slots })
}

function drawState(prng: Prng): number {
  const others = [rowState.absent, rowState.failed, rowState.pending]
  return prng.below(4) > 0 ? rowState.row : (others[prng.below(3)] ?? rowState.absent)
}

/** One to whom some row may just be too old, or not quite. */
function drawJudge({ eventTimesUs }: LearnedBatch, prng: Prng): RowJudge {
  const eventTimeUs = eventTimesUs[prng.below(eventTimesUs.length)] ?? 0n
  const ttlUs = BigInt(1 + prng.below(1000))
  const retentionUs = prng.below(2) === 0 ? ttlUs : 2n ** 62n
  const nowUs = eventTimeUs + ttlUs + BigInt(prng.below(3) - 1)
  return { nowUs, ttlUs, retentionUs, onStale: prng.below(2) === 0 ? 'serve' : 'default' }
}

/** Rows damaged of one batch's layouts, before other layouts are drawn. */
const damagedPerBatch = 500
/** Few enough that even lists that damage made long fit into one answer. */
const decodedAtOnce = 20

describe(`damaged rows (seed ${seed})`, () => {
  test(`the native decoder agrees with the reference on ${fuzzRunCount} of them`, {
    timeout: 60_000 + 2 * fuzzRunCount,
  }, () => {
    const prng = createSeededPrng(seed)
    const disagreements: Disagreement[] = []
    let corruptCount = 0
    let done = 0
    for (; done < fuzzRunCount && disagreements.length === 0; done += damagedPerBatch) {
      const batch = prng.below(4) === 0 ? drawRepetitive(prng) : drawAny(prng)
      const rows = damagedRows(batch, prng)
      for (let begin = 0; begin < rows.length; begin += decodedAtOnce) {
        const some = rows.slice(begin, begin + decodedAtOnce)
        const { columns, corrupt } = decodeEach(batch.layouts, some)
        disagreements.push(...findDisagreements(batch.layouts, some, columns))
        corruptCount += corrupt.length
      }
    }
    expect(disagreements).toEqual([])
    // Much of the damage is found, and some of it makes other rows.
    expect(corruptCount).toBeGreaterThan(done / 10)
    expect(corruptCount).toBeLessThan(done * 0.95)
  })
})

function drawAny(prng: Prng): LearnedBatch {
  const [batch] = fc.sample(batchArbitrary, { seed: prng.below(2 ** 31), numRuns: 1 })
  assert(batch !== undefined, 'one batch')
  return batch
}

/** Texts that LZ4 makes shorter. */
function drawRepetitive(prng: Prng): LearnedBatch {
  const letter = () => String.fromCharCode(97 + prng.below(26))
  const texts = Array.from({ length: 20 }, () => {
    const word = Array.from({ length: 1 + prng.below(6) }, letter).join('')
    const wordOrLetter = () => (prng.below(5) === 0 ? letter() : word)
    return Array.from({ length: 3 + prng.below(40) }, wordOrLetter).join('')
  })
  const type = { kind: 'scalar', scalar: 'string' } as const
  const cells = texts.map((text) => cellOf(type, text))
  return oneFeatureBatch(type, block(8, [0n, 12]), cells)
}

/** Rows of every layout of the batch, compressed where that is less, each with some damage. */
function damagedRows({ layouts, rows, eventTimesUs }: LearnedBatch, prng: Prng): Buffer[] {
  const intact = layouts.flatMap((layout) => {
    const { versionFormat } = layout
    const eventTimeUs =
      versionFormat === 'full' ? (eventTimesUs[0] ?? 0n) : versionFormat.eventBaseUs
    const times = rows.map(() => eventTimeUs)
    const preferred = [layout, ...layouts.slice(-1)]
    return encodeBatch({ layouts: preferred, rows, eventTimesUs: times }).map((bytes) => ({
      layout,
      bytes,
    }))
  })
  return Array.from({ length: damagedPerBatch }, () => {
    const row = intact[prng.below(intact.length)]
    assert(row !== undefined, 'there is a row')
    return prng.below(4) === 0
      ? withRandomBody(row.bytes, row.layout, prng)
      : mutateRow(row.bytes, prng)
  })
}

/** A valid head and anything after it. */
function withRandomBody(
  row: Buffer,
  { layoutId, versionFormat }: LearnedReferenceLayout,
  prng: Prng,
) {
  const versionBytes = versionFormat === 'full' ? 16 : versionFormat.eventBytes
  const body = Array.from({ length: prng.below(2 ** prng.below(7)) }, () => prng.below(256))
  // The first bit, and so most of the others, is more often that of a row without exceptions.
  if (prng.below(2) === 0) body[0] = (body[0] ?? 0) & 0xfe
  return Buffer.concat([
    row.subarray(0, varint(layoutId).byteLength + versionBytes),
    Buffer.from(body),
  ])
}

function decodeEach(layouts: readonly LearnedReferenceLayout[], rows: readonly Buffer[]) {
  const features = layouts[0]?.features ?? []
  const wanted = features.map(({ id, type }) => ({ id, type, name: `f${id}` }))
  const decoder = createRowDecoder(layouts.map(createRowLayout), wanted)
  return decodeRows(decoder, slotsOf(rows), patientJudge, {
    slots: Uint32Array.from(rows.keys()),
  })
}

interface Disagreement {
  readonly row: string
  readonly layouts: readonly LearnedReferenceLayout[]
}

/** The rows of which the reference makes something else than `columns`. */
function findDisagreements(
  layouts: readonly LearnedReferenceLayout[],
  rows: readonly Buffer[],
  columns: readonly FeatureColumn[],
): Disagreement[] {
  const features = layouts[0]?.features ?? []
  const cells = columns.map(cellsOfColumn)
  return rows.flatMap((bytes, row) => {
    const decoded = columns.map(({ status }, index) => [status[row], cells[index]?.[row]])
    const expected = expectedCells(bytes, layouts, features)
    if (JSON.stringify(decoded) === JSON.stringify(expected)) return []
    return [{ row: bytes.toString('hex'), layouts }]
  })
}

/** What the reference makes of a row: the status and cell of each feature. */
function expectedCells(
  bytes: Buffer,
  layouts: readonly LearnedReferenceLayout[],
  features: readonly ReferenceFeature[],
) {
  const decoded = decodeLearnedRow(bytes, layouts)
  return features.map(({ type }, index) => {
    const empty = emptyCellOf(type)
    if (decoded === 'corrupt' || 'unknownLayoutId' in decoded)
      return [cellStatus.unavailable, empty]
    if (decoded.cells.length === 0) return [cellStatus.notFound, empty]
    const cell = decoded.cells[index] ?? null
    return cell === null ? [cellStatus.nullValue, empty] : [cellStatus.present, cell]
  })
}
