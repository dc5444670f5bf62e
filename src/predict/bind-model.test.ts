import { beforeAll, describe, expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import { type TestModelWords, testModel } from '../../test/support/test-models.js'
import { emptySnapshot, type Snapshot } from '../registry/snapshot.js'
import type { BoundInput, BoundNumberInput } from './bind-input.js'
import { type BoundModel, bindModel } from './bind-model.js'
import { parseModelYaml } from './model-yaml.js'

const definitions = `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features:
      - { name: mean, type: float32, default: 0.5 }
      - { name: precise, type: float64 }
      - { name: rough, type: int16, default: -1 }
      - { name: count, type: int32 }
      - { name: total, type: int64, default: 9007199254740993 }
      - { name: small_total, type: int64, default: 9007199254740992 }
      - { name: open, type: bool, default: true }
      - { name: country, type: categorical, default: DE }
      - { name: tier, type: int8, default: 5 }
      - { name: note, type: bytes }
      - { name: hours, type: list<int32> }
      - { name: profile, type: "embedding<2, f32>" }
feature_services:
  - { name: sales_inputs, views: [{ view: sales }] }
  - { name: means, views: [{ view: sales, as: near, features: [mean] }] }
  - { name: other_means, views: [{ view: sales, as: near, features: [mean, count] }] }
`

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

function bind(words: TestModelWords, yamlText?: string): BoundModel {
  const yaml =
    yamlText === undefined
      ? undefined
      : parseModelYaml({ path: 'model.yaml', text: `kind: lightgbm\n${yamlText}` })
  return bindModel(testModel(words), yaml, snapshot)
}

function bindOne(
  inputName: string,
  yamlText?: string,
  pandasCategorical?: TestModelWords['pandasCategorical'],
): BoundNumberInput | undefined {
  const lists = pandasCategorical === undefined ? {} : { pandasCategorical }
  return numberInputs(bind({ featureNames: [inputName], ...lists }, yamlText))[0]
}

function numberInputs({ inputs }: BoundModel): BoundNumberInput[] {
  return inputs.filter((input: BoundInput) => input.kind === 'number')
}

describe('what an input reads', () => {
  test('without a model.yaml, the one service that has all the names', () => {
    const bound = bind({ featureNames: ['sales.count', 'sales.mean'] })
    expect(bound.service?.name).toBe('sales_inputs')
    expect(bound.inputs.map(({ name, feature }) => [name, feature?.feature.name])).toEqual([
      ['sales.count', 'count'],
      ['sales.mean', 'mean'],
    ])
  })

  test('a mapped name, a request value, and no service where all are request values', () => {
    const mapped = bind(
      { featureNames: ['x', 'hour'] },
      'service: means\nrequest_values: [{ name: hour, type: int8 }]\ninputs: { x: near.mean }',
    )
    expect(mapped.inputs).toMatchObject([
      { inputName: 'x', name: 'near.mean', feature: { role: 'near' } },
      { inputName: 'hour', name: 'hour', feature: undefined },
    ])
    const alone = bind({ featureNames: ['hour'] }, 'request_values: [{ name: hour, type: int8 }]')
    expect(alone.service).toBeUndefined()
  })

  test('a model without inputs reads nothing', () => {
    expect(bind({ featureNames: [] })).toMatchObject({ service: undefined, inputs: [] })
  })

  test.each([
    [['near.mean'], undefined, 'its inputs fit several services (means, other_means): name one'],
    [
      ['sales.meen'],
      undefined,
      'no feature service has all its inputs (sales.meen): name the service',
    ],
    [['sales.mean'], 'service: mean', `no feature service 'mean': did you mean "means"?`],
    [
      ['near.mean', 'near.cont', 'x'],
      'service: other_means',
      `input 'near.cont': service 'other_means' has no 'near.cont': did you mean "near.count"?; ` +
        `input 'x': service 'other_means' has no 'x'`,
    ],
    [
      ['sales.note', 'sales.hours'],
      'service: sales_inputs',
      `input 'sales.note' is bytes, which a tree cannot take: only numbers, booleans, and ` +
        `categoricals that the model has codes for; input 'sales.hours' is list<int32>, which`,
    ],
    [['sales.profile'], 'service: sales_inputs', 'is embedding<2, f32>, which a tree cannot take'],
    [
      ['sales.country'],
      'service: sales_inputs',
      'the file has no texts of categories (pandas_categorical), but reads sales.country as text',
    ],
  ])('%j with %j is refused', (featureNames, yaml, message) => {
    expect(() => bind({ featureNames }, yaml)).toThrow(
      expect.objectContaining({ code: 'bad_model', message: expect.stringContaining(message) }),
    )
  })

  test('before anything was applied the missing service is told', () => {
    expect(() => bindModel(testModel({ featureNames: ['a.b'] }), undefined, emptySnapshot)).toThrow(
      'there are no feature services: apply definitions first',
    )
  })
})

describe('defaults', () => {
  test.each([
    ['sales.mean', undefined, undefined, 0.5],
    ['sales.rough', undefined, undefined, -1],
    ['sales.open', undefined, undefined, 1],
    ['sales.small_total', undefined, undefined, 2 ** 53],
    ['sales.precise', undefined, undefined, undefined],
    ['sales.precise', '-0.0', -0, undefined],
    ['sales.precise', '.nan', Number.NaN, undefined],
    ['sales.precise', '-.inf', Number.NEGATIVE_INFINITY, undefined],
    ['sales.open', 'false', 0, 1],
    ['sales.mean', '7', 7, 0.5],
  ])('of %s with %s in model.yaml: the model has %s, the view %s', (name, text, own, view) => {
    const input = text === undefined ? '' : `inputs: { x: { feature: ${name}, default: ${text} } }`
    const bound = bindOne(text === undefined ? name : 'x', `service: sales_inputs\n${input}`)
    expect([bound?.modelDefault, bound?.viewDefault]).toEqual([own, view])
  })

  test('a request value has its own, which the input may replace', () => {
    const values = 'request_values: [{ name: hour, type: int8, default: 12 }]'
    expect(bindOne('hour', values)).toMatchObject({ modelDefault: 12, viewDefault: undefined })
    const replaced = `${values}\ninputs: { hour: { feature: hour, default: 6 } }`
    expect(bindOne('hour', replaced)).toMatchObject({ modelDefault: 6 })
  })

  test.each([
    ['sales.total', '1', `input 'x': its default 9007199254740993 is not exact as a float64`],
    ['sales.count', 'many', `input 'x': its default "many" is not a number`],
    ['sales.count', '9007199254740993', `input 'x': its default 9007199254740993 is not exact`],
  ])('of %s with %s in model.yaml is refused', (feature, text, message) => {
    const yaml = `service: sales_inputs\ninputs: { x: { feature: ${feature}, default: ${text} } }`
    expect(() => bindOne('x', yaml)).toThrow(message)
  })
})

describe('exact in float32', () => {
  test.each([
    ['sales.mean', undefined, true],
    ['sales.rough', undefined, true],
    ['sales.open', undefined, true],
    ['sales.count', undefined, false],
    ['sales.precise', undefined, false],
    ['sales.small_total', undefined, false],
    ['sales.mean', '0.1', false],
    ['sales.mean', '0.25', true],
    ['sales.mean', '-0.0', true],
    ['sales.mean', '.nan', true],
    ['sales.mean', '.inf', true],
    ['sales.mean', '16777217', false],
    ['sales.mean', '1e300', false],
  ])('%s with the default %s: %s', (feature, text, exact) => {
    const own = text === undefined ? '' : `, default: ${text}`
    const yaml = `service: sales_inputs\ninputs: { x: { feature: ${feature}${own} } }`
    expect(bindOne('x', yaml)?.exactInFloat32).toBe(exact)
  })
})

describe('categorical inputs', () => {
  test('text inputs take the lists in the order of the model, not of the definitions', () => {
    const bound = bind(
      {
        featureNames: ['sales.count', 'word', 'sales.country'],
        pandasCategorical: [
          ['a', 'b'],
          ['DE', 'FR'],
        ],
      },
      'service: sales_inputs\nrequest_values: [{ name: word, type: string }]',
    )
    const inputs = numberInputs(bound)
    expect(inputs.map(({ codes }) => codes && [...codes])).toEqual([
      undefined,
      [
        ['a', 0],
        ['b', 1],
      ],
      [
        ['DE', 0],
        ['FR', 1],
      ],
    ])
    expect(inputs[2]).toMatchObject({ viewDefault: 0, exactInFloat32: true })
  })

  test('numbers and booleans are categorical where model.yaml says so, whatever its order', () => {
    const bound = bind(
      {
        featureNames: ['sales.tier', 'sales.open', 'sales.count'],
        pandasCategorical: [
          [3, 5],
          [false, true],
        ],
      },
      'service: sales_inputs\ncategorical: [sales.open, sales.tier]',
    )
    const inputs = numberInputs(bound)
    expect(inputs.map(({ viewDefault }) => viewDefault)).toEqual([1, 1, undefined])
    expect(inputs.map(({ codes }) => codes?.size)).toEqual([2, 2, undefined])
  })

  test("a view's default that the model does not know is missing", () => {
    expect(bindOne('sales.country', undefined, [['FR']])?.viewDefault).toBeNaN()
  })

  const country = (text: string) =>
    `service: sales_inputs\ninputs: { x: { feature: sales.country, default: ${text} } }`

  test("a default of the model's own is its code, and NaN stays missing", () => {
    expect(bindOne('x', country('FR'), [['DE', 'FR']])?.modelDefault).toBe(1)
    expect(bindOne('x', country('.nan'), [['DE', 'FR']])?.modelDefault).toBeNaN()
  })

  test.each([
    [country('UK'), [['DE']], `input 'x': its default "UK" is none of its categories`],
    [
      'service: sales_inputs\ninputs: { x: sales.tier }\ncategorical: [x]',
      [['low', 'high']],
      `input 'x': its category "low" is text, which no int8 is`,
    ],
    [
      country('DE'),
      [['DE'], ['FR']],
      'the file lists categories for 2 inputs, but 1 are declared string or categorical (x): ' +
        `name them under 'categorical' in model.yaml`,
    ],
    [
      'service: sales_inputs\ninputs: { x: sales.tier }\ncategorical: [y]',
      [[1]],
      `the file lists categories for 1 inputs, but 0 are named (none): ` +
        `name them under 'categorical' in model.yaml`,
    ],
  ])('%j with the lists %j is refused', (yaml, lists, message) => {
    expect(() => bindOne('x', yaml, lists)).toThrow(
      expect.objectContaining({ code: 'bad_model', message }),
    )
  })
})
