import { describe, expect, test } from 'vitest'
import {
  columnClassOf,
  elementClassOf,
  embeddingStorages,
  type FeatureType,
  formatFeatureType,
  parseFeatureType,
  scalarClasses,
  scalarTypes,
} from './feature-type.js'

const everyType: readonly FeatureType[] = [
  ...scalarTypes.map((scalar) => ({ kind: 'scalar' as const, scalar })),
  ...scalarTypes.map((element) => ({ kind: 'list' as const, element })),
  ...embeddingStorages.map((storage) => ({ kind: 'embedding' as const, dim: 64, storage })),
]

test.each(everyType.map((type) => [formatFeatureType(type), type] as const))(
  '%s is read as it is written',
  (text, type) => {
    expect(parseFeatureType(text)).toEqual(type)
  },
)

test.each([
  ['list< int32 >', 'list<int32>'],
  ['embedding<64,f16>', 'embedding<64, f16>'],
  ['embedding< 64 ,  int8 >', 'embedding<64, int8>'],
  ['embedding<007, f32>', 'embedding<7, f32>'],
  ['embedding<0, f32>', 'embedding<0, f32>'],
])('%s is %s', (text, canonical) => {
  const type = parseFeatureType(text)
  expect(type && formatFeatureType(type)).toBe(canonical)
})

test.each([
  '',
  'int',
  'Int32',
  ' int32',
  'int32\n',
  'float16',
  'list',
  'list<>',
  'list<list<int32>>',
  'list<embedding<2, f32>>',
  'list<int32',
  'embedding<64>',
  'embedding<-1, f32>',
  'embedding<1.5, f32>',
  'embedding<1e3, f32>',
  'embedding<1000000, f32>x',
  'embedding<1234567, f32>',
  'embedding<64, f64>',
  'embedding<64, int16>',
  '__proto__',
])('%j is no type', (text) => {
  expect(parseFeatureType(text)).toBeUndefined()
})

describe('column classes', () => {
  test('a type is carried in float32 exactly where all its values are exact in it', () => {
    const inFloat32 = scalarTypes.filter((scalar) => scalarClasses[scalar] === 'f32')
    expect(inFloat32).toEqual(['bool', 'int8', 'int16', 'float32'])
    const inFloat64 = scalarTypes.filter((scalar) => scalarClasses[scalar] === 'f64')
    expect(inFloat64).toEqual(['int32', 'float64'])
  })

  test.each([
    ['int64', 'i64', 'i64'],
    ['timestamp', 'i64', 'i64'],
    ['categorical', 'var', 'var'],
    ['list<int64>', 'list', 'i64'],
    ['list<string>', 'list', 'var'],
    ['embedding<2, int8>', 'list', 'f32'],
    ['embedding<2, f16>', 'list', 'f32'],
  ])('%s is a %s of %s', (text, columnClass, elementClass) => {
    const type = parseFeatureType(text)
    expect(type && [columnClassOf(type), elementClassOf(type)]).toEqual([columnClass, elementClass])
  })
})
