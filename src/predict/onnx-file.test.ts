import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createSeededPrng } from '../prng.js'
import { describeOnnxFile, readOnnxFile } from './onnx-file.js'

const fixture = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/onnx/${name}.onnx`, import.meta.url))
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)

test('a file says its versions and who made it', () => {
  const facts = readOnnxFile(fixture('classifier'))
  expect(facts.opsets).toEqual(
    new Map([
      ['ai.onnx.ml', 1],
      ['ai.onnx', 13],
    ]),
  )
  expect(describeOnnxFile(readOnnxFile(fixture('mlp')))).toBe(
    'opset ai.onnx 13, IR version 8, made by make.py',
  )
})

test('weights in another file are refused, also those within an operator', () => {
  const says = expect.objectContaining({
    code: 'bad_model',
    message: expect.stringMatching(/^byte \d+: the data of "w0" lies in another file/),
  })
  expect(() => readOnnxFile(fixture('external'))).toThrow(says)
  // A tensor of an attribute of a node of a graph: each length-delimited, field by field.
  const wrap = (field: number, inner: number[]) => [field * 8 + 2, inner.length, ...inner]
  const tensor = [...wrap(8, [...Buffer.from('w0')]), 14 * 8, 1]
  const graph = wrap(7, wrap(1, wrap(5, wrap(5, tensor))))
  expect(() => readOnnxFile(Uint8Array.from([8, 8, ...graph]))).toThrow(says)
})

test.each([
  ['nothing', [], 'byte 0: not an ONNX model: it has no ir_version or no graph'],
  ['a field number of 0', [0], 'byte 0: a field has number 0'],
  ['a group', [0x0b], 'byte 0: a field has wire type 3'],
  ['a number without end', Array(11).fill(0x88), 'byte 0: a number is cut or too long'],
  ['a length that lies', [8, 8, 0x3a, 0x7f, 0], 'byte 2: a field of 127 bytes ends beyond byte 5'],
  [
    'a length that lies more',
    [8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    'bytes ends beyond byte 12',
  ],
])('%s is refused where it is', (_, bytes, says) => {
  expect(() => readOnnxFile(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'bad_model', message: expect.stringContaining(says) }),
  )
})

test('graphs that nest without end are refused', () => {
  let graph: number[] = []
  const wrap = (field: number, inner: readonly number[]) => {
    const length = [
      128 | (inner.length % 128),
      128 | ((inner.length >> 7) % 128),
      inner.length >> 14,
    ]
    return [field * 8 + 2, ...length, ...inner]
  }
  for (let depth = 0; depth < 20; depth++) graph = wrap(1, wrap(5, wrap(6, graph)))
  expect(() => readOnnxFile(Uint8Array.from([8, 8, ...wrap(7, graph)]))).toThrow(
    'graphs nest deeper than 32',
  )
})

test('cut anywhere a file is refused, or has lost only whole fields', () => {
  const bytes = fixture('two-inputs')
  const outcomes = new Set<unknown>()
  for (let cut = 0; cut < bytes.length; cut++) {
    try {
      readOnnxFile(bytes.subarray(0, cut))
      outcomes.add('read')
    } catch (error) {
      outcomes.add(error instanceof Error && 'code' in error ? error.code : error)
    }
  }
  expect(outcomes).toEqual(new Set(['bad_model', 'read']))
})

test(`${fuzzRuns} mutations are read or refused`, { timeout: 60_000 + fuzzRuns }, () => {
  const prng = createSeededPrng(20_010_615)
  const files = ['two-inputs', 'classifier', 'external'].map(fixture)
  const outcomes = new Set<unknown>()
  for (let run = 0; run < fuzzRuns; run++) {
    const bytes = Buffer.from(files[run % files.length] ?? [])
    for (let edit = 0; edit <= prng.below(4); edit++) {
      bytes[prng.below(bytes.length)] = prng.below(256)
    }
    try {
      readOnnxFile(bytes)
      outcomes.add('read')
    } catch (error) {
      outcomes.add(error instanceof Error && 'code' in error ? error.code : error)
    }
  }
  expect(outcomes).toEqual(new Set(['bad_model', 'read']))
})
