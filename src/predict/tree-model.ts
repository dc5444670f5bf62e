/**
 * A loaded model of trees, LightGBM's or XGBoost's: columns in, scores or leaves out.
 *
 * The engine is native; raw scores equal those of the library that trained it, bit for bit. Small work runs at once, larger
 * work on another thread in slices, so that the event loop goes on and a cancelled call stops soon.
 * Never guesses: a wrong file is `bad_model`, a wrong column `invalid_argument`, never a score.
 */
import { assert } from '../assert.js'
import { LarderError } from '../errors.js'
import {
  type InexactInteger,
  type RunMode,
  runModes,
  type TreeColumn,
  type TreesNative,
  type TreesParsed,
} from '../native-trees.js'
import type { Category, ListColumn, Model, PredictOptions } from './model.js'

export interface TreeModel extends Model {
  /** Raw scores a row: `outputCount`, but for a transform that makes one score of several. */
  readonly rawOutputCount: number
  /** The names of the inputs. */
  readonly featureNames: readonly string[]
  /** Per feature: split on, or read by a linear leaf. Others may hold anything. */
  readonly usedFeatures: readonly boolean[]
  /** Per feature: trained, or split on, by category. */
  readonly categoricalFeatures: readonly boolean[]

  /**
   * As every model, and with int64 columns: a value beyond 2^53 is `invalid_argument`, as f64 cannot
   * hold it; `output` is then unspecified. `raw` is the plain sum of the trees, without averaging and
   * the objective's transform. Buffers must not be changed or transferred until it settles.
   */
  predict(
    columns: readonly (TreeColumn | ListColumn)[],
    rowCount: number,
    output: Float64Array,
    options: PredictOptions,
    signal?: AbortSignal,
  ): Promise<void>

  /** Writes the number of the leaf each row falls into, [row][tree]; else as `predict`. */
  predictLeaves(
    columns: readonly TreeColumn[],
    rowCount: number,
    output: Int32Array,
    signal?: AbortSignal,
  ): Promise<void>
}

/**
 * Steps of work done at once on the calling thread. A step takes about 1 ns, so that this is about
 * 60 us: handing the work to another thread would cost as much.
 */
const syncStepsMax = 60_000
/** Steps between two looks at the signal: about 5 ms. */
const sliceStepsMax = 6_000_000

/** What a file says of a model beside its trees. */
export interface TreeModelWords {
  readonly kind: 'lightgbm' | 'xgboost'
  readonly pandasCategorical: readonly (readonly Category[])[] | undefined
}

/** A model around what the addon parsed. */
export function createTreeModel(
  native: TreesNative,
  parsed: TreesParsed,
  { kind, pandasCategorical }: TreeModelWords,
): TreeModel {
  const { featureNames, outputCount, treeCount } = parsed
  let isClosed = false
  let runCount = 0
  const freeIfUnused = () => {
    if (isClosed && runCount === 0) native.treesFree(parsed.handle)
  }
  const run = async (request: RunRequest): Promise<void> => {
    assert(!isClosed, 'a closed model is not used')
    const columns = requireColumns(featureNames, request)
    runCount++
    try {
      await runSlices(native, parsed, { ...request, columns })
    } finally {
      runCount--
      freeIfUnused()
    }
  }
  return Object.freeze({
    kind,
    inputs: featureNames.map((name) => ({
      name,
      form: { kind: 'number' } as const,
      defaultValue: undefined,
    })),
    featureNames,
    kernel: `${treeCount} trees in walk (portable)`,
    contributions: undefined,
    objective: parsed.objective,
    outputCount,
    rawOutputCount: outputCount,
    treeCount,
    warnings: parsed.warnings,
    pandasCategorical,
    usedFeatures: parsed.usedFeatures,
    categoricalFeatures: parsed.categoricalFeatures,
    modelBytes: parsed.modelBytes,
    predict: async (columns, rowCount, output, { raw }, signal) => {
      requireOutput(output, rowCount, outputCount)
      const mode = raw ? runModes.raw : runModes.transformed
      await run({ columns, rowCount, output, mode, signal })
    },
    predictLeaves: async (columns, rowCount, output, signal) => {
      requireOutput(output, rowCount, treeCount)
      await run({ columns, rowCount, output, mode: runModes.leaf, signal })
    },
    close: () => {
      isClosed = true
      freeIfUnused()
    },
  } satisfies TreeModel)
}

interface RunRequest {
  readonly columns: readonly (TreeColumn | ListColumn)[]
  readonly rowCount: number
  readonly output: Float64Array | Int32Array
  readonly mode: RunMode
  readonly signal: AbortSignal | undefined
}

async function runSlices(
  native: TreesNative,
  parsed: TreesParsed,
  request: RunRequest & { readonly columns: readonly TreeColumn[] },
): Promise<void> {
  const { handle } = parsed
  const { rowCount, output, mode, signal } = request
  signal?.throwIfAborted()
  const rowSteps = parsed.stepCount + 1
  const { columns } = request
  if (rowCount * rowSteps <= syncStepsMax) {
    const inexact = native.treesRun(handle, columns, rowCount, 0, rowCount, output, mode)
    return requireExact(parsed.featureNames, inexact)
  }
  const sliceRows = Math.max(1, Math.floor(sliceStepsMax / rowSteps))
  for (let begin = 0; begin < rowCount; begin += sliceRows) {
    const end = Math.min(rowCount, begin + sliceRows)
    requireExact(
      parsed.featureNames,
      await native.treesRunAsync(handle, columns, rowCount, begin, end, output, mode),
    )
    signal?.throwIfAborted()
  }
}

function requireColumns(
  featureNames: readonly string[],
  { columns, rowCount }: RunRequest,
): readonly TreeColumn[] {
  if (columns.length !== featureNames.length) {
    throw invalid(`the model has ${featureNames.length} features, got ${columns.length} columns`)
  }
  return columns.map((column, index) => {
    if (!isColumn(column)) {
      throw invalid(`column ${nameOf(featureNames, index)} must be of float32, float64 or int64`)
    }
    if (column.length !== rowCount && column.length !== 1) {
      throw invalid(
        `column ${nameOf(featureNames, index)} has ${column.length} values, expected ${rowCount} or 1`,
      )
    }
    return column
  })
}

function isColumn(column: unknown): column is TreeColumn {
  return (
    column instanceof Float64Array ||
    column instanceof Float32Array ||
    column instanceof BigInt64Array
  )
}

function requireOutput(
  output: Float64Array | Int32Array,
  rowCount: number,
  cellsPerRow: number,
): void {
  if (!Number.isSafeInteger(rowCount) || rowCount < 0) {
    throw invalid(`rowCount is ${rowCount}, expected an integer from 0`)
  }
  if (output.length !== rowCount * cellsPerRow) {
    throw invalid(
      `the output has ${output.length} cells, expected ${rowCount} rows x ${cellsPerRow}`,
    )
  }
}

function requireExact(featureNames: readonly string[], inexact: InexactInteger | undefined): void {
  if (inexact === undefined) return
  const { featureIndex, rowIndex, value } = inexact
  throw invalid(
    `feature ${nameOf(featureNames, featureIndex)} is ${value} in row ${rowIndex}: ` +
      'an integer beyond 2^53 is not exact as a model input',
  )
}

function nameOf(featureNames: readonly string[], index: number): string {
  return JSON.stringify(featureNames[index])
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
