/**
 * A model of inputs in any form, for tests: its scores are what a function makes of each row.
 */
import type { Model, ModelColumn, ModelInput } from '../../src/predict/model.js'
import { isListColumn } from '../../src/predict/model.js'

/** What a row holds: for each input its number, or its elements. */
export type FormRow = readonly (number | readonly number[])[]

/** A linear model by its kind, which scores each row by `score`. */
export function formModel(
  inputs: readonly ModelInput[],
  score: (row: FormRow) => number,
): Model & { readonly rows: FormRow[] } {
  const rows: FormRow[] = []
  return {
    rows,
    kind: 'linear',
    inputs,
    outputCount: 1,
    objective: '',
    treeCount: 0,
    modelBytes: 0,
    kernel: '',
    warnings: [],
    pandasCategorical: undefined,
    contributions: undefined,
    async predict(columns, rowCount, output) {
      for (let row = 0; row < rowCount; row++) {
        const cells = columns.map((column) => cellAt(column, row))
        rows.push(cells)
        output[row] = score(cells)
      }
    },
    close() {},
  }
}

function cellAt(column: ModelColumn, row: number): number | readonly number[] {
  if (!isListColumn(column)) return column[row] ?? Number.NaN
  const begin = column.lengths.subarray(0, row).reduce((sum, length) => sum + length, 0)
  return [...column.values.subarray(begin, begin + (column.lengths[row] ?? 0))]
}
