/**
 * Batches for tests of learned layouts: rows of cells through the native codec in layouts of one schema,
 * and what the plain reference makes of the same rows.
 */
import { assert } from '../../src/assert.js'
import { createRowDecoder, decodeRows } from '../../src/codec/row-decode.js'
import { encodeRows } from '../../src/codec/row-encode.js'
import { createRowLayout } from '../../src/codec/row-layout.js'
import { cellStatus } from '../../src/column.js'
import type { EncodingProfile, FeatureEncoding } from '../../src/encoding-profile.js'
import type { FeatureType } from '../../src/feature-type.js'
import { checkProfile } from '../../src/profile-check.js'
import { patientJudge, sequence, slotsOf } from './codec-batches.js'
import { cellsOfColumn, wireColumnOf } from './codec-columns.js'
import { encodeLearnedRow, type LearnedReferenceLayout } from './reference-learned-row.js'
import {
  decodeReferenceRow,
  encodeReferenceRow,
  type ReferenceCell,
  type ReferenceFeature,
} from './reference-row.js'

/** Rows of one batch: their sequence is one. */
export interface LearnedBatch {
  /** In order of preference, of one schema; the last is plain. */
  readonly layouts: readonly LearnedReferenceLayout[]
  readonly rows: readonly (readonly ReferenceCell[])[]
  /** One for each row. */
  readonly eventTimesUs: readonly bigint[]
  readonly sequence?: bigint
}

/** The layout that takes every row. */
export function plainLayout(
  features: readonly ReferenceFeature[],
  layoutId: number,
): LearnedReferenceLayout {
  return { layoutId, features, versionFormat: 'full', profile: undefined }
}

/** The native encoder's rows. The cells must fit. */
export function encodeBatch(batch: LearnedBatch): Buffer[] {
  const features = batch.layouts[0]?.features ?? []
  const columns = features.map(({ id, type }, index) => {
    const cells = batch.rows.map((row) => row[index] ?? null)
    return wireColumnOf(`f${id}`, type, cells)
  })
  const encoded = encodeRows(batch.layouts.map(createRowLayout), {
    columns,
    eventTimesUs: BigInt64Array.from(batch.eventTimesUs),
    sequence: batch.sequence ?? sequence,
    rowCount: batch.rows.length,
  })
  assert('rows' in encoded, 'the cells fit their types')
  const { rows, rowOffsets } = encoded
  return batch.rows.map((_, row) =>
    Buffer.from(rows.subarray(rowOffsets[row], rowOffsets[row + 1])),
  )
}

/** The reference's rows, each in the first layout that its version fits. Never compressed. */
export function encodeReferenceBatch(batch: LearnedBatch): Buffer[] {
  return batch.rows.map((cells, index) => {
    const eventTimeUs = batch.eventTimesUs[index] ?? 0n
    const version = { eventTimeUs, sequence: batch.sequence ?? sequence }
    for (const layout of batch.layouts) {
      const encoded = encodeLearnedRow({ ...version, cells, layoutId: layout.layoutId }, layout)
      if (encoded !== undefined) return encoded
    }
    throw new Error('no layout takes the row')
  })
}

/** What rows keep of `cells`: all of it, but for embeddings of f16 and int8. */
export function keptCells(
  cells: readonly ReferenceCell[],
  features: readonly ReferenceFeature[],
): readonly ReferenceCell[] {
  const layout = { layoutId: 2, features }
  const row = encodeReferenceRow({ layoutId: 2, eventTimeUs: 0n, sequence, cells }, layout)
  const kept = decodeReferenceRow(row, [layout])
  assert(kept !== 'corrupt' && 'cells' in kept, 'the cells fit their types')
  return kept.cells
}

/** What the native decoder makes of rows of `layouts`, row by row; null too where a cell is not there. */
export function decodeBatch(
  layouts: readonly LearnedReferenceLayout[],
  rows: readonly Uint8Array[],
): ReferenceCell[][] {
  const features = layouts[0]?.features ?? []
  const wanted = features.map(({ id, type }) => ({ id, type, name: `f${id}` }))
  const decoder = createRowDecoder(layouts.map(createRowLayout), wanted)
  const slots = Uint32Array.from(rows.keys())
  const { columns } = decodeRows(decoder, slotsOf(rows), patientJudge, { slots })
  const cells = columns.map(cellsOfColumn)
  return rows.map((_, row) =>
    columns.map(({ status }, index) =>
      status[row] === cellStatus.present ? (cells[index]?.[row] ?? null) : null,
    ),
  )
}

/** A checked batch of one feature: a layout in which it has this encoding, and the plain one. */
export function oneFeatureBatch(
  type: FeatureType,
  encoding: FeatureEncoding,
  cells: readonly ReferenceCell[],
): LearnedBatch {
  const features = [{ id: 1, type }]
  const profile: EncodingProfile = { id: 1, encodings: new Map([[1, encoding]]), sampleRowCount: 1 }
  checkProfile(profile, features)
  return {
    layouts: [{ layoutId: 2, features, versionFormat: 'full', profile }, plainLayout(features, 3)],
    rows: cells.map((cell) => [cell]),
    eventTimesUs: cells.map(() => 0n),
  }
}
