/**
 * The exports of `native/trees_binding.cc`, typed. `tree-model.ts` is their only caller and
 * checks every argument; the native side requires them to be right.
 */

/** A parsed model inside the addon. Collected like any value, or sooner by `treesFree`. */
declare const handleBrand: unique symbol
export interface TreesHandle {
  readonly [handleBrand]: never
}

/** Bounds that the parser enforces before it allocates. */
export interface TreesParseLimits {
  readonly modelBytesMax: number
  readonly treesMax: number
  /** Inner nodes and leaves over all trees. Below 2^32. */
  readonly nodesMax: number
  readonly featuresMax: number
}

export interface TreesParseFailure {
  readonly ok: false
  /** Byte offset in the file. */
  readonly offset: number
  readonly message: string
  /** The text at `offset`, printable ASCII only. */
  readonly excerpt: string
}

export interface TreesParsed {
  readonly ok: true
  readonly handle: TreesHandle
  readonly version: string
  readonly objective: string
  readonly outputCount: number
  readonly treeCount: number
  /** Steps that one row's contributions take; absent where the model has none. */
  readonly contributionStepCount?: number
  /** Why the model has no contributions; absent where it has. */
  readonly contributionRefusal?: string
  readonly featureNames: readonly string[]
  readonly usedFeatures: readonly boolean[]
  readonly categoricalFeatures: readonly boolean[]
  /** JSON text, not checked; absent where the file has no such line. */
  readonly pandasCategorical?: string
  readonly pandasCategoricalOffset?: number
}

/** What runs a model from here on. */
export interface TreesKernel {
  readonly ok: true
  /** For people: such as `90 trees in bitmask-avx512, 10 in walk`. */
  readonly kernel: string
  /** What one row costs, in steps of about 1 ns: its scores, and its leaves. */
  readonly stepCount: number
  readonly leafStepCount: number
  readonly modelBytes: number
  /** Of the parser, and of the choice. */
  readonly warnings: readonly string[]
}

export interface TreesKernelRefusal {
  readonly ok: false
  readonly message: string
}

export type TreeColumn = Float32Array | Float64Array | BigInt64Array

/** The numbers are shared with `Mode` in `trees_binding.cc`. */
export const runModes = { raw: 0, transformed: 1, leaf: 2, contributions: 3 } as const
export type RunMode = (typeof runModes)[keyof typeof runModes]

/** An integer that no f64 holds exactly: the run stopped before it wrote anything. */
export interface InexactInteger {
  readonly featureIndex: number
  readonly rowIndex: number
  readonly value: bigint
}

/**
 * Runs rows [begin, end). One column per feature, each of length `rowCount` or 1. `output` has
 * `rowCount` rows: Float64Array [row][output]; Int32Array [row][tree] for `runModes.leaf`; Float64Array
 * [row][output][feature + 1] for `runModes.contributions`, which only a model without
 * `contributionRefusal` has.
 */
export type TreesRunArguments = readonly [
  handle: TreesHandle,
  columns: readonly TreeColumn[],
  rowCount: number,
  begin: number,
  end: number,
  output: Float64Array | Int32Array,
  mode: RunMode,
]

export interface TreesNative {
  lightgbmParse(bytes: Uint8Array, limits: TreesParseLimits): TreesParsed | TreesParseFailure
  /** The same of an XGBoost model in JSON or UBJSON. */
  xgboostParse(bytes: Uint8Array, limits: TreesParseLimits): TreesParsed | TreesParseFailure
  /** Once per model, before its first run: looks which kernel is fastest, unless `kernel` names one. */
  treesChooseKernel(handle: TreesHandle, kernel: string): TreesKernel | TreesKernelRefusal
  treesRun(...run: TreesRunArguments): InexactInteger | undefined
  /**
   * The same on the pool's threads, `sliceRows` rows at a time. Until it settles, the columns array must
   * not change and no buffer may be transferred; freeing the handle is safe. Slices that begin after the
   * one element of `cancel` became other than 0 are left out, and the promise settles sooner.
   */
  treesRunAsync(
    ...run: [...TreesRunArguments, sliceRows: number, cancel: Int32Array]
  ): Promise<InexactInteger | undefined>
  /** The handle must not be used again; runs under way end as usual. */
  treesFree(handle: TreesHandle): void
}
