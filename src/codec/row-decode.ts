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
 * A row is parsed once however many output rows share its slot, natively, straight from the batch's
 * arena into columns. Must never trust a byte of a row: `native/codec/row_parse.h`.
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
import { loadAddon, type NativeDecoded, type NativeRowDecoder } from '../native.js'
import { featureNumbers, type RowFeature, type RowLayout } from './row-layout.js'

/** A feature to decode, and the name of its column. */
export interface WantedColumn extends RowFeature {
  readonly name: string
}

/** A view's layouts, and what is wanted of its rows, compiled once. */
export interface RowDecoder {
  readonly wanted: readonly WantedColumn[]
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
  return Object.freeze({ wanted: Object.freeze([...wanted]), native })
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
  const parts = layOutFixedParts(decoder.wanted, rowCount)
  const memory = new ArrayBuffer(parts.byteCount)
  const decoded = loadAddon().decodeRows(
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
    new Uint8Array(memory),
    parts.valueOffsets,
    parts.statusOffsets,
    messageBytesMax,
  )
  const varying = requireVarying(decoded)
  const columns = decoder.wanted.map(({ name, type }, index) => ({
    name,
    type,
    values: viewValues(type, {
      fixed: { memory, offset: parts.valueOffsets[index] ?? 0, rowCount },
      varying,
      index,
    }),
    status: new Uint8Array(memory, parts.statusOffsets[index], rowCount),
  }))
  const eventTimesUs = new BigInt64Array(memory, 0, rowCount)
  const { corrupt, unknownLayouts } = decoded
  return { columns, eventTimesUs, corrupt, unknownLayouts }
}

interface FixedParts {
  readonly byteCount: number
  readonly valueOffsets: Uint32Array
  readonly statusOffsets: Uint32Array
}

/**
 * One allocation for all columns: event times and 8-byte values first, statuses last, so that all
 * are aligned.
 */
function layOutFixedParts(wanted: readonly WantedColumn[], rowCount: number): FixedParts {
  const valueOffsets = new Uint32Array(wanted.length)
  const statusOffsets = new Uint32Array(wanted.length)
  let byteCount = 8 * rowCount
  for (const cellBytes of [8, 4]) {
    for (const [index, { type }] of wanted.entries()) {
      if (columnCellBytes(type) !== cellBytes) continue
      valueOffsets[index] = byteCount
      byteCount += cellBytes * rowCount
    }
  }
  for (const index of wanted.keys()) {
    statusOffsets[index] = byteCount
    byteCount += rowCount
  }
  return { byteCount, valueOffsets, statusOffsets }
}

function columnCellBytes(type: FeatureType): 4 | 8 {
  const columnClass = columnClassOf(type)
  return columnClass === 'f64' || columnClass === 'i64' ? 8 : 4
}

interface Varying {
  readonly memory: ArrayBuffer
  readonly bounds: Uint32Array
}

function requireVarying({ varying, bounds }: NativeDecoded): Varying {
  if (varying !== undefined && bounds !== undefined) return { memory: varying, bounds }
  throw new LarderError(
    'resource_exhausted',
    `the strings and lists of these rows take more than ${messageBytesMax} bytes: ` +
      'ask for fewer rows or features',
  )
}

interface ColumnParts {
  readonly fixed: {
    readonly memory: ArrayBuffer
    readonly offset: number
    readonly rowCount: number
  }
  readonly varying: Varying
  /** The column's place among the wanted. */
  readonly index: number
}

function viewValues(type: FeatureType, parts: ColumnParts): ColumnValues {
  const { fixed, varying, index } = parts
  const { memory, bounds } = varying
  const elementClass = elementClassOf(type)
  const viewData = () => {
    const begin = bounds[4 * index + 2] ?? 0
    const end = bounds[4 * index + 3] ?? 0
    return new Uint8Array(memory, begin, end - begin)
  }
  if (type.kind === 'scalar') {
    return viewScalars(elementClass, fixed.memory, fixed.offset, fixed.rowCount, viewData)
  }
  const begin = bounds[4 * index] ?? 0
  const end = bounds[4 * index + 1] ?? 0
  const elementBytes = elementClass === 'f64' || elementClass === 'i64' ? 8 : 4
  const elementCount = (end - begin) / elementBytes
  return {
    class: 'list',
    lengths: new Uint32Array(fixed.memory, fixed.offset, fixed.rowCount),
    elements: viewScalars(elementClass, memory, begin, elementCount, viewData),
  }
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
