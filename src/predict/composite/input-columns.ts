/**
 * The columns that a composite model is handed: checked against its inputs, and cut into slices of rows.
 */
import { LarderError } from '../../errors.js'
import { isNumberColumn, type ListColumn, type ModelColumn, type ModelInput } from '../model.js'

/** Throws `invalid_argument` that names the input and the row, where a column is not as its input is. */
export function requireColumns(
  inputs: readonly ModelInput[],
  columns: readonly ModelColumn[],
  rowCount: number,
): void {
  if (!Number.isSafeInteger(rowCount) || rowCount < 0) {
    throw invalid(`rowCount is ${rowCount}, expected an integer from 0`)
  }
  if (columns.length !== inputs.length) {
    throw invalid(`the model has ${inputs.length} inputs, got ${columns.length} columns`)
  }
  for (const [index, input] of inputs.entries()) {
    const column = columns[index]
    if (column !== undefined) requireColumn(input, column, rowCount)
  }
}

function requireColumn(input: ModelInput, column: ModelColumn, rowCount: number): void {
  const { form } = input
  const isNumbers = form.kind === 'number' || form.kind === 'category'
  if (isNumberColumn(column) !== isNumbers) {
    const wanted = isNumbers ? 'numbers' : 'lists'
    throw wrongInput(
      input,
      `is of kind ${form.kind}: its column must be ${wanted}, float32 or float64`,
    )
  }
  if (isNumberColumn(column)) {
    requireRows(input, column.length, rowCount)
  } else {
    requireLists(input, column, rowCount)
  }
}

function requireRows(input: ModelInput, count: number, rowCount: number): void {
  if (count === rowCount || count === 1) return
  throw wrongInput(input, `has ${count} rows, expected ${rowCount} or 1`)
}

function requireLists(input: ModelInput, { values, lengths }: ListColumn, rowCount: number): void {
  if (!isNumberColumn(values)) {
    throw wrongInput(input, 'has values that are not float32 or float64')
  }
  requireRows(input, lengths.length, rowCount)
  const { form } = input
  const lengthMin = form.kind === 'embedding' ? form.dim : 0
  const lengthMax = lengthMaxOf(form)
  let total = 0
  for (let row = 0; row < lengths.length; row++) {
    const length = lengths[row] ?? 0
    total += length
    if (length >= lengthMin && length <= lengthMax) continue
    const wanted = lengthMin === lengthMax ? `${lengthMax}` : `at most ${lengthMax}`
    throw wrongInput(input, `has ${length} elements in row ${row}, expected ${wanted}`)
  }
  if (total === values.length) return
  const found = `there are ${values.length} values`
  throw wrongInput(input, `has lengths that add up to ${total}, but ${found}`)
}

function lengthMaxOf(form: ModelInput['form']): number {
  if (form.kind === 'embedding') return form.dim
  return form.kind === 'list' ? form.itemsMax : 0
}

/** Cuts columns that `requireColumns` took into slices, from the first row on. */
export function createSlicer(columns: readonly ModelColumn[], rowCount: number) {
  // Where each column's next elements begin.
  const next = columns.map(() => 0)
  return (begin: number, end: number): readonly ModelColumn[] => {
    if (begin === 0 && end === rowCount) return columns
    return columns.map((column, index) => {
      if (isNumberColumn(column)) {
        return column.length === rowCount ? column.subarray(begin, end) : column
      }
      if (column.lengths.length !== rowCount) return column
      const slice = sliceLists(column, { begin, end, offset: next[index] ?? 0 })
      next[index] = (next[index] ?? 0) + slice.values.length
      return slice
    })
  }
}

interface ListSlice {
  readonly begin: number
  readonly end: number
  /** Of the first row's elements. */
  readonly offset: number
}

function sliceLists(
  { values, lengths }: ListColumn,
  { begin, end, offset }: ListSlice,
): ListColumn {
  const own = lengths.subarray(begin, end)
  const elementCount = own.reduce((sum, length) => sum + length, 0)
  return { values: values.subarray(offset, offset + elementCount), lengths: own }
}

function wrongInput({ name }: ModelInput, what: string): LarderError {
  return invalid(`input ${JSON.stringify(name)} ${what}`)
}

function invalid(message: string): LarderError {
  return new LarderError('invalid_argument', message)
}
