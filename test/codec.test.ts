/**
 * The codec as a whole: native encoder and decoder against the plain reference, golden bytes, and the
 * budget in bytes.
 *
 * `LARDER_FUZZ_RUNS` sets the number of damaged rows (10^4 unless set), `LARDER_FUZZ_SEED` the seed.
 */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import { createRowDecoder, decodeRows, type RowSlots } from '../src/codec/row-decode.js'
import { encodeRows } from '../src/codec/row-encode.js'
import { createRowLayout } from '../src/codec/row-layout.js'
import { encodeVersionOnlyRow } from '../src/codec/row-version.js'
import { cellStatus } from '../src/column.js'
import { type FeatureType, formatFeatureType } from '../src/feature-type.js'
import { createSeededPrng } from '../src/prng.js'
import { rowState } from '../src/tiers/row-batch.js'
import { cellsOfColumn, wireColumnOf } from './support/codec-columns.js'
import { cellArbitrary, everyType, mutateRow, typeArbitrary } from './support/random-row.js'
import {
  cellOf,
  decodeReferenceRow,
  emptyCellOf,
  encodeReferenceCell,
  encodeReferenceRow,
  type ReferenceCell,
  type ReferenceLayout,
} from './support/reference-row.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20260101)
const fuzzRunCount = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const sequence = 0x0123456789abcdefn
const forever = { nowUs: 0n, ttlUs: 2n ** 62n, retentionUs: 2n ** 62n, onStale: 'serve' } as const

function layoutOf(types: readonly FeatureType[], layoutId = 2): ReferenceLayout {
  return { layoutId, features: types.map((type, index) => ({ id: index + 10, type })) }
}

function encode(
  layout: ReferenceLayout,
  rows: readonly (readonly ReferenceCell[])[],
  eventTimesUs = new BigInt64Array(rows.length),
): Uint8Array[] {
  const columns = layout.features.map(({ id, type }, index) =>
    wireColumnOf(
      `f${id}`,
      type,
      rows.map((cells) => cells[index] ?? null),
    ),
  )
  const batch = { columns, eventTimesUs, sequence, rowCount: rows.length }
  const encoded = encodeRows(createRowLayout(layout), batch)
  assert('rows' in encoded, 'the cells fit their types')
  return rows.map((_, row) =>
    encoded.rows.subarray(encoded.rowOffsets[row], encoded.rowOffsets[row + 1]),
  )
}

function slotsOf(rows: readonly Uint8Array[]): RowSlots {
  const lengths = Uint32Array.from(rows, (row) => row.byteLength)
  let offset = 0
  const starts = lengths.map((byteCount) => {
    offset += byteCount
    return offset - byteCount
  })
  return {
    arena: Buffer.concat(rows),
    starts,
    lengths,
    states: new Uint8Array(rows.length).fill(rowState.row),
  }
}

/** Decodes every row into every feature of the layout. */
function decode(layout: ReferenceLayout, rows: readonly Uint8Array[]) {
  const wanted = layout.features.map(({ id, type }) => ({ id, type, name: `f${id}` }))
  const decoder = createRowDecoder([createRowLayout(layout)], wanted)
  return decodeRows(decoder, slotsOf(rows), forever, { slots: Uint32Array.from(rows.keys()) })
}

const layoutWithRows = fc
  .tuple(fc.array(typeArbitrary, { minLength: 1, maxLength: 20 }), fc.integer({ min: 2, max: 300 }))
  .chain(([types, layoutId]) =>
    fc.record({
      layout: fc.constant(layoutOf(types, layoutId)),
      rows: fc.array(fc.tuple(...types.map(cellArbitrary)), { minLength: 1, maxLength: 6 }),
      eventTimeUs: fc.bigInt(-(2n ** 61n), 2n ** 61n),
    }),
  )

/** Embeddings of f16 and int8 keep what their storage holds; every other type keeps every bit. */
function isLossless(type: FeatureType): boolean {
  return type.kind !== 'embedding' || type.storage === 'f32'
}

describe('encode and decode', () => {
  test('native bytes are the reference bytes, for every type and value', () => {
    const check = fc.property(layoutWithRows, ({ layout, rows, eventTimeUs }) => {
      const times = new BigInt64Array(rows.length).fill(eventTimeUs)
      const encoded = encode(layout, rows, times).map((row) => Buffer.from(row).toString('hex'))
      const expected = rows.map((cells) => {
        const row = { layoutId: layout.layoutId, eventTimeUs, sequence, cells }
        return encodeReferenceRow(row, layout).toString('hex')
      })
      expect(encoded).toEqual(expected)
    })
    expect(() => fc.assert(check, { seed, numRuns: 300 })).not.toThrow()
  })

  test('decode after encode is the identity, bit for bit, and null stays null', () => {
    const check = fc.property(layoutWithRows, ({ layout, rows }) => {
      const { columns, corrupt } = decode(layout, encode(layout, rows))
      expect(corrupt).toEqual([])
      for (const [index, column] of columns.entries()) {
        const given = rows.map((cells) => cells[index] ?? null)
        const statuses = given.map((cell) =>
          cell === null ? cellStatus.nullValue : cellStatus.present,
        )
        expect([...column.status]).toEqual(statuses)
        const expected = isLossless(column.type)
          ? given.map((cell) => cell ?? emptyCellOf(column.type))
          : cellsOfColumn(column)
        expect(cellsOfColumn(column)).toEqual(expected)
      }
    })
    expect(() => fc.assert(check, { seed, numRuns: 300 })).not.toThrow()
  })

  test.each(everyType.map((type) => ({ type, name: formatFeatureType(type) })))(
    'null, zero or empty, and absent are three things: $name',
    ({ type }) => {
      const zero =
        type.kind === 'embedding' ? new Array(type.dim).fill('00000000') : emptyCellOf(type)
      const layout = layoutOf([type])
      const rows = encode(layout, [[null], [zero]])
      const wanted = [
        { id: 10, type, name: 'there' },
        { id: 11, type, name: 'lacking' },
      ]
      const decoder = createRowDecoder([createRowLayout(layout)], wanted)
      const [there, lacking] = decodeRows(decoder, slotsOf(rows), forever, {
        slots: Uint32Array.of(0, 1),
      }).columns
      assert(there !== undefined && lacking !== undefined, 'two columns')
      expect([...there.status]).toEqual([cellStatus.nullValue, cellStatus.present])
      expect([...lacking.status]).toEqual([cellStatus.notFound, cellStatus.notFound])
      expect(cellsOfColumn(there)).toEqual([emptyCellOf(type), zero])
    },
  )

  test('an f16 embedding keeps every half, NaN payloads included', () => {
    const type = { kind: 'embedding', dim: 0x10000, storage: 'f16' } as const
    const layout = layoutOf([type])
    const halves = Buffer.from(Uint16Array.from({ length: 0x10000 }, (_, half) => half).buffer)
    const head = encodeReferenceRow({ layoutId: 2, eventTimeUs: 0n, sequence, cells: [[]] }, layout)
    const row = Buffer.concat([head, halves])
    const [column] = decode(layout, [row]).columns
    assert(column !== undefined, 'one column')
    const [again] = encode(layout, [cellsOfColumn(column)])
    expect(again?.subarray(-halves.byteLength)).toEqual(Uint8Array.from(halves))
  })

  test('an int8 embedding is off by half a step of its scale at most', () => {
    const type = { kind: 'embedding', dim: 4, storage: 'int8' } as const
    const values = [0.1, -2.5, 1.27, 2.5]
    const [column] = decode(
      layoutOf([type]),
      encode(layoutOf([type]), [[cellOf(type, values)]]),
    ).columns
    assert(
      column?.values.class === 'list' && column.values.elements.class === 'f32',
      'a list of f32',
    )
    const worst = Math.max(
      ...values.map((value, index) =>
        Math.abs(
          value -
            ((column.values.class === 'list' && column.values.elements.class === 'f32'
              ? column.values.elements.values[index]
              : undefined) ?? 0),
        ),
      ),
    )
    expect(worst).toBeLessThanOrEqual((2.5 / 127) * 0.5 * 1.000001)
  })
})

describe('damaged rows', () => {
  const layouts = [
    layoutOf(everyType),
    layoutOf(everyType.slice(0, 8), 3),
    layoutOf([], 4),
    layoutOf(everyType.slice(11, 22), 0x20000),
  ]
  const baseRows = layouts.flatMap((layout) =>
    fc
      .sample(fc.tuple(...layout.features.map(({ type }) => cellArbitrary(type))), {
        seed,
        numRuns: 40,
      })
      .map((cells) =>
        encodeReferenceRow({ layoutId: layout.layoutId, eventTimeUs: 5n, sequence, cells }, layout),
      ),
  )
  const wanted = everyType.map((type, index) => ({ id: index + 10, type, name: `f${index}` }))

  /** What the reference makes of a row: the status and cell of each wanted feature. */
  function expectedCells(row: Uint8Array): (readonly [number, ReferenceCell])[] {
    const decoded = decodeReferenceRow(row, layouts)
    if (decoded === 'corrupt' || 'unknownLayoutId' in decoded) {
      return wanted.map(({ type }) => [cellStatus.unavailable, emptyCellOf(type)])
    }
    const layout = layouts.find(({ layoutId }) => layoutId === decoded.layoutId)
    return wanted.map(({ id, type }) => {
      const index = layout?.features.findIndex((feature) => feature.id === id) ?? -1
      if (index < 0) return [cellStatus.notFound, emptyCellOf(type)]
      const cell = decoded.cells[index] ?? null
      return cell === null ? [cellStatus.nullValue, emptyCellOf(type)] : [cellStatus.present, cell]
    })
  }

  // Layouts that share an id number share the feature of that number, so that types agree.
  const shared = layouts.map((layout) => ({
    ...layout,
    features: layout.features.map(({ type }) => ({ id: 10 + everyType.indexOf(type), type })),
  }))
  layouts.splice(0, layouts.length, ...shared)

  test(`the native decoder agrees with the reference on ${fuzzRunCount} rows (seed ${seed})`, () => {
    const prng = createSeededPrng(seed)
    const decoder = createRowDecoder(layouts.map(createRowLayout), wanted)
    const judge = { ...forever, nowUs: 0n, ttlUs: 2n ** 63n - 1n, retentionUs: 2n ** 63n - 1n }
    let disagreementCount = 0
    for (let done = 0; done < fuzzRunCount; done += 100) {
      const rows = Array.from({ length: 100 }, () => {
        const base = baseRows[prng.below(baseRows.length)] ?? Buffer.alloc(0)
        return prng.below(20) === 0 ? base : mutateRow(base, prng)
      })
      const slots = Uint32Array.from(rows.keys())
      const { columns } = decodeRows(decoder, slotsOf(rows), judge, { slots })
      const cells = columns.map(cellsOfColumn)
      for (const [row, bytes] of rows.entries()) {
        const actual = wanted.map((_, index) => [columns[index]?.status[row], cells[index]?.[row]])
        const isEqual = JSON.stringify(actual) === JSON.stringify(expectedCells(bytes))
        disagreementCount += isEqual ? 0 : 1
        if (!isEqual) console.error(`disagreement on row ${bytes.toString('hex')}`)
      }
    }
    expect(disagreementCount).toBe(0)
  })
})
