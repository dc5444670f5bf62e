import { expect, test } from 'vitest'
import { modelKinds } from './model-kind.js'
import { parseModelYaml } from './model-yaml.js'

const valid = `kind: lightgbm
service: flight_inputs
request_values:
  - { name: hour_of_day, type: int8, default: 12 }
  - { name: distance, type: float32 }
inputs:
  dep hour: hour_of_day
  mean: { feature: origin.delay_mean_7d, default: .inf }
  late: { feature: origin.late }
  near: { feature: origin.near, default: [0, .nan, -1] }
categorical: [destination]
labels: { stable: 1, canary: "2" }
versions: { latest: 3 }
kernel: bitmask-portable
test_vectors:
  tolerance: 0.5
  rows:
    - { inputs: { a: 1 }, raw: 2, version: 1 }
`

const others = {
  versions: { kind: 'all' },
  kernel: 'auto',
  tensors: new Map(),
  output: undefined,
  testVectors: [],
}

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
      ['late', { feature: 'origin.late', defaultValue: undefined }],
      ['near', { feature: 'origin.near', defaultValue: [0, Number.NaN, -1] }],
    ]),
    categorical: ['destination'],
    labels: new Map([
      ['stable', '1'],
      ['canary', '2'],
    ]),
    ...others,
    versions: { kind: 'latest', versionCount: 3 },
    kernel: 'bitmask-portable',
    testVectors: [
      {
        at: 'model.yaml:18:7',
        version: '1',
        inputs: new Map([['a', 1]]),
        raw: [2],
        scores: undefined,
        tolerance: 0.5,
      },
    ],
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
    ...others,
  })
})

test('what ONNX needs is read', () => {
  const text = 'kind: onnx\ntensors: { input: [a, origin.b] }\noutput: scores'
  expect(parseModelYaml({ path: 'model.yaml', text })).toMatchObject({
    kind: 'onnx',
    tensors: new Map([['input', ['a', 'origin.b']]]),
    output: 'scores',
  })
})

test.each(modelKinds)('%s is a kind', (kind) => {
  expect(parseModelYaml({ path: 'model.yaml', text: `kind: ${kind}` }).kind).toBe(kind)
})

test.each([
  { text: '', problem: '1:1: expected a map, found nothing' },
  { text: 'service: a', problem: '1:1: "kind" is missing' },
  {
    text: 'kind: tree',
    problem:
      '1:7: "tree" is not a kind of model: known are lightgbm, xgboost, linear, logistic, composite, onnx',
  },
  {
    text: 'kind: lightgbm\ntensors: { a: [b] }',
    problem: '2:1: "tensors" means nothing for lightgbm: it is for onnx',
  },
  {
    text: 'kind: onnx\nkernel: walk',
    problem: '2:1: "kernel" means nothing for onnx: it is for lightgbm, xgboost, composite',
  },
  {
    text: 'kind: linear\ncategorical: [a]',
    problem: '2:1: "categorical" means nothing for linear: it is for lightgbm, xgboost',
  },
  {
    text: 'kind: lightgbm\noutput: a',
    problem: '2:1: "output" means nothing for lightgbm: it is for onnx',
  },
  {
    text: 'kind: lightgbm\nkernel: bitmask-avx',
    problem: '2:9: "bitmask-avx" is not a kernel: did you mean "bitmask-avx2"?',
  },
  {
    text: 'kind: onnx\ntensors: { a: [] }',
    problem: '2:15: expected at least 1 items, found a list of 0',
  },
  { text: 'kind: onnx\ntensors: { a: b }', problem: '2:15: expected a list, found "b"' },
  { text: 'kind: onnx\noutput: 1', problem: '2:9: expected text, found 1' },
  {
    text: 'kind: lightgbm\nversions: latest',
    problem: '2:11: expected all, a list of versions, or { latest: COUNT }, found "latest"',
  },
  {
    text: 'kind: lightgbm\nversions: { latest: 0 }',
    problem: '2:21: expected a whole number from 1, found 0',
  },
  {
    text: 'kind: lightgbm\nversions: { newest: 1 }',
    problem: '2:11: "latest" is missing\nmodel.yaml:2:13: unknown key "newest": known are latest',
  },
  {
    text: 'kind: lightgbm\nversions: [1, a]',
    problem: '2:15: expected a version, a whole number from 1, found "a"',
  },
  { text: 'kind: lightgbm\ntest_vectors: []', problem: '2:15: expected a map, found a list of 0' },
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
    text: 'kind: lightgbm\ninputs: { x: { feature: a, default: { b: 1 } } }',
    problem: '2:37: expected a number, text, true or false, or a list of them',
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
