/**
 * What became of a load's rows, and how it is told.
 */
import type { WriteAck, WriteBatch } from '../client/index.js'
import type { CliIo } from './cli-io.js'
import type { JsonInput } from './json-text.js'
import { colorsOf, formatCount, printLine } from './print.js'
import { bytesOfColumn, type ReadBatch, type RowProblem, type RowRange } from './read-batches.js'

/** A range of rows of which nothing was stored. */
export interface Refusal {
  readonly range: RowRange
  readonly message: string
  readonly badRows: readonly RowProblem[]
  readonly badRowCount: number
}

/** Counts as acknowledgements come in, in any order. */
export class LoadTally {
  readonly refusals: Refusal[] = []
  readRowCount = 0
  storedRowCount = 0
  /** Older than, or the same as, what was stored already. */
  supersededRowCount = 0
  leftOutRowCount = 0
  refusedRowCount = 0
  /** Acknowledged as durable, but not visible to every reader when the acknowledgement was sent. */
  invisibleRowCount = 0
  readBytes = 0
  sentBytes = 0
  readonly #writes: Promise<void>[] = []
  #failure: unknown

  addFile(fileBytes: number): void {
    this.readBytes += fileBytes
  }

  /** A range that was not sent: bad rows, or nothing within retention. */
  addUnsent(read: ReadBatch): void {
    this.readRowCount += rowCountOf(read.range)
    this.leftOutRowCount += read.leftOutCount
    if (read.badRowCount === 0) return
    const message = `${formatCount(read.badRowCount, 'bad row')}: nothing of these rows was sent`
    this.#refuse({ ...read, message })
  }

  addWrite(read: ReadBatch, batch: WriteBatch, write: Promise<WriteAck>): void {
    this.readRowCount += rowCountOf(read.range)
    this.leftOutRowCount += read.leftOutCount
    for (const column of [...batch.keys, ...batch.features]) {
      this.sentBytes += bytesOfColumn(column)
    }
    this.#writes.push(
      write.then(
        (ack) => this.#acknowledge(read, ack),
        (error: unknown) => {
          this.#failure ??= error
        },
      ),
    )
  }

  /** Resolves when every write is acknowledged or failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes)
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #acknowledge(read: ReadBatch, ack: WriteAck): void {
    if (ack.error !== undefined) {
      const badRows = ack.badRows.map(({ index, column, reason }) => ({
        row: read.fileRows[index] ?? 0,
        problem: column === '' ? reason : `column "${column}": ${reason}`,
      }))
      const message = `${ack.error.code}: ${ack.error.message}`
      this.#refuse({ range: read.range, message, badRows, badRowCount: ack.badRowCount })
      return
    }
    this.storedRowCount += ack.storedCount
    this.supersededRowCount += ack.rowCount - ack.storedCount
    if (!ack.visible) this.invisibleRowCount += ack.rowCount
  }

  #refuse({ range, message, badRows, badRowCount }: Refusal): void {
    this.refusals.push({ range, message, badRows, badRowCount })
    this.refusedRowCount += rowCountOf(range)
  }
}

function rowCountOf({ firstRow, lastRow }: RowRange): number {
  return lastRow - firstRow + 1
}

/** Bad rows shown of one batch: the first say what is wrong, `--json` has more. */
const badRowsShownMax = 5

export async function printRefusal(io: CliIo, refusal: Refusal): Promise<void> {
  const { range, message, badRows, badRowCount } = refusal
  const colors = colorsOf(io, io.stderr)
  const where = `${range.path}, rows ${range.firstRow} to ${range.lastRow}`
  const shown = badRows.slice(0, badRowsShownMax)
  const lines = [
    `${colors.red('refused')} ${where}: ${message}`,
    ...shown.map(({ row, problem }) => `  row ${row}: ${problem}`),
  ]
  if (badRowCount > shown.length) lines.push(`  and ${badRowCount - shown.length} more`)
  await io.stderr.write(`${lines.join('\n')}\n`)
}

export async function printSummary(
  io: CliIo,
  viewName: string,
  tally: LoadTally,
  seconds: number,
): Promise<void> {
  const rate = Math.round(tally.readRowCount / seconds)
  await printLine(
    io,
    `${viewName}: ${formatCount(tally.readRowCount, 'row')} read in ${seconds.toFixed(2)} s ` +
      `(${formatCount(rate, 'row')}/s, ${formatCount(tally.sentBytes, 'byte')} of columns sent)`,
  )
  const counts = [
    [tally.storedRowCount, 'stored'],
    [tally.supersededRowCount, 'not newer than what was there'],
    [tally.leftOutRowCount, 'past retention, left out'],
    [
      tally.refusedRowCount,
      'refused, see why above: run the same load again once that is corrected',
    ],
    [tally.invisibleRowCount, 'durable, not yet visible everywhere'],
  ] as const
  for (const [count, what] of counts) {
    if (count > 0 || what === 'stored') {
      await printLine(io, `  ${count.toLocaleString('en-US')} ${what}`)
    }
  }
}

export function summaryJson(viewName: string, tally: LoadTally, seconds: number): JsonInput {
  return {
    view: viewName,
    row_count: tally.readRowCount,
    stored_count: tally.storedRowCount,
    superseded_count: tally.supersededRowCount,
    left_out_count: tally.leftOutRowCount,
    refused_count: tally.refusedRowCount,
    invisible_count: tally.invisibleRowCount,
    seconds,
    rows_per_second: Math.round(tally.readRowCount / seconds),
    read_bytes: tally.readBytes,
    sent_bytes: tally.sentBytes,
    refusals: tally.refusals.map(({ range, message, badRows, badRowCount }) => ({
      file: range.path,
      first_row: range.firstRow,
      last_row: range.lastRow,
      message,
      bad_row_count: badRowCount,
      bad_rows: badRows.map(({ row, problem }) => ({ row, problem })),
    })),
  }
}
