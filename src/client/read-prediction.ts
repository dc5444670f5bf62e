/**
 * Replies of Predict -> typed results.
 *
 * Scores and explained inputs stay columns, a row's share is a view of them. A model without an answer
 * has no scores: a result never shows an error as a number.
 */
import { assert } from '../assert.js'
import type { CellStatusName } from '../column.js'
import type { InputOrigin, Prediction, PredictResponse } from '../gen/larder/v1/serving.js'
import { type Tier, tierOf } from './read-result.js'
import { readF64, readI64, readStatus, readU32, startsOf } from './response-column.js'

/** Where the value of a model's input came from. */
export type ValueSource = 'given' | 'stored' | 'modelDefault' | 'viewDefault' | 'missing'

/** One input of a model, row by row, as the model saw it. */
export interface InputResult {
  readonly input: string
  /** The feature or request value that it reads. */
  readonly feature: string
  /**
   * One number a row: NaN is missing; categories are the model's codes. Of a list or an embedding the
   * elements of all rows, or of the one list that all rows share: `valuesAt` has those of a row.
   */
  readonly values: Float64Array
  /** A list or an embedding. */
  readonly isList: boolean
  /** The numbers of a row: one, or the elements; those of texts are equal where the texts are. */
  valuesAt(rowIndex: number): Float64Array
  /** The texts that a row's numbers stand for; undefined where they are numbers themselves. */
  textsAt(rowIndex: number): readonly string[] | undefined
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

/** Why one model of a request did not answer, under `keepGoing`. */
export interface PredictionError {
  /** The daemon's own code, such as `not_found` or `bad_model`. */
  readonly code: string
  /** Names the thing, the value and the bound. */
  readonly message: string
}

/** What each input adds to the raw scores. */
export interface ContributionsResult {
  /** The model's names of its inputs, in their order. */
  readonly inputs: readonly string[]
  /** By row, then output, then input; after the inputs what the model expects without knowing any. */
  readonly values: Float64Array
  /** Of one raw score: one value per input, then the expected value; together they are the raw score. */
  at(rowIndex: number, outputIndex?: number): Float64Array
}

export interface PredictionResult {
  readonly model: string
  /** Empty where the model could not be found or bound. */
  readonly version: string
  /** Set where the model did not answer (`keepGoing`): then there are no scores. */
  readonly error: PredictionError | undefined
  /** Scores per row: 1, or the number of classes. */
  readonly outputCount: number
  /** Row by row, `outputCount` each. */
  readonly scores: Float64Array
  /** Set on request (`contributions`). */
  readonly contributions: ContributionsResult | undefined
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
  const { model, version, outputCount, defaults, error, texts } = prediction
  const scores = readF64(prediction.scores)
  return Object.freeze({
    model,
    version,
    error: error === undefined ? undefined : { code: error.code, message: error.message },
    outputCount,
    scores,
    contributions: readContributions(prediction),
    defaults: {
      modelDefaultCount: defaults?.modelDefault ?? 0,
      viewDefaultCount: defaults?.viewDefault ?? 0,
      missingCount: defaults?.missing ?? 0,
      unavailableCount: defaults?.unavailable ?? 0,
    },
    inputs: prediction.inputs.map((origin) => readInput(origin, texts)),
    scoresAt: (rowIndex: number) =>
      scores.subarray(rowIndex * outputCount, (rowIndex + 1) * outputCount),
  })
}

function readContributions(prediction: Prediction): ContributionsResult | undefined {
  const { outputCount, contributionInputs } = prediction
  // Even without inputs each score has the expected value.
  if (prediction.contributions.byteLength === 0) return undefined
  const values = readF64(prediction.contributions)
  const width = contributionInputs.length + 1
  return Object.freeze({
    inputs: [...contributionInputs],
    values,
    at(rowIndex: number, outputIndex = 0) {
      const start = (rowIndex * outputCount + outputIndex) * width
      return values.subarray(start, start + width)
    },
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
function readInput(origin: InputOrigin, texts: readonly string[]): InputResult {
  const values = readF64(origin.values)
  const spanOf = createSpans(origin)
  const valuesAt = (rowIndex: number) => values.subarray(...spanOf(rowIndex))
  return Object.freeze({
    input: origin.input,
    feature: origin.feature,
    values,
    isList: origin.lengths.byteLength > 0,
    valuesAt,
    textsAt: (rowIndex: number) =>
      origin.texts ? Array.from(valuesAt(rowIndex), (index) => texts[index] ?? '') : undefined,
    eventTimesUs: readI64(origin.eventTimes),
    sourceAt(rowIndex: number) {
      const source = valueSources[origin.origins[rowIndex] ?? 0]
      assert(source !== undefined, `row ${rowIndex} of input "${origin.input}" has an origin`)
      return source
    },
    statusAt: (rowIndex: number) => readStatus(origin.statuses[rowIndex]),
    tierAt: (rowIndex: number) => tierOf(origin.tiers[rowIndex]),
  })
}

/** Where the numbers of each row begin and end. */
function createSpans(origin: InputOrigin): (rowIndex: number) => [number, number] {
  if (origin.lengths.byteLength === 0) return (rowIndex) => [rowIndex, rowIndex + 1]
  const lengths = readU32(origin.lengths)
  const [first = 0] = lengths
  const isShared = lengths.length === 1
  const starts = startsOf(lengths)
  return (rowIndex) => {
    const start = starts[rowIndex] ?? 0
    return isShared ? [0, first] : [start, start + (lengths[rowIndex] ?? 0)]
  }
}
