import { describe, expect, test } from 'vitest'
import { exampleXgboostText as text } from '../../test/support/xgboost-example.js'
import type { TreeColumn } from '../native-trees.js'
import type { TreeModel } from './tree-model.js'
import { parseXgboostModel } from './xgboost-model.js'

const parse = (model: string) => parseXgboostModel(Buffer.from(model))
const f64 = (...values: number[]) => Float64Array.from(values)

function replaced(from: string, to: string): string {
  expect(text).toContain(from)
  return text.replace(from, to)
}

async function scoresOf(model: TreeModel, columns: TreeColumn[], raw = true): Promise<number[]> {
  const rowCount = columns[0]?.length ?? 0
  const cellsPerRow = raw ? model.rawOutputCount : model.outputCount
  const output = new Float64Array(rowCount * cellsPerRow)
  await model.predict(columns, rowCount, output, { raw })
  return [...output]
}

describe('a good file', () => {
  test('says what it is', () => {
    expect(parse(text)).toMatchObject({
      kind: 'xgboost',
      featureNames: ['a', 'b', 'c=ä "d"'],
      objective: 'binary:logistic',
      outputCount: 1,
      rawOutputCount: 1,
      treeCount: 2,
      warnings: [],
      pandasCategorical: [['x', 'ä', '"']],
      usedFeatures: [true, false, true],
      categoricalFeatures: [false, false, true],
    })
  })

  test('predicts margins, scores, and leaves by the numbers of the file', async () => {
    const model = parse(text)
    const columns = [
      f64(0, 0.5, 1, 1, NaN, 1, 1),
      f64(0, 0, 0, 0, 0, 0, 0),
      f64(0, 1, 0, 2, 9, NaN, -1),
    ]
    const margins = [8.25, 9, 7.5, 9, 8.25, 9, 7.5]
    expect(await scoresOf(model, columns)).toEqual(margins)
    const scores = await scoresOf(model, columns, false)
    expect(scores.map(Math.fround)).toEqual(scores)
    for (const [row, margin] of margins.entries()) {
      expect(scores[row]).toBeCloseTo(1 / (1 + Math.exp(-margin)), 6)
    }
    const leaves = new Int32Array(14)
    await model.predictLeaves(columns, 7, leaves)
    expect([...leaves]).toEqual([1, 0, 4, 0, 3, 0, 4, 0, 1, 0, 4, 0, 3, 0])
  })

  test('order of keys and white space are of no meaning', async () => {
    const compact = JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    )
    const columns = [f64(0, 1), f64(0, 0), f64(2, 2)]
    expect(await scoresOf(parse(compact), columns)).toEqual(await scoresOf(parse(text), columns))
  })

  test.each([
    ['without a version', '"version": [3, 2, 0]', '"x": 1', 'the file does not state its version'],
    [
      'without names',
      '["a", "b", "c=\\u00e4 \\"d\\""]',
      '[]',
      'the file names no features: they are f0 to f2',
    ],
    [
      'with an objective of its own',
      'binary:logistic',
      'plugin:mine',
      "objective 'plugin:mine' is unknown: scores stay as the trees add up",
    ],
    [
      'stopped early',
      '"best_iteration": "1"',
      '"best_iteration": "0"',
      'the file names iteration 0 as its best, but all 2 are used',
    ],
    [
      'with a categorical feature that has no list',
      '["float", "q", "c"]',
      '["float", "c", "c"]',
      'no list of categories for 1 of its categorical features',
    ],
  ])('%s it is read with a warning', (_, from, to, warning) => {
    expect(parse(replaced(from, to)).warnings).toEqual([expect.stringContaining(warning)])
  })

  test('an unknown objective takes base_score for a margin', async () => {
    const model = parse(replaced('binary:logistic', 'plugin:mine'))
    expect(await scoresOf(model, [f64(0), f64(0), f64(0)], false)).toEqual([0.5 + 0.25 + 8])
  })

  test('categories of whole numbers are numbers', () => {
    const numbers = '{ "type": 15, "values": [3, -5, 9007199254740992] }'
    const model = parse(
      replaced('{ "offsets": [0, 1, 3, 4], "values": [120, -61, -92, 34] }', numbers),
    )
    expect(model.pandasCategorical).toEqual([[3, -5, 2 ** 53]])
  })

  test.each([
    ['without cats', '"cats": {', '"dogs": {'],
    [
      'of a file whose lists are empty',
      '[0, 1, 3, 4], "values": [120, -61, -92, 34]',
      '[], "values": []',
    ],
  ])('%s there are no lists of categories', (_, from, to) => {
    expect(parse(replaced(from, to)).pandasCategorical).toBeUndefined()
  })

  test.each([
    ['5E-1', 0],
    ['[ 5E-1 ]', 0],
    ['0E0', -13.815509796142578],
    ['1', 13.745160102844238],
  ])('base_score %j of a probability is the margin %d', async (base, margin) => {
    const model = parse(replaced('[5E-1]', base))
    expect(await scoresOf(model, [f64(0), f64(0), f64(0)])).toEqual([
      Math.fround(Math.fround(margin + 0.25) + 8),
    ])
  })
})

describe('multi:softmax', () => {
  const classes = replacedAll({
    'binary:logistic': 'multi:softmax',
    '"num_class": "0"': '"num_class": "3"',
    '"tree_info": [0, 0]': '"tree_info": [2, 1]',
    '"split_conditions": [8]': '"split_conditions": [0.5]',
  })

  function replacedAll(edits: Readonly<Record<string, string>>): string {
    return Object.entries(edits).reduce((all, [from, to]) => all.replace(from, to), text)
  }

  test('has a margin per class, and one score: the class with the greatest, the first of equals', async () => {
    const model = parse(classes)
    const columns = [f64(0, 1, 1), f64(0, 0, 0), f64(0, 1, 0)]
    expect(model).toMatchObject({ outputCount: 1, rawOutputCount: 3 })
    expect(await scoresOf(model, columns)).toEqual([0.5, 1, 0.75, 0.5, 1, 1.5, 0.5, 1, 0])
    expect(await scoresOf(model, columns, false)).toEqual([1, 2, 1])
    const ties = parse(classes.replace('"split_conditions": [0.5]', '"split_conditions": [0.25]'))
    expect(await scoresOf(ties, [f64(0), f64(0), f64(0)], false)).toEqual([1])
  })

  test('refuses an output of another length', async () => {
    const columns = [f64(0, 1), f64(0, 0), f64(0, 1)]
    const call = parse(classes).predict(columns, 2, new Float64Array(6), { raw: false })
    await expect(call).rejects.toThrow('the output has 6 cells, expected 2 rows x 1')
  })
})
