/**
 * The ONNX models of test/fixtures/onnx with what Python's onnxruntime made of recorded rows.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ModelColumn } from '../../src/predict/model.js'

interface RecordedTensor {
  readonly name: string
  readonly type: 'float32' | 'float64' | 'int64' | 'int32' | 'bool'
  readonly shape: readonly number[]
}

export interface OnnxCase {
  readonly name: string
  readonly rows: number
  readonly inputs: readonly RecordedTensor[]
  readonly output: RecordedTensor
}

const folder = new URL('../fixtures/onnx/', import.meta.url)

export function onnxPath(name: string): string {
  return fileURLToPath(new URL(`${name}.onnx`, folder))
}

export const onnxCases: readonly OnnxCase[] = JSON.parse(
  readFileSync(new URL('cases.json', folder), 'utf8'),
)

/** The recorded values of each input, row by row, and the scores. */
export function readOnnxCase({ name, inputs, output }: OnnxCase) {
  const bytes = readFileSync(new URL(`${name}.bin`, folder))
  let offset = 0
  const read = ({ type, shape }: RecordedTensor): Float64Array => {
    const ArrayOf = arrays[type]
    const byteCount = shape.reduce((a, b) => a * b, 1) * ArrayOf.BYTES_PER_ELEMENT
    const part = Uint8Array.from(bytes.subarray(offset, offset + byteCount))
    offset += byteCount
    return Float64Array.from(new ArrayOf(part.buffer), Number)
  }
  const values = inputs.map(read)
  return { values, scores: read(output) }
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const

/** Columns for model inputs that are the tensors themselves. */
export function columnsOf(
  { inputs, rows }: OnnxCase,
  values: readonly Float64Array[],
): readonly ModelColumn[] {
  return inputs.map(({ shape: [, width = 1] }, index) => {
    const column = values[index] ?? new Float64Array()
    if (width === 1) return column
    return { values: column, lengths: new Uint32Array(rows).fill(width) }
  })
}
