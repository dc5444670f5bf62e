/**
 * The LightGBM engine against LightGBM itself (fixtures of `test/fixtures/lightgbm/make.py`)
 * and against the plain evaluator on random models.
 *
 * Raw scores and leaves are compared by their bits. Transformed scores may differ in the last places:
 * exp and log1p are the C library's here, those of the recording machine in the fixtures, and V8's in
 * the evaluator.
 */
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LarderError } from '../src/errors.js'
import type { TreeColumn } from '../src/native-trees.js'
import { parseLightgbmModel } from '../src/predict/lightgbm-model.js'
import { treeKernels } from '../src/predict/tree-kernel.js'
import type { TreeModel } from '../src/predict/tree-model.js'
import { createSeededPrng } from '../src/prng.js'
import { createLightgbmEvaluator } from './support/lightgbm-evaluator.js'
import { exampleModelText } from './support/lightgbm-example.js'
import { bitsOf } from './support/number-bits.js'
import { randomLightgbmRow, randomLightgbmText } from './support/random-lightgbm.js'
import { openRecorded } from './support/recorded-numbers.js'

const fixtures = new URL('fixtures/lightgbm/', import.meta.url)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 60_000 + fuzzRuns

/** Those that this machine can run, each forced. */
const kernels = treeKernels.filter((kernel) => {
  try {
    parseLightgbmModel(Buffer.from(exampleModelText), { kernel })
    return true
  } catch (error) {
    return LarderError.from(error).code !== 'refused'
  }
})

interface Case {
  readonly name: string
  readonly rowCount: number
  readonly featureCount: number
  readonly outputCount: number
  readonly treeCount: number
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL('cases.json', fixtures), 'utf8'))

interface Recorded {
  readonly bytes: Uint8Array
  readonly columns: Float64Array[]
  readonly rows: number[][]
  readonly raw: Float64Array
  readonly transformed: Float64Array
  readonly leaves: Int32Array
}

function readRecorded({ name, rowCount, featureCount, outputCount, treeCount }: Case): Recorded {
  const { take, leftBytes } = openRecorded(new URL(`${name}.bin`, fixtures))
  const columns = Array.from({ length: featureCount }, () => new Float64Array(take(rowCount, 8)))
  const recorded = {
    bytes: new Uint8Array(readFileSync(new URL(`${name}.txt`, fixtures))),
    columns,
    rows: rowsOf(columns, rowCount),
    raw: new Float64Array(take(rowCount * outputCount, 8)),
    transformed: new Float64Array(take(rowCount * outputCount, 8)),
    leaves: new Int32Array(take(rowCount * treeCount, 4)),
  }
  expect(leftBytes()).toBe(0)
  return recorded
}

function rowsOf(columns: readonly Float64Array[], rowCount: number): number[][] {
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => column[row] ?? NaN))
}

/** The largest distance in representable values between two arrays; equal NaNs are at 0. */
function ulpsApart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const orderOf = (bits: bigint) => (bits >> 63n === 0n ? bits : (1n << 63n) - bits)
  const bitsOfA = bitsOf(a)
  const distances = [...bitsOf(b)].map((bits, i) =>
    Math.abs(Number(orderOf(bits) - orderOf(bitsOfA[i] ?? 0n))),
  )
  return distances.reduce((max, distance) => Math.max(max, distance), 0)
}

async function predict(
  model: TreeModel,
  columns: readonly TreeColumn[],
  rowCount: number,
  raw: boolean,
): Promise<Float64Array> {
  const output = new Float64Array(rowCount * model.outputCount).fill(42)
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

describe.each(cases)('$name, as LightGBM recorded it', (fixture) => {
  const { rowCount, outputCount, treeCount } = fixture
  const recorded = readRecorded(fixture)
  const model = parseLightgbmModel(recorded.bytes)

  test('the counts agree', () => {
    expect(model).toMatchObject({ outputCount, treeCount })
    expect(model.featureNames).toHaveLength(fixture.featureCount)
  })

  test('raw scores and leaves of f64 columns have the same bits', async () => {
    const raw = await predict(model, recorded.columns, rowCount, true)
    expect(bitsOf(raw)).toEqual(bitsOf(recorded.raw))
    expect(await predictLeaves(model, recorded.columns, rowCount)).toEqual(recorded.leaves)
  })

  test('raw scores and leaves of f32 columns have the same bits', async () => {
    const begin = rowCount / 2 // from here on the recorded inputs are exact in f32
    const columns = recorded.columns.map((column) => Float32Array.from(column.subarray(begin)))
    const raw = await predict(model, columns, rowCount - begin, true)
    expect(bitsOf(raw)).toEqual(bitsOf(recorded.raw.subarray(begin * outputCount)))
    const leaves = await predictLeaves(model, columns, rowCount - begin)
    expect(leaves).toEqual(recorded.leaves.subarray(begin * treeCount))
  })

  test.each(kernels)('kernel %s: f64, f32 and mixed columns have the same bits', async (kernel) => {
    const forced = parseLightgbmModel(recorded.bytes, { kernel })
    expect(forced.warnings).toEqual(model.warnings)
    const raw = await predict(forced, recorded.columns, rowCount, true)
    expect(bitsOf(raw)).toEqual(bitsOf(recorded.raw))
    const begin = rowCount / 2
    const halves = recorded.columns.map((column) => column.subarray(begin))
    const floats = halves.map((column) => Float32Array.from(column))
    const mixed = halves.map(
      (column, index) => (index % 2 === 0 ? floats[index] : column) ?? column,
    )
    const expected = bitsOf(recorded.raw.subarray(begin * outputCount))
    expect(bitsOf(await predict(forced, floats, rowCount - begin, true))).toEqual(expected)
    expect(bitsOf(await predict(forced, mixed, rowCount - begin, true))).toEqual(expected)
  })

  test('one row at a time gives the same bits', async () => {
    const rows = await Promise.all(
      recorded.rows.map((row) =>
        predict(
          model,
          row.map((x) => Float64Array.of(x)),
          1,
          true,
        ),
      ),
    )
    expect(bitsOf(rows.flatMap((row) => [...row]))).toEqual(bitsOf(recorded.raw))
  })

  test('transformed scores are within 2 ulps', async () => {
    const scores = await predict(model, recorded.columns, rowCount, false)
    expect(ulpsApart(scores, recorded.transformed)).toBeLessThanOrEqual(2)
  })

  test('with CRLF line endings it is the same model', async () => {
    const text = Buffer.from(recorded.bytes).toString().replaceAll('\n', '\r\n')
    const raw = await predict(
      parseLightgbmModel(Buffer.from(text)),
      recorded.columns,
      rowCount,
      true,
    )
    expect(bitsOf(raw)).toEqual(bitsOf(recorded.raw))
  })

  test('the plain evaluator agrees with LightGBM', () => {
    const evaluator = createLightgbmEvaluator(Buffer.from(recorded.bytes).toString())
    expect(bitsOf(recorded.rows.flatMap(evaluator.raw))).toEqual(bitsOf(recorded.raw))
    expect(Int32Array.from(recorded.rows.flatMap(evaluator.leaves))).toEqual(recorded.leaves)
    const transformed = recorded.rows.flatMap(evaluator.transformed)
    expect(ulpsApart(transformed, recorded.transformed)).toBeLessThanOrEqual(4)
  })
})

type MakeColumn = (values: number[], feature: number) => TreeColumn

describe('random models', () => {
  const columnsOf = (rows: readonly number[][], make: MakeColumn) =>
    (rows[0] ?? []).map((_, feature) =>
      make(
        rows.map((row) => row[feature] ?? NaN),
        feature,
      ),
    )

  test.each([
    { columns: 'f64', make: (values: number[]) => Float64Array.from(values) },
    { columns: 'f32', make: (values: number[]) => Float32Array.from(values) },
    {
      columns: 'mixed',
      make: (values: number[], feature: number) =>
        feature % 2 === 0 ? Float32Array.from(values) : Float64Array.from(values),
    },
  ])(
    `$columns columns: native and plain evaluator give the same bits (seed ${seed})`,
    async ({ make }) => {
      const property = fc.asyncProperty(fc.nat(), async (modelSeed) => {
        await setImmediate() // a long run must not starve the test runner's own messages
        const prng = createSeededPrng(modelSeed)
        const text = randomLightgbmText(prng)
        const rowCount = 1 + prng.below(100)
        const drawn = Array.from({ length: rowCount }, () => randomLightgbmRow(prng))
        const columns = columnsOf(drawn, make)
        const rows = drawn.map((_, row) => columns.map((column) => Number(column[row])))
        const kernel = kernels[prng.below(kernels.length)] ?? 'auto'
        const model = parseLightgbmModel(Buffer.from(text), { kernel })
        expect(model.warnings.filter((warning) => warning.includes('kernel'))).toEqual([])
        const evaluator = createLightgbmEvaluator(text)
        const raw = await predict(model, columns, rowCount, true)
        expect(bitsOf(raw)).toEqual(bitsOf(rows.flatMap(evaluator.raw)))
        const scores = await predict(model, columns, rowCount, false)
        expect(bitsOf(scores)).toEqual(bitsOf(rows.flatMap(evaluator.transformed)))
        const leaves = await predictLeaves(model, columns, rowCount)
        expect(leaves).toEqual(Int32Array.from(rows.flatMap(evaluator.leaves)))
      })
      const details = await fc.check(property, { seed, numRuns: Math.max(300, fuzzRuns / 100) })
      expect(details.failed, fc.defaultReportMessage(details)).toBe(false)
    },
    fuzzTimeoutMs,
  )
})
