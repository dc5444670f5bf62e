/**
 * Rows as tensors, and tensors as scores: columns -> the block of a run, and its scores -> float64.
 *
 * Never rounds a whole number and never guesses one: a value that an integer tensor cannot hold is an
 * error that names input and row. Float tensors take NaN as it is.
 */
import { assert } from '../assert.js'
import { LarderError } from '../errors.js'
import { quoteText } from '../quoted-text.js'
import { isListColumn, type ModelColumn, type NumberColumn } from './model.js'
import type { OnnxTensor, OnnxType, OnnxView } from './onnx-block.js'
import type { BoundTensor, BoundTensors } from './onnx-tensors.js'

export interface RowRange {
  readonly begin: number
  readonly end: number
}

/** Checks that the columns have the forms of the inputs and as many values as there are rows. */
export function requireOnnxColumns(
  { inputs }: BoundTensors,
  columns: readonly ModelColumn[],
  rowCount: number,
): void {
  if (columns.length !== inputs.length) {
    throw invalid(`the model has ${inputs.length} inputs, got ${columns.length} columns`)
  }
  for (const [index, { name, form }] of inputs.entries()) {
    const column = columns[index]
    assert(column !== undefined, 'as many columns as inputs')
    const named = `input ${quoteText(name)}`
    if (form.kind !== 'embedding') {
      if (isListColumn(column)) throw invalid(`${named} takes one number a row, got a list`)
      requireCount(named, 'values', column.length, rowCount)
      continue
    }
    if (!isListColumn(column)) throw invalid(`${named} takes an embedding, got one number a row`)
    const { values, lengths } = column
    requireCount(named, 'embeddings', lengths.length, rowCount)
    const wrongRow = lengths.findIndex((elementCount) => elementCount !== form.dim)
    if (wrongRow >= 0) {
      const found = `${lengths[wrongRow]} elements in row ${wrongRow}`
      throw invalid(`${named} has ${found}, expected ${form.dim}`)
    }
    if (values.length !== lengths.length * form.dim) {
      const expected = lengths.length * form.dim
      throw invalid(`${named} has ${values.length} elements, expected ${expected}`)
    }
  }
}

/** Writes the rows of `range` into `views`, a view per tensor; what is left of a view repeats the last. */
export function fillTensors(
  { inputs, tensors }: BoundTensors,
  columns: readonly ModelColumn[],
  range: RowRange,
  views: readonly OnnxView[],
): void {
  for (const [index, bound] of tensors.entries()) {
    const view = views[index]
    assert(view !== undefined, 'there is a view for every tensor')
    const names = bound.inputIndexes.map((inputIndex) => inputs[inputIndex]?.name ?? '')
    const used = bound.inputIndexes.map((inputIndex) => columns[inputIndex])
    fillTensor(bound, { names, columns: used, range }, view)
    repeatLastRow(view, bound.tensor, range.end - range.begin)
  }
}

/** The scores of `rowCount` rows, written to `output` from `at` on. */
export function readScores(
  { name }: OnnxTensor,
  view: OnnxView,
  scoreCount: number,
  output: Float64Array,
  at: number,
): void {
  const scores = view.subarray(0, scoreCount)
  if (!(scores instanceof BigInt64Array)) {
    output.set(scores, at)
    return
  }
  for (const [index, score] of scores.entries()) {
    const number = Number(score)
    if (!Number.isSafeInteger(number)) {
      throw new LarderError(
        'bad_model',
        `output ${quoteText(name)} is ${score}: an integer beyond 2^53 is not exact as a score`,
      )
    }
    output[at + index] = number
  }
}

interface Filled {
  /** Of the inputs that make the tensor. */
  readonly names: readonly string[]
  readonly columns: readonly (ModelColumn | undefined)[]
  readonly range: RowRange
}

function fillTensor({ tensor, isEmbedding }: BoundTensor, filled: Filled, view: OnnxView): void {
  const { columns, range } = filled
  const width = tensor.width ?? 1
  if (view instanceof Float32Array || view instanceof Float64Array) {
    if (isEmbedding) copyEmbeddings(columns[0], width, range, view)
    else gatherColumns(columns.map(asNumbers), range, view)
    if (tensor.type === 'float32') requireFloat32(filled, { width, isEmbedding }, view)
    return
  }
  const convert = wholeNumbers[view instanceof BigInt64Array ? 'int64' : tensor.type]
  for (let row = range.begin, cell = 0; row < range.end; row++) {
    for (let place = 0; place < width; place++, cell++) {
      const value = cellOf(filled, { width, isEmbedding }, row, place)
      const failure = convert.refuse(value)
      if (failure !== undefined) {
        const input = quoteText(filled.names[isEmbedding ? 0 : place] ?? '')
        const where = isEmbedding ? `element ${place} of row ${row}` : `row ${row}`
        throw invalid(
          `input ${input} is ${failure} in ${where}: tensor ${quoteText(tensor.name)} takes ${convert.takes}`,
        )
      }
      if (view instanceof BigInt64Array) view[cell] = BigInt(value)
      else view[cell] = value
    }
  }
}

interface WholeNumbers {
  readonly takes: string
  /** What is wrong with the value; undefined where nothing is. */
  refuse(value: number): string | undefined
}

function within(takes: string, least: number, most: number): WholeNumbers {
  return {
    takes,
    refuse: (value) => {
      if (Number.isNaN(value)) return 'missing (NaN)'
      return Number.isInteger(value) && value >= least && value <= most ? undefined : `${value}`
    },
  }
}

const safe = Number.MAX_SAFE_INTEGER
const neverWhole = within('numbers', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
const wholeNumbers = {
  int64: within('whole numbers up to 2^53', -safe, safe),
  int32: within('whole numbers of 32 bits', -(2 ** 31), 2 ** 31 - 1),
  bool: within('0 or 1', 0, 1),
  float32: neverWhole,
  float64: neverWhole,
} as const satisfies Record<OnnxType, WholeNumbers>

/** Eight columns at a time: each row's part of them is one piece of memory. */
function gatherColumns(
  columns: readonly NumberColumn[],
  { begin, end }: RowRange,
  view: Float32Array | Float64Array,
): void {
  const width = columns.length
  const whole = columns.every(({ length }) => length >= end)
  let first = 0
  for (; whole && first + 8 <= width; first += 8) {
    const [a, b, c, d, e, f, g, h] = columns.slice(first, first + 8)
    assert(a && b && c && d && e && f && g && h, 'there are eight columns')
    for (let row = begin, cell = first; row < end; row++, cell += width) {
      view[cell] = a[row] ?? Number.NaN
      view[cell + 1] = b[row] ?? Number.NaN
      view[cell + 2] = c[row] ?? Number.NaN
      view[cell + 3] = d[row] ?? Number.NaN
      view[cell + 4] = e[row] ?? Number.NaN
      view[cell + 5] = f[row] ?? Number.NaN
      view[cell + 6] = g[row] ?? Number.NaN
      view[cell + 7] = h[row] ?? Number.NaN
    }
  }
  for (; first < width; first++) {
    const column = columns[first]
    assert(column !== undefined, 'the column is within the tensor')
    const isOne = column.length === 1
    for (let row = begin, cell = first; row < end; row++, cell += width) {
      view[cell] = column[isOne ? 0 : row] ?? Number.NaN
    }
  }
}

function copyEmbeddings(
  column: ModelColumn | undefined,
  dim: number,
  { begin, end }: RowRange,
  view: Float32Array | Float64Array,
): void {
  const { values, lengths } = asLists(column)
  if (lengths.length > 1 || end - begin === 1) {
    const at = lengths.length > 1 ? begin * dim : 0
    view.set(values.subarray(at, at + (end - begin) * dim))
    return
  }
  for (let row = 0; row < end - begin; row++) view.set(values, row * dim)
}

/** A finite float64 must not turn into an infinite float32. */
function requireFloat32(
  filled: Filled,
  { width, isEmbedding }: { readonly width: number; readonly isEmbedding: boolean },
  view: Float32Array | Float64Array,
): void {
  const { names, columns, range } = filled
  const isWide = (column: ModelColumn | undefined) =>
    (isEmbedding ? asLists(column).values : column) instanceof Float64Array
  if (!columns.some(isWide)) return
  const cellCount = (range.end - range.begin) * width
  for (let cell = 0; cell < cellCount; cell++) {
    const written = view[cell] ?? 0
    if (written !== Number.POSITIVE_INFINITY && written !== Number.NEGATIVE_INFINITY) continue
    const row = range.begin + Math.floor(cell / width)
    const place = cell % width
    const value = cellOf(filled, { width, isEmbedding }, row, place)
    if (value === written) continue
    const input = quoteText(names[isEmbedding ? 0 : place] ?? '')
    throw invalid(`input ${input} is ${value} in row ${row}: beyond the range of float32`)
  }
}

function cellOf(
  { columns }: Filled,
  { width, isEmbedding }: { readonly width: number; readonly isEmbedding: boolean },
  row: number,
  place: number,
): number {
  if (isEmbedding) {
    const { values, lengths } = asLists(columns[0])
    return values[(lengths.length === 1 ? 0 : row) * width + place] ?? Number.NaN
  }
  const column = asNumbers(columns[place])
  return column[column.length === 1 ? 0 : row] ?? Number.NaN
}

/** A model of a fixed batch runs on more rows than there are; the copies' scores are dropped. */
function repeatLastRow(view: OnnxView, { width = 1 }: OnnxTensor, rowCount: number): void {
  const rows = view.length / width
  for (let row = rowCount; row < rows; row++) {
    view.copyWithin(row * width, (rowCount - 1) * width, rowCount * width)
  }
}

function asNumbers(column: ModelColumn | undefined): NumberColumn {
  assert(column !== undefined && !isListColumn(column), 'the columns have been checked')
  return column
}

function asLists(column: ModelColumn | undefined) {
  assert(column !== undefined && isListColumn(column), 'the columns have been checked')
  return column
}

function requireCount(named: string, what: string, found: number, rowCount: number): void {
  if (found === rowCount || found === 1) return
  throw invalid(`${named} has ${found} ${what}, expected ${rowCount} or 1`)
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
