import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formModel } from '../../test/support/form-model.js'
import { exampleModelText } from '../../test/support/lightgbm-example.js'
import { checkModel } from './check-model.js'
import { parseLightgbmModel } from './lightgbm-model.js'
import { type InputForm, type ModelInput, scoresPerRow } from './model.js'
import { parseTestVectors } from './test-vectors.js'
import { parseXgboostModel } from './xgboost-model.js'

const { signal } = new AbortController()
const input = (name: string, form: InputForm): ModelInput => ({
  name,
  form,
  defaultValue: undefined,
})
const inputs = [
  input('n', { kind: 'number' }),
  input('c', { kind: 'category', categories: ['x', 7, true] }),
  input('e', { kind: 'embedding', dim: 2 }),
  input('l', { kind: 'list', items: 'number', itemsMax: 3 }),
  input('t', { kind: 'list', items: 'text', itemsMax: 2 }),
]
const vectors = (text: string) => parseTestVectors({ path: 'v.yaml', text: `rows:\n  - ${text}` })
const nan = Number.NaN

test('every form of input reaches the model as it sees it', async () => {
  const model = formModel(inputs, () => 1)
  const rows = [
    '{ inputs: { n: 1.5, c: x, e: [1, 2], l: [3], t: [a, b] }, scores: 1 }',
    '{ inputs: { n: true, c: 7, t: [b, b] }, scores: 1 }',
    '{ inputs: { n: NaN, c: true, e: null, l: [], t: [] }, scores: 1 }',
    '{ inputs: {}, scores: 1 }',
  ]
  await checkModel(model, vectors(rows.join('\n  - ')), signal)
  expect(model.rows).toEqual([
    [1.5, 0, [1, 2], [3], [0, 1]],
    [1, 1, [nan, nan], [], [1, 1]],
    [nan, 2, [nan, nan], [], []],
    [nan, nan, [nan, nan], [], []],
  ])
})

test.each([
  ['{ nn: 1 }', 'the model has no input "nn": did you mean "n"?'],
  ['{ n: x }', 'input "n": expected a number, true, false or nothing, found "x"'],
  ['{ n: [1] }', 'input "n": expected a number, true, false or nothing, found "[1]"'],
  ['{ c: y }', 'input "c": expected one of its categories, or nothing, found "y"'],
  ['{ c: [x] }', 'input "c": expected one of its categories, or nothing, found "[x]"'],
  ['{ e: [1] }', 'input "e": expected a list of 2 numbers, or nothing, found "[1]"'],
  ['{ e: 1 }', 'input "e": expected a list of 2 numbers, or nothing, found "1"'],
  ['{ l: [1, a] }', 'input "l": expected a list of up to 3 numbers, or nothing, found "[1, a]"'],
  [
    '{ l: [1, 2, 3, 4] }',
    'input "l": expected a list of up to 3 numbers, or nothing, found "[1, 2, 3, 4]"',
  ],
  ['{ t: [1] }', 'input "t": expected a list of up to 2 texts, or nothing, found "[1]"'],
])('a vector of %s does not fit', async (values, problem) => {
  const checking = checkModel(
    formModel(inputs, () => 1),
    vectors(`{ inputs: ${values}, raw: 1 }`),
    signal,
  )
  await expect(checking).rejects.toMatchObject({
    code: 'bad_model',
    message: `test vector v.yaml:2:5: ${problem}`,
  })
})

test.each([
  { got: 1 + 1e-6, expected: '1' },
  { got: -1e-6, expected: '0' },
  { got: 1000.001, expected: '1000' },
  { got: nan, expected: '.nan' },
  { got: Number.POSITIVE_INFINITY, expected: '.inf' },
  { got: 1.25, expected: '1, tolerance: 0.25' },
])('$got passes for $expected', async ({ got, expected }) => {
  const checking = checkModel(
    formModel([], () => got),
    vectors(`{ inputs: {}, raw: ${expected} }`),
    signal,
  )
  await expect(checking).resolves.toBeUndefined()
})

test.each([
  { got: 1 + 1.1e-6, expected: '1' },
  { got: 1, expected: '.nan' },
  { got: nan, expected: '1, tolerance: 1000' },
  { got: Number.POSITIVE_INFINITY, expected: '1, tolerance: 1e300' },
  { got: Number.POSITIVE_INFINITY, expected: '-.inf' },
  { got: 1.25, expected: '1, tolerance: 0.2' },
  { got: 1, expected: '[1, 1]' },
])('$got fails for $expected', async ({ got, expected }) => {
  const checking = checkModel(
    formModel([], () => got),
    vectors(`{ inputs: {}, scores: ${expected} }`),
    signal,
  )
  await expect(checking).rejects.toThrow(/^test vector v\.yaml:2:5: expected scores /)
})

test('raw scores of trees must be equal, transformed ones nearly', async () => {
  const model = parseLightgbmModel(Buffer.from(exampleModelText))
  const row = (more: string) => vectors(`{ inputs: { a: 0.25, b: 0, "c=d": 0 }, ${more} }`)
  await checkModel(model, row('raw: 1.625, scores: 0.96267311265'), signal)
  await expect(checkModel(model, row('raw: 1.6250000000000002'), signal)).rejects.toThrow(
    'test vector v.yaml:2:5: expected raw 1.6250000000000002, got 1.625 (tolerance 0) for ' +
      '"a: 0.25, b: 0, c=d: 0"',
  )
  model.close()
})

test('without vectors rows of missing values and of zeros are scored, raw and not', async () => {
  const model = formModel(inputs, () => 1)
  await checkModel(model, [], signal)
  const [missing, zeros] = [
    [nan, nan, [nan, nan], [], []],
    [0, 0, [0, 0], [0], [0]],
  ]
  expect(model.rows).toEqual([missing, zeros, missing, zeros])
})

test('a model that fails of them is refused', async () => {
  const model = formModel(inputs, () => {
    throw new Error('no zeros')
  })
  await expect(checkModel(model, [], signal)).rejects.toMatchObject({
    code: 'bad_model',
    message: 'it does not score rows of missing values and zeros: no zeros',
  })
})

test('a model whose score is the index of a class has more raw scores', async () => {
  const url = new URL('../../test/fixtures/xgboost/objective-multi-softmax.json', import.meta.url)
  const model = parseXgboostModel(readFileSync(url))
  const width = scoresPerRow(model, { raw: true })
  const raw = new Float64Array(width)
  const columns = model.inputs.map(() => Float64Array.of(0))
  await model.predict(columns, 1, raw, { raw: true })
  const best = raw.indexOf(Math.max(...raw))
  const zeros = `{ ${model.inputs.map(({ name }) => `${name}: 0`).join(', ')} }`
  const vector = (scores: number) =>
    `{ inputs: ${zeros}, raw: [${raw.join(', ')}], scores: ${scores} }`
  await expect(checkModel(model, [], signal)).resolves.toBeUndefined()
  await expect(checkModel(model, vectors(vector(best)), signal)).resolves.toBeUndefined()
  await expect(checkModel(model, vectors(vector(best + 1)), signal)).rejects.toThrow('expected')
  model.close()
})
