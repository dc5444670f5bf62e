/**
 * Decodes rows: a filled batch in, typed columns with a status per cell out.
 *
 * A cell says what became of it; nothing here throws for what a store returned:
 *
 *   slot absent, tombstone, fence, row past retention   NOT_FOUND
 *   slot failed or pending, row corrupt, layout unknown UNAVAILABLE
 *   feature lacking in the row's layout                 NOT_FOUND
 *   feature null                                        NULL_VALUE, whatever the row's age
 *   row older than ttl                                  OUTSIDE_MAX_AGE, the value if served
 *   else                                                PRESENT and the value
 *
 * A row is decoded once however many output rows share its slot, natively, straight from the
 * batch's arena into columns. Must never trust a byte of a row: `native/codec/cell_decode.h`.
 */
import { assert } from '../assert.js'
import type { ColumnValues, FeatureColumn, ScalarValues } from '../column.js'
import type { OnStale } from '../declared.js'
import { LarderError } from '../errors.js'
import {
  columnClassOf,
  elementClassOf,
  type FeatureType,
  formatFeatureType,
  type ScalarClass,
} from '../feature-type.js'
import { messageBytesMax } from '../limits.js'
import { loadAddon, type NativeRowDecoder } from '../native.js'
import { featureNumbers, type RowFeature, type RowLayout } from './row-layout.js'

/** A feature to decode, and the name of its column. */
export interface WantedColumn extends RowFeature {
  readonly name: string
}

/** A view's layouts, and what is wanted of its rows, compiled once. */
export interface RowDecoder {
  readonly wanted: readonly WantedColumn[]
  readonly cells: FixedCells
  readonly native: NativeRowDecoder
}

/** Rows by slot, as a tier's `RowBatch` holds them; `states` are its `rowState` codes. */
export interface RowSlots {
  readonly arena: Uint8Array
  readonly starts: Uint32Array
  readonly lengths: Uint32Array
  readonly states: Uint8Array
}

/** By what a row's age is judged: the judging clock's now, and the view's bounds. */
export interface RowJudge {
  readonly nowUs: bigint
  readonly ttlUs: bigint
  readonly retentionUs: bigint
  readonly onStale: OnStale
}

export interface DecodedRows {
  /** In the order of `wanted`. */
  readonly columns: readonly FeatureColumn[]
  /** 0 where there is no row to be seen. */
  readonly eventTimesUs: BigInt64Array
  /** Slots whose bytes are not a row of their layout; each once. */
  readonly corrupt: readonly { readonly slot: number; readonly reason: string }[]
  /** Slots whose layout the decoder does not know: the registry may have a newer version. */
  readonly unknownLayouts: readonly { readonly slot: number; readonly layoutId: number }[]
}

/** A decoder of rows in any of `layouts` into columns of `wanted`. */
export function createRowDecoder(
  layouts: readonly RowLayout[],
  wanted: readonly WantedColumn[],
): RowDecoder {
  for (const feature of wanted) {
    const sameId = layouts.flatMap((layout) =>
      layout.features.filter(({ id }) => id === feature.id),
    )
    const typeText = formatFeatureType(feature.type)
    assert(
      sameId.every(({ type }) => formatFeatureType(type) === typeText),
      'a feature keeps its type for as long as its id',
    )
  }
  const native = loadAddon().createRowDecoder(
    layouts.map((layout) => layout.native),
    featureNumbers(wanted),
  )
  return Object.freeze({
    wanted: Object.freeze([...wanted]),
    cells: layOutFixedCells(wanted),
    native,
  })
}

/**
 * Decodes the rows in `select.slots`, one per output row. Throws `resource_exhausted` where strings
 * and lists together exceed what a message can carry.
 */
export function decodeRows(
  decoder: RowDecoder,
  rows: RowSlots,
  judge: RowJudge,
  select: { readonly slots: Uint32Array },
): DecodedRows {
  const rowCount = select.slots.length
  const { boundsBytes, bytesPerRow } = decoder.cells
  const fixed = new ArrayBuffer(boundsBytes + bytesPerRow * rowCount)
  const { varying, corrupt, unknownLayouts } = loadAddon().decodeRows(
    decoder.native,
    rows.arena,
    rows.starts,
    rows.lengths,
    rows.states,
    select.slots,
    judge.nowUs,
    judge.ttlUs,
    judge.retentionUs,
    judge.onStale === 'serve',
    new Uint8Array(fixed),
    messageBytesMax,
  )
  if (varying === undefined) {
    throw new LarderError(
      'resource_exhausted',
      `the strings and lists of these rows take more than ${messageBytesMax} bytes: ` +
        'ask for fewer rows or features',
    )
  }
  const bounds = new Uint32Array(fixed, 0, 4 * decoder.wanted.length)
  const columns = viewColumns(decoder, rowCount, { fixed, varying, bounds })
  const eventTimesUs = new BigInt64Array(fixed, boundsBytes, rowCount)
  return { columns, eventTimesUs, corrupt, unknownLayouts }
}

/**
 * Where the fixed parts of columns lie: behind the bounds of the varying ones, at so many bytes for
 * each row.
 */
interface FixedCells {
  readonly boundsBytes: number
  readonly bytesPerRow: number
  readonly valueBegins: readonly number[]
  readonly statusBegins: readonly number[]
}

/**
 * One allocation for all columns: event times and 8-byte values first, statuses last, so that all
 * are aligned. The native decoder lays them out the same.
 */
function layOutFixedCells(wanted: readonly WantedColumn[]): FixedCells {
  const valueBegins: number[] = []
  const statusBegins: number[] = []
  let bytesPerRow = 8
  for (const cellBytes of [8, 4]) {
    for (const [index, { type }] of wanted.entries()) {
      if (columnCellBytes(type) !== cellBytes) continue
      valueBegins[index] = bytesPerRow
      bytesPerRow += cellBytes
    }
  }
  for (const index of wanted.keys()) {
    statusBegins[index] = bytesPerRow
    bytesPerRow += 1
  }
  return { boundsBytes: 16 * wanted.length, bytesPerRow, valueBegins, statusBegins }
}

function columnCellBytes(type: FeatureType): 4 | 8 {
  const columnClass = columnClassOf(type)
  return columnClass === 'f64' || columnClass === 'i64' ? 8 : 4
}

interface DecodedParts {
  readonly fixed: ArrayBuffer
  readonly varying: ArrayBuffer
  /** For each column where its elements begin and end in `varying`, and its blob. */
  readonly bounds: Uint32Array
}

function viewColumns(
  { wanted, cells }: RowDecoder,
  rowCount: number,
  { fixed, varying, bounds }: DecodedParts,
): FeatureColumn[] {
  return wanted.map(({ name, type }, index) => {
    const cellsBegin = cells.boundsBytes + (cells.valueBegins[index] ?? 0) * rowCount
    const statusBegin = cells.boundsBytes + (cells.statusBegins[index] ?? 0) * rowCount
    const boundOf = (part: number) => bounds[4 * index + part] ?? 0
    const viewData = () => new Uint8Array(varying, boundOf(2), boundOf(3) - boundOf(2))
    const elementClass = elementClassOf(type)
    const status = new Uint8Array(fixed, statusBegin, rowCount)
    if (type.kind === 'scalar') {
      const values = viewScalars(elementClass, fixed, cellsBegin, rowCount, viewData)
      return { name, type, values, status }
    }
    const elementBytes = elementClass === 'f64' || elementClass === 'i64' ? 8 : 4
    const elementCount = (boundOf(1) - boundOf(0)) / elementBytes
    const values: ColumnValues = {
      class: 'list',
      lengths: new Uint32Array(fixed, cellsBegin, rowCount),
      elements: viewScalars(elementClass, varying, boundOf(0), elementCount, viewData),
    }
    return { name, type, values, status }
  })
}

/** `viewData` makes the blob's view, which numbers have no use for. */
function viewScalars(
  scalarClass: ScalarClass,
  memory: ArrayBuffer,
  offset: number,
  count: number,
  viewData: () => Uint8Array,
): ScalarValues {
  switch (scalarClass) {
    case 'f32':
      return { class: 'f32', values: new Float32Array(memory, offset, count) }
    case 'f64':
      return { class: 'f64', values: new Float64Array(memory, offset, count) }
    case 'i64':
      return { class: 'i64', values: new BigInt64Array(memory, offset, count) }
    case 'var':
      return { class: 'var', data: viewData(), lengths: new Uint32Array(memory, offset, count) }
  }
}
