import { expect, test } from 'vitest'
import type { InputResult, PredictionResult } from '../client/index.js'
import { systemClock } from '../clock.js'
import type { CliIo } from './cli-io.js'
import { predictionJson } from './prediction-json.js'
import { printPrediction } from './print-prediction.js'

const keys = new Map([['shop', ['a']]])
const types = new Map([
  ['near.vector', 'embedding<9, f32>'],
  ['words', 'list<string>'],
])

async function printed(prediction: PredictionResult): Promise<string> {
  const texts: string[] = []
  const output = { write: async (text: string) => void texts.push(text), terminal: undefined }
  const io: CliIo = {
    stdout: output,
    stderr: output,
    env: {},
    cwd: '/',
    clock: systemClock,
    stop: new AbortController().signal,
    ask: undefined,
  }
  await printPrediction(io, keys, { prediction, types })
  return texts.join('')
}

function list(feature: string, values: readonly number[], texts?: readonly string[]): InputResult {
  return {
    input: feature,
    feature,
    values: Float64Array.from(values),
    isList: true,
    valuesAt: () => Float64Array.from(values),
    textsAt: () => texts,
    eventTimesUs: new BigInt64Array(1),
    sourceAt: () => 'given',
    statusAt: () => undefined,
    tierAt: () => undefined,
  }
}

function answer(words: Partial<PredictionResult> = {}): PredictionResult {
  const scores = Float64Array.of(0.5)
  return {
    model: 'm',
    version: '1',
    error: undefined,
    outputCount: 1,
    scores,
    contributions: undefined,
    defaults: { modelDefaultCount: 0, viewDefaultCount: 0, missingCount: 0, unavailableCount: 0 },
    inputs: [],
    scoresAt: () => scores,
    ...words,
  }
}

const names = Array.from({ length: 12 }, (_, index) => `i${index}`)
const added = Float64Array.of(1, -20, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.5, -30)
const told = answer({
  contributions: { inputs: names, values: added, at: () => added },
})

test('the largest contributions come first, the rest is added up', async () => {
  const lines = (await printed(told)).split('\n').map((line) => line.trimEnd())
  expect(lines.slice(3, 6)).toEqual([
    'row  of         input                      adds',
    '0    raw score  i1                         -20',
    '0    raw score  i10                        10',
  ])
  expect(lines.slice(14)).toEqual([
    '0    raw score  (2 others)                 1.5',
    '0    raw score  (expected without inputs)  -30',
    '',
  ])
})

test('JSON has every contribution', () => {
  expect(predictionJson(keys, { prediction: told, types })).toMatchObject({
    rows: [
      {
        keys: { shop: 'a' },
        contributions: [
          {
            expected: -30,
            inputs: names.map((input, index) => ({ input, contribution: added[index] })),
          },
        ],
      },
    ],
  })
})

const lists = answer({
  inputs: [
    list('near.vector', [Math.fround(0.1), 1, 2, 3, 4, 5, 6, 7, 8]),
    list('words', [0, 1], ['a "b"', '']),
  ],
})

test('long lists are cut with their count, texts are quoted', async () => {
  const text = await printed(lists)
  expect(text).toMatch(/near\.vector +\[0\.1, 1, 2, 3, 4, 5, 6, 7, … 9 in all\] +given/)
  expect(text).toMatch(/words +\["a \\"b\\"", ""\] +given/)
})

test('JSON has lists whole', () => {
  expect(predictionJson(keys, { prediction: lists, types })).toMatchObject({
    rows: [
      {
        inputs: [
          { input: 'near.vector', value: [0.1, 1, 2, 3, 4, 5, 6, 7, 8] },
          { input: 'words', value: ['a "b"', ''] },
        ],
      },
    ],
  })
})

test('a model that did not answer shows why, and no score', async () => {
  const error = { code: 'bad_model', message: 'its file is torn' }
  const prediction = answer({ error, version: '', scores: new Float64Array(0) })
  expect(await printed(prediction)).toBe('m\nno answer (bad_model): its file is torn\n')
  expect(predictionJson(keys, { prediction, types })).toEqual({ model: 'm', version: '', error })
})
