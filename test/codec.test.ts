/**
 * The codec as a whole: the native encoder and decoder against the plain reference, on valid rows
 * and on damaged ones.
 *
 * `LARDER_FUZZ_RUNS` sets the number of damaged rows (10^4 unless set), `LARDER_FUZZ_SEED` the
 * seed.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import { createRowDecoder, decodeRows } from '../src/codec/row-decode.js'
import { createRowLayout } from '../src/codec/row-layout.js'
import { cellStatus } from '../src/column.js'
import { type FeatureType, formatFeatureType } from '../src/feature-type.js'
import { createSeededPrng } from '../src/prng.js'
import {
  decodeAll,
  encodeCells,
  layoutOf,
  patientJudge,
  sequence,
  slotsOf,
} from './support/codec-batches.js'
import { cellsOfColumn } from './support/codec-columns.js'
import { cellArbitrary, everyType, mutateRow, typeArbitrary } from './support/random-row.js'
import {
  cellOf,
  decodeReferenceRow,
  emptyCellOf,
  encodeReferenceRow,
  type ReferenceCell,
  type ReferenceLayout,
} from './support/reference-row.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20260101)
const fuzzRunCount = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const propertyRuns = { seed, numRuns: 300 }

/** A layout of features of such types, and some rows of it. */
function layoutWithRows(type: fc.Arbitrary<FeatureType>) {
  const types = fc.array(type, { minLength: 1, maxLength: 20 })
  return fc.tuple(types, fc.integer({ min: 2, max: 300 })).chain(([types, layoutId]) =>
    fc.record({
      layout: fc.constant(layoutOf(types, layoutId)),
      rows: fc.array(fc.tuple(...types.map(cellArbitrary)), { minLength: 1, maxLength: 6 }),
      eventTimeUs: fc.bigInt(-(2n ** 61n), 2n ** 61n),
    }),
  )
}

/** Embeddings of f16 and int8 keep what their storage holds; every other type keeps every bit. */
const losslessType = typeArbitrary.filter(
  (type) => type.kind !== 'embedding' || type.storage === 'f32',
)

const namedTypes = everyType.map((type) => ({ type, name: formatFeatureType(type) }))

describe(`encode and decode (seed ${seed})`, () => {
  test('native bytes are the reference bytes, for every type and value', () => {
    const check = fc.property(layoutWithRows(typeArbitrary), ({ layout, rows, eventTimeUs }) => {
      const encoded = encodeCells(layout, rows, eventTimeUs)
      const expected = rows.map((cells) => {
        const row = { layoutId: layout.layoutId, eventTimeUs, sequence, cells }
        return Uint8Array.from(encodeReferenceRow(row, layout))
      })
      expect(encoded).toEqual(expected)
    })
    expect(() => fc.assert(check, propertyRuns)).not.toThrow()
  })

  test('decode after encode is the identity, bit for bit, and null stays null', () => {
    const check = fc.property(layoutWithRows(losslessType), ({ layout, rows }) => {
      const { columns, corrupt } = decodeAll(layout, encodeCells(layout, rows))
      expect(corrupt).toEqual([])
      for (const [index, column] of columns.entries()) {
        const given = rows.map((cells) => cells[index] ?? null)
        const statuses = given.map((cell) =>
          cell === null ? cellStatus.nullValue : cellStatus.present,
        )
        const expected = given.map((cell) => cell ?? emptyCellOf(column.type))
        expect([...column.status]).toEqual(statuses)
        expect(cellsOfColumn(column)).toEqual(expected)
      }
    })
    expect(() => fc.assert(check, propertyRuns)).not.toThrow()
  })

  test.each(namedTypes)('null, zero or empty, and absent are three things: $name', ({ type }) => {
    const zero = type.kind === 'embedding' ? cellOf(type, [0, 0, 0]) : emptyCellOf(type)
    const layout = layoutOf([type])
    const rows = encodeCells(layout, [[null], [zero]])
    const wanted = [
      { id: 10, type, name: 'there' },
      { id: 11, type, name: 'lacking' },
    ]
    const decoder = createRowDecoder([createRowLayout(layout)], wanted)
    const slots = Uint32Array.of(0, 1)
    const { columns } = decodeRows(decoder, slotsOf(rows), patientJudge, { slots })
    expect(columns.map(({ status }) => [...status])).toEqual([
      [cellStatus.nullValue, cellStatus.present],
      [cellStatus.notFound, cellStatus.notFound],
    ])
    expect(columns.map(cellsOfColumn)).toEqual([
      [emptyCellOf(type), zero],
      [emptyCellOf(type), emptyCellOf(type)],
    ])
  })

  test('an f16 embedding keeps every half, NaN payloads included', () => {
    const layout = layoutOf([{ kind: 'embedding', dim: 0x10000, storage: 'f16' }])
    const halves = Buffer.from(Uint16Array.from({ length: 0x10000 }, (_, half) => half).buffer)
    const head = encodeReferenceRow({ layoutId: 2, eventTimeUs: 0n, sequence, cells: [[]] }, layout)
    const row = Uint8Array.from(Buffer.concat([head, halves]))
    const [column] = decodeAll(layout, [row]).columns
    assert(column !== undefined, 'one column')
    expect(encodeCells(layout, [cellsOfColumn(column)])).toEqual([row])
  })

  test('an int8 embedding is off by half a step of its scale at most', () => {
    const type = { kind: 'embedding', dim: 4, storage: 'int8' } as const
    const layout = layoutOf([type])
    const values = [0.1, -2.5, 1.27, 2.5]
    const [column] = decodeAll(layout, encodeCells(layout, [[cellOf(type, values)]])).columns
    assert(column !== undefined, 'one column')
    const hex = cellsOfColumn(column).flat().join('')
    const decoded = new Float32Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer)
    const errors = values.map((value, index) => Math.abs(value - (decoded[index] ?? 0)))
    expect(Math.max(...errors)).toBeLessThanOrEqual((2.5 / 127) * 0.5 * 1.000001)
  })
})

describe(`damaged rows (seed ${seed})`, () => {
  const features = everyType.map((type, index) => ({ id: index, type, name: `f${index}` }))
  const layouts: readonly ReferenceLayout[] = [
    { layoutId: 2, features },
    { layoutId: 3, features: features.slice(0, 8) },
    { layoutId: 4, features: [] },
    { layoutId: 0x20000, features: features.slice(11, 22) },
  ]
  const decoder = createRowDecoder(layouts.map(createRowLayout), features)
  const unavailable = features.map(({ type }) => [cellStatus.unavailable, emptyCellOf(type)])

  function sampleRows(layout: ReferenceLayout): Buffer[] {
    const cells = fc.tuple(...layout.features.map(({ type }) => cellArbitrary(type)))
    const head = { layoutId: layout.layoutId, eventTimeUs: 5n, sequence }
    return fc
      .sample(cells, { seed, numRuns: 40 })
      .map((sample) => encodeReferenceRow({ ...head, cells: sample }, layout))
  }

  /** What the reference makes of a row: the status and cell of each feature. */
  function expectedCells(row: Uint8Array): (readonly (number | ReferenceCell)[])[] {
    const decoded = decodeReferenceRow(row, layouts)
    if (decoded === 'corrupt' || 'unknownLayoutId' in decoded) return unavailable
    const layout = layouts.find(({ layoutId }) => layoutId === decoded.layoutId)
    return features.map(({ id, type }) => {
      const index = layout?.features.findIndex((feature) => feature.id === id) ?? -1
      const cell = decoded.cells[index] ?? null
      if (index < 0) return [cellStatus.notFound, emptyCellOf(type)]
      if (cell === null) return [cellStatus.nullValue, emptyCellOf(type)]
      return [cellStatus.present, cell]
    })
  }

  /** Hex of the rows on which the native decoder and the reference disagree. */
  function findDisagreements(rows: readonly Buffer[]): string[] {
    const slots = Uint32Array.from(rows.keys())
    const { columns } = decodeRows(decoder, slotsOf(rows), patientJudge, { slots })
    const cells = columns.map(cellsOfColumn)
    return rows
      .filter((bytes, row) => {
        const decoded = columns.map(({ status }, index) => [status[row], cells[index]?.[row]])
        return JSON.stringify(decoded) !== JSON.stringify(expectedCells(bytes))
      })
      .map((bytes) => bytes.toString('hex'))
  }

  test(`the native decoder agrees with the reference on ${fuzzRunCount} of them`, {
    timeout: 60_000 + fuzzRunCount,
  }, () => {
    const prng = createSeededPrng(seed)
    const intact = layouts.flatMap(sampleRows)
    const disagreements: string[] = findDisagreements(intact)
    for (let done = 0; done < fuzzRunCount && disagreements.length === 0; done += 100) {
      const rows = Array.from({ length: 100 }, () =>
        mutateRow(intact[prng.below(intact.length)] ?? Buffer.alloc(0), prng),
      )
      disagreements.push(...findDisagreements(rows))
    }
    expect(disagreements).toEqual([])
  })
})
