import { describe, expect, test } from 'vitest'
import { exampleModelText as text } from '../../test/support/lightgbm-example.js'
import type { TreeColumn } from '../native-trees.js'
import { parseLightgbmModel } from './lightgbm-model.js'
import type { TreeModel } from './tree-model.js'

const parse = (model: string) => parseLightgbmModel(Buffer.from(model))
const f64 = (...values: number[]) => Float64Array.from(values)

async function rawOf(model: TreeModel, columns: TreeColumn[], rowCount: number): Promise<number[]> {
  const output = new Float64Array(rowCount * model.outputCount)
  await model.predict(columns, rowCount, output, { raw: true })
  return [...output]
}

describe('a good file', () => {
  test('says what it is', () => {
    expect(parse(text)).toMatchObject({
      featureNames: ['a', 'b', 'c=d'],
      objective: 'binary',
      outputCount: 1,
      treeCount: 2,
      warnings: [],
      pandasCategorical: [
        ['x', 'y', 'z'],
        [1.5, true],
      ],
      usedFeatures: [true, false, true],
      categoricalFeatures: [false, false, true],
      modelBytes: expect.any(Number),
    })
  })

  test('predicts raw and transformed scores, and leaves', async () => {
    const model = parse(text)
    const columns = [f64(0, 0, 9, NaN), f64(NaN), f64(1, 3, 1, 2)]
    expect(await rawOf(model, columns, 4)).toEqual([
      0.25 + (0.125 - 1),
      1 + (0.125 - 3),
      -0.5 + (0.125 + 18 - 1),
      0.25 + 8, // NaN is 0 for the split, and sends the linear leaf to its plain value
    ])
    const scores = new Float64Array(4)
    await model.predict(columns, 4, scores, { raw: false })
    expect(scores[0]).toBeCloseTo(1 / (1 + Math.exp(-2 * -0.625)), 15)
    const leaves = new Int32Array(8)
    await model.predictLeaves(columns, 4, leaves)
    expect([...leaves]).toEqual([0, 0, 2, 0, 1, 0, 0, 0])
  })

  test('a column of one value stands for all rows, in every column type', async () => {
    const model = parse(text)
    const full = [f64(9, 9, 9), f64(0, 0, 0), f64(1, 1, 1)]
    const broadcast = [Float32Array.of(9), BigInt64Array.of(0n), BigInt64Array.of(1n)]
    expect(await rawOf(model, broadcast, 3)).toEqual(await rawOf(model, full, 3))
  })

  test('no rows are no work', async () => {
    expect(await rawOf(parse(text), [f64(), f64(1), f64()], 0)).toEqual([])
  })

  test('many rows, predicted in slices on another thread, equal few rows', async () => {
    const model = parse(text)
    const rowCount = 1_200_000 // several slices
    const few = Array.from({ length: 5 }, (_, row) => row - 1)
    const expected = await rawOf(model, [f64(...few), f64(0), f64(...few)], few.length)
    const column = Float64Array.from({ length: rowCount }, (_, row) => (row % 5) - 1)
    const output = new Float64Array(rowCount)
    await model.predict([column, f64(0), column], rowCount, output, { raw: true })
    expect(output.every((score, row) => score === expected[row % 5])).toBe(true)
  })

  test.each([
    ['v2', []],
    ['v3', []],
    ['v9', ["version 'v9' is unknown: read as if it were v4"]],
  ])('version %s warns %j', (version, warnings) => {
    expect(parse(text.replace('version=v4', `version=${version}`)).warnings).toEqual(warnings)
  })

  test.each([
    ['without the line', /\npandas_categorical.*/, ''],
    ['null', /pandas_categorical.*/, 'pandas_categorical:null'],
  ])('pandas_categorical %s is undefined', (_, from, to) => {
    expect(parse(text.replace(from, to)).pandasCategorical).toBeUndefined()
  })

  test('trees beyond the last whole iteration are ignored, with a warning', () => {
    const two = text
      .replace('num_tree_per_iteration=1', 'num_tree_per_iteration=2')
      .replace('objective=binary sigmoid:2\n', '')
      .replace('tree_sizes=300 300', 'tree_sizes=300 300 300')
      .replace('end of trees', 'Tree=2\nnum_leaves=1\nnum_cat=0\nleaf_value=1\n\nend of trees')
    expect(parse(two)).toMatchObject({
      objective: 'custom',
      outputCount: 2,
      treeCount: 2,
      warnings: [expect.stringContaining('last 1 trees are not a whole iteration')],
    })
  })

  test('an old file may lack `end of trees`, with a warning', () => {
    const old = text.replace('version=v4', 'version=v2').replace('end of trees\n', '')
    expect(parse(old).warnings).toEqual([expect.stringContaining("no 'end of trees'")])
  })
})

describe('objectives', () => {
  const withObjective = (objective: string) =>
    parse(text.replace('binary sigmoid:2', objective)).objective

  test.each([
    ['l2', 'regression'],
    ['rmse', 'regression'],
    ['mae', 'regression_l1'],
    ['quantile sqrt', 'quantile'],
    ['huber sqrt', 'huber'],
    ['xentropy', 'cross_entropy'],
    ['xentlambda', 'cross_entropy_lambda'],
    ['mean_absolute_percentage_error', 'mape'],
    ['xendcg', 'rank_xendcg'],
    ['none', 'custom'],
    ['', 'custom'],
    ['multiclass num_class:1', 'multiclass'],
    ['multiclassova num_class:1 sigmoid:1', 'multiclassova'],
  ])('%j is %s', (objective, name) => {
    expect(withObjective(objective)).toBe(name)
  })

  test.each([
    ['l2 sqrt', "objective 'l2' is unknown"],
    ['pinball', "objective 'pinball' is unknown"],
    ['binary', 'lacks sigmoid:S'],
    ['binary sigmoid:0', "sigmoid is '0', expected a number above 0"],
    ['binary sigmoid:inf', "sigmoid is 'inf'"],
    ['binary sigmoid:nan', "sigmoid is 'nan'"],
    ['binary sigmoid:x', "objective is 'x', expected a number"],
    ['multiclass', 'lacks num_class:K'],
    ['softmax', 'lacks num_class:K'],
    ['softmax num_class:1', "objective 'softmax' is unknown"],
    ['multiclass num_class:3', 'has 3 outputs, but num_tree_per_iteration is 1'],
    ['multiclassova num_class:1', 'lacks sigmoid:S'],
  ])('%j is refused', (objective, reason) => {
    expect(() => withObjective(objective)).toThrow(reason)
  })
})

describe('bad input', () => {
  const model = parse(text)
  const good = [f64(1, 2), f64(0), f64(1, 1)]

  test.each([
    ['a column too few', good.slice(1), 'the model has 3 features, got 2 columns'],
    [
      'a ragged column',
      [f64(1), f64(1), f64(1, 2, 3)],
      'column "c=d" has 3 values, expected 2 or 1',
    ],
    ['an empty column', [f64(1), f64(), f64(1)], 'column "b" has 0 values, expected 2 or 1'],
    [
      '2^53 + 1',
      [f64(1), BigInt64Array.of(0n, 2n ** 53n + 1n), f64(1)],
      'feature "b" is 9007199254740993 in row 1',
    ],
    [
      '-2^53 - 1',
      [BigInt64Array.of(-(2n ** 53n) - 1n), f64(1), f64(1)],
      'feature "a" is -9007199254740993 in row 0',
    ],
  ])('%s is refused', async (_, columns, says) => {
    await expect(rawOf(model, columns, 2)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(says),
    })
  })

  test('2^53 itself is exact', async () => {
    const columns = [BigInt64Array.of(2n ** 53n), f64(0), f64(1)]
    expect(await rawOf(model, columns, 1)).toEqual([-0.5 + (0.125 + 2 * 2 ** 53 - 1)])
  })

  test('a column that is no array of numbers is refused', async () => {
    // @ts-expect-error: what a caller without types might pass
    await expect(rawOf(model, [f64(1), [1], f64(1)], 1)).rejects.toThrow('must be of float32')
  })

  test.each([
    [2, 3, 'the output has 3 cells, expected 2 rows x 1'],
    [-1, 0, 'rowCount is -1'],
    [1.5, 1, 'rowCount is 1.5'],
  ])('%d rows into an output of %d are refused', async (rowCount, cellCount, says) => {
    const output = new Float64Array(cellCount)
    await expect(model.predict(good, rowCount, output, { raw: true })).rejects.toThrow(says)
  })

  test('an aborted signal stops it before the work, or between slices', async () => {
    const output = new Float64Array(2)
    const aborted = model.predict(good, 2, output, { raw: true }, AbortSignal.abort())
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))

    const rowCount = 1_200_000
    const controller = new AbortController()
    const columns = [f64(1), f64(1), new Float64Array(rowCount).fill(1)]
    const sliced = new Float64Array(rowCount)
    const call = model.predict(columns, rowCount, sliced, { raw: true }, controller.signal)
    controller.abort()
    await expect(call).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    expect(sliced[rowCount - 1]).toBe(0)
  })

  test.each([
    ['one slice', 50_000],
    ['several slices', 1_200_000],
  ])('closing lets calls under way of %s end, and refuses later ones', async (_, rowCount) => {
    const closing = parse(text)
    const output = new Float64Array(rowCount)
    const call = closing.predict([f64(9), f64(1), f64(1)], rowCount, output, { raw: true })
    closing.close()
    closing.close()
    await call
    expect(output[rowCount - 1]).toBe(-0.5 + (0.125 + 18 - 1))
    await expect(rawOf(closing, good, 2)).rejects.toThrow('a closed model is not used')
  })
})
