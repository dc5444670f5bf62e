/**
 * Makes an ONNX file of a network of dense layers with seeded weights: ReLU between them, a sigmoid at
 * the end, `x` of [rows, inputs] in and `y` of [rows, 1] out.
 *
 * Field numbers are those of onnx.proto.
 */
import { createSeededPrng } from '../dist/prng.js'

const float32 = 1

/** `widths` are the inputs, the outputs of each layer, and at last 1. */
export function makeMlpModel(widths, seed) {
  const prng = createSeededPrng(seed)
  const layerCount = widths.length - 1
  const nodes = []
  const tensors = []
  for (let layer = 0; layer < layerCount; layer++) {
    const [before, after] = [widths[layer], widths[layer + 1]]
    const scale = Math.sqrt(3 / before)
    tensors.push(tensor(`w${layer}`, [before, after], () => (2 * prng.next() - 1) * scale))
    tensors.push(tensor(`b${layer}`, [after], () => prng.next() - 0.5))
    const isLast = layer === layerCount - 1
    const input = layer === 0 ? 'x' : `h${layer - 1}`
    nodes.push(node('Gemm', [input, `w${layer}`, `b${layer}`], `g${layer}`))
    nodes.push(node(isLast ? 'Sigmoid' : 'Relu', [`g${layer}`], isLast ? 'y' : `h${layer}`))
  }
  const graph = [
    ...nodes.map((each) => bytesField(1, each)),
    bytesField(2, Buffer.from('mlp')),
    ...tensors.map((each) => bytesField(5, each)),
    bytesField(11, valueInfo('x', widths[0])),
    bytesField(12, valueInfo('y', 1)),
  ]
  const opset = bytesField(8, intField(2, 13))
  return Buffer.concat([intField(1, 8), bytesField(7, Buffer.concat(graph)), opset])
}

function node(operator, inputs, output) {
  return Buffer.concat([
    ...inputs.map((input) => bytesField(1, Buffer.from(input))),
    bytesField(2, Buffer.from(output)),
    bytesField(4, Buffer.from(operator)),
  ])
}

function tensor(name, shape, next) {
  const count = shape.reduce((a, b) => a * b, 1)
  const values = Float32Array.from({ length: count }, next)
  return Buffer.concat([
    ...shape.map((dim) => intField(1, dim)),
    intField(2, float32),
    bytesField(8, Buffer.from(name)),
    bytesField(9, Buffer.from(values.buffer)),
  ])
}

function valueInfo(name, width) {
  const rows = bytesField(1, bytesField(2, Buffer.from('rows')))
  const columns = bytesField(1, intField(1, width))
  const shape = bytesField(2, Buffer.concat([rows, columns]))
  const type = bytesField(1, Buffer.concat([intField(1, float32), shape]))
  return Buffer.concat([bytesField(1, Buffer.from(name)), bytesField(2, type)])
}

function intField(field, value) {
  return Buffer.concat([varint(field * 8), varint(value)])
}

function bytesField(field, bytes) {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])
}

function varint(value) {
  const bytes = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
