/**
 * Linear and logistic models: a bias plus one weight a number, one vector an embedding, one weight a
 * category.
 *
 *   score = bias + w1 * x1 + w2 * x2 + …             logistic: 1 / (1 + exp(-score))
 *
 * Every step is float64 and rounds by itself, the sum runs from the bias through the inputs as the file
 * lists them, an embedding's elements in order: the same file and row give the same bits everywhere.
 * A value that is missing, and that the file has no default for, makes the score NaN; never 0.
 */
import { assert } from '../assert.js'
import { nextTurn } from '../clock.js'
import { LarderError } from '../errors.js'
import { quoteText } from '../quoted-text.js'
import { type LinearInput, type LinearWeights, readLinearWeights } from './linear-weights.js'
import { isListColumn, type Model, type ModelColumn, type NumberColumn } from './model.js'
import { requireOutput } from './model-output.js'

/** Products computed before others get their turn: about 5 ms. */
const sliceProductsMax = 4_000_000

/**
 * Reads weights.yaml or weights.json; `path` names it in messages. Throws `bad_model` with a line
 * `file:line:column: message` per problem.
 */
export function parseLinearModel(file: { readonly path: string; readonly text: string }): Model {
  const weights = readLinearWeights(file)
  const { kind, inputs } = weights
  const weightCount = inputs.reduce((sum, { terms }) => sum + terms.weights.length, 1)
  const isLogistic = kind === 'logistic'
  return Object.freeze({
    kind,
    inputs: inputs.map(({ input }) => input),
    outputCount: 1,
    objective: kind,
    treeCount: 0,
    modelBytes: weightCount * Float64Array.BYTES_PER_ELEMENT,
    kernel: `${weightCount} weights in float64`,
    warnings: [],
    pandasCategorical: undefined,
    predict: async (columns, rowCount, output, { raw }, signal) => {
      requireOutput(output, rowCount, 1)
      const cells = requireColumns(inputs, columns, rowCount)
      await forSlices(rowCount, weightCount, signal, (begin, end) => {
        output.fill(weights.bias, begin, end)
        for (const [index, { terms }] of inputs.entries()) {
          addTerms(terms.weights, cells[index], { begin, end }, output)
        }
        if (isLogistic && !raw) for (let row = begin; row < end; row++) squash(output, row)
      })
    },
    contributions: contributionsOf(weights, weightCount),
    close: () => {},
  } satisfies Model)
}

/** What the mean input contributes is part of what is expected; the rest is what a row adds. */
function contributionsOf(
  { bias, inputs }: LinearWeights,
  weightCount: number,
): Model['contributions'] {
  const means = inputs.flatMap(({ meanContribution }) => meanContribution ?? [])
  if (means.length < inputs.length) return undefined
  const expected = means.reduce((sum, mean) => sum + mean, bias)
  const stride = inputs.length + 1
  return async (columns, rowCount, output, signal) => {
    requireOutput(output, rowCount, stride)
    const cells = requireColumns(inputs, columns, rowCount)
    const added = new Float64Array(rowCount)
    await forSlices(rowCount, weightCount, signal, (begin, end) => {
      for (const [index, { terms }] of inputs.entries()) {
        added.fill(0, begin, end)
        addTerms(terms.weights, cells[index], { begin, end }, added)
        const mean = means[index] ?? Number.NaN
        for (let row = begin; row < end; row++) {
          output[row * stride + index] = (added[row] ?? Number.NaN) - mean
        }
      }
      for (let row = begin; row < end; row++) output[row * stride + inputs.length] = expected
    })
  }
}

/** Calls `work` for one piece of the rows after another, others between them. */
async function forSlices(
  rowCount: number,
  rowProducts: number,
  signal: AbortSignal | undefined,
  work: (begin: number, end: number) => void,
): Promise<void> {
  signal?.throwIfAborted()
  const sliceRows = Math.max(1, Math.floor(sliceProductsMax / rowProducts))
  for (let begin = 0; begin < rowCount; begin += sliceRows) {
    if (begin > 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
    work(begin, Math.min(rowCount, begin + sliceRows))
  }
}

/** An input's values as products take them: `width` a row, those of row 0 for all where `isOne`. */
interface Cells {
  readonly values: NumberColumn
  readonly isOne: boolean
  /** Stands in for NaN; undefined where nothing does. */
  readonly defaults: readonly number[] | undefined
  /** Categories: the values are places in the weights, what is in none takes this weight. */
  readonly unseenWeight: number | undefined
  readonly areCodes: boolean
}

function addTerms(
  weights: Float64Array,
  cells: Cells | undefined,
  { begin, end }: { readonly begin: number; readonly end: number },
  sums: Float64Array,
): void {
  assert(cells !== undefined, 'there are cells for every input')
  if (cells.areCodes) {
    addCategories(weights, cells, begin, end, sums)
    return
  }
  const { values, isOne, defaults } = cells
  const width = weights.length
  for (let row = begin; row < end; row++) {
    const start = isOne ? 0 : row * width
    let sum = sums[row] ?? Number.NaN
    for (let element = 0; element < width; element++) {
      let value = values[start + element] ?? Number.NaN
      if (Number.isNaN(value) && defaults !== undefined) value = defaults[element] ?? Number.NaN
      sum += (weights[element] ?? Number.NaN) * value
    }
    sums[row] = sum
  }
}

function addCategories(
  weights: Float64Array,
  { values, isOne, defaults, unseenWeight }: Cells,
  begin: number,
  end: number,
  sums: Float64Array,
): void {
  const missingCode = defaults?.[0] ?? Number.NaN
  for (let row = begin; row < end; row++) {
    const given = values[isOne ? 0 : row] ?? Number.NaN
    const code = Number.isNaN(given) ? missingCode : given
    // A code that is no place in the list reads undefined, as NaN does.
    const weight = weights[code] ?? unseenWeight ?? Number.NaN
    sums[row] = (sums[row] ?? Number.NaN) + weight
  }
}

/** In place, with both tails exact: no exponential overflows, and none is lost beside 1. */
function squash(scores: Float64Array, row: number): void {
  const score = scores[row] ?? Number.NaN
  if (score >= 0) {
    scores[row] = 1 / (1 + Math.exp(-score))
  } else {
    const odds = Math.exp(score)
    scores[row] = odds / (1 + odds)
  }
}

function requireColumns(
  inputs: readonly LinearInput[],
  columns: readonly ModelColumn[],
  rowCount: number,
): readonly Cells[] {
  if (columns.length !== inputs.length) {
    throw invalid(`the model has ${inputs.length} inputs, got ${columns.length} columns`)
  }
  return inputs.map((input, index) => {
    const column = columns[index]
    assert(column !== undefined, 'as many columns as inputs')
    return { ...requireValues(input, column, rowCount), ...input.terms }
  })
}

function requireValues(
  { input: { name, form } }: LinearInput,
  column: ModelColumn,
  rowCount: number,
): Pick<Cells, 'values' | 'isOne'> {
  const named = `input ${quoteText(name)}`
  if (form.kind !== 'embedding') {
    if (isListColumn(column)) throw invalid(`${named} takes one number a row, got a list`)
    if (column.length !== rowCount && column.length !== 1) {
      throw invalid(`${named} has ${column.length} values, expected ${rowCount} or 1`)
    }
    return { values: column, isOne: column.length === 1 }
  }
  if (!isListColumn(column)) throw invalid(`${named} takes an embedding, got one number a row`)
  const { values, lengths } = column
  if (lengths.length !== rowCount && lengths.length !== 1) {
    throw invalid(`${named} has ${lengths.length} embeddings, expected ${rowCount} or 1`)
  }
  const { dim } = form
  const wrongRow = lengths.findIndex((elementCount) => elementCount !== dim)
  if (wrongRow >= 0) {
    throw invalid(`${named} has ${lengths[wrongRow]} elements in row ${wrongRow}, expected ${dim}`)
  }
  if (values.length !== lengths.length * dim) {
    throw invalid(`${named} has ${values.length} elements, expected ${lengths.length * dim}`)
  }
  return { values, isOne: lengths.length === 1 }
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
