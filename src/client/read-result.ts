/**
 * Replies of GetFeatures -> typed results.
 *
 * Columns stay columns; `toRows` makes JS rows for those who want them. Every cell keeps its status:
 * a result never shows a missing value as a number.
 */
import type { GetFeaturesResponse, RowOrigin } from '../gen/larder/v1/serving.js'
import { type CellValue, type ResponseColumn, readColumn, readI64 } from './response-column.js'

export type Tier = 'near' | 'hot' | 'warm'

/** The tier of a TierName byte; undefined where no row was read. */
export function tierOf(code: number | undefined): Tier | undefined {
  return tiers[code ?? 0]
}

/** The codes of `TierName`; 0 says that no row was read. */
const tiers: readonly (Tier | undefined)[] = [undefined, 'near', 'hot', 'warm']

/** Where the rows of one view in one role came from. */
export interface RowsOrigin {
  readonly role: string
  readonly view: string
  /** Microseconds, one per row; 0 where no row was read. */
  readonly eventTimesUs: BigInt64Array
  tierAt(rowIndex: number): Tier | undefined
}

export interface FeaturesResult {
  readonly rowCount: number
  readonly columns: readonly ResponseColumn[]
  /** Filled on request (`includeRows`). */
  readonly origins: readonly RowsOrigin[]
  readonly registryVersion: bigint
  /** One object per row, its keys the columns' names; null where a cell has no value. */
  toRows(): Record<string, CellValue>[]
}

export function readFeatures(response: GetFeaturesResponse): FeaturesResult {
  const { rowCount } = response
  const columns = response.columns.map((wire) => readColumn(wire, rowCount))
  return Object.freeze({
    rowCount,
    columns,
    origins: response.rows.map(readRowsOrigin),
    registryVersion: response.registryVersion,
    toRows: () =>
      Array.from({ length: rowCount }, (_, rowIndex) =>
        Object.fromEntries(columns.map((column) => [column.name, column.valueAt(rowIndex)])),
      ),
  })
}

function readRowsOrigin(origin: RowOrigin): RowsOrigin {
  return Object.freeze({
    role: origin.role,
    view: origin.view,
    eventTimesUs: readI64(origin.eventTimes),
    tierAt: (rowIndex: number) => tierOf(origin.tiers[rowIndex]),
  })
}
