/**
 * The batches of a load, their names, and where each of their rows came from. Pure.
 *
 * What is loaded as what names a batch, so that loading the same files again sends the same batches,
 * which change nothing that is stored.
 */
import { createHash } from 'node:crypto'
import type { RequestColumn, WriteBatch } from '../client/index.js'
import { LarderError } from '../errors.js'
import { messageBytesMax } from '../limits.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import type { CollectedRows, RowProblem } from './row-collector.js'
import { bytesOfColumn } from './row-columns.js'

/** A batch, and how to tell about its rows. */
export interface LoadBatch {
  readonly batch: WriteBatch
  readonly origin: RowsOrigin
  /** The file and the row in it, from 1, of a row of the batch. */
  readonly placeOf: (rowIndex: number) => Pick<RowProblem, 'path' | 'row'>
}

/** Rows that are sent or refused together: a range of a file, or rows sorted out of all files. */
export interface RowsOrigin {
  /** `PATH, rows 4 to 6`. */
  readonly title: string
  /** Of a range only. */
  readonly range: Pick<CollectedRows, 'path' | 'firstRow' | 'lastRow'> | undefined
}

export function originOfRange({ path, firstRow, lastRow }: CollectedRows): RowsOrigin {
  return {
    title: `${path}, rows ${firstRow} to ${lastRow}`,
    range: { path, firstRow, lastRow },
  }
}

/** What batches of every kind are made from. */
export interface BatchParts {
  readonly batchId: string
  /** Join keys, then features. */
  readonly columns: readonly RequestColumn[]
  readonly eventTimesUs: BigInt64Array
  readonly sequence: bigint | undefined
}

/** Error `resource_exhausted` where the rows are more than one message may carry. */
export function batchOf(target: LoadTarget, title: string, parts: BatchParts): WriteBatch {
  const { batchId, columns, eventTimesUs, sequence } = parts
  const columnBytes = columns.reduce((sum, column) => sum + bytesOfColumn(column), 0)
  if (columnBytes > messageBytesMax - messageOverheadBytes) {
    throw new LarderError(
      'resource_exhausted',
      `${title}: ${columnBytes} bytes are over the ${messageBytesMax} of one message: ` +
        'use a smaller --batch-rows',
    )
  }
  const keyCount = target.keyTypes.length
  return {
    batchId,
    view: target.view.name,
    schemaVersion: target.view.schemaVersion,
    keys: columns.slice(0, keyCount),
    features: columns.slice(keyCount),
    eventTimesUs,
    ...(sequence === undefined ? {} : { sequence }),
  }
}

/** Room for names, event times and tags beside the columns' own bytes. */
const messageOverheadBytes = 512 * 1024

/** The kept rows of a range as one batch. */
export function batchOfRange(
  target: LoadTarget,
  plan: FilePlan,
  sequence: bigint | undefined,
  rows: CollectedRows,
): LoadBatch {
  const { path, firstRow, lastRow, columns, eventTimesUs, fileRows } = rows
  const origin = originOfRange(rows)
  const batchId = `load-${digestOf(target, [plan.file.digest])}-${firstRow}-${lastRow}`
  return {
    batch: batchOf(target, origin.title, { batchId, columns, eventTimesUs, sequence }),
    origin,
    placeOf: (rowIndex) => ({ path, row: fileRows[rowIndex] ?? 0 }),
  }
}

/** Names files that are loaded together as the same thing, on every run. */
export function loadIdOf(target: LoadTarget, plans: readonly FilePlan[]): string {
  return `load-${digestOf(
    target,
    plans.map(({ file }) => file.digest),
  )}`
}

function digestOf({ view, eventTime }: LoadTarget, fileDigests: readonly string[]): string {
  const time = eventTime.kind === 'column' ? eventTime.name : String(eventTime.atUs)
  const parts = [...fileDigests, view.name, view.schemaVersion, view.generation, time]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)
}
