/**
 * The block of memory in which the rows of one run go to a worker and its scores come back.
 *
 *   [tensor of input 0][tensor of input 1] … [scores]        each at a multiple of 8 bytes, row by row
 *
 * Both sides compute the layout from the plan and the row count; the block is transferred, not copied.
 */

/** Element types that Larder feeds and reads. */
export const onnxTypes = ['float32', 'float64', 'int64', 'int32', 'bool'] as const
export type OnnxType = (typeof onnxTypes)[number]

/** A tensor of `[rows]` or `[rows, width]`. */
export interface OnnxTensor {
  readonly name: string
  readonly type: OnnxType
  /** Undefined for a tensor of one dimension. */
  readonly width: number | undefined
}

export interface OnnxPlan {
  readonly inputs: readonly OnnxTensor[]
  readonly output: OnnxTensor
  /** The only number of rows that the model takes at once; undefined where it takes any. */
  readonly batchRows: number | undefined
}

export type OnnxView = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array

const elementBytes = {
  float32: 4,
  float64: 8,
  int64: 8,
  int32: 4,
  bool: 1,
} as const satisfies Record<OnnxType, number>

/** Rows that are run for `rowCount` rows: a model of a fixed batch takes no fewer. */
export function ranRowCount({ batchRows }: OnnxPlan, rowCount: number): number {
  return batchRows === undefined ? rowCount : Math.ceil(rowCount / batchRows) * batchRows
}

export function blockBytes(plan: OnnxPlan, rowCount: number): number {
  const tensors = [...plan.inputs, plan.output]
  return tensors.reduce((sum, tensor) => sum + tensorBytes(tensor, rowCount), 0)
}

/** A view per input, in order, and at last one of the scores. */
export function blockViews(plan: OnnxPlan, rowCount: number, block: ArrayBuffer): OnnxView[] {
  let offset = 0
  return [...plan.inputs, plan.output].map((tensor) => {
    const view = viewOf(tensor.type, block, offset, rowCount * (tensor.width ?? 1))
    offset += tensorBytes(tensor, rowCount)
    return view
  })
}

function tensorBytes({ type, width = 1 }: OnnxTensor, rowCount: number): number {
  return Math.ceil((rowCount * width * elementBytes[type]) / 8) * 8
}

function viewOf(type: OnnxType, block: ArrayBuffer, offset: number, count: number): OnnxView {
  switch (type) {
    case 'float32':
      return new Float32Array(block, offset, count)
    case 'float64':
      return new Float64Array(block, offset, count)
    case 'int64':
      return new BigInt64Array(block, offset, count)
    case 'int32':
      return new Int32Array(block, offset, count)
    case 'bool':
      return new Uint8Array(block, offset, count)
  }
}
