/**
 * Batches for tests of the codec: rows of cells through the native encoder and decoder.
 */
import { assert } from '../../src/assert.js'
import {
  createRowDecoder,
  type DecodedRows,
  decodeRows,
  type RowJudge,
  type RowSlots,
} from '../../src/codec/row-decode.js'
import { encodeRows } from '../../src/codec/row-encode.js'
import { createRowLayout } from '../../src/codec/row-layout.js'
import type { FeatureType } from '../../src/feature-type.js'
import { rowState } from '../../src/tiers/row-batch.js'
import { wireColumnOf } from './codec-columns.js'
import type { ReferenceCell, ReferenceLayout } from './reference-row.js'

export { rowState }

/** The write sequence of all rows made here. */
export const sequence = 0x0123456789abcdefn

/** A judge to whom no row is too old. */
export const patientJudge: RowJudge = {
  // So that even the earliest event time is not a microsecond too old.
  nowUs: -1n,
  ttlUs: 2n ** 63n - 1n,
  retentionUs: 2n ** 63n - 1n,
  onStale: 'serve',
}

/** A layout of features with ids from 10 on. */
export function layoutOf(types: readonly FeatureType[], layoutId = 2): ReferenceLayout {
  return { layoutId, features: types.map((type, index) => ({ id: index + 10, type })) }
}

/** The native encoder's rows. The cells must fit. */
export function encodeCells(
  layout: ReferenceLayout,
  rows: readonly (readonly ReferenceCell[])[],
  eventTimeUs = 0n,
): Uint8Array[] {
  const columns = layout.features.map(({ id, type }, index) => {
    const cells = rows.map((row) => row[index] ?? null)
    return wireColumnOf(`f${id}`, type, cells)
  })
  const eventTimesUs = new BigInt64Array(rows.length).fill(eventTimeUs)
  const batch = { columns, eventTimesUs, sequence, rowCount: rows.length }
  const encoded = encodeRows([createRowLayout(layout)], batch)
  assert('rows' in encoded, 'the cells fit their types')
  return rows.map((_, row) =>
    Uint8Array.from(encoded.rows.subarray(encoded.rowOffsets[row], encoded.rowOffsets[row + 1])),
  )
}

/** A filled batch of these rows, one slot each. */
export function slotsOf(rows: readonly Uint8Array[]): RowSlots {
  const lengths = Uint32Array.from(rows, (row) => row.byteLength)
  let offset = 0
  const starts = lengths.map((byteCount) => {
    offset += byteCount
    return offset - byteCount
  })
  const states = new Uint8Array(rows.length).fill(rowState.row)
  return { arena: Buffer.concat(rows), starts, lengths, states }
}

/** Decodes every row into every feature of the layout. */
export function decodeAll(layout: ReferenceLayout, rows: readonly Uint8Array[]): DecodedRows {
  const wanted = layout.features.map(({ id, type }) => ({ id, type, name: `f${id}` }))
  const decoder = createRowDecoder([createRowLayout(layout)], wanted)
  const slots = Uint32Array.from(rows.keys())
  return decodeRows(decoder, slotsOf(rows), patientJudge, { slots })
}
