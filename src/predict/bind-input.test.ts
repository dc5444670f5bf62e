import { describe, expect, test } from 'vitest'
import { declaredType } from '../../test/support/declared-type.js'
import type { DefaultValue } from '../declared.js'
import type { ServiceFeature } from '../registry/snapshot.js'
import { bindInput, type InputToBind } from './bind-input.js'
import type { InputForm, ModelInput } from './model.js'

const number: InputForm = { kind: 'number' }
const category: InputForm = { kind: 'category', categories: ['a', 'b'] }
const embedding: InputForm = { kind: 'embedding', dim: 2 }
const numbers: InputForm = { kind: 'list', items: 'number', itemsMax: 3 }
const texts: InputForm = { kind: 'list', items: 'text', itemsMax: 2 }

interface Words extends Partial<InputToBind> {
  readonly own?: ModelInput['defaultValue']
  readonly viewDefault?: DefaultValue
}

/** Binds an input to a request value, or to a feature where the view has a default. */
function bind(form: InputForm, typeText: string, words: Words = {}) {
  const { own, viewDefault, ...rest } = words
  const type = declaredType(typeText)
  return bindInput({
    input: { name: 'x', form, defaultValue: own },
    name: 'sales.x',
    type,
    feature: viewDefault === undefined ? undefined : featureOf(typeText, viewDefault),
    modelKind: 'composite',
    categories: undefined,
    yamlDefault: undefined,
    ...rest,
  })
}

function featureOf(typeText: string, defaultValue?: DefaultValue): ServiceFeature {
  const feature = { id: 1, name: 'x', type: declaredType(typeText), defaultValue }
  // Only what binding reads of a feature; its view is no business of an input.
  return { name: 'sales.x', role: 'sales', feature } as unknown as ServiceFeature
}

const stored = { feature: featureOf('float32') }

describe('types that fit', () => {
  test.each([
    [number, 'float32', 'number', true],
    [number, 'int64', 'number', false],
    [category, 'string', 'number', true],
    [{ kind: 'category', categories: [3, 5] }, 'int64', 'number', true],
    [embedding, 'embedding<2, f16>', 'list', true],
    [embedding, 'list<float32>', 'list', true],
    [embedding, 'list<float64>', 'list', false],
    [numbers, 'list<bool>', 'list', true],
    [numbers, 'list<int16>', 'list', true],
    [numbers, 'list<int32>', 'list', false],
    [numbers, 'list<timestamp>', 'list', false],
  ] satisfies readonly [InputForm, string, string, boolean][])(
    '%j reads %s',
    (form, typeText, kind, exactInFloat32) => {
      expect(bind(form, typeText)).toMatchObject({
        kind,
        exactInFloat32,
        inputName: 'x',
        name: 'sales.x',
        modelDefault: undefined,
        viewDefault: undefined,
      })
    },
  )

  test.each(['list<string>', 'list<categorical>'])('texts are read of %s', (typeText) => {
    expect(bind(texts, typeText)).toMatchObject({ kind: 'textList', itemsMax: 2 })
  })

  test('categories of the input’s own form are its codes', () => {
    const bound = bind(category, 'string')
    expect([...(bound.kind === 'number' ? (bound.codes ?? []) : [])]).toEqual([
      ['a', 0],
      ['b', 1],
    ])
  })
})

describe('types that do not fit', () => {
  const tree = { modelKind: 'xgboost' } as const
  const takesNumber = 'one number: texts need an input with categories, lists one that takes a list'
  const takesTwo = '2 numbers: embedding<2, f32>, or as a request value list<float32> too'
  const takesNumbers = 'a list of numbers, such as list<float32>, list<int64> or list<bool>'
  const listToTree = 'a list fed to a tree model is an error, only single numbers are taken'
  test.each([
    [number, 'list<int32>', tree, `which a tree cannot take: ${listToTree}`],
    [number, 'embedding<2, f32>', tree, `which a tree cannot take: ${listToTree}`],
    [number, 'string', tree, 'which a tree cannot take: only numbers, booleans, and categoricals'],
    [number, 'list<int32>', {}, `but takes ${takesNumber}`],
    [number, 'string', {}, `but takes ${takesNumber}`],
    [number, 'bytes', {}, `but takes ${takesNumber}`],
    [category, 'list<string>', {}, 'but takes one of its 2 categories'],
    [category, 'bytes', {}, 'but takes one of its 2 categories'],
    [embedding, 'embedding<3, f32>', {}, `but takes ${takesTwo}`],
    [embedding, 'list<string>', {}, `but takes ${takesTwo}`],
    [embedding, 'float32', {}, `but takes ${takesTwo}`],
    [embedding, 'list<float32>', stored, `but takes ${takesTwo}`],
    [numbers, 'embedding<2, f32>', {}, `but takes ${takesNumbers}`],
    [numbers, 'list<categorical>', {}, `but takes ${takesNumbers}`],
    [numbers, 'list<bytes>', {}, `but takes ${takesNumbers}`],
    [numbers, 'int32', {}, `but takes ${takesNumbers}`],
    [texts, 'list<int8>', {}, 'but takes a list of texts: list<string> or list<categorical>'],
    [texts, 'list<bytes>', {}, 'but takes a list of texts: list<string> or list<categorical>'],
    [texts, 'string', {}, 'but takes a list of texts: list<string> or list<categorical>'],
  ] satisfies readonly [InputForm, string, Words, string][])(
    '%j does not read %s',
    (form, typeText, words, message) => {
      expect(() => bind(form, typeText, words)).toThrow(
        expect.objectContaining({
          code: 'bad_model',
          message: expect.stringContaining(`input 'x' is ${typeText}, ${message}`),
        }),
      )
    },
  )

  test('a category that the type cannot tell', () => {
    expect(() => bind(category, 'int8')).toThrow(
      `input 'x': its category "a" is text, which no int8 is`,
    )
  })
})

describe('what stands in for a missing value', () => {
  test.each([
    ['model.yaml before all', { yamlDefault: 1, own: 2, viewDefault: 3 }, 1, 3],
    ['the model’s own before the view’s', { own: 2, viewDefault: 3 }, 2, 3],
    ['the view’s', { viewDefault: 3 }, undefined, 3],
  ])('%s', (_case, words, modelDefault, viewDefault) => {
    expect(bind(number, 'float32', words)).toMatchObject({ modelDefault, viewDefault })
    const lists = Object.fromEntries(
      Object.entries(words).map(([name, value]) => [name, [value, value]]),
    )
    expect(bind(numbers, 'list<float32>', lists)).toMatchObject({
      modelDefault: modelDefault && [modelDefault, modelDefault],
      viewDefault: [viewDefault, viewDefault],
    })
  })

  test('a category’s: a code of the model’s own, else a category', () => {
    expect(bind(category, 'string', { own: 1 })).toMatchObject({ modelDefault: 1 })
    expect(bind(category, 'string', { yamlDefault: 'b', own: 0 })).toMatchObject({
      modelDefault: 1,
    })
  })

  test('elements: integers and booleans as numbers, an empty list as itself', () => {
    const words = { yamlDefault: [true, 2n, 0.5] }
    expect(bind(numbers, 'list<float32>', words)).toMatchObject({ modelDefault: [1, 2, 0.5] })
    expect(bind(numbers, 'list<int64>', { own: [] })).toMatchObject({ modelDefault: [] })
    expect(bind(texts, 'list<string>', { own: [], viewDefault: ['a'] })).toMatchObject({
      modelDefault: [],
      viewDefault: ['a'],
    })
  })

  test.each([
    [[0.5], true],
    [[0.1], false],
    [[Number.NaN], true],
    [[16777217], false],
  ])('%j: whether the elements stay exact in float32', (own, exactInFloat32) => {
    expect(bind(numbers, 'list<float32>', { own })).toMatchObject({ exactInFloat32 })
    expect(bind(numbers, 'list<float32>', { viewDefault: own })).toMatchObject({ exactInFloat32 })
  })

  test.each([
    [number, 'float32', { yamlDefault: [1] }, 'its default of 1 elements is not one value'],
    [number, 'float32', { own: [1] }, "the model's own default is a list, but it takes one value"],
    [numbers, 'list<float32>', { yamlDefault: 1 }, 'its default 1 is not a list'],
    [numbers, 'list<float32>', { own: 1 }, 'its default 1 is not a list'],
    [numbers, 'list<float32>', { yamlDefault: ['a'] }, 'its default "a" is not a number'],
    [numbers, 'list<int64>', { viewDefault: [2n ** 53n + 1n] }, 'is not exact as a float64'],
    [
      numbers,
      'list<int8>',
      { viewDefault: [1, 2, 3, 4] },
      'its default has 4 elements, at most 3 are allowed',
    ],
    [embedding, 'list<float32>', { own: [1] }, 'its default has 1 elements instead of 2'],
    [texts, 'list<string>', { yamlDefault: [1] }, 'its default 1 is not text'],
    [texts, 'list<string>', { own: [0] }, "the model's default for its texts is of numbers"],
    [
      texts,
      'list<string>',
      { yamlDefault: ['a', 'b', 'c'] },
      'its default has 3 elements, at most 2 are allowed',
    ],
  ] satisfies readonly [InputForm, string, Words, string][])(
    '%o of %s with %o is refused',
    (form, typeText, words, message) => {
      expect(() => bind(form, typeText, words)).toThrow(
        expect.objectContaining({ code: 'bad_model', message: expect.stringContaining(message) }),
      )
    },
  )
})
