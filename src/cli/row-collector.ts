/**
 * The rows of a planned file, as columns: what DuckDB reads, judged row by row.
 *
 * A row is bad, where a value did not convert; left out, where it is past retention; or kept. Only kept
 * rows become cells of columns, the others are counted.
 */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { assert } from '../assert.js'
import type { RequestColumn } from '../client/index.js'
import { LarderError } from '../errors.js'
import { badRowsToldMax } from '../limits.js'
import { type ColumnSink, createColumnSink, int64Items, statusItems } from './column-sink.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { unreadable } from './source-file.js'

export interface RowProblem {
  readonly path: string
  /** The row of the file, from 1. */
  readonly row: number
  readonly problem: string
}

/** The first bad rows, and how many there are. */
export interface BadRows {
  readonly badRows: readonly RowProblem[]
  readonly badRowCount: number
}

/** Rows `firstRow` to `lastRow` of a file, from 1, both included, and what became of them. */
export interface CollectedRows extends BadRows {
  readonly path: string
  readonly firstRow: number
  readonly lastRow: number
  /** Of the kept rows: join keys, then features. */
  readonly columns: readonly RequestColumn[]
  readonly eventTimesUs: BigInt64Array
  /** The kept rows' places in the file, from 1. */
  readonly fileRows: Uint32Array
  readonly leftOutCount: number
}

// Where a plan's statement has its columns.
const badFlagIndex = 0
const badReasonIndex = 1
const firstCellIndex = 2

/** Runs `sql`, a statement of `plan`. Errors: `bad_file` where DuckDB cannot go on reading. */
export async function* streamChunks(
  connection: DuckDBConnection,
  plan: FilePlan,
  sql: string,
): AsyncGenerator<DuckDBDataChunk> {
  try {
    const result = await connection.stream(sql)
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return
      yield chunk
    }
  } catch (error) {
    throw error instanceof LarderError ? error : unreadable(plan.file.path, error)
  }
}

/** Collects the rows of one file's chunks; `take` hands over those so far and goes on behind them. */
export class RowCollector {
  readonly #target: LoadTarget
  readonly #plan: FilePlan
  readonly #sinks: readonly ColumnSink[]
  #firstRow = 1
  #rowCount = 0
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

  /** Rows of the file since the last `take`, whatever became of them. */
  get rowCount(): number {
    return this.#rowCount
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
    this.#rowCount += to - from
  }

  take(): CollectedRows {
    const taken = {
      path: this.#plan.file.path,
      firstRow: this.#firstRow,
      lastRow: this.#firstRow + this.#rowCount - 1,
      columns: this.#sinks.map((sink) => sink.take()),
      eventTimesUs: BigInt64Array.from(this.#eventTimesUs),
      fileRows: Uint32Array.from(this.#fileRows),
      leftOutCount: this.#leftOutCount,
      badRows: this.#badRows,
      badRowCount: this.#badRowCount,
    }
    this.#firstRow += this.#rowCount
    this.#rowCount = 0
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
      const fileRow = this.#firstRow + this.#rowCount + row - from
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
    if (this.#badRows.length >= badRowsToldMax) return
    this.#badRows.push({ path: this.#plan.file.path, row, problem: String(reason) })
  }

  /** The planned columns that are cells of rows: all but the event time. */
  #cellColumns() {
    return this.#plan.columns.slice(this.#target.eventTime.kind === 'column' ? 1 : 0)
  }
}
