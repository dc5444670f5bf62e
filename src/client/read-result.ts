/**
 * Replies of GetFeatures and Predict -> typed results.
 *
 * Columns stay columns; `toRows` makes JS rows for those who want them. Every cell keeps its status:
 * a result never shows a missing value as a number.
 */
import { assert } from '../assert.js'
import type { CellStatusName } from '../column.js'
import type {
  GetFeaturesResponse,
  InputOrigin,
  Prediction,
  PredictResponse,
  RowOrigin,
} from '../gen/larder/v1/serving.js'
import {
  type CellValue,
  type ResponseColumn,
  readColumn,
  readF64,
  readI64,
  readStatus,
} from './response-column.js'

export type Tier = 'near' | 'hot' | 'warm'

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

/** Where the value of a model's input came from. */
export type ValueSource = 'given' | 'stored' | 'modelDefault' | 'viewDefault' | 'missing'

/** One input of a model, row by row, as the model saw it. */
export interface InputResult {
  readonly input: string
  /** The feature or request value that it reads. */
  readonly feature: string
  /** NaN is missing; categories are the model's codes. */
  readonly values: Float64Array
  readonly eventTimesUs: BigInt64Array
  sourceAt(rowIndex: number): ValueSource
  /** What the store said; undefined where it was not asked. */
  statusAt(rowIndex: number): CellStatusName | undefined
  tierAt(rowIndex: number): Tier | undefined
}

/** How many cells of a model's inputs had no value of their own, by what stood in. */
export interface DefaultCounts {
  readonly modelDefaultCount: number
  readonly viewDefaultCount: number
  readonly missingCount: number
  /** Of all these, the cells that were UNAVAILABLE. */
  readonly unavailableCount: number
}

export interface PredictionResult {
  readonly model: string
  readonly version: string
  /** Scores per row: 1, or the number of classes. */
  readonly outputCount: number
  /** Row by row, `outputCount` each. */
  readonly scores: Float64Array
  readonly defaults: DefaultCounts
  /** Filled on request (`explain`). */
  readonly inputs: readonly InputResult[]
  scoresAt(rowIndex: number): Float64Array
}

export interface PredictResult {
  readonly rowCount: number
  readonly predictions: readonly PredictionResult[]
  readonly registryVersion: bigint
}

export function readPredictions(response: PredictResponse): PredictResult {
  return Object.freeze({
    rowCount: response.rowCount,
    predictions: response.predictions.map(readPrediction),
    registryVersion: response.registryVersion,
  })
}

function readPrediction(prediction: Prediction): PredictionResult {
  const { model, version, outputCount, defaults } = prediction
  const scores = readF64(prediction.scores)
  return Object.freeze({
    model,
    version,
    outputCount,
    scores,
    defaults: {
      modelDefaultCount: defaults?.modelDefault ?? 0,
      viewDefaultCount: defaults?.viewDefault ?? 0,
      missingCount: defaults?.missing ?? 0,
      unavailableCount: defaults?.unavailable ?? 0,
    },
    inputs: prediction.inputs.map(readInput),
    scoresAt: (rowIndex: number) =>
      scores.subarray(rowIndex * outputCount, (rowIndex + 1) * outputCount),
  })
}

/** The codes of `ValueOrigin`, which start at 1. */
const valueSources: readonly (ValueSource | undefined)[] = [
  undefined,
  'given',
  'stored',
  'modelDefault',
  'viewDefault',
  'missing',
]
/** The codes of `TierName`; 0 says that no row was read. */
const tiers: readonly (Tier | undefined)[] = [undefined, 'near', 'hot', 'warm']

function readInput(origin: InputOrigin): InputResult {
  return Object.freeze({
    input: origin.input,
    feature: origin.feature,
    values: readF64(origin.values),
    eventTimesUs: readI64(origin.eventTimes),
    sourceAt(rowIndex: number) {
      const source = valueSources[origin.origins[rowIndex] ?? 0]
      assert(source !== undefined, `row ${rowIndex} of input "${origin.input}" has an origin`)
      return source
    },
    statusAt: (rowIndex: number) => readStatus(origin.statuses[rowIndex]),
    tierAt: (rowIndex: number) => tiers[origin.tiers[rowIndex] ?? 0],
  })
}

function readRowsOrigin(origin: RowOrigin): RowsOrigin {
  return Object.freeze({
    role: origin.role,
    view: origin.view,
    eventTimesUs: readI64(origin.eventTimes),
    tierAt: (rowIndex: number) => tiers[origin.tiers[rowIndex] ?? 0],
  })
}
