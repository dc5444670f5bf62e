/**
 * `larder load VIEW [FILES…]`: Parquet, CSV and JSONL files into a feature view.
 *
 * Every file is opened and checked before the first row is sent. A batch that is refused is told with
 * its bad rows and stores nothing, the others go on, and the exit code is 1. Running the same load again
 * completes what is missing: stored batches change nothing.
 */
import { dirname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { Command } from 'commander'
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import { batchRowsMax } from '../limits.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { type EventTime, type FilePlan, type LoadTarget, planFile } from './load-plan.js'
import { LoadTally, printRefusal, printSummary, summaryJson } from './load-tally.js'
import { formatCount, printJson } from './print.js'
import { openProgress } from './progress.js'
import { readProject } from './project.js'
import { readBatches } from './read-batches.js'
import { knownNames } from './service.js'
import { findFiles, openDuckdb, openSourceFile } from './source-file.js'

interface LoadOptions extends DaemonOptions {
  readonly batchRows: string
  readonly eventTime?: string
  readonly now?: boolean
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
  const { options } = load
  const batchRows = parseBatchRows(options.batchRows)
  const { tally, seconds } = await withClient(options, io, async (client) => {
    const target = await findTarget(client, load, io)
    const connection = await openDuckdb()
    try {
      const plans = await planFiles(connection, target, load, io)
      const startMs = io.clock.monotonicMs()
      const tally = await sendFiles({ client, connection, target, plans, batchRows }, io)
      return { tally, seconds: (io.clock.monotonicMs() - startMs) / 1000 }
    } finally {
      connection.closeSync()
    }
  })
  if (options.json) await printJson(io, summaryJson(load.viewName, tally, seconds))
  else await printSummary(io, load.viewName, tally, seconds)
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

async function findTarget(
  client: LarderClient,
  { viewName, options }: LoadArguments,
  io: CliIo,
): Promise<LoadTarget> {
  const [registry, status] = await Promise.all([client.registry(io.stop), client.status(io.stop)])
  const view = registry.views.find((candidate) => candidate.name === viewName)
  const entity = registry.entities.find((candidate) => candidate.name === view?.entity)
  if (view === undefined || entity === undefined) {
    const names = registry.views.map((candidate) => candidate.name)
    throw new LarderError('not_found', `there is no view "${viewName}"; ${knownNames(names)}`)
  }
  // Only the daemon's clock judges, and it may stand still.
  const nowUs = status.frozenClockUs === 0n ? io.clock.nowUs() : status.frozenClockUs
  const eventTime = eventTimeOf(view.sourceEventTime, nowUs, options)
  return { view, entity, eventTime, oldestUs: nowUs - view.retentionUs }
}

function eventTimeOf(sourceColumn: string, nowUs: bigint, options: LoadOptions): EventTime {
  if (options.now && options.eventTime !== undefined) {
    throw new LarderError('invalid_argument', '--now and --event-time exclude each other')
  }
  if (options.now) return { kind: 'instant', atUs: nowUs }
  const name = options.eventTime ?? sourceColumn
  if (name !== '') return { kind: 'column', name }
  throw new LarderError(
    'invalid_argument',
    'the view declares no source.event_time: name the column with --event-time, or use --now',
  )
}

/** Opens and checks every file before anything is sent. */
async function planFiles(
  connection: DuckDBConnection,
  target: LoadTarget,
  { patterns, options }: LoadArguments,
  io: CliIo,
): Promise<FilePlan[]> {
  const paths =
    patterns.length > 0
      ? await findFiles(connection, patterns, io.cwd)
      : await findSourceFiles(connection, target, options, io)
  const plans: FilePlan[] = []
  for (const path of paths) {
    plans.push(planFile(target, await openSourceFile(connection, path, io.stop)))
  }
  return plans
}

/** The files of the view's own source, relative to the folder that holds the definitions' folder. */
function findSourceFiles(
  connection: DuckDBConnection,
  { view }: LoadTarget,
  options: LoadOptions,
  io: CliIo,
): Promise<string[]> {
  if (view.sourcePath === '') {
    throw new LarderError(
      'invalid_argument',
      `view "${view.name}" declares no source: name the files to load`,
    )
  }
  const folder = dirname(readProject(options.config, io).featuresFolder)
  return findFiles(connection, [view.sourcePath], folder)
}

interface Sending {
  readonly client: LarderClient
  readonly connection: DuckDBConnection
  readonly target: LoadTarget
  readonly plans: readonly FilePlan[]
  readonly batchRows: number
}

async function sendFiles(sending: Sending, io: CliIo): Promise<LoadTally> {
  const { client, connection, target, plans, batchRows } = sending
  const tally = new LoadTally()
  const writer = client.openWriter()
  const progress = openProgress(io, 'rows', totalRowCount(plans))
  try {
    for (const plan of plans) {
      tally.addFile(plan.file.fileBytes)
      for await (const read of readBatches(connection, target, plan, batchRows)) {
        await writer.ready()
        assertNotStopped(io, tally)
        if (read.batch === undefined) tally.addUnsent(read)
        else tally.addWrite(read, read.batch, writer.write(read.batch))
        tally.throwIfFailed()
        progress.show(tally.readRowCount)
      }
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
