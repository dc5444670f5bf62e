/**
 * Composite models as wholes: random graphs against the plain evaluator by their bits, nested models,
 * slices, cancelling and closing.
 */
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LarderError } from '../src/errors.js'
import {
  type CompositeSource,
  loadCompositeModel,
} from '../src/predict/composite/composite-model.js'
import { parseLightgbmModel } from '../src/predict/lightgbm-model.js'
import type { Model, ModelColumn, ModelInput } from '../src/predict/model.js'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'
import { createSeededPrng } from '../src/prng.js'
import { graphOf, loadGraph, runNative, runPlain } from './support/composite-runs.js'
import { exampleModelText } from './support/lightgbm-example.js'
import { bitsOf } from './support/number-bits.js'
import { randomCell, randomGraphText } from './support/random-graph.js'

const graphRuns = Math.ceil(Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000) / 40)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const f64 = (...values: number[]) => Float64Array.from(values)

test(
  `${graphRuns} random graphs give the evaluator's bits (seed ${seed})`,
  async () => {
    const prng = createSeededPrng(seed)
    for (let run = 0; run < graphRuns; run++) {
      if (run % 20 === 0) await setImmediate()
      const text = randomGraphText(prng)
      const model = await loadGraph(text)
      const rowCount = prng.below(4) === 0 ? 100 + prng.below(60) : prng.below(9)
      const cells = model.inputs.map((input) =>
        Array.from({ length: rowCount }, () => randomCell(input, prng)),
      )
      const forms = model.inputs.map(() => ({
        isBroadcast: rowCount > 0 && prng.below(3) === 0,
        isFloat32: prng.below(3) === 0,
      }))
      const formOf = (index: number) => forms[index] ?? { isBroadcast: false, isFloat32: false }
      const native = await runNative(model, { cells, rowCount }, formOf)
      expect(bitsOf(native), text).toEqual(
        bitsOf(runPlain(graphOf(text), { cells, rowCount }, formOf)),
      )
    }
  },
  60_000 + 60 * graphRuns,
)

/** A nested model made of a function, which counts how often it is closed. */
function fakeModel(
  inputs: readonly ModelInput[],
  score: (
    columns: readonly ModelColumn[],
    rowCount: number,
    output: Float64Array,
  ) => void | Promise<void>,
  others: Partial<Model> = {},
): Model & { readonly closed: { count: number } } {
  const closed = { count: 0 }
  return {
    ...{ kind: 'linear', inputs, outputCount: 1, objective: '', treeCount: 0, modelBytes: 8 },
    ...{ kernel: 'fake', warnings: [], pandasCategorical: undefined, contributions: undefined },
    predict: async (columns, rowCount, output) => await score(columns, rowCount, output),
    close: () => {
      closed.count++
    },
    closed,
    ...others,
  }
}

const numberInput = (name: string): ModelInput => ({
  name,
  form: { kind: 'number' },
  defaultValue: undefined,
})

function load(text: string, loadNested: CompositeSource['loadNested']): Promise<Model> {
  return loadCompositeModel({ path: 'graph.yaml', text, loadNested })
}

async function scoresOf(model: Model, columns: readonly ModelColumn[], rowCount: number) {
  const output = new Float64Array(rowCount)
  await model.predict(columns, rowCount, output, { raw: false })
  return [...output]
}

describe('nested models', () => {
  const lightgbm = `inputs:
  - { name: a, kind: numerical }
  - { name: kind, kind: categorical, categories: [z, unseen, x, y] }
nodes:
  - { name: half, op: multiply, of: [a, 0.5] }
  - { name: tree, op: model, kind: lightgbm, file: trees/m.txt, raw: true, inputs: { "a": half, b: 2, "c=d": kind } }
  - { name: result, op: add, of: [tree, half, 100] }
`
  const oneList = exampleModelText.replace('[["x", "y", "z"], [1.5, true]]', '[["x", "y", "z"]]')

  test('a LightGBM model reads columns of the graph; categories go to its own codes', async () => {
    const asked: unknown[] = []
    const model = await load(lightgbm, async (nested) => {
      asked.push(nested)
      return parseLightgbmModel(Buffer.from(oneList))
    })
    expect(asked).toEqual([{ kind: 'lightgbm', path: 'trees/m.txt' }])
    expect(model.treeCount).toBe(2)
    expect(model.pandasCategorical).toEqual([['z', 'unseen', 'x', 'y']])
    expect(model.kernel).toContain('tree: 2 trees')
    const a = [0, 0, 18, NaN, 1]
    const codes = [2, 3, 0, 0, 1]
    const own = [0, 1, 2, 2, NaN]
    const trees = parseLightgbmModel(Buffer.from(oneList))
    const expected = new Float64Array(5)
    await trees.predict([f64(...a.map((x) => x * 0.5)), f64(2), f64(...own)], 5, expected, {
      raw: true,
    })
    const scores = await scoresOf(model, [f64(...a), f64(...codes)], 5)
    expect(scores).toEqual(a.map((x, row) => (expected[row] ?? NaN) + x * 0.5 + 100))
    // The example sends x and the rest different ways.
    expect(new Set(scores).size).toBeGreaterThan(2)
  })

  test('a model trained by LightGBM gives its own recorded scores', async () => {
    const folder = new URL('fixtures/lightgbm/', import.meta.url)
    const nested = parseLightgbmModel(readFileSync(new URL('linear.txt', folder)))
    const inputs = nested.inputs
      .map(({ name }) => `  - { name: ${name}, kind: numerical }\n`)
      .join('')
    const mapped = nested.inputs.map(({ name }) => `${name}: ${name}`).join(', ')
    const text = `inputs:\n${inputs}nodes:\n  - { name: result, op: model, kind: lightgbm, file: m.txt, inputs: { ${mapped} } }\n`
    const model = await load(text, async () => nested)
    const columns = nested.inputs.map((_, index) => f64(0.1 * index, -1, NaN, 3, 1e9))
    const expected = new Float64Array(5)
    await nested.predict(columns, 5, expected, { raw: false })
    expect(await scoresOf(model, columns, 5)).toEqual([...expected])
  })

  test('models of one file are loaded once; several scores, chains and constants work', async () => {
    const text = `inputs: [{ name: x, kind: numerical }]
nodes:
  - { name: first, op: model, kind: onnx, file: m.onnx, inputs: { p: x, q: 7 }, output: 1 }
  - { name: more, op: add, of: [first, x] }
  - { name: second, op: model, kind: onnx, file: m.onnx, inputs: { p: more, q: first }, output: 0 }
  - { name: result, op: subtract, of: [second, more] }
`
    let loadCount = 0
    const nested = fakeModel(
      [numberInput('q'), numberInput('p')],
      ([q, p], rowCount, output) => {
        for (let row = 0; row < rowCount; row++) {
          const at = (column: unknown) =>
            column instanceof Float64Array ? (column[column.length === 1 ? 0 : row] ?? NaN) : NaN
          output[row * 2] = at(p) * 1000
          output[row * 2 + 1] = at(q) * 10 + at(p)
        }
      },
      { outputCount: 2 },
    )
    const model = await load(text, async () => {
      loadCount++
      return nested
    })
    expect(loadCount).toBe(1)
    const expected = [1, 2].map((x) => (70 + x + x) * 1000 - (70 + x + x))
    expect(await scoresOf(model, [f64(1, 2)], 2)).toEqual(expected)
    model.close()
    model.close()
    expect(nested.closed.count).toBe(1)
  })

  const text = (inputs: string, given = '{ p: x }', more = '') =>
    `inputs: [${inputs}]\nnodes:\n  - { name: ranked, op: model, kind: linear, file: w.yaml, inputs: ${given}${more} }\n  - { name: result, op: abs, of: ranked }\n`
  const number = '{ name: x, kind: numerical }'
  const listForm = { kind: 'list', items: 'number', itemsMax: 3 } as const
  const bad: [string, string, readonly ModelInput[], Partial<Model>, string][] = [
    [
      'an unknown input',
      text(number, '{ pp: x }'),
      [numberInput('p')],
      {},
      '3:74: the linear model "w.yaml" has no input "pp": did you mean "p"?',
    ],
    [
      'an input that is not given',
      text(number),
      [numberInput('p'), numberInput('q')],
      {},
      '3:13: inputs of the linear model "w.yaml" are not given: "q"',
    ],
    [
      'a list for a number',
      text('{ name: x, kind: list, items: number, length_max: 9 }'),
      [numberInput('p')],
      {},
      '3:73: input "p" of the linear model "w.yaml" is a number, but is given a list of numbers',
    ],
    [
      'a vector for a number',
      text('{ name: x, kind: embedding, dim: 2 }'),
      [numberInput('p')],
      {},
      'is a number, but is given a vector of 2',
    ],
    [
      'a number for an embedding',
      text(number),
      [{ ...numberInput('p'), form: { kind: 'embedding', dim: 2 } }],
      {},
      'is an embedding of 2, but is given a number',
    ],
    [
      'a number for a category',
      text(number),
      [{ ...numberInput('p'), form: { kind: 'category', categories: ['a'] } }],
      {},
      'is a category, but is given a number',
    ],
    [
      'a longer list',
      text('{ name: x, kind: list, items: number, length_max: 9 }'),
      [{ ...numberInput('p'), form: listForm }],
      {},
      'takes at most 3 items, but is given up to 9',
    ],
    [
      'no choice of several scores',
      text(number),
      [numberInput('p')],
      { outputCount: 3 },
      '3:13: the linear model "w.yaml" has 3 scores: choose one by "output", from 0',
    ],
    [
      'a score that is not there',
      text(number, '{ p: x }', ', output: 3'),
      [numberInput('p')],
      { outputCount: 3 },
      'output is 3, but the linear model "w.yaml" has 3, counted from 0',
    ],
    [
      'categories of other inputs',
      text(number),
      [numberInput('p')],
      { pandasCategorical: [['a']] },
      'lists categories for 1 inputs, but categories are given to 0 (none)',
    ],
  ]
  test.each(bad)(
    '%s is refused where it is, and what was loaded closed',
    async (_, graph, inputs, others, says) => {
      const nested = fakeModel(inputs, () => undefined, others)
      await expect(load(graph, async () => nested)).rejects.toMatchObject({
        code: 'bad_model',
        message: expect.stringContaining(says),
      })
      expect(nested.closed.count).toBe(1)
    },
  )

  test('a model that does not load is told by its node; a fault of the machine stays one', async () => {
    const refuse = async () => {
      throw new LarderError('bad_model', 'byte 7: not a model')
    }
    await expect(load(text(number), refuse)).rejects.toMatchObject({
      code: 'bad_model',
      message: 'graph.yaml is wrong:\ngraph.yaml:3:13: node "ranked": byte 7: not a model',
    })
    const fail = async () => {
      throw new Error('EIO')
    }
    await expect(load(text(number), fail)).rejects.toMatchObject({
      code: 'internal',
      message: 'node "ranked": EIO',
    })
  })

  test('a nested model whose score is the index of a class has its raw scores too', async () => {
    const url = new URL('fixtures/xgboost/objective-multi-softmax.json', import.meta.url)
    const names = parseXgboostModel(readFileSync(url)).inputs.map(({ name }) => name)
    const given = names.map((name) => `${name}: x`).join(', ')
    const scoreOf = async (more: string) => {
      const text = `inputs: [{ name: x, kind: numerical }]
nodes: [{ name: result, op: model, kind: xgboost, file: m.json, inputs: { ${given} }${more} }]
`
      const model = await load(text, async () => parseXgboostModel(readFileSync(url)))
      const scores = new Float64Array(2)
      await model.predict([f64(0.25, -1)], 2, scores, { raw: false })
      model.close()
      return [...scores]
    }
    const alone = parseXgboostModel(readFileSync(url))
    const margins = new Float64Array(2 * alone.rawOutputCount)
    await alone.predict(
      names.map(() => f64(0.25, -1)),
      2,
      margins,
      { raw: true },
    )
    const margin = (row: number) => margins[row * alone.rawOutputCount + 1]
    expect(await scoreOf(', raw: true, output: 1')).toEqual([margin(0), margin(1)])
    const classes = await scoreOf('')
    expect(classes.every((index) => Number.isInteger(index))).toBe(true)
    await expect(scoreOf(', raw: true')).rejects.toThrow(`has ${alone.rawOutputCount} scores`)
    alone.close()
  })

  test('a nested model that fails fails the whole, by its node', async () => {
    const failing = fakeModel([numberInput('p')], () => {
      throw new LarderError('unavailable', 'the worker is gone')
    })
    const model = await load(text(number), async () => failing)
    await expect(scoresOf(model, [f64(1)], 1)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'node "ranked": the worker is gone',
    })
  })

  test('closing while a nested model runs lets the call end, and then frees', async () => {
    let release = () => {}
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const nested = fakeModel([numberInput('p')], async ([p], _, output) => {
      await waiting
      output[0] = p instanceof Float64Array ? (p[0] ?? NaN) : NaN
    })
    const model = await load(text(number), async () => nested)
    const call = scoresOf(model, [f64(-5)], 1)
    model.close()
    expect(nested.closed.count).toBe(0)
    release()
    expect(await call).toEqual([5])
    expect(nested.closed.count).toBe(1)
    await expect(scoresOf(model, [f64(1)], 1)).rejects.toThrow('a closed model is not used')
  })
})

describe('large batches', () => {
  const text = `inputs:
  - { name: x, kind: numerical }
  - { name: v, kind: embedding, dim: 3 }
  - { name: l, kind: list, items: number, length_max: 9 }
  - { name: shared, kind: list, items: number, length_max: 9 }
nodes:
  - { name: weighed, op: linear, of: { v: [1, 10, 100], x: 1000 } }
  - { name: hits, op: count_matches, of: [l, shared] }
  - { name: result, op: add, of: [weighed, hits] }
`
  const rowCount = 100_003
  const rows = Array.from({ length: rowCount }, (_, row) => row)
  const columns = [
    Float32Array.from(rows, (row) => row % 7),
    {
      values: Float32Array.from(rows.flatMap((row) => [row % 2, row % 3, row % 5])),
      lengths: new Uint32Array(rowCount).fill(3),
    },
    {
      values: Float64Array.from(rows.flatMap((row) => rows.slice(0, row % 4))),
      lengths: Uint32Array.from(rows, (row) => row % 4),
    },
    { values: f64(1, 2), lengths: Uint32Array.of(2) },
  ]
  const expected = rows.map(
    (row) =>
      (row % 2) + 10 * (row % 3) + 100 * (row % 5) + 1000 * (row % 7) + Math.max(0, (row % 4) - 1),
  )

  test('are cut into slices between which others have their turn', async () => {
    const model = await loadGraph(text)
    let turnCount = 0
    let isDone = false
    const others = (async () => {
      while (!isDone) {
        await setImmediate()
        turnCount++
      }
    })()
    const output = new Float64Array(rowCount)
    await model.predict(columns, rowCount, output, { raw: false })
    isDone = true
    await others
    expect(output.findIndex((score, row) => score !== expected[row])).toBe(-1)
    expect(turnCount).toBeGreaterThan(3)
  })

  test('stop when they are cancelled', async () => {
    const model = await loadGraph(text)
    const output = new Float64Array(rowCount)
    const controller = new AbortController()
    const call = model.predict(columns, rowCount, output, { raw: false }, controller.signal)
    controller.abort()
    await expect(call).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    expect(output[rowCount - 1]).toBe(0)
    const aborted = model.predict(columns, rowCount, output, { raw: false }, AbortSignal.abort())
    await expect(aborted).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
  })
})

describe('columns', () => {
  const text = `inputs:
  - { name: x, kind: numerical }
  - { name: v, kind: embedding, dim: 2 }
  - { name: l, kind: list, items: number, length_max: 2 }
nodes:
  - { name: d, op: dot, of: [v, v] }
  - { name: s, op: size, of: l }
  - { name: result, op: add, of: [x, d, s] }
`
  const lists = (values: number[], lengths: number[]) => ({
    values: f64(...values),
    lengths: Uint32Array.from(lengths),
  })
  const x = f64(1, 2)
  const v = lists([1, 2, 3, 4], [2, 2])
  const l = lists([5], [0, 1])

  test('of no rows are no work', async () => {
    expect(
      await scoresOf(await loadGraph(text), [f64(), lists([], []), l], 0).catch(String),
    ).toContain('has 2 rows')
    expect(await scoresOf(await loadGraph(text), [f64(), lists([], []), lists([], [])], 0)).toEqual(
      [],
    )
  })

  test.each([
    ['too few', [x, v], 'the model has 3 inputs, got 2 columns'],
    ['ragged', [f64(1, 2, 3), v, l], 'input "x" has 3 rows, expected 2 or 1'],
    ['a list for a number', [l, v, l], 'input "x" is of kind number: its column must be numbers'],
    ['numbers for a list', [x, v, x], 'input "l" is of kind list: its column must be lists'],
    [
      'an embedding of another dimension',
      [x, lists([1, 2, 3], [3]), l],
      'input "v" has 3 elements in row 0, expected 2',
    ],
    [
      'an embedding that is missing',
      [x, lists([1, 2], [2, 0]), l],
      'input "v" has 0 elements in row 1, expected 2',
    ],
    [
      'a list that is too long',
      [x, v, lists([1, 2, 3], [0, 3])],
      'input "l" has 3 elements in row 1, expected at most 2',
    ],
    [
      'lengths that lie',
      [x, v, lists([1], [1, 1])],
      'input "l" has lengths that add up to 2, but there are 1 values',
    ],
  ])('%s are refused', async (_, columns, says) => {
    const model = await loadGraph(text)
    await expect(scoresOf(model, columns, 2)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(says),
    })
  })

  test.each([
    [2, 3, 'the output has 3 cells, expected 2'],
    [-1, 0, 'rowCount is -1'],
    [1.5, 1, 'rowCount is 1.5'],
  ])('%d rows into an output of %d are refused', async (rowCount, cellCount, says) => {
    const model = await loadGraph(text)
    const output = new Float64Array(cellCount)
    await expect(model.predict([x, v, l], rowCount, output, { raw: true })).rejects.toThrow(says)
  })
})

test('a model says what it takes, and what its graph does not use', async () => {
  const model = await loadGraph(`inputs:
  - { name: b, kind: numerical, default: 2 }
  - { name: unused, kind: numerical }
  - { name: a.c, kind: categorical, categories: [1, true, x], default: x }
  - { name: v, kind: embedding, dim: 2, default: 0 }
  - { name: l, kind: list, items: text, length_max: 3, default: [] }
nodes:
  - { name: result, op: linear, of: { n: 1, d: 1, a.c: { "1": 5 }, b: 1 } }
  - { name: d, op: dot, of: [v, v] }
  - { name: n, op: size, of: l }
`)
  expect(model).toMatchObject({
    kind: 'composite',
    outputCount: 1,
    treeCount: 0,
    kernel: 'graph of 7 nodes',
    contributions: undefined,
  })
  expect(model.warnings).toEqual(['graph.yaml:3:13: node "unused" is not used by "result"'])
  expect(model.inputs).toEqual([
    { name: 'b', form: { kind: 'number' }, defaultValue: 2 },
    { name: 'a.c', form: { kind: 'category', categories: [1, true, 'x'] }, defaultValue: 2 },
    { name: 'v', form: { kind: 'embedding', dim: 2 }, defaultValue: [0, 0] },
    { name: 'l', form: { kind: 'list', items: 'text', itemsMax: 3 }, defaultValue: [] },
  ])
})
