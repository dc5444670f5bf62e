/**
 * A planned file -> batches, each a fixed range of the file's rows.
 *
 * The range, the file's digest and what it is loaded as name the batch, so that loading the same file
 * again sends the same batches, which change nothing that is stored. A range with a bad row becomes a
 * refusal and is not sent: nothing of it is stored, the others go on. Rows past retention are left out.
 */
import { createHash } from 'node:crypto'
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { assert } from '../assert.js'
import type { RequestColumn, WriteBatch } from '../client/index.js'
import { LarderError } from '../errors.js'
import { badRowsToldMax, messageBytesMax } from '../limits.js'
import { type ColumnSink, createColumnSink, int64Items, statusItems } from './column-sink.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { unreadable } from './source-file.js'

/** Rows `firstRow` to `lastRow` of a file, from 1, both included. */
export interface RowRange {
  readonly path: string
  readonly firstRow: number
  readonly lastRow: number
}

export interface RowProblem {
  /** The row of the file, from 1. */
  readonly row: number
  readonly problem: string
}

export interface ReadBatch {
  readonly range: RowRange
  /** Undefined where the range has bad rows, or none within retention. */
  readonly batch: WriteBatch | undefined
  /** The file's row of each of the batch's rows, from 1. */
  readonly fileRows: readonly number[]
  readonly leftOutCount: number
  /** The first bad rows; `badRowCount` says how many there are. */
  readonly badRows: readonly RowProblem[]
  readonly badRowCount: number
}

// Where a plan's statement has its columns.
const badFlagIndex = 0
const badReasonIndex = 1
const firstCellIndex = 2

/** Yields the file's batches in order. Errors: `bad_file` where DuckDB cannot go on reading. */
export async function* readBatches(
  connection: DuckDBConnection,
  target: LoadTarget,
  plan: FilePlan,
  batchRows: number,
): AsyncGenerator<ReadBatch> {
  const collector = new BatchCollector(target, plan)
  for await (const chunk of streamChunks(connection, plan)) {
    for (let from = 0; from < chunk.rowCount; ) {
      const to = Math.min(chunk.rowCount, from + batchRows - collector.rangeRowCount)
      collector.append(chunk, from, to)
      from = to
      if (collector.rangeRowCount === batchRows) yield collector.take()
    }
  }
  if (collector.rangeRowCount > 0) yield collector.take()
}

async function* streamChunks(
  connection: DuckDBConnection,
  plan: FilePlan,
): AsyncGenerator<DuckDBDataChunk> {
  try {
    const result = await connection.stream(plan.sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield chunk
    }
  } catch (error) {
    throw error instanceof LarderError ? error : unreadable(plan.file.path, error)
  }
}

/** The rows of the range under way. */
class BatchCollector {
  readonly #target: LoadTarget
  readonly #plan: FilePlan
  readonly #sinks: readonly ColumnSink[]
  #firstRow = 1
  #rangeRowCount = 0
  #eventTimesUs: bigint[] = []
  #fileRows: number[] = []
  #leftOutCount = 0
  #badRows: RowProblem[] = []
  #badRowCount = 0

  constructor(target: LoadTarget, plan: FilePlan) {
    this.#target = target
    this.#plan = plan
    this.#sinks = this.#cellColumns().map(({ name, type }) => createColumnSink(name, type))
  }

  /** Rows of the file that the range holds so far, whatever became of them. */
  get rangeRowCount(): number {
    return this.#rangeRowCount
  }

  /** Takes rows `from` up to `to` of a chunk. */
  append(chunk: DuckDBDataChunk, from: number, to: number): void {
    const kept = this.#judgeRows(chunk, from, to)
    const skipped = this.#plan.columns.length - this.#sinks.length
    for (const [index, sink] of this.#sinks.entries()) {
      const statusIndex = firstCellIndex + 2 * (index + skipped)
      const status = chunk.getColumnVector(statusIndex)
      sink.append(status, chunk.getColumnVector(statusIndex + 1), kept)
    }
    this.#rangeRowCount += to - from
  }

  take(): ReadBatch {
    const range = this.#range()
    const columns = this.#sinks.map((sink) => sink.take())
    const isSent = this.#badRowCount === 0 && this.#fileRows.length > 0
    const taken: ReadBatch = {
      range,
      batch: isSent ? this.#batchOf(range, columns) : undefined,
      fileRows: this.#fileRows,
      leftOutCount: this.#badRowCount === 0 ? this.#leftOutCount : 0,
      badRows: this.#badRows,
      badRowCount: this.#badRowCount,
    }
    this.#firstRow += this.#rangeRowCount
    this.#rangeRowCount = 0
    this.#eventTimesUs = []
    this.#fileRows = []
    this.#leftOutCount = 0
    this.#badRows = []
    this.#badRowCount = 0
    return taken
  }

  /** Sorts rows into bad, left out and kept; answers with the kept ones' places in the chunk. */
  #judgeRows(chunk: DuckDBDataChunk, from: number, to: number): Uint32Array {
    const { eventTime, oldestUs } = this.#target
    const flags = statusItems(chunk.getColumnVector(badFlagIndex))
    const times =
      eventTime.kind === 'column'
        ? int64Items(chunk.getColumnVector(firstCellIndex + 1))
        : undefined
    const kept: number[] = []
    for (let row = from; row < to; row += 1) {
      const fileRow = this.#firstRow + this.#rangeRowCount + row - from
      if (flags[row] !== 0) {
        this.#tellBadRow(fileRow, chunk.getColumnVector(badReasonIndex).getItem(row))
        continue
      }
      const timeUs = eventTime.kind === 'instant' ? eventTime.atUs : times?.[row]
      assert(timeUs !== undefined, 'a row has an event time')
      if (timeUs < oldestUs) {
        this.#leftOutCount += 1
        continue
      }
      this.#eventTimesUs.push(timeUs)
      this.#fileRows.push(fileRow)
      kept.push(row)
    }
    return Uint32Array.from(kept)
  }

  #tellBadRow(row: number, reason: unknown): void {
    this.#badRowCount += 1
    if (this.#badRows.length < badRowsToldMax) this.#badRows.push({ row, problem: String(reason) })
  }

  /** The planned columns that are cells of rows: all but the event time. */
  #cellColumns() {
    return this.#plan.columns.slice(this.#target.eventTime.kind === 'column' ? 1 : 0)
  }

  #range(): RowRange {
    const lastRow = this.#firstRow + this.#rangeRowCount - 1
    return { path: this.#plan.file.path, firstRow: this.#firstRow, lastRow }
  }

  #batchOf(range: RowRange, columns: RequestColumn[]): WriteBatch {
    const keyCount = this.#target.entity.keys.length
    const columnBytes = columns.reduce((sum, column) => sum + bytesOfColumn(column), 0)
    if (columnBytes > messageBytesMax - messageOverheadBytes) {
      throw new LarderError(
        'resource_exhausted',
        `${range.path}, rows ${range.firstRow} to ${range.lastRow}: ${columnBytes} bytes are over the ` +
          `${messageBytesMax} of one message: use a smaller --batch-rows`,
      )
    }
    return {
      batchId: batchIdOf(this.#target, this.#plan, range),
      view: this.#target.view.name,
      schemaVersion: this.#target.view.schemaVersion,
      keys: columns.slice(0, keyCount),
      features: columns.slice(keyCount),
      eventTimesUs: BigInt64Array.from(this.#eventTimesUs),
    }
  }
}

/** Room for names, event times and tags beside the columns' own bytes. */
const messageOverheadBytes = 512 * 1024

export function bytesOfColumn({ values, status }: RequestColumn): number {
  const scalarBytes = (wire: NonNullable<typeof values>): number => {
    switch (wire.$case) {
      case 'var':
        return wire.value.data.byteLength + wire.value.lengths.byteLength
      case 'list':
        return (
          wire.value.lengths.byteLength +
          (wire.value.elements === undefined ? 0 : scalarBytes(wire.value.elements))
        )
      default:
        return wire.value.byteLength
    }
  }
  return status.byteLength + (values === undefined ? 0 : scalarBytes(values))
}

/** The same rows of the same bytes, loaded as the same thing, have the same id on every run. */
function batchIdOf(target: LoadTarget, plan: FilePlan, range: RowRange): string {
  const { view, eventTime } = target
  const time = eventTime.kind === 'column' ? eventTime.name : String(eventTime.atUs)
  const parts = [plan.file.digest, view.name, view.schemaVersion, view.generation, time]
  const digest = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)
  return `load-${digest}-${range.firstRow}-${range.lastRow}`
}
