/**
 * The flights example's neural network says here what PyTorch says of the same June flights.
 */
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadOnnxModel } from '../src/predict/onnx-model.js'

const folder = new URL('../examples/flights/models/flight_delay_mlp/', import.meta.url)
const path = fileURLToPath(new URL('1/model.onnx', folder))
const recorded: {
  readonly names: readonly string[]
  readonly inputs: readonly (readonly (number | null)[])[]
  readonly late: readonly number[]
} = JSON.parse(readFileSync(new URL('fixtures/flights/mlp-june.json', import.meta.url), 'utf8'))

test('scores are those of PyTorch', async () => {
  const { tensors } = parse(readFileSync(new URL('model.yaml', folder), 'utf8'))
  expect(tensors).toEqual({ features: recorded.names })
  const model = await loadOnnxModel({ path, tensors: new Map(Object.entries(tensors)) })
  expect(model.inputs.map(({ name }) => name)).toEqual(recorded.names)
  expect(model.outputCount).toBe(1)
  const rowCount = recorded.inputs.length
  const columns = recorded.names.map((_, place) =>
    Float32Array.from(recorded.inputs, (row) => row[place] ?? Number.NaN),
  )
  const scores = new Float64Array(rowCount)
  await model.predict(columns, rowCount, scores, { raw: false })
  const differences = recorded.late.map((late, row) => Math.abs(late - (scores[row] ?? 0)))
  expect(Math.max(...differences)).toBeLessThan(1e-6)
  expect(new Set(scores).size).toBeGreaterThan(rowCount / 2)
  model.close()
})

test('the file is small and says what made it', () => {
  expect(statSync(path).size).toBeLessThan(200_000)
  expect(readFileSync(path).toString('latin1')).toContain('train_mlp.py, PyTorch ')
})
