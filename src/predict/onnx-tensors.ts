/**
 * Which model inputs make which tensors of an ONNX model, checked when it is loaded.
 *
 * Pure: what onnxruntime says of the model and what model.yaml maps -> inputs, and where in a run's
 * block their values go. Whatever does not fit is `bad_model` here, not a surprise with the first rows.
 */
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { embeddingDimMax, modelFeaturesMax, requestRowsMax } from '../limits.js'
import { quoteText } from '../quoted-text.js'
import type { ModelInput } from './model.js'
import { type OnnxTensor, type OnnxType, onnxTypes } from './onnx-block.js'
import type { OnnxDescription, OnnxProbe, OnnxValue } from './onnx-messages.js'

export interface BoundTensor {
  readonly tensor: OnnxTensor
  /** Places among the model inputs: of one number per column, or of the one embedding. */
  readonly inputIndexes: readonly number[]
  readonly isEmbedding: boolean
}

export interface BoundTensors {
  readonly inputs: readonly ModelInput[]
  readonly tensors: readonly BoundTensor[]
  /** As in `OnnxPlan`. */
  readonly batchRows: number | undefined
}

const zipmapAdvice = 'export the model with zipmap=False'

/** Binds the tensors that the model takes; `mapping` is `tensors` of model.yaml. */
export function bindTensors(
  { inputs: values }: OnnxDescription,
  mapping: ReadonlyMap<string, readonly string[]>,
): BoundTensors {
  const names = values.map(({ name }) => name)
  for (const name of mapping.keys()) {
    if (names.includes(name)) continue
    const known = didYouMean(name, names) || `: it has ${names.map(quoteText).join(', ')}`
    throw badModel(`tensors: the model has no input ${quoteText(name)}${known}`)
  }
  const inputs = new Map<string, ModelInput>()
  const indexes = new Map<string, number>()
  const tensors = values.map((value): BoundTensor => {
    const tensor = inputTensor(value, mapping.get(value.name))
    const wanted = inputsOf(tensor, mapping.get(value.name))
    const inputIndexes = wanted.map((input) => {
      const known = inputs.get(input.name)
      if (known !== undefined && known.form.kind !== input.form.kind) {
        throw badModel(`${quoteText(input.name)} would be both a number and an embedding`)
      }
      const index = indexes.get(input.name) ?? inputs.size
      inputs.set(input.name, input)
      indexes.set(input.name, index)
      return index
    })
    const isEmbedding = wanted[0]?.form.kind === 'embedding'
    return { tensor, inputIndexes, isEmbedding }
  })
  if (inputs.size === 0) throw badModel('the model takes no input')
  if (inputs.size > modelFeaturesMax) {
    throw badModel(`the model takes ${inputs.size} inputs: at most ${modelFeaturesMax} are allowed`)
  }
  return { inputs: [...inputs.values()], tensors, batchRows: batchRowsOf(values) }
}

/** The output that has the scores: `wanted`, or else the only one. */
export function chooseOutput(
  { outputs }: OnnxDescription,
  wanted: string | undefined,
): { readonly name: string; readonly type: OnnxType } {
  const names = outputs.map(({ name }) => name)
  if (wanted === undefined && outputs.length !== 1) {
    const shown = names.map(quoteText).join(', ')
    const advice = outputs.every(({ isTensor }) => isTensor) ? '' : `; ${zipmapAdvice}`
    throw badModel(
      `the model has ${outputs.length} outputs: name one of ${shown} as output${advice}`,
    )
  }
  const chosen = wanted === undefined ? outputs[0] : outputs.find(({ name }) => name === wanted)
  if (chosen === undefined) {
    const shown = quoteText(wanted ?? '')
    const known = didYouMean(wanted ?? '', names) || `: it has ${names.map(quoteText).join(', ')}`
    throw badModel(`output: the model has no output ${shown}${known}`)
  }
  const named = `output ${quoteText(chosen.name)}`
  if (!chosen.isTensor) {
    throw badModel(`${named} is a sequence or a map, not a tensor: ${zipmapAdvice}`)
  }
  const { name, type } = chosen
  if (type === 'float32' || type === 'float64' || type === 'int64') return { name, type }
  throw badModel(`${named} is of ${type}: scores are of float32, float64 or int64`)
}

/** The score tensor, from what `rowCount` rows of zeros gave. */
export function scoreTensor(
  { name, type }: { readonly name: string; readonly type: OnnxType },
  { shape }: OnnxProbe,
  rowCount: number,
): OnnxTensor {
  const [rows, width, ...more] = shape
  const shown = `output ${quoteText(name)} of shape [${shape.join(', ')}]`
  if (rows !== rowCount || more.length > 0) {
    throw badModel(`${shown} for ${rowCount} rows: scores are [rows] or [rows, scores of a row]`)
  }
  if (width === 0) throw badModel(`${shown} has no scores`)
  return { name, type, width }
}

function inputTensor(
  { name, isTensor, type, shape }: OnnxValue,
  columns: readonly string[] | undefined,
): OnnxTensor {
  const named = `input ${quoteText(name)}`
  if (!isTensor) throw badModel(`${named} is a sequence, a map or optional, not a tensor`)
  const known = onnxTypes.find((each) => each === type)
  if (known === undefined) {
    const advice = type === 'string' ? 'encode texts before the model' : 'cast within the model'
    throw badModel(`${named} is of ${type}, expected ${onnxTypes.join(', ')}: ${advice}`)
  }
  const shown = `${named} of shape [${shape.join(', ')}]`
  if (shape.length === 0 || shape.length > 2) {
    throw badModel(`${shown}: inputs are [rows] or [rows, columns]`)
  }
  const [, width] = shape
  const columnCount = columns?.length ?? 1
  if (width === undefined) {
    if (columnCount !== 1) throw badModel(`${shown} takes one column, tensors names ${columnCount}`)
    return { name, type: known, width }
  }
  if (typeof width === 'number') {
    if (columns !== undefined && width !== columnCount) {
      throw badModel(`${shown} takes ${width} columns, tensors names ${columnCount}`)
    }
    if (width === 0 || width > embeddingDimMax) {
      throw badModel(`${shown} has ${width} columns, expected 1 to ${embeddingDimMax}`)
    }
    return { name, type: known, width }
  }
  if (columns === undefined) {
    throw badModel(`${shown} has no fixed width: name its columns in tensors`)
  }
  return { name, type: known, width: columnCount }
}

/** The model inputs that a tensor is made of. */
function inputsOf(
  { name, width = 1 }: OnnxTensor,
  columns: readonly string[] | undefined,
): readonly ModelInput[] {
  if (columns === undefined) {
    const form =
      width === 1 ? ({ kind: 'number' } as const) : { kind: 'embedding' as const, dim: width }
    return [{ name, form, defaultValue: undefined }]
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) {
    throw badModel(`tensors: ${quoteText(name)} names ${quoteText(twice)} twice`)
  }
  return columns.map((column) => ({
    name: column,
    form: { kind: 'number' },
    defaultValue: undefined,
  }))
}

/** The number of rows that every input is fixed to; undefined where none is. */
function batchRowsOf(values: readonly OnnxValue[]): number | undefined {
  const fixed = values.flatMap(({ name, shape: [rows] }) =>
    typeof rows === 'number' ? [{ name, rows }] : [],
  )
  const [first] = fixed
  if (first === undefined) return undefined
  const other = fixed.find(({ rows }) => rows !== first.rows)
  if (other !== undefined) {
    throw badModel(
      `input ${quoteText(first.name)} takes ${first.rows} rows and ${quoteText(other.name)} takes ` +
        `${other.rows}: leave the first dimension open`,
    )
  }
  if (first.rows === 0 || first.rows > requestRowsMax) {
    throw badModel(
      `input ${quoteText(first.name)} takes ${first.rows} rows at once, expected 1 to ${requestRowsMax}`,
    )
  }
  return first.rows
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
