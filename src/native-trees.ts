/**
 * The exports of `native/lightgbm_binding.cc`, typed. `tree-model.ts` is their only caller and
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
  /** Steps that one row takes: depths of all trees, plus the values prepared for them. */
  readonly stepCount: number
  readonly modelBytes: number
  readonly featureNames: readonly string[]
  readonly usedFeatures: readonly boolean[]
  readonly categoricalFeatures: readonly boolean[]
  readonly warnings: readonly string[]
  /** JSON text, not checked; absent where the file has no such line. */
  readonly pandasCategorical?: string
  readonly pandasCategoricalOffset?: number
}

export type TreeColumn = Float32Array | Float64Array | BigInt64Array

/** The numbers are shared with `Mode` in `lightgbm_binding.cc`. */
export const runModes = { raw: 0, transformed: 1, leaf: 2 } as const
export type RunMode = (typeof runModes)[keyof typeof runModes]

/** An integer that no f64 holds exactly: the run stopped before it wrote anything. */
export interface InexactInteger {
  readonly featureIndex: number
  readonly rowIndex: number
  readonly value: bigint
}

/**
 * Runs rows [begin, end). One column per feature, each of length `rowCount` or 1. `output` has
 * `rowCount` rows: Float64Array [row][output], or Int32Array [row][tree] for `runModes.leaf`.
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
  treesRun(...run: TreesRunArguments): InexactInteger | undefined
  /**
   * The same on another thread. Until it settles, the columns array must not change and no buffer
   * may be transferred; freeing the handle is safe.
   */
  treesRunAsync(...run: TreesRunArguments): Promise<InexactInteger | undefined>
  /** The handle must not be used again; runs under way end as usual. */
  treesFree(handle: TreesHandle): void
}
