/**
 * What became of a load's rows, and how it is told.
 */
import type { WriteAck } from '../client/index.js'
import type { CliIo } from './cli-io.js'
import type { JsonInput } from './json-text.js'
import { type LoadBatch, originOfRange, type RowsOrigin } from './load-batch.js'
import { colorsOf, formatCount, printLine } from './print.js'
import type { BadRows, CollectedRows, RowProblem } from './row-collector.js'
import { bytesOfColumn } from './row-columns.js'

/** Rows of which nothing was stored. */
export interface Refusal extends BadRows {
  readonly origin: RowsOrigin
  readonly rowCount: number
  readonly message: string
}

/** Counts as acknowledgements come in, in any order. */
export class LoadTally {
  readonly refusals: Refusal[] = []
  readRowCount = 0
  /** Sent, or found not to be sent. */
  handledRowCount = 0
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

  /** A range that was read: its rows are refused, or those that are not left out will be sent. */
  addRange(range: CollectedRows, bad: BadRows | undefined): void {
    const rowCount = range.lastRow - range.firstRow + 1
    this.readRowCount += rowCount
    if (bad === undefined) {
      this.leftOutRowCount += range.leftOutCount
      this.handledRowCount += range.leftOutCount
      return
    }
    this.handledRowCount += rowCount
    const message = `${formatCount(bad.badRowCount, 'bad row')}: nothing of these rows was sent`
    this.#refuse({ ...bad, origin: originOfRange(range), rowCount, message })
  }

  addWrite(sent: LoadBatch, write: Promise<WriteAck>): void {
    const { batch } = sent
    this.handledRowCount += batch.eventTimesUs.length
    for (const column of [...batch.keys, ...batch.features]) {
      this.sentBytes += bytesOfColumn(column)
    }
    this.#writes.push(
      write.then(
        (ack) => this.#acknowledge(sent, ack),
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

  #acknowledge({ batch, origin, placeOf }: LoadBatch, ack: WriteAck): void {
    if (ack.error !== undefined) {
      const badRows = ack.badRows.map(({ index, column, reason }) => ({
        ...placeOf(index),
        problem: column === '' ? reason : `column "${column}": ${reason}`,
      }))
      const message = `${ack.error.code}: ${ack.error.message}`
      const rowCount = batch.eventTimesUs.length
      this.#refuse({ origin, rowCount, message, badRows, badRowCount: ack.badRowCount })
      return
    }
    this.storedRowCount += ack.storedCount
    this.supersededRowCount += ack.rowCount - ack.storedCount
    if (!ack.visible) this.invisibleRowCount += ack.rowCount
  }

  #refuse({ origin, rowCount, message, badRows, badRowCount }: Refusal): void {
    this.refusals.push({ origin, rowCount, message, badRows, badRowCount })
    this.refusedRowCount += rowCount
  }
}

/** Bad rows shown of one batch: the first say what is wrong, `--json` has more. */
const badRowsShownMax = 5

export async function printRefusal(io: CliIo, refusal: Refusal): Promise<void> {
  const { origin, message, badRows, badRowCount } = refusal
  const colors = colorsOf(io, io.stderr)
  const shown = badRows.slice(0, badRowsShownMax)
  const where = origin.range === undefined ? ({ path }: RowProblem) => ` of ${path}` : () => ''
  const lines = [
    `${colors.red('refused')} ${origin.title}: ${message}`,
    ...shown.map((bad) => `  row ${bad.row}${where(bad)}: ${bad.problem}`),
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

export function summaryJson(
  viewName: string,
  tally: LoadTally,
  seconds: number,
): Readonly<Record<string, JsonInput>> {
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
    refusals: tally.refusals.map(({ origin, rowCount, message, badRows, badRowCount }) => ({
      file: origin.range?.path ?? null,
      first_row: origin.range?.firstRow ?? null,
      last_row: origin.range?.lastRow ?? null,
      row_count: rowCount,
      message,
      bad_row_count: badRowCount,
      bad_rows: badRows.map(({ path, row, problem }) => ({ file: path, row, problem })),
    })),
  }
}
