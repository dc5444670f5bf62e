/**
 * `larder load VIEW [FILES…]`: Parquet, CSV and JSONL files into a feature view.
 *
 * Every file is opened and checked before the first row is sent, and what large ones teach about their
 * rows is registered. A batch that is refused is told with its bad rows and stores nothing, the others
 * go on, and the exit code is 1. Running the same load again completes what is missing: stored batches
 * change nothing.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Command } from 'commander'
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import { batchRowsMax } from '../limits.js'
import { BucketBatcher, partLimits } from './bucket-batches.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { batchOfRange, type LoadBatch } from './load-batch.js'
import { encodingJson, encodingText, type LoadEncoding, learnEncoding } from './load-encoding.js'
import type { FilePlan } from './load-plan.js'
import { LoadTally, printRefusal, printSummary, summaryJson } from './load-tally.js'
import { type EventTimeOptions, type FoundTarget, findTarget } from './load-target.js'
import { planFiles } from './plan-files.js'
import { formatCount, printJson, printLine } from './print.js'
import { openProgress } from './progress.js'
import { readRanges } from './read-ranges.js'
import { openDuckdb } from './source-file.js'

interface LoadOptions extends DaemonOptions, EventTimeOptions {
  readonly batchRows: string
  readonly learn: boolean
}

/** Half the daemon's bound: rows/s no longer rises from here on, memory does. */
const batchRowsDefault = 5000

export function addLoadCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('load'))
    .description('Load Parquet, CSV or JSONL files into a feature view')
    .argument('<view>', 'the feature view')
    .argument('[files...]', "files or globs (default: the view's source)")
    .option('--batch-rows <n>', 'rows of one batch', String(batchRowsDefault))
    .option('--event-time <column>', "the column of event times (default: the view's source's)")
    .option('--now', 'the rows are as of now: the file has no event times')
    .option('--no-learn', 'write rows as the view has them now: learn nothing from the files')
    .action((view: string, files: string[], options: LoadOptions) =>
      load({ viewName: view, patterns: files, options }, context),
    )
}

interface LoadArguments {
  readonly viewName: string
  readonly patterns: readonly string[]
  readonly options: LoadOptions
}

async function load(load: LoadArguments, { io, markFailed }: CommandContext): Promise<void> {
  const { viewName, options } = load
  const batchRows = parseBatchRows(options.batchRows)
  const { tally, encoding, seconds } = await withClient(options, io, async (client) => {
    const found = await findTarget(client, viewName, options, io)
    const connection = await openDuckdb()
    try {
      const plans = await planFiles(
        connection,
        found.target,
        { patterns: load.patterns, config: options.config },
        io,
      )
      const startMs = io.clock.monotonicMs()
      const files = { client, connection, target: found.target, plans }
      const encoding = options.learn ? await learnEncoding(files, io) : undefined
      if (encoding !== undefined && !options.json) await printLine(io, encodingText(encoding))
      const tally = await sendFiles({ ...files, ...found, encoding, batchRows }, io)
      return { tally, encoding, seconds: (io.clock.monotonicMs() - startMs) / 1000 }
    } finally {
      connection.closeSync()
    }
  })
  if (options.json) {
    await printJson(io, {
      ...summaryJson(viewName, tally, seconds),
      encoding: encoding === undefined ? null : encodingJson(encoding),
    })
  } else {
    await printSummary(io, viewName, tally, seconds)
  }
  if (tally.refusals.length > 0) markFailed()
}

function parseBatchRows(text: string): number {
  const batchRows = Number(text)
  if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > batchRowsMax) {
    throw new LarderError(
      'invalid_argument',
      `--batch-rows "${text}" is not a whole number from 1 to ${batchRowsMax}`,
    )
  }
  return batchRows
}

interface Sending extends FoundTarget {
  readonly client: LarderClient
  readonly connection: DuckDBConnection
  readonly plans: readonly FilePlan[]
  readonly encoding: LoadEncoding | undefined
  readonly batchRows: number
}

async function sendFiles(sending: Sending, io: CliIo): Promise<LoadTally> {
  const tally = new LoadTally()
  const writer = sending.client.openWriter()
  const progress = openProgress(io, 'rows', totalRowCount(sending.plans))
  try {
    for await (const loaded of readLoadBatches(sending, tally)) {
      await writer.ready()
      assertNotStopped(io, tally)
      if (loaded !== undefined) tally.addWrite(loaded, writer.write(loaded.batch))
      tally.throwIfFailed()
      progress.show(tally.handledRowCount)
    }
    await tally.settled()
    await writer.close()
    tally.throwIfFailed()
  } finally {
    writer.abort()
    progress.close()
  }
  for (const refusal of tally.refusals) await printRefusal(io, refusal)
  return tally
}

/** Yields what is to be sent, and undefined after a range that was read and is not sent, or not yet. */
async function* readLoadBatches(
  sending: Sending,
  tally: LoadTally,
): AsyncGenerator<LoadBatch | undefined> {
  const { connection, target, plans, batchRows } = sending
  const sequence = sending.encoding?.sequence
  const batcher =
    target.view.packing === 'bucket'
      ? new BucketBatcher({ ...sending, sequence, part: partLimits })
      : undefined
  for (const plan of plans) {
    tally.addFile(plan.file.fileBytes)
    for await (const range of readRanges(connection, target, plan, batchRows)) {
      const bad = range.badRowCount > 0 ? range : batcher?.add(range)
      tally.addRange(range, bad)
      const isSent = bad === undefined && range.fileRows.length > 0
      if (batcher?.isFull) yield* batcher.take()
      else if (batcher !== undefined || !isSent) yield undefined
      else yield batchOfRange(target, plan, sequence, range)
    }
  }
  if (batcher !== undefined) yield* batcher.take()
}

function assertNotStopped({ stop }: CliIo, tally: LoadTally): void {
  if (!stop.aborted) return
  const rowCount = tally.storedRowCount + tally.supersededRowCount
  throw new LarderError(
    'cancelled',
    `interrupted after ${formatCount(rowCount, 'acknowledged row')}: run the same load again for the rest`,
  )
}

function totalRowCount(plans: readonly FilePlan[]): number | undefined {
  let rowCount = 0
  for (const { file } of plans) {
    if (file.rowCount === undefined) return undefined
    rowCount += file.rowCount
  }
  return rowCount
}
