/**
 * ONNX models: a file -> a model that onnxruntime computes on threads of its own.
 *
 * Columns become the tensors that the model takes, a block of memory per run that is handed to a worker
 * and back; the event loop only fills and reads it. Batches are cut at fixed places, whatever else is
 * under way, so that a row's score depends on its request alone. Whatever can be checked is checked when
 * the model is loaded; nothing is ever fed that a tensor cannot hold.
 */
import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { assert } from '../assert.js'
import { systemClock } from '../clock.js'
import { LarderError } from '../errors.js'
import {
  modelFileBytesMax,
  onnxRunRowsMax,
  onnxSpareBuffersMax,
  onnxWorkersMax,
} from '../limits.js'
import type { Model, ModelColumn } from './model.js'
import { requireOutput } from './model-output.js'
import { createModelUse } from './model-use.js'
import { blockBytes, blockViews, type OnnxPlan, ranRowCount } from './onnx-block.js'
import { describeOnnxFile, readOnnxFile } from './onnx-file.js'
import type { OnnxProbe } from './onnx-messages.js'
import { createOnnxPool, type OnnxOpened, type OnnxPool } from './onnx-pool.js'
import { fillTensors, type RowRange, readScores, requireOnnxColumns } from './onnx-rows.js'
import { type BoundTensors, bindTensors, chooseOutput, scoreTensor } from './onnx-tensors.js'

export interface OnnxSource {
  /** Of the model file. */
  readonly path: string
  /**
   * For inputs of the ONNX model: the model inputs whose numbers, one after the other, are its columns.
   * An input that is not named here is one model input of its own name: a number for [rows] and [rows,
   * 1], an embedding for [rows, dim].
   */
  readonly tensors: ReadonlyMap<string, readonly string[]>
  /** The output that has the scores; may be left out where there is only one. */
  readonly output?: string | undefined
}

/** One for all models of the process: without a model it has no thread. */
const sharedPool = createOnnxPool({
  clock: systemClock,
  workerCountMax: Math.min(onnxWorkersMax, availableParallelism()),
  packageName: 'onnxruntime-node',
})

/**
 * Loads an ONNX model and runs it once on rows of zeros. Throws `bad_model` where onnxruntime is not
 * installed or refuses the file, or where inputs or outputs are none that Larder can feed or read.
 */
export async function loadOnnxModel(
  source: OnnxSource,
  pool: OnnxPool = sharedPool,
): Promise<Model> {
  try {
    return await load(source, pool)
  } catch (thrown) {
    const error = LarderError.from(thrown)
    const { cause, details } = error
    throw new LarderError(error.code, `${source.path}: ${error.message}`, { cause, details })
  }
}

async function load({ path, tensors, output }: OnnxSource, pool: OnnxPool): Promise<Model> {
  const bytes = await readBytes(path)
  const facts = describeOnnxFile(readOnnxFile(new Uint8Array(bytes)))
  const opened = await pool.open(bytes).catch((thrown) => {
    const { code, message, cause } = LarderError.from(thrown)
    throw new LarderError(code, `${message} (${facts})`, { cause })
  })
  try {
    const bound = bindTensors(opened.description, tensors)
    const plan = await probeModel(pool, opened, bound, output)
    return createModel(pool, opened, { bound, plan, fileBytes: bytes.byteLength, facts })
  } catch (thrown) {
    pool.close(opened.modelId)
    throw thrown
  }
}

async function readBytes(path: string): Promise<SharedArrayBuffer> {
  try {
    const { size } = await stat(path)
    if (size > modelFileBytesMax) {
      throw new LarderError(
        'bad_model',
        `the file has ${size} bytes: at most ${modelFileBytesMax} are allowed`,
      )
    }
    const bytes = await readFile(path)
    const shared = new SharedArrayBuffer(bytes.byteLength)
    new Uint8Array(shared).set(bytes)
    return shared
  } catch (thrown) {
    if (thrown instanceof LarderError) throw thrown
    const { message } = LarderError.from(thrown)
    throw new LarderError('bad_model', `cannot be read: ${message}`, { cause: thrown })
  }
}

/** Runs one row and two, or the model's own batch: what the scores are, and that rows stay apart. */
async function probeModel(
  pool: OnnxPool,
  { modelId, description }: OnnxOpened,
  { tensors, batchRows }: BoundTensors,
  wanted: string | undefined,
): Promise<OnnxPlan> {
  const inputs = tensors.map(({ tensor }) => tensor)
  const output = chooseOutput(description, wanted)
  const outputName = output.name
  const rowCount = batchRows ?? 2
  const probe = await pool.probe(modelId, inputs, { outputName, rowCount })
  const plan = { inputs, output: scoreTensor(output, probe, rowCount), batchRows }
  if (batchRows === undefined) {
    const alone = await pool.probe(modelId, inputs, { outputName, rowCount: 1 })
    scoreTensor(output, alone, 1)
    requireRowsApart(alone, probe)
  }
  return plan
}

/** Sums are rounded differently in batches of other lengths, but not by this much. */
function requireRowsApart(alone: OnnxProbe, together: OnnxProbe): void {
  for (const [index, score] of alone.scores.entries()) {
    const other = together.scores[index] ?? Number.NaN
    const isSame =
      Object.is(score, other) || Math.abs(score - other) <= 1e-3 * Math.abs(score) + 1e-6
    if (isSame) continue
    throw new LarderError(
      'bad_model',
      `a row of zeros scores ${score} alone and ${other} beside another: the model mixes rows`,
    )
  }
}

interface Loaded {
  readonly bound: BoundTensors
  readonly plan: OnnxPlan
  readonly fileBytes: number
  readonly facts: string
}

function createModel(
  pool: OnnxPool,
  { modelId, description }: OnnxOpened,
  { bound, plan, fileBytes, facts }: Loaded,
): Model {
  const spare: ArrayBuffer[] = []
  const outputCount = plan.output.width ?? 1
  const use = createModelUse(() => pool.close(modelId))
  const runPart = async (
    columns: readonly ModelColumn[],
    range: RowRange,
    output: Float64Array,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const rowCount = range.end - range.begin
    const ranRows = ranRowCount(plan, rowCount)
    const block = takeBlock(spare, blockBytes(plan, ranRows))
    fillTensors(bound, columns, range, blockViews(plan, ranRows, block))
    const ran = await pool.run({ modelId, plan, rowCount, block }, signal)
    const scores = blockViews(plan, ranRows, ran).at(-1)
    assert(scores !== undefined, 'the last view is of the scores')
    readScores(plan.output, scores, rowCount * outputCount, output, range.begin * outputCount)
    if (spare.length === onnxSpareBuffersMax) spare.shift()
    spare.push(ran)
  }
  return Object.freeze({
    kind: 'onnx',
    inputs: bound.inputs,
    outputCount,
    objective: '',
    treeCount: 0,
    // The file's bytes for new workers, and about as much in each worker.
    modelBytes: fileBytes * (1 + onnxWorkersMax),
    kernel: `onnxruntime ${description.runtimeVersion} (${facts})`,
    warnings: [],
    pandasCategorical: undefined,
    // The graph is all there is: raw scores are the same.
    predict: (columns, rowCount, output, _options, signal) =>
      use.during(async () => {
        requireOutput(output, rowCount, outputCount)
        requireOnnxColumns(bound, columns, rowCount)
        signal?.throwIfAborted()
        await runParts(rowCount, signal, (range, partSignal) =>
          runPart(columns, range, output, partSignal),
        )
      }),
    contributions: undefined,
    close: () => use.close(),
  } satisfies Model)
}

/** Runs parts of at most `onnxRunRowsMax` rows side by side; the first failure ends the others. */
async function runParts(
  rowCount: number,
  signal: AbortSignal | undefined,
  run: (range: RowRange, signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  if (rowCount === 0) return
  if (rowCount <= onnxRunRowsMax) {
    await run({ begin: 0, end: rowCount }, signal)
    return
  }
  const failed = new AbortController()
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const partRows = Math.ceil(rowCount / Math.ceil(rowCount / onnxRunRowsMax))
  const starts = Array.from({ length: Math.ceil(rowCount / partRows) }, (_, i) => i * partRows)
  const parts = starts.map((begin) =>
    run({ begin, end: Math.min(rowCount, begin + partRows) }, either),
  )
  try {
    await Promise.all(parts)
  } catch (thrown) {
    failed.abort(thrown)
    throw thrown
  }
}

/** A spare block that is not much too large, or a new one. */
function takeBlock(spare: ArrayBuffer[], byteCount: number): ArrayBuffer {
  const index = spare.findIndex(
    ({ byteLength }) => byteLength >= byteCount && byteLength <= 4 * byteCount,
  )
  const [found] = index < 0 ? [] : spare.splice(index, 1)
  return found ?? new ArrayBuffer(byteCount)
}
