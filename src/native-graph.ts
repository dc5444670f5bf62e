/**
 * The exports of `native/graph_binding.cc`, typed. `predict/composite/` is their only caller and
 * checks every argument; the native side requires them to be right.
 */

declare const programBrand: unique symbol
/** A checked program inside the addon; freed when it is no longer referenced. */
export interface GraphProgram {
  readonly [programBrand]: never
}

/** The numbers are shared with `ColumnKind` in `native/graph/program.h`. */
export const graphColumns = { number: 0, vector: 1, list: 2, output: 3, scratch: 4 } as const
export type GraphColumnKind = keyof typeof graphColumns

/** The numbers are shared with `Op` in `native/graph/program.h`, which tells the operands of each. */
export const graphOps = {
  load: 0,
  store: 1,
  negate: 2,
  abs: 3,
  exp: 4,
  log: 5,
  sigmoid: 6,
  not: 7,
  isMissing: 8,
  add: 9,
  subtract: 10,
  multiply: 11,
  divide: 12,
  min: 13,
  max: 14,
  equal: 15,
  notEqual: 16,
  less: 17,
  lessOrEqual: 18,
  greater: 19,
  greaterOrEqual: 20,
  and: 21,
  or: 22,
  firstPresent: 23,
  select: 24,
  bucketize: 25,
  lookup: 26,
  weigh: 27,
  weighVector: 28,
  oneHot: 29,
  dot: 30,
  cosine: 31,
  size: 32,
  sizeUnique: 33,
  countMatches: 34,
  countMatchesUnique: 35,
  countMatchesAt: 36,
  countMatchesAtUnique: 37,
  itemAt: 38,
} as const
export type GraphOp = keyof typeof graphOps

export type GraphPart = Float32Array | Float64Array | Uint32Array

export interface GraphNative {
  /** A program from the words that `native/graph/program.h` draws; throws a TypeError for wrong ones. */
  graphCreate(words: Uint32Array, constants: Float64Array): GraphProgram
  /**
   * Runs `rowCount` rows at once. `parts` has, for each of the program's columns in order: of a number
   * one value per row, or one; of a vector dim values per row, or dim; of a list its values, then its
   * lengths, per row or one; of an output a Float64Array of `rowCount`, which is filled; of a scratch
   * vector nothing.
   */
  graphRun(program: GraphProgram, parts: readonly GraphPart[], rowCount: number): void
}
