/**
 * ONNX models give what onnxruntime gives in Python, and nothing that does not fit is ever fed.
 *
 * Models and recorded scores are made by fixtures/onnx/make.py.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Model, ModelColumn } from '../src/predict/model.js'
import { loadOnnxModel } from '../src/predict/onnx-model.js'
import { createSeededPrng } from '../src/prng.js'
import { columnsOf, onnxCases, onnxPath, readOnnxCase } from './support/onnx-fixtures.js'

const folder = mkdtempSync(join(tmpdir(), 'larder-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)

const load = (name: string, tensors: Record<string, string[]> = {}, output?: string) =>
  loadOnnxModel({ path: onnxPath(name), tensors: new Map(Object.entries(tensors)), output })

async function scores(model: Model, columns: readonly ModelColumn[], rowCount: number) {
  const output = new Float64Array(rowCount * model.outputCount)
  await model.predict(columns, rowCount, output, { raw: false })
  return output
}

describe.each(onnxCases)('$name', (each) => {
  test('gives the bits that onnxruntime gives in Python', async () => {
    const { values, scores: expected } = readOnnxCase(each)
    const model = await load(each.name, {}, each.output.name)
    expect(await scores(model, columnsOf(each, values), each.rows)).toEqual(expected)
    model.close()
  })
})

describe('inputs', () => {
  test('are the tensors themselves, or the numbers that tensors names', async () => {
    const plain = await load('two-inputs')
    expect(plain.inputs).toEqual([
      { name: 'store', form: { kind: 'number' }, defaultValue: undefined },
      { name: 'vector', form: { kind: 'embedding', dim: 3 }, defaultValue: undefined },
      { name: 'open', form: { kind: 'number' }, defaultValue: undefined },
    ])
    const mapped = await load('two-inputs', { vector: ['a', 'store', 'b'] })
    expect(mapped.inputs.map(({ name }) => name)).toEqual(['store', 'a', 'b', 'open'])
    const rows = 9
    const [store, a, b, open] = [3, 0.5, -2, 1].map((value) => Float64Array.of(value)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    const vector = { values: Float32Array.of(0.5, 3, -2), lengths: Uint32Array.of(3) }
    const expected = await scores(plain, [store, vector, open], rows)
    expect(await scores(mapped, [store, a, b, open], rows)).toEqual(expected)
    plain.close()
    mapped.close()
  })

  test('of many columns come row by row, from whatever arrays', async () => {
    const each = onnxCases.find(({ name }) => name === 'mlp')
    expect(each).toBeDefined()
    const { values, scores: expected } = readOnnxCase(each as NonNullable<typeof each>)
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const model = await load('mlp', { features: names })
    const columns = names.map((_, place) => {
      const column = Array.from({ length: 37 }, (_row, row) => values[0]?.[row * 6 + place] ?? 0)
      return place % 2 === 0 ? Float64Array.from(column) : Float32Array.from(column)
    })
    expect(await scores(model, columns, 37)).toEqual(expected)
    model.close()
  })

  test('of a wide tensor and a large batch are cut alike, one value for all rows too', async () => {
    const model = await load('any-width', { x: Array.from({ length: 19 }, (_, i) => `c${i}`) })
    const rowCount = 1000
    const columns = Array.from({ length: 19 }, (_, place) =>
      place === 11
        ? Float64Array.of(7)
        : Float32Array.from({ length: rowCount }, (_row, row) => row * 100 + place),
    )
    const expected = Float64Array.from({ length: rowCount * 19 }, (_, cell) =>
      cell % 19 === 11 ? 7 : Math.floor(cell / 19) * 100 + (cell % 19),
    )
    expect(model.outputCount).toBe(19)
    expect(await scores(model, columns, rowCount)).toEqual(expected)
    const none = columns.map(() => new Float32Array(0))
    expect(await scores(model, none, 0)).toEqual(new Float64Array(0))
    model.close()
  })

  const number = (...values: number[]) => Float64Array.from(values)
  const vector = { values: new Float32Array(6), lengths: Uint32Array.of(3, 3) }
  test.each([
    [
      'missing',
      [number(1, Number.NaN), vector, number(1, 0)],
      /"store" is missing \(NaN\) in row 1/,
    ],
    [
      'a fraction',
      [number(1.5, 0), vector, number(1, 0)],
      /"store" is 1.5 in row 0: tensor "store"/,
    ],
    ['beyond 2^53', [number(2 ** 53, 0), vector, number(1, 0)], /"store" is 9007199254740992 in r/],
    ['infinite', [number(0, -1 / 0), vector, number(1, 0)], /"store" is -Infinity in row 1/],
    ['no flag', [number(0, 0), vector, number(1, 2)], /"open" is 2 in row 1: .* takes 0 or 1/],
    ['unknown to the model', [number(0, 77), vector, number(1, 1)], /onnxruntime: .*Gather/],
    [
      'beyond float32',
      [number(0, 0), { ...vector, values: new Float64Array(6).fill(1e39) }, number(1, 1)],
      /"vector" is 1e\+39 in row 0: beyond the range of float32/,
    ],
    ['too few', [number(0, 0), vector], /the model has 3 inputs, got 2 columns/],
    ['a list for a number', [vector, vector, number(0)], /"store" takes one number a row, got a l/],
    ['no embedding', [number(0), number(0), number(0)], /"vector" takes an embedding, got one/],
    [
      'a short embedding',
      [number(0), { ...vector, lengths: Uint32Array.of(3, 2) }, number(0)],
      /"vector" has 2 elements in row 1, expected 3/,
    ],
    ['of too many rows', [number(0, 0, 0), vector, number(0)], /"store" has 3 values, expected 2/],
  ])('are refused when %s', async (_, columns, says) => {
    const model = await load('two-inputs')
    await expect(scores(model, columns, 2)).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringMatching(says) }),
    )
    model.close()
  })

  test('of int32 are refused out of its range', async () => {
    const model = await load('doubles')
    const x = { values: new Float64Array(2), lengths: Uint32Array.of(2) }
    await expect(scores(model, [x, number(2 ** 31)], 1)).rejects.toThrow('"count" is 2147483648 in')
    model.close()
  })

  test('that give integers beyond 2^53 give no score', async () => {
    const model = await load('integers')
    await expect(scores(model, [number(2 ** 53 - 1)], 1)).rejects.toThrow('output "score" is 90071')
    model.close()
  })
})

test.each([
  [
    'opset-1',
    {},
    undefined,
    /Could not find an implementation for Relu\(1\).*\(opset ai.onnx 1, IR/,
  ],
  ['opset-99', {}, undefined, /till opset \d+.*\(opset ai.onnx 99, IR version 8/],
  ['unknown-operator', {}, undefined, /No Op registered for Telepathy/],
  ['strings', {}, undefined, /input "x" is of string, expected .*: encode texts before the model/],
  ['half', {}, undefined, /input "x" is of float16, expected .*: cast within the model/],
  ['rank-3', {}, undefined, /input "x" of shape \[n, 2, 2\]: inputs are \[rows\] or \[rows, col/],
  ['any-width', {}, undefined, /input "x" of shape \[n, width\] has no fixed width: name its col/],
  ['one-sum', {}, undefined, /output "y" of shape \[\] for 2 rows/],
  ['mixes-rows', {}, undefined, /scores 1 alone and 0.5 beside another: the model mixes rows/],
  ['two-batches', {}, undefined, /input "x" takes 3 rows and "z" takes 1: leave the first dim/],
  ['external', {}, undefined, /lies in another file: save the model as one file/],
  ['classifier', {}, undefined, /2 outputs: name one of "label", "probabilities" as output$/],
  ['zipmap', {}, undefined, /2 outputs: name one of .*; export the model with zipmap=False/],
  ['zipmap', {}, 'output_probability', /a map, not a tensor: export the model with zipmap=False/],
  ['classifier', {}, 'probability', /no output "probability": did you mean "probabilities"\?/],
  ['mlp', { feature: ['a'] }, undefined, /no input "feature": did you mean "features"\?/],
  ['mlp', { features: ['a', 'b'] }, undefined, /takes 6 columns, tensors names 2/],
  ['mlp', { features: ['a', 'b', 'a', 'c', 'd', 'e'] }, undefined, /"features" names "a" twice/],
  ['integers', { x: ['a', 'b'] }, undefined, /takes one column, tensors names 2/],
  ['two-inputs', { open: ['vector'] }, undefined, /"vector" would be both a number and an emb/],
  ['absent', {}, undefined, /absent.onnx: cannot be read: ENOENT/],
])('%s with %j and output %s is refused', async (name, tensors, output, says) => {
  await expect(load(name, tensors, output)).rejects.toThrow(
    expect.objectContaining({ code: 'bad_model', message: expect.stringMatching(says) }),
  )
})

test('a label of a classifier with a map beside it can be the score', async () => {
  const model = await load('zipmap', {}, 'output_label')
  const column = { values: new Float32Array(8), lengths: Uint32Array.of(4, 4) }
  expect(await scores(model, [column], 2)).toEqual(Float64Array.of(1, 1))
  model.close()
})

// onnxruntime itself reads these: in the daemon's process, so that a crash would be ours too.
const mutationCount = Math.max(400, Math.floor(fuzzRuns / 100))
test(`${mutationCount} mutated files are models or refused`, {
  timeout: 60_000 + fuzzRuns,
}, async () => {
  const prng = createSeededPrng(20_010_615)
  const originals = ['mlp', 'two-inputs', 'doubles', 'classifier'].map((name) =>
    readFileSync(onnxPath(name)),
  )
  // One model stays, so that the workers do.
  const kept = await load('mlp')
  const path = join(folder, 'mutated.onnx')
  const codes = new Set<unknown>()
  for (let run = 0; run < mutationCount; run++) {
    let bytes = Buffer.from(originals[run % originals.length] ?? [])
    for (let edit = 0; edit <= prng.below(3); edit++) {
      const at = prng.below(bytes.length)
      bytes[at] = prng.below(256)
      if (prng.below(4) === 0)
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 3)])
    }
    writeFileSync(path, bytes)
    try {
      const model = await loadOnnxModel({ path, tensors: new Map(), output: undefined })
      codes.add('loaded')
      model.close()
    } catch (error) {
      codes.add(error instanceof Error && 'code' in error ? error.code : error)
    }
  }
  expect(codes).toEqual(new Set(['loaded', 'bad_model']))
  kept.close()
})
