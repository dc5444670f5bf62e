/**
 * A loaded model: a pure function from input columns to scores, whatever made it.
 *
 * Every model format has a file that makes one (`lightgbm-model.ts` first). A model is immutable once
 * loaded; many requests may run it at the same time.
 */
import type { ModelKind } from './model-kind.js'

/** An input's numbers: one per row, or one for all rows. NaN is "missing". */
export type NumberColumn = Float32Array | Float64Array

/**
 * An input's lists or embeddings: the elements of all rows one after the other, and how many each row
 * has. `lengths` has a count per row, or one count for all rows (then `values` holds that one list). A
 * missing list is an empty one; a missing embedding is `dim` NaNs.
 */
export interface ListColumn {
  readonly values: Float32Array | Float64Array
  readonly lengths: Uint32Array
}

export type ModelColumn = NumberColumn | ListColumn

/** By class: to look a name up in an array of numbers is slow. */
export function isNumberColumn(column: ModelColumn): column is NumberColumn {
  return column instanceof Float32Array || column instanceof Float64Array
}

export function isListColumn(column: ModelColumn): column is ListColumn {
  return !isNumberColumn(column)
}

/** A category as the model's file lists it; its place in the list is its code. */
export type Category = string | number | boolean

/** What an input takes. */
export type InputForm =
  /** Numbers; integers and booleans as numbers too. */
  | { readonly kind: 'number' }
  /** Codes: a category's place in the list. What is not in the list is missing. */
  | { readonly kind: 'category'; readonly categories: readonly Category[] }
  /** Exactly `dim` numbers. */
  | { readonly kind: 'embedding'; readonly dim: number }
  /** Up to `itemsMax` numbers; or texts, which come as numbers that are equal where the texts are. */
  | { readonly kind: 'list'; readonly items: 'number' | 'text'; readonly itemsMax: number }

export interface ModelInput {
  /** The model's own name for it. */
  readonly name: string
  readonly form: InputForm
  /**
   * What the model's file says stands in for a missing value: a number, a code, or the elements.
   * Undefined where it says nothing.
   */
  readonly defaultValue: number | readonly number[] | undefined
}

export interface PredictOptions {
  /** Without the objective's transform. */
  readonly raw: boolean
}

export interface Model {
  readonly kind: ModelKind
  readonly inputs: readonly ModelInput[]
  /** Scores a row. */
  readonly outputCount: number
  /** Raw scores a row, where they are not as many: a score may be the index of the likeliest class. */
  readonly rawOutputCount?: number
  /** As the model's file names it; empty where it names none. */
  readonly objective: string
  /** 0 where the model has no trees. */
  readonly treeCount: number
  /** Memory the engine holds for it. */
  readonly modelBytes: number
  /** What runs it, for people: such as `100 trees in bitmask (avx512)`. */
  readonly kernel: string
  readonly warnings: readonly string[]
  /** For each categorical input, in input order, the categories its codes stand for. */
  readonly pandasCategorical: readonly (readonly Category[])[] | undefined

  /**
   * Scores `rowCount` rows. `columns` has one column per input, in the form that the input takes. Fills
   * `output` (`rowCount * scoresPerRow`, row by row), which the caller owns. Never blocks the event loop
   * for long. Throws the signal's reason when it fires first.
   */
  predict(
    columns: readonly ModelColumn[],
    rowCount: number,
    output: Float64Array,
    options: PredictOptions,
    signal?: AbortSignal,
  ): Promise<void>

  /**
   * What each input adds to each row's raw scores: exact SHAP values. Fills `output`, `rowCount *
   * rawOutputCount * (inputs + 1)`, by row, then output, then input; the last of each is what the model
   * expects without knowing any input, so that they add up to the raw score. Undefined where the model
   * cannot tell.
   */
  readonly contributions:
    | ((
        columns: readonly ModelColumn[],
        rowCount: number,
        output: Float64Array,
        signal?: AbortSignal,
      ) => Promise<void>)
    | undefined
  /** Why a model of trees has no contributions, for people; undefined where it has. */
  readonly contributionRefusal?: string | undefined

  /** Frees the model's memory once no call is under way. */
  close(): void
}

/** Scores that `predict` writes for a row. */
export function scoresPerRow(
  { outputCount, rawOutputCount = outputCount }: Model,
  { raw }: PredictOptions,
): number {
  return raw ? rawOutputCount : outputCount
}
