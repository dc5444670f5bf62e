/**
 * A loaded model of trees, LightGBM's or XGBoost's: columns in, scores or leaves out.
 *
 * The engine is native; raw scores equal those of the library that trained it, bit for bit. Small work
 * runs at once, larger work in slices on the addon's threads, so that the event loop goes on and a
 * cancelled call stops soon.
 * Never guesses: a wrong file is `bad_model`, a wrong column `invalid_argument`, never a score.
 */
import { LarderError } from '../errors.js'
import { modelFeaturesMax, modelFileBytesMax, modelNodesMax, modelTreesMax } from '../limits.js'
import {
  type InexactInteger,
  type RunMode,
  runModes,
  type TreeColumn,
  type TreesHandle,
  type TreesNative,
  type TreesParsed,
  type TreesParseLimits,
} from '../native-trees.js'
import type { Category, ListColumn, Model, PredictOptions } from './model.js'
import { requireOutput } from './model-output.js'
import { createModelUse } from './model-use.js'
import type { TreeKernel } from './tree-kernel.js'

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

  /** As every model's, and with columns as `predict` takes them. */
  readonly contributions:
    | ((
        columns: readonly (TreeColumn | ListColumn)[],
        rowCount: number,
        output: Float64Array,
        signal?: AbortSignal,
      ) => Promise<void>)
    | undefined

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
 * 60 us: `npm run bench -- gbdt` prints what it costs to hand work over and wait for it
 * (`pool_over_in_line_us`), which is less, but other work of this thread waits no longer for this.
 */
const syncStepsMax = 60_000
/**
 * Steps of a slice, about 250 us: a hundred times what a thread needs to take one, and short enough
 * for a batch to spread over many threads and for a cancelled call to stop soon.
 */
const sliceStepsMax = 250_000
/** Rows of a slice are whole tiles of every kernel. */
const tileRows = 64

/** Steps that one of contributions counts for: measured, it takes 2 ns in a batch and 5 ns alone. */
const stepsPerContributionStep = 4
/** Rows that contributions are told of side by side: slices are whole multiples. */
const contributionRowsAtOnce = 8

/** What a file of trees may ask for, whichever library wrote it. */
export const treeParseLimits: TreesParseLimits = Object.freeze({
  modelBytesMax: modelFileBytesMax,
  treesMax: modelTreesMax,
  nodesMax: modelNodesMax,
  featuresMax: modelFeaturesMax,
})

/** What a file says of a model beside its trees. */
export interface TreeModelWords {
  readonly kind: 'lightgbm' | 'xgboost'
  readonly pandasCategorical: readonly (readonly Category[])[] | undefined
  readonly kernel: TreeKernel
}

/**
 * A model around what the addon parsed, run by `kernel`. Throws `refused`, and frees what was parsed,
 * where the machine cannot run it.
 */
export function createTreeModel(
  native: TreesNative,
  parsed: TreesParsed,
  { kind, pandasCategorical, kernel }: TreeModelWords,
): TreeModel {
  const { featureNames, outputCount, treeCount } = parsed
  const chosen = chooseKernel(native, parsed, kernel)
  const use = createModelUse(() => native.treesFree(parsed.handle))
  const run = (request: RunRequest): Promise<void> =>
    use.during(async () => {
      const columns = requireColumns(featureNames, request)
      const rowSteps = stepsPerRow(request.mode, chosen, parsed.contributionStepCount)
      const inexact = await runRows(native, parsed.handle, { ...request, columns, rowSteps })
      requireExact(featureNames, inexact)
    })
  return Object.freeze({
    kind,
    inputs: featureNames.map((name) => ({
      name,
      form: { kind: 'number' } as const,
      defaultValue: undefined,
    })),
    featureNames,
    kernel: chosen.kernel,
    contributions: createContributions(parsed, run),
    contributionRefusal: parsed.contributionRefusal,
    objective: parsed.objective,
    outputCount,
    rawOutputCount: outputCount,
    treeCount,
    warnings: chosen.warnings,
    pandasCategorical,
    usedFeatures: parsed.usedFeatures,
    categoricalFeatures: parsed.categoricalFeatures,
    modelBytes: chosen.modelBytes,
    predict: async (columns, rowCount, output, { raw }, signal) => {
      requireOutput(output, rowCount, outputCount)
      const mode = raw ? runModes.raw : runModes.transformed
      await run({ columns, rowCount, output, mode, signal })
    },
    predictLeaves: async (columns, rowCount, output, signal) => {
      requireOutput(output, rowCount, treeCount)
      await run({ columns, rowCount, output, mode: runModes.leaf, signal })
    },
    close: () => use.close(),
  } satisfies TreeModel)
}

function createContributions(
  { featureNames, outputCount, contributionRefusal }: TreesParsed,
  run: (request: RunRequest) => Promise<void>,
): TreeModel['contributions'] {
  if (contributionRefusal !== undefined) return undefined
  return async (columns, rowCount, output, signal) => {
    requireOutput(output, rowCount, outputCount * (featureNames.length + 1))
    await run({ columns, rowCount, output, mode: runModes.contributions, signal })
  }
}

interface RunRequest {
  readonly columns: readonly (TreeColumn | ListColumn)[]
  readonly rowCount: number
  readonly output: Float64Array | Int32Array
  readonly mode: RunMode
  readonly signal: AbortSignal | undefined
}

function chooseKernel(native: TreesNative, { handle }: TreesParsed, kernel: TreeKernel) {
  const chosen = native.treesChooseKernel(handle, kernel)
  if (chosen.ok) return chosen
  native.treesFree(handle)
  throw new LarderError('refused', `kernel '${kernel}' cannot run the model: ${chosen.message}`)
}

interface RowsRequest extends RunRequest {
  readonly columns: readonly TreeColumn[]
  readonly rowSteps: number
}

async function runRows(
  native: TreesNative,
  handle: TreesHandle,
  { columns, rowCount, output, mode, signal, rowSteps }: RowsRequest,
): Promise<InexactInteger | undefined> {
  signal?.throwIfAborted()
  const run = [handle, columns, rowCount, 0, rowCount, output, mode] as const
  if (rowCount * rowSteps <= syncStepsMax) return native.treesRun(...run)
  const cancel = new Int32Array(1)
  const onAbort = () => Atomics.store(cancel, 0, 1)
  signal?.addEventListener('abort', onAbort)
  try {
    const inexact = await native.treesRunAsync(...run, rowsPerSlice(mode, rowSteps), cancel)
    signal?.throwIfAborted()
    return inexact
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Steps that one row takes: `chosen` are those of scores and leaves. */
function stepsPerRow(
  mode: RunMode,
  chosen: { readonly stepCount: number; readonly leafStepCount: number },
  contributionStepCount = 0,
): number {
  if (mode === runModes.contributions) {
    return 1 + chosen.leafStepCount + stepsPerContributionStep * contributionStepCount
  }
  return 1 + (mode === runModes.leaf ? chosen.leafStepCount : chosen.stepCount)
}

function rowsPerSlice(mode: RunMode, rowSteps: number): number {
  const rowsAtOnce = mode === runModes.contributions ? contributionRowsAtOnce : tileRows
  return Math.max(1, Math.floor(sliceStepsMax / rowSteps / rowsAtOnce)) * rowsAtOnce
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
