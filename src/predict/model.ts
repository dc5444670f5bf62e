/**
 * A loaded model: a pure function from input columns to scores, whatever made it.
 *
 * Every model format has a file of this shape (`lightgbm-model.ts` first). A model is immutable once
 * loaded; many requests may run it at the same time.
 */

/** An input's values: one per row, or one for all rows. NaN is "missing". */
export type ModelColumn = Float32Array | Float64Array

/** A category as the model's file lists it; its place in the list is its code. */
export type Category = string | number | boolean

export interface Model {
  /** The model's own names for its inputs, in their order. */
  readonly featureNames: readonly string[]
  /** Scores a row. */
  readonly outputCount: number
  readonly objective: string
  readonly treeCount: number
  /** Memory the engine holds for it. */
  readonly modelBytes: number
  readonly warnings: readonly string[]
  /** For each categorical input, in input order, the categories its codes stand for. */
  readonly pandasCategorical: readonly (readonly Category[])[] | undefined

  /**
   * Scores `rowCount` rows. `columns` has one column per feature name, each with `rowCount` values or
   * one. Fills `output` (`rowCount * outputCount`, row by row), which the caller owns. Never blocks the
   * event loop for long. Throws the signal's reason when it fires first.
   */
  predict(
    columns: readonly ModelColumn[],
    rowCount: number,
    output: Float64Array,
    options: { readonly raw: boolean },
    signal?: AbortSignal,
  ): Promise<void>

  /** Frees the model's memory once no call is under way. */
  close(): void
}
