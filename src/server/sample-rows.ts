/**
 * The RPC SampleRows: some of a view's stored rows, decoded, to learn from.
 *
 * The sample is every k-th live row of those that the warm tier's scan shows first, all of them where
 * they are few: it begins with k = 1, and whenever the sample is full, drops every second row of it and
 * doubles k. So it is spread evenly over what was scanned, and the same rows give the same sample. It must
 * never hold the event loop for longer than a page of the scan, or decoding one reply, takes.
 */
import type { Clock, JudgingClock } from '../clock.js'
import { type DecodedRows, decodeRows } from '../codec/row-decode.js'
import { firstLayoutId, readRowHeader } from '../codec/row-version.js'
import { type ColumnValues, cellStatus } from '../column.js'
import { LarderError } from '../errors.js'
import type { SampleRowsRequest, SampleRowsResponse } from '../gen/larder/v1/admin.js'
import { durationUsMax, messageBytesMax, sampleRowsMax, sampleScannedRowsMax } from '../limits.js'
import type { Registry } from '../registry/registry.js'
import type { FeatureView } from '../registry/snapshot.js'
import { entityKeyAt } from '../tiers/key-batch.js'
import { RowBatch, tierCode } from '../tiers/row-batch.js'
import type { Tier } from '../tiers/tier.js'
import { decoderOf } from './decoders.js'
import { formatColumn } from './messages.js'
import { findView } from './read-target.js'
import { rowFormsOf } from './row-forms.js'

export interface SampleTools {
  readonly registry: Registry
  readonly warm: Tier
  readonly judgingClock: JudgingClock
  readonly clock: Clock
}

/**
 * A sample of the view's rows, of at most `rowCountMax` and of what fits a message. Throws `not_found` for
 * the view, `invalid_argument` for the count, `refused` where the warm tier cannot list rows, and what a
 * scan throws.
 */
export async function sampleRows(
  tools: SampleTools,
  request: SampleRowsRequest,
  signal: AbortSignal,
): Promise<SampleRowsResponse> {
  const rowCountMax = rowCountMaxOf(request)
  const view = findView(await tools.registry.refresh(signal), request.view)
  const nowUs = tools.judgingClock.nowUs()
  const scanned = await scanSample(tools, view, { rowCountMax, nowUs }, signal)
  const { rows, decoded } = decodeWhatFits(view, scanned.rows, nowUs)
  return {
    schemaVersion: view.schemas.at(-1)?.version ?? 0,
    features: decoded.columns.map((column) => formatColumn(column, [cellStatus.present])),
    eventTimesUs: Array.from(decoded.eventTimesUs),
    rowBytes: rows.map(({ row }) => row.byteLength),
    keyBytes: rows.map(({ keyBytes }) => keyBytes),
    scannedRowCount: BigInt(scanned.rowCount),
    isWholeView: scanned.isWholeView,
  }
}

function rowCountMaxOf({ rowCountMax }: SampleRowsRequest): number {
  if (rowCountMax === 0) return sampleRowsMax
  if (rowCountMax <= sampleRowsMax) return rowCountMax
  throw new LarderError(
    'invalid_argument',
    `row_count_max is ${rowCountMax}, at most ${sampleRowsMax} is allowed`,
  )
}

interface SampledRow {
  readonly row: Uint8Array
  /** Bytes of its entity key. */
  readonly keyBytes: number
}

interface ScannedSample {
  readonly rows: readonly SampledRow[]
  /** Live rows that the sample is spread over. */
  readonly rowCount: number
  readonly isWholeView: boolean
}

async function scanSample(
  { warm, clock }: SampleTools,
  view: FeatureView,
  { rowCountMax, nowUs }: { readonly rowCountMax: number; readonly nowUs: bigint },
  signal: AbortSignal,
): Promise<ScannedSample> {
  const scan = warm.scan(view.generation, signal)
  if (scan === undefined) {
    throw new LarderError(
      'refused',
      `the warm tier (${warm.kind}) cannot list its rows: learn from a file instead`,
    )
  }
  const sample = createSample(rowCountMax)
  const isLive = liveRowTest(view, nowUs)
  for await (const { keys, rows } of scan) {
    for (const [index, row] of rows.entries()) {
      if (!isLive(row)) continue
      if (sample.rowCount() === sampleScannedRowsMax) return { ...sample.end(), isWholeView: false }
      sample.add({ row, keyBytes: entityKeyAt(keys, index).byteLength })
    }
    // A tier in this process scans without waiting for anything.
    await clock.sleep(0, signal)
  }
  return { ...sample.end(), isWholeView: true }
}

/** Not tombstones, fences, rows past retention, or what cannot be a row. Throws for unknown layouts. */
function liveRowTest(view: FeatureView, nowUs: bigint): (row: Uint8Array) => boolean {
  const { versions } = rowFormsOf(view).warm
  const earliestUs = nowUs - view.retentionUs
  return (row) => {
    try {
      const { layoutId, eventTimeUs } = readRowHeader(row, versions)
      return layoutId >= firstLayoutId && eventTimeUs >= earliestUs
    } catch (thrown) {
      if (LarderError.from(thrown).code === 'corrupt_row') return false
      throw thrown
    }
  }
}

/** Keeps every k-th of the rows added. */
function createSample(rowCountMax: number) {
  let kept: SampledRow[] = []
  let keptBytes = 0
  let stride = 1
  let rowCount = 0
  return {
    rowCount: () => rowCount,
    add(sampled: SampledRow): void {
      if (rowCount++ % stride !== 0) return
      kept.push(sampled)
      keptBytes += sampled.row.byteLength
      while (kept.length > rowCountMax || (keptBytes > messageBytesMax && kept.length > 1)) {
        kept = everySecond(kept)
        keptBytes = kept.reduce((sum, { row }) => sum + row.byteLength, 0)
        stride *= 2
      }
    },
    end: () => ({ rows: kept, rowCount }),
  }
}

function everySecond<Item>(items: readonly Item[]): Item[] {
  return items.filter((_, index) => index % 2 === 0)
}

/** Columns may take this much of a message: the rest is for event times, counts and framing. */
const columnBytesMax = messageBytesMax / 2

/** The rows decoded, or every second, fourth … of them, so that a message holds the columns. */
function decodeWhatFits(
  view: FeatureView,
  sampled: readonly SampledRow[],
  nowUs: bigint,
): { readonly rows: readonly SampledRow[]; readonly decoded: DecodedRows } {
  let rows = sampled
  for (;;) {
    try {
      const found = decodeSound(view, rows, nowUs)
      const columnBytes = found.decoded.columns.reduce((sum, { values, status }) => {
        return sum + valuesBytes(values) + status.byteLength
      }, 0)
      if (columnBytes <= columnBytesMax || rows.length <= 1) return found
    } catch (thrown) {
      if (LarderError.from(thrown).code !== 'resource_exhausted' || rows.length <= 1) throw thrown
    }
    rows = everySecond(rows)
  }
}

/** The rows that are whole, decoded. */
function decodeSound(view: FeatureView, rows: readonly SampledRow[], nowUs: bigint) {
  const decoded = decodeSample(view, rows, nowUs)
  if (decoded.corrupt.length === 0) return { rows, decoded }
  const corrupt = new Set(decoded.corrupt.map(({ slot }) => slot))
  const sound = rows.filter((_, slot) => !corrupt.has(slot))
  return { rows: sound, decoded: decodeSample(view, sound, nowUs) }
}

function decodeSample(view: FeatureView, rows: readonly SampledRow[], nowUs: bigint): DecodedRows {
  const batch = new RowBatch(rows.length)
  for (const [slot, { row }] of rows.entries()) batch.setRow(slot, row, tierCode.warm)
  const wanted = view.features.map((feature) => ({ name: feature.name, role: view.name, feature }))
  // Values that are stale to readers are good enough to learn from.
  const { retentionUs } = view
  const judge = { nowUs, ttlUs: durationUsMax, retentionUs, onStale: 'serve' } as const
  const slots = Uint32Array.from(rows, (_, slot) => slot)
  return decodeRows(decoderOf(view, wanted), batch, judge, { slots })
}

function valuesBytes(values: ColumnValues): number {
  switch (values.class) {
    case 'f32':
    case 'f64':
    case 'i64':
      return values.values.byteLength
    case 'var':
      return values.data.byteLength + values.lengths.byteLength
    case 'list':
      return values.lengths.byteLength + valuesBytes(values.elements)
  }
}
