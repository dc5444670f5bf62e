/**
 * Models that score nothing of use, for tests of what stands around one.
 */
import {
  type Category,
  isListColumn,
  type Model,
  type ModelColumn,
  type ModelInput,
} from '../../src/predict/model.js'

export interface TestModelWords {
  readonly kind?: Model['kind']
  /** Inputs that take numbers. */
  readonly featureNames?: readonly string[]
  /** Inputs of any form, after those of `featureNames`. */
  readonly inputs?: readonly ModelInput[]
  readonly pandasCategorical?: readonly (readonly Category[])[]
  /** Scores a row from its inputs, a list's elements one after the other; by default their sum. */
  readonly score?: (inputs: readonly number[]) => number
  /** Tells contributions: each input's own sum, which are right where `score` is the sum. */
  readonly tellsContributions?: boolean
}

/** A model of one output. */
export function testModel(words: TestModelWords): Model {
  const { kind = 'lightgbm', featureNames = [], pandasCategorical, score = sum } = words
  const inputs: readonly ModelInput[] = [
    ...featureNames.map(
      (name) => ({ name, form: { kind: 'number' }, defaultValue: undefined }) as const,
    ),
    ...(words.inputs ?? []),
  ]
  return {
    kind,
    inputs,
    outputCount: 1,
    objective: 'regression',
    treeCount: 1,
    modelBytes: 0,
    kernel: 'test',
    contributions: words.tellsContributions ? contribute : undefined,
    warnings: [],
    pandasCategorical,
    async predict(columns, rowCount, output, _options, signal) {
      signal?.throwIfAborted()
      for (let row = 0; row < rowCount; row++) {
        output[row] = score(columns.flatMap((column) => valuesAt(column, row)))
      }
    },
    close: () => {},
  }
}

async function contribute(
  columns: readonly ModelColumn[],
  rowCount: number,
  output: Float64Array,
): Promise<void> {
  const width = columns.length + 1
  for (let row = 0; row < rowCount; row++) {
    output.set([...columns.map((column) => sum(valuesAt(column, row))), 0], row * width)
  }
}

/** What a model sees of an input in a row: one number, or the elements. */
export function valuesAt(column: ModelColumn, row: number): readonly number[] {
  if (!isListColumn(column)) return [column[column.length === 1 ? 0 : row] ?? Number.NaN]
  const { lengths, values } = column
  const cell = lengths.length === 1 ? 0 : row
  const start = lengths.subarray(0, cell).reduce((total, length) => total + length, 0)
  return [...values.subarray(start, start + (lengths[cell] ?? 0))]
}

function sum(inputs: readonly number[]): number {
  return inputs.reduce((total, input) => total + input, 0)
}
