/**
 * Contributions against LightGBM's `pred_contrib` (fixtures of
 * `test/fixtures/lightgbm/contributions.py`), against Shapley's definition on random models, and
 * against the raw score that they must add up to.
 *
 * All comparisons are relative to the sum of a row's magnitudes. LightGBM unwinds paths where the engine
 * integrates, so that the two round differently: by some 1e-16 for each edge of a tree, and trees sum
 * up. 1e-12 leaves room for thousands of edges; a wrong weight would differ in the first digits.
 */
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TreeColumn } from '../src/native-trees.js'
import { parseLightgbmModel } from '../src/predict/lightgbm-model.js'
import type { TreeModel } from '../src/predict/tree-model.js'
import { createSeededPrng } from '../src/prng.js'
import { createLightgbmEvaluator } from './support/lightgbm-evaluator.js'
import { exampleModelText } from './support/lightgbm-example.js'
import { randomLightgbmRow, randomLightgbmText } from './support/random-lightgbm.js'
import { shapleyValues } from './support/shapley-values.js'

const fixtures = new URL('fixtures/lightgbm/', import.meta.url)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 60_000 + fuzzRuns
const tolerance = 1e-12

interface Case {
  readonly name: string
  readonly rowCount: number
  readonly featureCount: number
}

const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, fixtures), 'utf8'))
const cases: readonly Case[] = readJson('cases.json')
const recordedNames: readonly string[] = readJson('contributions/cases.json')

function readNumbers(path: string): Float64Array {
  const bytes = Uint8Array.from(readFileSync(new URL(path, fixtures))) // copied: aligned
  return new Float64Array(bytes.buffer, 0, Math.floor(bytes.length / 8))
}

function readCase({ name, rowCount, featureCount }: Case) {
  const numbers = readNumbers(`${name}.bin`)
  const columns = Array.from({ length: featureCount }, (_, i) =>
    numbers.slice(i * rowCount, (i + 1) * rowCount),
  )
  return { columns, model: parseLightgbmModel(readFileSync(new URL(`${name}.txt`, fixtures))) }
}

async function contributionsOf(
  model: TreeModel,
  columns: readonly TreeColumn[],
  rowCount: number,
): Promise<Float64Array> {
  const cells = rowCount * model.outputCount * (model.featureNames.length + 1)
  const output = new Float64Array(cells).fill(42)
  expect(model.contributionRefusal).toBeUndefined()
  await model.contributions?.(columns, rowCount, output)
  return output
}

async function rawOf(model: TreeModel, columns: readonly TreeColumn[], rowCount: number) {
  const output = new Float64Array(rowCount * model.outputCount)
  await model.predict(columns, rowCount, output, { raw: true })
  return output
}

/** Values of one row and output after the other. */
function splitRows(values: Float64Array, model: TreeModel): number[][] {
  const cells = model.featureNames.length + 1
  return Array.from({ length: values.length / cells }, (_, i) => [
    ...values.subarray(i * cells, (i + 1) * cells),
  ])
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
const magnitudeOf = (values: readonly number[]) => sumOf(values.map(Math.abs))

/** The worst difference, relative to the magnitude of its row. */
function worstApart(rows: readonly number[][], expected: readonly number[][]): number {
  expect(rows).toHaveLength(expected.length)
  const apart = rows.map((row, i) => {
    const differences = row.map((value, j) => Math.abs(value - (expected[i]?.[j] ?? NaN)))
    return Math.max(...differences) / (magnitudeOf(expected[i] ?? []) || 1)
  })
  return Math.max(0, ...apart)
}

async function expectAdditive(
  model: TreeModel,
  columns: readonly TreeColumn[],
  rowCount: number,
): Promise<void> {
  const rows = splitRows(await contributionsOf(model, columns, rowCount), model)
  const raw = await rawOf(model, columns, rowCount)
  const apart = rows.map(
    (row, i) => Math.abs(sumOf(row) - (raw[i] ?? NaN)) / (magnitudeOf(row) || 1),
  )
  expect(Math.max(0, ...apart)).toBeLessThan(tolerance)
}

const recordedCases = cases.filter(({ name }) => recordedNames.includes(name))

test('every recorded case is there', () => {
  expect(recordedCases.map(({ name }) => name).sort()).toEqual([...recordedNames].sort())
})

describe.each(recordedCases)('$name, as LightGBM recorded it', (fixture) => {
  const { columns, model } = readCase(fixture)
  const { rowCount } = fixture

  test('each input contributes what LightGBM says', async () => {
    const found = splitRows(await contributionsOf(model, columns, rowCount), model)
    const recorded = splitRows(readNumbers(`contributions/${fixture.name}.bin`), model)
    expect(worstApart(found, recorded)).toBeLessThan(tolerance)
  })

  test('row counts from one on, and f32 columns, give the same bits', async () => {
    const begin = rowCount / 2 // from here on the recorded inputs are exact in f32
    const exact = columns.map((column) => column.subarray(begin))
    const whole = await contributionsOf(model, exact, rowCount - begin)
    const rowCells = whole.length / (rowCount - begin)
    for (const count of [1, 3, 4, 7, 8, 13]) {
      const narrow = exact.map((column) => Float32Array.from(column.subarray(0, count)))
      const some = await contributionsOf(model, narrow, count)
      expect(some).toEqual(whole.subarray(0, count * rowCells))
    }
  })
})

const linearNames = cases.map(({ name }) => name).filter((name) => name.startsWith('linear'))
const refusedNames = [...linearNames, 'edited-leaves']

test.each(cases.filter(({ name }) => !refusedNames.includes(name)))(
  '$name: contributions add up to the raw score',
  async (fixture) => {
    const { columns, model } = readCase(fixture)
    await expectAdditive(model, columns, fixture.rowCount)
  },
)

describe('models without contributions say why', () => {
  test.each([
    ...linearNames.map((name) => [name, 'tree 0 has linear leaves'] as const),
    ['edited-leaves', 'tree 4: a leaf is nan'] as const,
  ])('%s', (name, reason) => {
    const model = parseLightgbmModel(readFileSync(new URL(`${name}.txt`, fixtures)))
    expect(model.contributions).toBeUndefined()
    expect(model.contributionRefusal).toContain(reason)
  })
})

/** The example, its linear tree made plain, with counts. */
const countedText = exampleModelText
  .replace(/is_linear=1\n(leaf_.*\n|num_features.*\n)*/g, '')
  .replace('an_unknown_key=7', 'leaf_count=30 60 10\ninternal_count=100 40')

describe('counts', () => {
  const columns = [Float64Array.of(0, 9, NaN), Float64Array.of(0), Float64Array.of(1, 1, 3)]

  test('good ones give contributions that can be checked by hand', async () => {
    const model = parseLightgbmModel(Buffer.from(countedText))
    const [first = []] = splitRows(await contributionsOf(model, columns, 3), model)
    const nothing = 0.3 * 0.25 + 0.6 * -0.5 + 0.1 * 1 // expected without a feature
    const onlyA = 0.75 * 0.25 + 0.25 * 1
    const onlyC = 0.4 * 0.25 + 0.6 * -0.5
    const a = (onlyA - nothing + (0.25 - onlyC)) / 2
    const c = (onlyC - nothing + (0.25 - onlyA)) / 2
    expect(worstApart([first], [[a, 0, c, nothing + 8]])).toBeLessThan(tolerance)
  })

  test.each([
    ['no leaf_count', /leaf_count=.*\n/, '', 'tree 0: the tree has no leaf_count'],
    ['no internal_count', /internal_count=.*\n/, '', 'tree 0: the tree has no internal_count'],
    ['too few', '=30 60 10', '=30 60', 'tree 0: leaf_count has 2 values, expected 3 (num_leaves)'],
    ['too many', '=100 40', '=100 40 1', 'internal_count has 3 values, expected 2'],
    ['no numbers', '=30 60 10', '=30 x 10', "tree 0: leaf_count is 'x', expected a number"],
    ['out of range', '=30 60 10', '=30 1e999 10', "leaf_count is '1e999'"],
    ['a negative leaf', '=30 60 10', '=30 -60 10', "a child's cover is -60"],
    ['a negative node', '=100 40', '=100 -40', "a child's cover is -40"],
    ['a negative root', '=100 40', '=-100 40', "a node's cover is -100"],
    ['a root of nothing', '=100 40', '=0 0', "a node's cover is 0"],
    ['an inner node of nothing', '=100 40', '=100 0', "a node's cover is 0"],
    ['a leaf above its parent', '=30 60 10', '=30 60 41', 'expected 0 to its parent'],
    ['a node above its parent', '=100 40', '=100 101', "a child's cover is 101"],
    ['a NaN leaf', '=30 60 10', '=30 nan 10', "a child's cover is nan"],
    ['a NaN node', '=100 40', '=nan 40', "a node's cover is nan"],
    ['an infinite root', '=100 40', '=inf 40', "a node's cover is inf"],
    ['an infinite leaf', '=30 60 10', '=30 inf 10', "a child's cover is inf"],
  ])('%s cost the contributions, never the scores', async (_, from, to, reason) => {
    const text = countedText.replace(from, to)
    expect(text).not.toBe(countedText)
    const model = parseLightgbmModel(Buffer.from(text))
    expect(model.contributions).toBeUndefined()
    expect(model.contributionRefusal).toContain(reason)
    const good = parseLightgbmModel(Buffer.from(countedText))
    expect(await rawOf(model, columns, 3)).toEqual(await rawOf(good, columns, 3))
  })

  test.each([
    ['that do not add up', '=30 60 10', '=20 40 3'],
    ['with a leaf of nothing', '=30 60 10', '=0 60 10'],
    ['with leaves of nothing only', '=30 60 10', '=0 0 0'],
    ['of the smallest numbers', '=100 40', '=100 5e-324'],
  ])('%s still add up to the raw score', async (_, from, to) => {
    const leaves = to.includes('5e-324')
      ? countedText.replace('=30 60 10', '=5e-324 60 0')
      : countedText
    const model = parseLightgbmModel(Buffer.from(leaves.replace(from, to)))
    await expectAdditive(model, columns, 3)
  })
})

/** Trees that are chains: level i splits on feature i, or i modulo `featureCount`. */
function chainText(levelCount: number, featureCount: number, treeCount: number): string {
  const levels = Array.from({ length: levelCount }, (_, i) => i)
  const perLevel = (value: (i: number) => number) => levels.map(value).join(' ')
  const tree = [
    `num_leaves=${levelCount + 1}`,
    'num_cat=0',
    `split_feature=${perLevel((i) => i % featureCount)}`,
    `threshold=${perLevel((i) => i / levelCount)}`,
    `decision_type=${perLevel(() => 8)}`,
    `left_child=${perLevel((i) => ~i)}`,
    `right_child=${perLevel((i) => (i === levelCount - 1 ? ~levelCount : i + 1))}`,
    `leaf_value=${perLevel((i) => i % 7)} 3`,
    `leaf_count=${perLevel(() => 1)} 1`,
    `internal_count=${perLevel((i) => levelCount + 1 - i)}`,
    '',
  ].join('\n')
  const names = Array.from({ length: featureCount }, (_, i) => `f${i}`)
  return [
    `tree\nversion=v4\nnum_class=1\nmax_feature_idx=${featureCount - 1}`,
    `feature_names=${names.join(' ')}\n`,
    ...Array.from({ length: treeCount }, (_, i) => `Tree=${i}\n${tree}`),
    'end of trees\n',
  ].join('\n')
}

describe('deep trees', () => {
  test.each([1, 2, 3, 40, 511, 512])('512 levels over %d features add up', async (featureCount) => {
    const model = parseLightgbmModel(Buffer.from(chainText(512, featureCount, 1)))
    const prng = createSeededPrng(featureCount)
    const columns = Array.from({ length: featureCount }, () =>
      Float64Array.from({ length: 9 }, (_, row) => (row < 4 ? 2 : prng.next() * 1.5)),
    )
    await expectAdditive(model, columns, 9)
  })

  test.each([
    ['a tree too deep', chainText(513, 1, 1), 'tree 0 is 513 levels deep', 'at most 512'],
    ['too much work', chainText(512, 512, 1030), 'would take 270008320 steps', 'at most 268435456'],
  ])('%s is refused', (_, text, says, bound) => {
    const model = parseLightgbmModel(Buffer.from(text))
    expect(model.contributions).toBeUndefined()
    expect(model.contributionRefusal).toContain(says)
    expect(model.contributionRefusal).toContain(bound)
  })
})

test(
  `random models: Shapley's definition gives the same (seed ${seed})`,
  async () => {
    const property = fc.asyncProperty(fc.nat(), async (modelSeed) => {
      await setImmediate() // a long run must not starve the test runner's own messages
      const prng = createSeededPrng(modelSeed)
      const text = randomLightgbmText(prng, { forContributions: true })
      const rows = Array.from({ length: 1 + prng.below(12) }, () => randomLightgbmRow(prng))
      const featureCount = rows[0]?.length ?? 0
      const columns = Array.from({ length: featureCount }, (_, feature) =>
        Float64Array.from(rows, (row) => row[feature] ?? NaN),
      )
      const model = parseLightgbmModel(Buffer.from(text))
      const evaluator = createLightgbmEvaluator(text)
      const expected = rows.flatMap((row) =>
        shapleyValues(featureCount, (known) => evaluator.expected(row, known)),
      )
      const found = splitRows(await contributionsOf(model, columns, rows.length), model)
      expect(worstApart(found, expected)).toBeLessThan(tolerance)
    })
    const details = await fc.check(property, { seed, numRuns: Math.max(200, fuzzRuns / 100) })
    expect(details.failed, fc.defaultReportMessage(details)).toBe(false)
  },
  fuzzTimeoutMs,
)

describe('calls', () => {
  const model = parseLightgbmModel(Buffer.from(countedText))
  const columns = [Float64Array.of(0, 9), Float64Array.of(0), BigInt64Array.of(1n, 3n)]
  const call = (columnsGiven: TreeColumn[], cells: number, signal?: AbortSignal) =>
    model.contributions?.(columnsGiven, 2, new Float64Array(cells), signal)

  test.each([
    ['an output of another shape', columns, 6, 'the output has 6 cells, expected 2 rows x 4'],
    ['a column too few', columns.slice(1), 8, 'the model has 3 features, got 2 columns'],
    [
      'an integer that is not exact',
      [...columns.slice(0, 2), BigInt64Array.of(2n ** 53n + 1n)],
      8,
      'feature "c=d" is 9007199254740993 in row 0',
    ],
  ])('with %s are refused', async (_, columnsGiven, cells, says) => {
    await expect(call(columnsGiven, cells)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(says),
    })
  })

  test('an aborted signal stops them', async () => {
    const aborted = call(columns, 8, AbortSignal.abort())
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  })

  test('no rows are no work', async () => {
    const none = [Float64Array.of(), Float64Array.of(0), Float64Array.of()]
    expect(await contributionsOf(model, none, 0)).toEqual(new Float64Array())
  })

  test('many rows, told in slices on another thread, equal few rows', async () => {
    const rowCount = 1_000_003
    const expected = await contributionsOf(model, columns, 2)
    const a = Float64Array.from({ length: rowCount }, (_, row) => (row % 2) * 9)
    const c = Float64Array.from({ length: rowCount }, (_, row) => 1 + (row % 2) * 2)
    const output = await contributionsOf(model, [a, Float64Array.of(0), c], rowCount)
    expect(output.every((value, i) => value === expected[i % 8])).toBe(true)
  })
})
