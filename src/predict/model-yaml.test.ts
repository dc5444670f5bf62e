import { expect, test } from 'vitest'
import { parseModelYaml } from './model-yaml.js'

const valid = `kind: lightgbm
service: flight_inputs
request_values:
  - { name: hour_of_day, type: int8, default: 12 }
  - { name: distance, type: float32 }
inputs:
  dep hour: hour_of_day
  mean: { feature: origin.delay_mean_7d, default: .inf }
  late: { feature: origin.late, default: [1, a] }
categorical: [destination]
labels: { stable: 1, canary: "2" }
`

test('a model.yaml is read', () => {
  expect(parseModelYaml({ path: 'model.yaml', text: valid })).toEqual({
    kind: 'lightgbm',
    service: 'flight_inputs',
    requestValues: [
      { name: 'hour_of_day', type: { kind: 'scalar', scalar: 'int8' }, defaultValue: 12 },
      { name: 'distance', type: { kind: 'scalar', scalar: 'float32' }, defaultValue: undefined },
    ],
    inputs: new Map([
      ['dep hour', { feature: 'hour_of_day', defaultValue: undefined }],
      ['mean', { feature: 'origin.delay_mean_7d', defaultValue: Number.POSITIVE_INFINITY }],
      ['late', { feature: 'origin.late', defaultValue: [1, 'a'] }],
    ]),
    categorical: ['destination'],
    labels: new Map([
      ['stable', '1'],
      ['canary', '2'],
    ]),
  })
})

test('only the kind is required', () => {
  expect(parseModelYaml({ path: 'model.yaml', text: 'kind: lightgbm\ninputs: {}' })).toEqual({
    kind: 'lightgbm',
    service: undefined,
    requestValues: [],
    inputs: new Map(),
    categorical: undefined,
    labels: new Map(),
  })
})

test.each([
  { text: '', problem: '1:1: expected a map, found nothing' },
  { text: 'service: a', problem: '1:1: "kind" is missing' },
  { text: 'kind: xgboost', problem: '1:7: "xgboost" is not supported yet: only lightgbm is' },
  {
    text: 'kind: lightgmb',
    problem: '1:7: "lightgmb" is not a kind of model: did you mean "lightgbm"?',
  },
  { text: 'kind: 1', problem: '1:7: expected text, found 1' },
  {
    text: 'kind: lightgbm\nservices: a',
    problem: '2:1: unknown key "services": did you mean "service"?',
  },
  {
    text: 'kind: lightgbm\nservice: a.b',
    problem:
      '2:10: expected a name of letters, digits and _, at most 64, not beginning with a digit, found "a.b"',
  },
  { text: 'kind: lightgbm\nrequest_values: {}', problem: '2:17: expected a list, found a map' },
  { text: 'kind: lightgbm\nrequest_values: [{ name: a }]', problem: '2:18: "type" is missing' },
  {
    text: 'kind: lightgbm\nrequest_values: [{ name: a, type: int8, default: 200 }]',
    problem:
      '2:50: the default 200 does not fit int8: it must be a whole number between -128 and 127',
  },
  {
    text: 'kind: lightgbm\nrequest_values: [{ name: a, type: int8 }, { name: a, type: int8 }]',
    problem: '2:51: request value "a" is already defined at model.yaml:2:26',
  },
  { text: 'kind: lightgbm\ninputs: { x: 1 }', problem: '2:14: expected text, found 1' },
  { text: 'kind: lightgbm\ninputs: { x: { default: 1 } }', problem: '2:14: "feature" is missing' },
  {
    text: 'kind: lightgbm\ninputs: { x: { feature: a, default: [[]] } }',
    problem: '2:37: expected a number, text, true or false, or a list of them, found a list of 1',
  },
  { text: 'kind: lightgbm\ncategorical: [1]', problem: '2:15: expected text, found 1' },
  {
    text: 'kind: lightgbm\nlabels: { Stable: 1 }',
    problem: '2:11: expected a label of a-z, 0-9, _ and -, found "Stable"',
  },
  {
    text: 'kind: lightgbm\nlabels: { stable: 0 }',
    problem: '2:19: expected a version, a whole number from 1, found 0',
  },
  {
    text: 'kind: lightgbm\nlabels: { stable: v1 }',
    problem: '2:19: expected a version, a whole number from 1, found "v1"',
  },
  {
    text: 'kind: [',
    problem:
      '1:8: Flow sequence in block collection must be sufficiently indented and end with a ]',
  },
])('$text is refused', ({ text, problem }) => {
  expect(() => parseModelYaml({ path: 'model.yaml', text })).toThrow(
    expect.objectContaining({
      code: 'bad_model',
      message: `model.yaml is wrong:\nmodel.yaml:${problem}`,
    }),
  )
})
