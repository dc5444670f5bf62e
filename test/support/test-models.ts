/**
 * Models that score nothing, for tests of what stands around one.
 */
import {
  type Category,
  isListColumn,
  type Model,
  type ModelColumn,
} from '../../src/predict/model.js'

export interface TestModelWords {
  readonly featureNames: readonly string[]
  readonly pandasCategorical?: readonly (readonly Category[])[]
  /** Scores a row from its inputs; by default their sum. */
  readonly score?: (inputs: readonly number[]) => number
}

/** A model of one output. */
export function testModel(words: TestModelWords): Model {
  const { featureNames, pandasCategorical, score = sum } = words
  return {
    kind: 'lightgbm',
    inputs: featureNames.map((name) => ({
      name,
      form: { kind: 'number' } as const,
      defaultValue: undefined,
    })),
    outputCount: 1,
    objective: 'regression',
    treeCount: 1,
    modelBytes: 0,
    kernel: 'test',
    contributions: undefined,
    warnings: [],
    pandasCategorical,
    async predict(columns, rowCount, output, _options, signal) {
      signal?.throwIfAborted()
      for (let row = 0; row < rowCount; row++) {
        output[row] = score(columns.map((column) => valueAt(column, row)))
      }
    },
    close: () => {},
  }
}

function valueAt(column: ModelColumn, row: number): number {
  if (isListColumn(column)) throw new Error('the test model takes no lists')
  return column[column.length === 1 ? 0 : row] ?? Number.NaN
}

function sum(inputs: readonly number[]): number {
  return inputs.reduce((total, input) => total + input, 0)
}
