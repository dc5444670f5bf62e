/**
 * The XGBoost reader and the tree engine against XGBoost itself (fixtures of `test/fixtures/
 * xgboost/make.py`, by four versions of it) and against the plain evaluator on random models.
 *
 * Margins and leaves are compared by their bits. Scores may differ in the last places of a float32:
 * expf and logf are the C library's here, and those of the recording machine in the fixtures.
 */
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TreeColumn } from '../src/native-trees.js'
import type { TreeModel } from '../src/predict/tree-model.js'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'
import { createSeededPrng } from '../src/prng.js'
import { bitsOf } from './support/number-bits.js'
import { randomXgboostModel, randomXgboostRow } from './support/random-xgboost.js'
import { openRecorded } from './support/recorded-numbers.js'
import { encodeUbjson } from './support/ubjson.js'
import { createXgboostEvaluator } from './support/xgboost-evaluator.js'

const fixtures = new URL('fixtures/xgboost/', import.meta.url)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 60_000 + fuzzRuns

interface Case {
  readonly name: string
  readonly file: string
  readonly xgboost: string
  readonly rowCount: number
  readonly featureCount: number
  readonly outputCount: number
  readonly scoreCount: number
  readonly treeCount: number
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL('cases.json', fixtures), 'utf8'))

interface Recorded {
  readonly bytes: Uint8Array
  readonly columns: readonly Float64Array[]
  readonly margins: Float32Array
  readonly scores: Float32Array
  readonly leaves: Int32Array
}

function readRecorded(fixture: Case): Recorded {
  const { rowCount, featureCount, outputCount, scoreCount, treeCount } = fixture
  const { take, leftBytes } = openRecorded(new URL(`${fixture.name}.bin`, fixtures))
  const recorded = {
    bytes: new Uint8Array(readFileSync(new URL(fixture.file, fixtures))),
    columns: Array.from({ length: featureCount }, () => new Float64Array(take(rowCount, 8))),
    margins: new Float32Array(take(rowCount * outputCount, 4)),
    scores: new Float32Array(take(rowCount * scoreCount, 4)),
    leaves: new Int32Array(take(rowCount * treeCount, 4)),
  }
  expect(leftBytes()).toBe(0)
  return recorded
}

/** The largest distance in float32 values between two arrays; equal NaNs are at 0. */
function floatUlpsApart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const orders = (values: ArrayLike<number>) => {
    const floats = Float32Array.from(values, (x) => (Number.isNaN(x) ? NaN : x))
    return Array.from(new Int32Array(floats.buffer), (bits) =>
      bits < 0 ? -(2 ** 31) - bits : bits,
    )
  }
  const ordersOfB = orders(b)
  expect(a).toHaveLength(b.length)
  return Math.max(0, ...orders(a).map((order, i) => Math.abs(order - (ordersOfB[i] ?? 0))))
}

async function predict(
  model: TreeModel,
  columns: readonly TreeColumn[],
  rowCount: number,
  raw: boolean,
): Promise<Float64Array> {
  const cellsPerRow = raw ? model.rawOutputCount : model.outputCount
  const output = new Float64Array(rowCount * cellsPerRow).fill(42)
  await model.predict(columns, rowCount, output, { raw })
  return output
}

async function predictLeaves(
  model: TreeModel,
  columns: readonly TreeColumn[],
  rowCount: number,
): Promise<Int32Array> {
  const output = new Int32Array(rowCount * model.treeCount).fill(42)
  await model.predictLeaves(columns, rowCount, output)
  return output
}

describe.each(cases)('$name, as XGBoost $xgboost recorded it', (fixture) => {
  const { rowCount, outputCount, scoreCount, treeCount, featureCount } = fixture
  const recorded = readRecorded(fixture)
  const model = parseXgboostModel(recorded.bytes)

  test('the counts agree', () => {
    expect(model).toMatchObject({
      kind: 'xgboost',
      rawOutputCount: outputCount,
      outputCount: scoreCount,
      treeCount,
    })
    expect(model.featureNames).toHaveLength(featureCount)
  })

  test('margins and leaves of f64 columns have the same bits', async () => {
    const margins = await predict(model, recorded.columns, rowCount, true)
    expect(bitsOf(margins)).toEqual(bitsOf(recorded.margins))
    expect(await predictLeaves(model, recorded.columns, rowCount)).toEqual(recorded.leaves)
  })

  test('margins and leaves of f32 columns have the same bits', async () => {
    const begin = rowCount / 2 // from here on the recorded inputs are exact in f32
    const columns = recorded.columns.map((column) => Float32Array.from(column.subarray(begin)))
    const margins = await predict(model, columns, rowCount - begin, true)
    expect(bitsOf(margins)).toEqual(bitsOf(recorded.margins.subarray(begin * outputCount)))
    const leaves = await predictLeaves(model, columns, rowCount - begin)
    expect(leaves).toEqual(recorded.leaves.subarray(begin * treeCount))
  })

  test('one row at a time gives the same bits', async () => {
    const rows = await Promise.all(
      Array.from({ length: rowCount }, (_, row) => {
        const columns = recorded.columns.map((column) => column.subarray(row, row + 1))
        return predict(model, columns, 1, true)
      }),
    )
    expect(bitsOf(rows.flatMap((row) => [...row]))).toEqual(bitsOf(recorded.margins))
  })

  test('scores are within 2 ulps of a float32', async () => {
    const scores = await predict(model, recorded.columns, rowCount, false)
    expect(scores).toEqual(Float64Array.from(scores, Math.fround))
    expect(floatUlpsApart(scores, recorded.scores)).toBeLessThanOrEqual(2)
  })
})

describe('JSON and UBJSON', () => {
  const jsonCases = cases.filter(({ file }) => file.endsWith('.json'))

  test.each(jsonCases)('$name is the same model in both', async (fixture) => {
    const { bytes, columns, margins } = readRecorded(fixture)
    // Infinity is no JSON to this language's parser: the plain evaluator's tests have such models.
    const text = Buffer.from(bytes)
      .toString()
      .replaceAll(/-?Infinity|NaN/g, '0.5')
    const [asJson, asUbjson] = [Buffer.from(text), encodeUbjson(JSON.parse(text))].map((file) =>
      parseXgboostModel(file),
    ) as [TreeModel, TreeModel]
    expect(asUbjson.featureNames).toEqual(asJson.featureNames)
    expect(asUbjson.pandasCategorical).toEqual(asJson.pandasCategorical)
    const scores = await predict(asUbjson, columns, fixture.rowCount, true)
    expect(bitsOf(scores)).toEqual(bitsOf(await predict(asJson, columns, fixture.rowCount, true)))
    expect(scores).toHaveLength(margins.length)
  })
})

describe('random models', () => {
  const columnsOf = (rows: readonly number[][], make: (values: number[]) => TreeColumn) =>
    (rows[0] ?? []).map((_, feature) => make(rows.map((row) => row[feature] ?? NaN)))

  test.each([
    { columns: 'f64', make: (values: number[]) => Float64Array.from(values) },
    { columns: 'f32', make: (values: number[]) => Float32Array.from(values) },
  ])(
    `$columns columns: native and plain evaluator give the same bits (seed ${seed})`,
    async ({ make }) => {
      const property = fc.asyncProperty(fc.nat(), async (modelSeed) => {
        await setImmediate() // a long run must not starve the test runner's own messages
        const prng = createSeededPrng(modelSeed)
        const { text, value } = randomXgboostModel(prng)
        const rowCount = 1 + prng.below(100)
        const drawn = Array.from({ length: rowCount }, () => randomXgboostRow(prng))
        const columns = columnsOf(drawn, make)
        const rows = drawn.map((_, row) => columns.map((column) => Number(column[row])))
        const evaluator = createXgboostEvaluator(value)
        const bytes = prng.below(2) === 0 ? Buffer.from(text) : encodeUbjson(value)
        const model = parseXgboostModel(bytes)
        const margins = await predict(model, columns, rowCount, true)
        expect(bitsOf(margins)).toEqual(bitsOf(rows.flatMap(evaluator.margins)))
        const leaves = await predictLeaves(model, columns, rowCount)
        expect(leaves).toEqual(Int32Array.from(rows.flatMap(evaluator.leaves)))
      })
      const details = await fc.check(property, { seed, numRuns: Math.max(300, fuzzRuns / 100) })
      expect(details.failed, fc.defaultReportMessage(details)).toBe(false)
    },
    fuzzTimeoutMs,
  )
})
