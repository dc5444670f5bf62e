/**
 * Runs graphs natively and in the plain evaluator, on the same rows, and compares bits.
 */
import { loadCompositeModel } from '../../src/predict/composite/composite-model.js'
import type { Graph } from '../../src/predict/composite/graph.js'
import { parseGraph } from '../../src/predict/composite/graph-file.js'
import type { Model, ModelColumn, ModelInput } from '../../src/predict/model.js'
import { type Cell, evaluateGraph } from './graph-evaluator.js'

const path = 'graph.yaml'

/** A model of `text` that nests nothing. */
export function loadGraph(text: string): Promise<Model> {
  const loadNested = () => Promise.reject(new Error('nothing is nested'))
  return loadCompositeModel({ path, text, loadNested })
}

/** How an input's column is handed over. */
export interface ColumnForm {
  readonly isBroadcast: boolean
  readonly isFloat32: boolean
}

export const plainForm: ColumnForm = { isBroadcast: false, isFloat32: false }

/** A column of a row's cells; of the first one's where it is broadcast. */
function columnOf(
  input: ModelInput,
  cells: readonly Cell[],
  { isBroadcast, isFloat32 }: ColumnForm,
): ModelColumn {
  const used = isBroadcast ? cells.slice(0, 1) : cells
  const values = used.flat()
  const numbers = isFloat32 ? Float32Array.from(values) : Float64Array.from(values)
  if (input.form.kind === 'number' || input.form.kind === 'category') return numbers
  return {
    values: numbers,
    lengths: Uint32Array.from(used, (cell) => (typeof cell === 'number' ? 1 : cell.length)),
  }
}

export interface Rows {
  /** Per input, in the model's order, a cell per row. */
  readonly cells: readonly (readonly Cell[])[]
  readonly rowCount: number
}

/** What the native engine says. */
export async function runNative(
  model: Model,
  { cells, rowCount }: Rows,
  formOf: (inputIndex: number) => ColumnForm = () => plainForm,
): Promise<Float64Array> {
  const columns = model.inputs.map((input, index) =>
    columnOf(input, cells[index] ?? [], formOf(index)),
  )
  const output = new Float64Array(rowCount).fill(12345)
  await model.predict(columns, rowCount, output, { raw: false })
  return output
}

/** What the evaluator says of the same columns. */
export function runPlain(
  graph: Graph,
  { cells, rowCount }: Rows,
  formOf: (inputIndex: number) => ColumnForm = () => plainForm,
): Float64Array {
  const seen = (cell: Cell, isFloat32: boolean): Cell => {
    if (!isFloat32) return cell
    return typeof cell === 'number' ? Math.fround(cell) : cell.map(Math.fround)
  }
  return Float64Array.from({ length: rowCount }, (_, row) => {
    const inputs = cells.map((column, index) => {
      const { isBroadcast, isFloat32 } = formOf(index)
      return seen(column[isBroadcast ? 0 : row] ?? Number.NaN, isFloat32)
    })
    return evaluateGraph(graph, inputs)
  })
}

export function graphOf(text: string): Graph {
  return parseGraph({ path, text })
}

/** The largest distance in representable values; equal NaNs are at 0. */
export function ulpsBetween(a: Float64Array, b: Float64Array): number {
  const ordered = (values: Float64Array) =>
    [...new BigInt64Array(values.slice().buffer)].map((bits) =>
      bits < 0n ? -(2n ** 63n) - bits : bits,
    )
  const [of, other] = [ordered(a), ordered(b)]
  const distances = of.map((bits, index) => {
    const [x, y] = [a[index], b[index]]
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y) ? 0 : Infinity
    const distance = bits - (other[index] ?? 0n)
    return Number(distance < 0n ? -distance : distance)
  })
  return Math.max(0, ...distances)
}
