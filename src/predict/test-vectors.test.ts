import { expect, test } from 'vitest'
import { testVectorsBytesMax, testVectorsMax } from '../limits.js'
import { parseTestVectors } from './test-vectors.js'

const parse = (text: string) => parseTestVectors({ path: 'v.yaml', text })

test('rows are read, in YAML', () => {
  const text = `
tolerance: 0.01
rows:
  - inputs: { a: 1.5, b: x, c: null, d: [1, .nan], e: [u, v], f: true, g: -.inf }
    raw: 0.1
  - { inputs: {}, raw: [1, .nan], scores: [2, -.inf], tolerance: 0 }
`
  const [first, second] = parse(text)
  expect(first).toEqual({
    at: 'v.yaml:4:5',
    version: undefined,
    inputs: new Map<string, unknown>([
      ['a', 1.5],
      ['b', 'x'],
      ['c', null],
      ['d', [1, Number.NaN]],
      ['e', ['u', 'v']],
      ['f', true],
      ['g', Number.NEGATIVE_INFINITY],
    ]),
    raw: [0.1],
    scores: undefined,
    tolerance: 0.01,
  })
  expect(second).toMatchObject({
    raw: [1, Number.NaN],
    scores: [2, Number.NEGATIVE_INFINITY],
    tolerance: 0,
  })
})

test('JSON as Python writes it is read too', () => {
  const text =
    '{"rows": [{"inputs": {"a": 1e-05, "b": 9007199254740992}, "raw": [NaN, -Infinity]}]}'
  expect(parse(text)).toMatchObject([
    {
      inputs: new Map([
        ['a', 1e-5],
        ['b', 2 ** 53],
      ]),
      raw: [Number.NaN, Number.NEGATIVE_INFINITY],
    },
  ])
})

test.each([
  { text: '', problem: '1:1: expected a map, found nothing' },
  {
    text: 'row: []',
    problem: '1:1: unknown key "row": did you mean "rows"?\nv.yaml:1:1: "rows" is missing',
  },
  { text: 'rows: 1', problem: '1:7: expected a list, found 1' },
  { text: 'rows: [1]', problem: '1:8: expected a map, found 1' },
  { text: 'rows: [{ raw: 1 }]', problem: '1:8: "inputs" is missing' },
  { text: 'rows: [{ inputs: [] , raw: 1 }]', problem: '1:18: expected a map, found a list of 0' },
  { text: 'rows: [{ inputs: {} }]', problem: '1:8: a test vector has "raw" or "scores", or both' },
  {
    text: 'rows: [{ inputs: {}, raw: a }]',
    problem: '1:27: expected a number or a list of numbers',
  },
  {
    text: 'rows: [{ inputs: {}, raw: [] }]',
    problem: '1:27: expected a number or a list of numbers',
  },
  {
    text: 'rows: [{ inputs: {}, raw: 9007199254740993 }]',
    problem: '1:27: expected a number or a list of numbers',
  },
  {
    text: 'rows: [{ inputs: { a: { b: 1 } }, raw: 1 }]',
    problem: '1:23: expected a number, text, true, false, nothing, or a list of them',
  },
  { text: 'tolerance: -1\nrows: []', problem: '1:12: expected a number from 0, found -1' },
  { text: 'tolerance: .nan\nrows: []', problem: '1:12: expected a number from 0, found NaN' },
  {
    text: 'rows: [{ inputs: {}, raw: 1, tolerance: x }]',
    problem: '1:41: expected a number from 0, found "x"',
  },
  {
    text: 'rows: [{ inputs: {}, raw: 1, version: 1 }]',
    problem: '1:30: unknown key "version": known are inputs, raw, scores, tolerance',
  },
  {
    text: `rows: [${Array.from({ length: testVectorsMax + 1 }, () => '1').join()}]`,
    problem: `1:7: ${testVectorsMax + 1} test vectors: at most ${testVectorsMax} are allowed`,
  },
  {
    text: `#${'x'.repeat(testVectorsBytesMax)}`,
    problem: `1:1: the file has ${testVectorsBytesMax + 1} bytes: at most ${testVectorsBytesMax} are allowed`,
  },
])('$problem', ({ text, problem }) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({
      code: 'bad_model',
      message: `v.yaml is wrong:\nv.yaml:${problem}`,
    }),
  )
})
