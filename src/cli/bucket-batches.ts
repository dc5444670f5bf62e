/**
 * Batches of a load into a view whose hot rows share buckets: a bucket at a time.
 *
 * Redis keeps a bucket small and whole where its rows are written together, once. So rows are gathered,
 * as many as memory allows, sorted by bucket, and cut into batches between buckets. The sort is stable:
 * of two rows of one entity at one time the later one stays behind the other.
 */
import { assert } from '../assert.js'
import { encodeEntityKeys } from '../codec/entity-key.js'
import { bucketOf } from '../codec/store-key.js'
import { LarderError } from '../errors.js'
import { bulkSortBytesMax, bulkSortRowsMax } from '../limits.js'
import { parseColumns } from '../server/messages.js'
import { type BatchParts, batchOf, type LoadBatch, loadIdOf } from './load-batch.js'
import type { FilePlan, LoadTarget } from './load-plan.js'
import { formatCount } from './print.js'
import type { BadRows, CollectedRows, RowProblem } from './row-collector.js'
import { bytesOfColumn, concatColumns, createRowTaker, type TakeRows } from './row-columns.js'

export interface BucketOptions {
  readonly target: LoadTarget
  readonly plans: readonly FilePlan[]
  readonly sequence: bigint | undefined
  readonly batchRows: number
  readonly bucketSeed: bigint
  /** What is sorted at once, give or take a range. */
  readonly part: PartLimits
}

export interface PartLimits {
  readonly rowCountMax: number
  readonly columnBytesMax: number
}

export const partLimits: PartLimits = Object.freeze({
  rowCountMax: bulkSortRowsMax,
  columnBytesMax: bulkSortBytesMax,
})

interface BucketedRows {
  readonly rows: CollectedRows
  /** The bucket of each row. */
  readonly buckets: Uint32Array
}

export class BucketBatcher {
  readonly #options: BucketOptions
  readonly #idPrefix: string
  #gathered: BucketedRows[] = []
  #rowCount = 0
  #columnBytes = 0
  #partNumber = 1

  constructor(options: BucketOptions) {
    const { target, plans } = options
    this.#options = options
    this.#idPrefix = `${loadIdOf(target, plans)}-b${target.view.bucketCount}`
  }

  /** Takes a range's rows, unless keys among them are bad. */
  add(rows: CollectedRows): BadRows | undefined {
    const { keyTypes, view } = this.#options.target
    const rowCount = rows.eventTimesUs.length
    if (rowCount === 0) return undefined
    const keyColumns = parseColumns(rows.columns.slice(0, keyTypes.length), 'join key')
    const keys = encodeEntityKeys(keyTypes, keyColumns, rowCount)
    if ('problems' in keys) {
      const badRows = keys.problems.map(({ rowIndex, column, reason }) => ({
        path: rows.path,
        row: rows.fileRows[rowIndex] ?? 0,
        problem: `column "${column}": ${reason}`,
      }))
      return { badRows, badRowCount: keys.problemCount }
    }
    const buckets = bucketOf(keys, view.bucketCount, this.#options.bucketSeed)
    this.#gathered.push({ rows, buckets })
    this.#rowCount += rowCount
    this.#columnBytes += rows.columns.reduce((sum, column) => sum + bytesOfColumn(column), 0)
    return undefined
  }

  /** Are there as many rows as are sorted at once? Then `take` is due before more is added. */
  get isFull(): boolean {
    const { part, batchRows } = this.#options
    const hasRoom = this.#rowCount + batchRows <= part.rowCountMax
    return !hasRoom || this.#columnBytes >= part.columnBytesMax
  }

  /** Yields the batches of all rows since the last `take`. */
  *take(): Generator<LoadBatch> {
    const part = this.#sortGathered()
    if (part === undefined) return
    const { target, sequence, batchRows } = this.#options
    for (const { first, end } of cutBetweenBuckets(part.order, part.buckets, batchRows)) {
      const rows = part.order.subarray(first, end)
      const count = formatCount(rows.length, 'row')
      const title = `${count} that share buckets (part ${part.number}, from ${first + 1})`
      const parts: BatchParts = {
        batchId: `${this.#idPrefix}-p${part.number}-${first + 1}-${end}`,
        columns: part.takers.map((takeRows) => takeRows(rows)),
        eventTimesUs: BigInt64Array.from(rows, (row) => part.eventTimesUs[row] ?? 0n),
        sequence,
      }
      yield {
        batch: batchOf(target, title, parts),
        origin: { title, range: undefined },
        placeOf: (rowIndex) => findPlace(part.places, rows[rowIndex] ?? 0),
      }
    }
  }

  /** Not part of `take`, whose frame would hold the ranges while their rows are sent. */
  #sortGathered(): SortedPart | undefined {
    const gathered = this.#gathered
    const [first] = gathered
    if (first === undefined) return undefined
    const number = this.#partNumber
    this.#gathered = []
    this.#rowCount = 0
    this.#columnBytes = 0
    this.#partNumber += 1
    const buckets = new Uint32Array(concatCells(gathered.map((piece) => piece.buckets)))
    return {
      number,
      buckets,
      order: orderByBucket(buckets),
      takers: first.rows.columns.map((_, index) => {
        const pieces = gathered.flatMap(({ rows }) => rows.columns.slice(index, index + 1))
        return createRowTaker(concatColumns(pieces))
      }),
      eventTimesUs: new BigInt64Array(concatCells(gathered.map(({ rows }) => rows.eventTimesUs))),
      places: gathered.map(({ rows: { path, fileRows } }) => ({ path, fileRows })),
    }
  }
}

/** Rows of as many ranges as are sorted at once; they are numbered as they were read. */
interface SortedPart {
  /** From 1. */
  readonly number: number
  readonly buckets: Uint32Array
  readonly order: Uint32Array
  readonly takers: readonly TakeRows[]
  readonly eventTimesUs: BigInt64Array
  readonly places: readonly Pick<CollectedRows, 'path' | 'fileRows'>[]
}

/** The rows in order of their buckets; rows of one bucket keep theirs. */
export function orderByBucket(buckets: Uint32Array): Uint32Array {
  assert(buckets.length <= rowsPerSort, 'a bucket and a row number fit the 53 bits of a double')
  const sorted = Float64Array.from(buckets, (bucket, row) => bucket * rowsPerSort + row).sort()
  return Uint32Array.from(sorted, (key) => key % rowsPerSort)
}

const rowsPerSort = 2 ** 21
assert(bulkSortRowsMax <= rowsPerSort, 'every part can be sorted')

interface Cut {
  readonly first: number
  readonly end: number
}

/** Cuts of at most `batchRows` rows; within a bucket only where it has more rows than that. */
export function* cutBetweenBuckets(
  order: Uint32Array,
  buckets: Uint32Array,
  batchRows: number,
): Generator<Cut> {
  const bucketAt = (rank: number) => buckets[order[rank] ?? 0]
  for (let first = 0; first < order.length; ) {
    let end = Math.min(first + batchRows, order.length)
    let border = end
    while (end < order.length && border > first && bucketAt(border - 1) === bucketAt(end))
      border -= 1
    if (border > first) end = border
    yield { first, end }
    first = end
  }
}

/** The file of a row of a part, and the row in it. */
function findPlace(
  places: SortedPart['places'],
  partRow: number,
): Pick<RowProblem, 'path' | 'row'> {
  let index = partRow
  for (const { path, fileRows } of places) {
    const row = fileRows[index]
    if (row !== undefined) return { path, row }
    index -= fileRows.length
  }
  throw new LarderError('internal', `row ${partRow} is not one of its part`)
}

function concatCells(pieces: readonly (Uint32Array | BigInt64Array)[]): ArrayBuffer {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), offset)
    offset += piece.byteLength
  }
  return joined.buffer
}
