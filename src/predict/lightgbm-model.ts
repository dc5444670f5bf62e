/**
 * A loaded LightGBM text model: columns in, scores or leaves out.
 *
 * The engine is native; raw scores equal LightGBM's bit for bit. Small work runs at once, larger
 * work on another thread in slices, so that the event loop goes on and a cancelled call stops soon.
 * Never guesses: a wrong file is `bad_model`, a wrong column `invalid_argument`, never a score.
 */
import { assert } from '../assert.js'
import { LarderError } from '../errors.js'
import { modelFeaturesMax, modelFileBytesMax, modelNodesMax, modelTreesMax } from '../limits.js'
import { loadAddon } from '../native.js'
import {
  type InexactInteger,
  type LightgbmColumn,
  type LightgbmNative,
  type LightgbmParsed,
  type RunMode,
  runModes,
} from '../native-lightgbm.js'
import type { Category, Model } from './model.js'

export interface LightgbmModel extends Model {
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
    columns: readonly LightgbmColumn[],
    rowCount: number,
    output: Float64Array,
    options: { readonly raw: boolean },
    signal?: AbortSignal,
  ): Promise<void>

  /** Writes the number of the leaf each row falls into, [row][tree]; else as `predict`. */
  predictLeaves(
    columns: readonly LightgbmColumn[],
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

/** Parses `bytes`, which may be changed afterwards. Throws `bad_model` with offset and excerpt. */
export function parseLightgbmModel(bytes: Uint8Array): LightgbmModel {
  const native = loadAddon()
  const parsed = native.lightgbmParse(bytes, {
    modelBytesMax: modelFileBytesMax,
    treesMax: modelTreesMax,
    nodesMax: modelNodesMax,
    featuresMax: modelFeaturesMax,
  })
  if (!parsed.ok) throw badModel(parsed.message, parsed.offset, parsed.excerpt)
  return createModel(native, parsed)
}

function badModel(reason: string, offset: number, excerpt: string): LarderError {
  return new LarderError('bad_model', `LightGBM model, byte ${offset}: ${reason}`, {
    details: { offset, excerpt },
  })
}

function createModel(native: LightgbmNative, parsed: LightgbmParsed): LightgbmModel {
  const pandasCategorical = parsePandasCategorical(parsed)
  const { featureNames, outputCount, treeCount } = parsed
  let isClosed = false
  let runCount = 0
  const freeIfUnused = () => {
    if (isClosed && runCount === 0) native.lightgbmFree(parsed.handle)
  }
  const run = async (request: RunRequest): Promise<void> => {
    assert(!isClosed, 'a closed model is not used')
    requireShape(featureNames, request)
    runCount++
    try {
      await runSlices(native, parsed, request)
    } finally {
      runCount--
      freeIfUnused()
    }
  }
  return Object.freeze({
    featureNames,
    objective: parsed.objective,
    outputCount,
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
  } satisfies LightgbmModel)
}

interface RunRequest {
  readonly columns: readonly LightgbmColumn[]
  readonly rowCount: number
  readonly output: Float64Array | Int32Array
  readonly mode: RunMode
  readonly signal: AbortSignal | undefined
}

async function runSlices(
  native: LightgbmNative,
  parsed: LightgbmParsed,
  request: RunRequest,
): Promise<void> {
  const { handle } = parsed
  const { rowCount, output, mode, signal } = request
  signal?.throwIfAborted()
  const rowSteps = parsed.stepCount + 1
  if (rowCount * rowSteps <= syncStepsMax) {
    const { columns } = request
    const inexact = native.lightgbmRun(handle, columns, rowCount, 0, rowCount, output, mode)
    return requireExact(parsed.featureNames, inexact)
  }
  const columns = [...request.columns] // the caller's array may change meanwhile
  const sliceRows = Math.max(1, Math.floor(sliceStepsMax / rowSteps))
  for (let begin = 0; begin < rowCount; begin += sliceRows) {
    const end = Math.min(rowCount, begin + sliceRows)
    requireExact(
      parsed.featureNames,
      await native.lightgbmRunAsync(handle, columns, rowCount, begin, end, output, mode),
    )
    signal?.throwIfAborted()
  }
}

function requireShape(featureNames: readonly string[], request: RunRequest): void {
  const { columns, rowCount } = request
  if (columns.length !== featureNames.length) {
    throw invalid(`the model has ${featureNames.length} features, got ${columns.length} columns`)
  }
  for (const [index, column] of columns.entries()) {
    if (!isColumn(column)) {
      throw invalid(`column ${nameOf(featureNames, index)} must be of float32, float64 or int64`)
    }
    if (column.length !== rowCount && column.length !== 1) {
      throw invalid(
        `column ${nameOf(featureNames, index)} has ${column.length} values, expected ${rowCount} or 1`,
      )
    }
  }
}

function isColumn(column: unknown): boolean {
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

function parsePandasCategorical(
  parsed: LightgbmParsed,
): readonly (readonly Category[])[] | undefined {
  const { pandasCategorical: text, pandasCategoricalOffset: offset = 0 } = parsed
  if (text === undefined) return undefined
  const lists = parseJson(text, offset)
  if (lists === null) return undefined
  if (!isCategoryLists(lists)) {
    const reason = 'pandas_categorical must be null or lists of strings, numbers and booleans'
    throw badModel(reason, offset, text.slice(0, 60))
  }
  return lists
}

function parseJson(text: string, offset: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = `pandas_categorical is not JSON: ${LarderError.from(cause).message}`
    throw badModel(reason, offset, text.slice(0, 60))
  }
}

function isCategoryLists(value: unknown): value is readonly (readonly Category[])[] {
  return (
    Array.isArray(value) && value.every((list) => Array.isArray(list) && list.every(isCategory))
  )
}

function isCategory(value: unknown): value is Category {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
