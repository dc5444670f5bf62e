/**
 * Predictions as bytes: what the daemon says of lists, texts, contributions and failures, the client reads.
 */
import { expect, test } from 'vitest'
import { readPredictions } from '../src/client/read-prediction.js'
import { LarderError } from '../src/errors.js'
import { PredictResponse } from '../src/gen/larder/v1/serving.js'
import { replyValuesMax } from '../src/limits.js'
import type { ListColumn, ModelColumn } from '../src/predict/model.js'
import { planPredict } from '../src/server/predict-path.js'
import { formatPredictions } from '../src/server/prediction-messages.js'
import { scoreModels } from '../src/server/score-models.js'
import { scoresOnly, shopsAndUsers, useModel } from './support/models-in-use.js'
import { f64, i64, listsOf, texts, wireColumn } from './support/wire-columns.js'

const yamlText = `
request_values:
  - { name: hour, type: float64 }
  - { name: ids, type: list<int64> }
  - { name: words, type: list<string> }
  - { name: pair, type: "embedding<2, f32>", default: [5, 6] }
`
const list = (name: string, items: 'number' | 'text') =>
  ({ name, form: { kind: 'list', items, itemsMax: 9 }, defaultValue: undefined }) as const
const pair = { name: 'pair', form: { kind: 'embedding', dim: 2 }, defaultValue: undefined } as const
const features = [
  wireColumn('hour', f64(0.5, Number.NaN)),
  wireColumn('ids', listsOf([2, 1], i64(3n, 4n, -7n))),
  wireColumn('words', listsOf([1, 3], texts('é', 'b', 'é', ''))),
]
const asked = { ...scoresOnly, explain: true, contributions: true, keepsGoing: true }
const options = { ...asked, raw: false, signal: new AbortController().signal }
const gone = new LarderError('not_found', "no model 'gone'")

async function predictionsOf() {
  const snapshot = await shopsAndUsers()
  const model = useModel(snapshot, 'all', {
    yamlText,
    kind: 'composite',
    featureNames: ['hour'],
    inputs: [list('ids', 'number'), list('words', 'text'), pair],
    tellsContributions: true,
  })
  const silent = useModel(snapshot, 'silent', { yamlText, featureNames: ['hour'] })
  const unusable = { name: 'gone', version: '', error: gone }
  const plan = planPredict([unusable, model, silent, { ...model }], { ...asked, features })
  const predictions = formatPredictions(plan, await scoreModels(plan, undefined, options))
  const bytes = PredictResponse.encode({ rowCount: 2, predictions, registryVersion: 1n }).finish()
  return readPredictions(PredictResponse.decode(bytes)).predictions
}

test('failures stand in their place, without scores', async () => {
  const [first, , third] = await predictionsOf()
  const { code, message } = gone
  expect(first).toMatchObject({ model: 'gone', version: '', error: { code, message } })
  expect(third).toMatchObject({
    model: 'silent',
    version: '1',
    error: {
      code: 'invalid_argument',
      message: expect.stringContaining('cannot tell contributions'),
    },
    contributions: undefined,
    inputs: [],
  })
  expect([first?.scores, third?.scores]).toEqual([new Float64Array(0), new Float64Array(0)])
})

test('lists, embeddings and texts come as what the model saw in each row', async () => {
  const [, prediction, , again] = await predictionsOf()
  const seen = prediction?.inputs.map((input) => [
    input.feature,
    input.isList,
    [...input.valuesAt(0)],
    [...input.valuesAt(1)],
    input.textsAt(1),
    input.sourceAt(1),
  ])
  expect(seen).toEqual([
    ['hour', false, [0.5], [Number.NaN], undefined, 'given'],
    ['ids', true, [3, 4], [-7], undefined, 'given'],
    ['words', true, [0], [1, 0, 2], ['b', 'é', ''], 'given'],
    ['pair', true, [5, 6], [5, 6], undefined, 'modelDefault'],
  ])
  expect(again?.scores).toEqual(prediction?.scores)
})

test('contributions come by row and input, and add up to the raw score', async () => {
  const [, prediction] = await predictionsOf()
  const { contributions } = prediction ?? {}
  expect(contributions?.inputs).toEqual(['hour', 'ids', 'words', 'pair'])
  expect([...(contributions?.at(0) ?? [])]).toEqual([0.5, 7, 0, 11, 0])
  expect([...(contributions?.at(1) ?? [])]).toEqual([Number.NaN, -7, 3, 11, 0])
  expect(contributions?.at(0).reduce((sum, added) => sum + added, 0)).toBe(prediction?.scores[0])
})

test('explained elements beyond what a reply may hold are refused', async () => {
  const snapshot = await shopsAndUsers()
  const model = useModel(snapshot, 'big', {
    yamlText,
    kind: 'composite',
    inputs: [list('ids', 'number')],
  })
  const plan = planPredict([model], { ...asked, contributions: false })
  const [outcome] = await scoreModels(plan, undefined, { ...options, contributions: false })
  if (outcome === undefined || 'error' in outcome) throw new Error('the model answers')
  const withElements = (count: number): ModelColumn => {
    const column: ListColumn = { values: new Float64Array(count), lengths: Uint32Array.of(count) }
    return column
  }
  const format = (count: number) => () =>
    formatPredictions(plan, [
      {
        ...outcome,
        inputs: outcome.inputs.map((input) => ({
          ...input,
          resolved: { ...input.resolved, column: withElements(count) },
        })),
      },
    ])
  expect(format(replyValuesMax)).not.toThrow()
  expect(format(replyValuesMax + 1)).toThrow(
    expect.objectContaining({
      code: 'resource_exhausted',
      message: expect.stringContaining(`${replyValuesMax + 1} explained values`),
    }),
  )
})
