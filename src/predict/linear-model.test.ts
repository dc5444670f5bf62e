import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSeededPrng, type Prng } from '../prng.js'
import { parseLinearModel } from './linear-model.js'
import type { Model, ModelColumn } from './model.js'

const parse = (text: string) => parseLinearModel({ path: 'weights.yaml', text })
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)

const valid = `kind: logistic
bias: -1.25
weights:
  distance: 0.5
  hour of day: { weight: 0.02, default: 12 }
  vector: [0.1, -0.2, 0.3]
  user: { weights: [0.5, 1], default: [0, 2] }
  carrier: { categories: { AA: 0.1, DL: 0.3 }, unseen: 0.05, default: DL }
  weekday: { categories: [1, true, x], weights: [0.1, 0, 0.2] }
`

async function scores(
  model: Model,
  columns: readonly ModelColumn[],
  rowCount: number,
  raw = false,
): Promise<number[]> {
  const output = new Float64Array(rowCount)
  await model.predict(columns, rowCount, output, { raw })
  return [...output]
}

test('a file says its inputs', () => {
  const model = parse(valid)
  expect(model.kind).toBe('logistic')
  expect(model.inputs).toEqual([
    { name: 'distance', form: { kind: 'number' }, defaultValue: undefined },
    { name: 'hour of day', form: { kind: 'number' }, defaultValue: 12 },
    { name: 'vector', form: { kind: 'embedding', dim: 3 }, defaultValue: undefined },
    { name: 'user', form: { kind: 'embedding', dim: 2 }, defaultValue: [0, 2] },
    { name: 'carrier', form: { kind: 'category', categories: ['AA', 'DL'] }, defaultValue: 1 },
    {
      name: 'weekday',
      form: { kind: 'category', categories: [1, true, 'x'] },
      defaultValue: undefined,
    },
  ])
  expect(model.outputCount).toBe(1)
  expect(model.contributions).toBeUndefined()
})

describe('scores', () => {
  const model = parse(valid)
  const columns = (change: Record<number, ModelColumn> = {}): ModelColumn[] => {
    const all: ModelColumn[] = [
      Float32Array.of(2),
      Float64Array.of(3),
      { values: Float32Array.of(1, 2, 4), lengths: Uint32Array.of(3) },
      { values: Float64Array.of(8, 16), lengths: Uint32Array.of(2) },
      Float64Array.of(0),
      Float64Array.of(2),
    ]
    return all.map((column, index) => change[index] ?? column)
  }
  const nan = Float64Array.of(Number.NaN)
  const base = -1.25 + 0.5 * 2 + 0.02 * 3 + 0.1 + -0.2 * 2 + 0.3 * 4 + 0.5 * 8 + 16 + 0.1 + 0.2

  test('are the sum in the order of the file', async () => {
    expect(await scores(model, columns(), 1, true)).toEqual([base])
    expect(await scores(model, columns(), 1)).toEqual([1 / (1 + Math.exp(-base))])
  })

  test.each([
    ['a number without default', { 0: nan }, Number.NaN],
    ['a number with default', { 1: nan }, base - 0.06 + 0.24],
    [
      'one element without default',
      { 2: { values: Float32Array.of(1, Number.NaN, 4), lengths: Uint32Array.of(3) } },
      Number.NaN,
    ],
    [
      'one element with default',
      { 3: { values: Float64Array.of(8, Number.NaN), lengths: Uint32Array.of(2) } },
      base - 16 + 2,
    ],
    ['a category with default', { 4: nan }, base + 0.2],
    ['a code of no category, with an unseen weight', { 4: Float64Array.of(7) }, base - 0.05],
    ['a category without default or unseen weight', { 5: nan }, Number.NaN],
    ['a code between categories', { 5: Float64Array.of(0.5) }, Number.NaN],
    ['a negative code', { 5: Float64Array.of(-1) }, Number.NaN],
  ] as const)('of %s that is missing', async (_, change, expected) => {
    const [score = 0] = await scores(model, columns(change), 1, true)
    expect(Number(score.toPrecision(12))).toBe(Number(expected.toPrecision(12)))
  })

  test.each([
    [800, 1],
    [-800, 0],
    [-740, Math.exp(-740)],
    [-40, Math.exp(-40)],
    [40, 1],
    [0, 0.5],
    [-0, 0.5],
    [Number.POSITIVE_INFINITY, 1],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.NaN, Number.NaN],
  ])('of a logistic model hold at the tails: %d', async (x, expected) => {
    const logistic = parse('{"kind": "logistic", "bias": 0, "weights": {"x": 1}}')
    const [score = 0] = await scores(logistic, [Float64Array.of(x)], 1)
    expect(score).toBe(expected)
  })

  test('are the same bits whatever rows are beside them', async () => {
    const prng = createSeededPrng(7)
    const rows = Array.from({ length: 300 }, () => columns({ 0: Float64Array.of(prng.next()) }))
    const alone: number[] = []
    for (const row of rows) alone.push(...(await scores(model, row, 1)))
    const together = columns({
      0: Float64Array.from(rows, ([first]) =>
        first instanceof Float64Array ? (first[0] ?? 0) : 0,
      ),
    })
    expect(await scores(model, together, 300)).toEqual(alone)
  })

  test('of a large batch are computed in pieces, and stop at a signal', async () => {
    const dim = 16_384
    const wide = parse(`{kind: linear, bias: 1, weights: {v: [${Array(dim).fill(1)}]}}`)
    const column = {
      values: new Float32Array(600 * dim).fill(1),
      lengths: new Uint32Array(600).fill(dim),
    }
    const output = new Float64Array(600)
    await wide.predict([column], 600, output, { raw: true })
    expect(output).toEqual(new Float64Array(600).fill(dim + 1))
    const controller = new AbortController()
    const call = wide.predict([column], 600, output, { raw: true }, controller.signal)
    controller.abort(new Error('gone'))
    await expect(call).rejects.toThrow('gone')
  })

  test.each([
    ['too few columns', columns().slice(1), 'the model has 6 inputs, got 5 columns'],
    [
      'a list for a number',
      columns({ 0: { values: Float32Array.of(1), lengths: Uint32Array.of(1) } }),
      'input "distance" takes one number a row, got a list',
    ],
    [
      'numbers for an embedding',
      columns({ 2: Float32Array.of(1) }),
      'input "vector" takes an embedding, got one number a row',
    ],
    [
      'a short embedding',
      columns({ 2: { values: Float32Array.of(1, 2), lengths: Uint32Array.of(2) } }),
      'input "vector" has 2 elements in row 0, expected 3',
    ],
    [
      'lengths that lie',
      columns({ 2: { values: Float32Array.of(1, 2), lengths: Uint32Array.of(3) } }),
      'input "vector" has 2 elements, expected 3',
    ],
    ['too many rows', columns({ 0: Float32Array.of(1, 2) }), 'has 2 values, expected 1'],
  ])('are refused for %s', async (_, wrong, says) => {
    await expect(scores(model, wrong, 1)).rejects.toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(says),
      }),
    )
  })
})

test('contributions add up to the raw score around what the means give', async () => {
  const model = parse(`kind: logistic
bias: -1
weights:
  a: { weight: 2, mean: 3 }
  v: { weights: [0.5, 1], mean: [4, 8] }
  c: { categories: { x: 1, y: 2 }, mean_weight: 1.25 }
`)
  const columns = [
    Float64Array.of(1, 5),
    { values: Float64Array.of(1, 2, 3, 4), lengths: Uint32Array.of(2, 2) },
    Float64Array.of(0, 1),
  ]
  const output = new Float64Array(2 * 4)
  await model.contributions?.(columns, 2, output)
  expect([...output]).toEqual([-4, -7.5, -0.25, 16.25, 4, -4.5, 0.75, 16.25])
  const sums = [0, 1].map((row) => output.slice(row * 4, row * 4 + 4).reduce((a, b) => a + b))
  expect(sums).toEqual(await scores(model, columns, 2, true))
})

test('any linear model equals a plain evaluation', async () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  const cell = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, 0, -0, 5e-324, 1e308))
  const input = fc.record({
    weights: fc.array(number, { minLength: 1, maxLength: 5 }),
    form: fc.constantFrom('number', 'embedding', 'category'),
    extra: fc.option(number, { nil: undefined }),
    cells: fc.array(cell, { minLength: 5, maxLength: 5 }),
    code: fc.integer({ min: -1, max: 6 }),
  })
  const property = fc.asyncProperty(
    fc.array(input, { minLength: 1, maxLength: 6 }),
    number,
    async (inputs, bias) => {
      const weights: Record<string, unknown> = {}
      const columns: ModelColumn[] = []
      // JSON writes -0 as 0.
      let expected = bias + 0
      for (const [index, { weights: all, form, extra, cells, code }] of inputs.entries()) {
        const [first = 0] = all
        if (form === 'number') {
          weights[`n${index}`] = { weight: first, default: extra }
          columns.push(Float64Array.from(cells.slice(0, 1)))
          const [value = 0] = cells
          expected += first * (Number.isNaN(value) ? (extra ?? value) : value)
        } else if (form === 'embedding') {
          weights[`e${index}`] = {
            weights: all,
            default: extra === undefined ? undefined : all.map(() => extra),
          }
          const values = cells.slice(0, all.length)
          columns.push({ values: Float64Array.from(values), lengths: Uint32Array.of(all.length) })
          const filled = values.map((value) => (Number.isNaN(value) ? (extra ?? value) : value))
          for (const [at, value] of filled.entries()) expected += (all[at] ?? 0) * value
        } else {
          const categories = all.map((_, at) => `c${at}`)
          weights[`c${index}`] = { categories, weights: all, unseen: extra }
          columns.push(Float64Array.of(code))
          expected += code in all ? (all[code] ?? 0) : (extra ?? Number.NaN)
        }
      }
      const text = JSON.stringify({ kind: 'linear', bias, weights })
      expect(await scores(parse(text), columns, 1)).toEqual([expected])
    },
  )
  await fc.assert(property, { numRuns: 500 })
  expect.hasAssertions()
})

describe('a bad file', () => {
  test.each([
    ['kind: logistic', 'kind: logit', '1:7: expected one of linear, logistic, found "logit"'],
    ['kind: logistic', 'kynd: logistic', '1:1: unknown key "kynd": did you mean "kind"?'],
    ['bias: -1.25', 'bias: .inf', '2:7: expected a finite number, found Infinity'],
    ['bias: -1.25', 'bias: .nan', '2:7: expected a finite number, found NaN'],
    ['bias: -1.25', 'bias: 1e999', '2:7: the number is beyond'],
    ['bias: -1.25', 'bias: "1"', '2:7: expected a finite number, found "1"'],
    ['bias: -1.25', '', '1:1: "bias" is missing'],
    ['distance: 0.5', 'distance: yes', '4:13: expected a finite number, found "yes"'],
    ['distance: 0.5', 'distance:', '4:12: expected a finite number, found nothing'],
    ['distance: 0.5', 'vector: 0.5', '6:3: duplicate key "vector", first at weights.yaml:4:3'],
    ['distance: 0.5', 'distance: {}', '4:13: "weight" is missing'],
    ['distance: 0.5', '"": 0.5', '4:3: an input must have a name'],
    ['weight: 0.02', 'wait: 0.02', '5:18: unknown key "wait": known are weight, default'],
    ['default: 12', 'default: noon', '5:41: expected a finite number, found "noon"'],
    ['[0.1, -0.2, 0.3]', '[]', '6:11: expected at least 1 items, found a list of 0'],
    ['[0.1, -0.2, 0.3]', '[0.1, x]', '6:17: expected a finite number, found "x"'],
    ['default: [0, 2]', 'default: [0]', '7:39: 1 elements, expected 2: one per weight'],
    ['default: [0, 2]', 'mean: [0.1]', '7:36: 1 elements, expected 2: one per weight'],
    ['default: DL', 'default: UA', '"UA" is none of the categories'],
    ['{ AA: 0.1, DL: 0.3 }', '{}', 'expected at least 1 category'],
    ['{ AA: 0.1, DL: 0.3 }', '{ AA: 0.1, AA: 0.3, DL: 1 }', 'duplicate key "AA"'],
    ['{ AA: 0.1, DL: 0.3 }', '{ AA: x, DL: 0.3 }', 'expected a finite number, found "x"'],
    ['unseen: 0.05', 'weights: [1, 2]', 'the categories have their weights already'],
    ['[1, true, x]', '[1, true, 1]', 'category 1 is listed twice'],
    ['[1, true, x]', '[1, true, null]', 'expected text, a finite number, true or false'],
    ['[1, true, x]', '[1, true]', '3 weights, expected 2: one per category'],
    ['[1, true, x]', 'x', 'expected a map of categories and weights, or a list'],
    [', weights: [0.1, 0, 0.2]', '', '"weights" is missing: a list of categories needs'],
    ['default: 12', 'mean: 1', '8:12: "mean_weight" is missing: other inputs have theirs'],
    ['default: 12', 'mean: 1', '6:11: "mean" is missing: other inputs have theirs'],
    ['distance: 0.5', '- distance', '5:1: '],
  ])('%s -> %s is refused where it is', (from, to, says) => {
    expect(valid).toContain(from)
    expect(() => parse(valid.replace(from, to))).toThrow(
      expect.objectContaining({ code: 'bad_model', message: expect.stringContaining(says) }),
    )
  })

  test('without weights is refused', () => {
    expect(() => parse('kind: linear\nbias: 0\nweights: {}')).toThrow('expected at least 1 input')
    expect(() => parse('')).toThrow('expected a map, found nothing')
  })

  test('that is too large is refused', () => {
    expect(() => parse(`# ${'x'.repeat(3_000_000)}`)).toThrow('at most 2097152 are allowed')
  })

  test(`or any of ${fuzzRuns} mutations is a model or refused`, {
    timeout: 60_000 + fuzzRuns * 10,
  }, () => {
    const prng = createSeededPrng(20_010_615)
    const codes = new Set<unknown>()
    let acceptedCount = 0
    for (let run = 0; run < fuzzRuns; run++) {
      try {
        const model = parse(mutate(valid, prng))
        acceptedCount += model.inputs.length > 0 ? 1 : 0
      } catch (error) {
        codes.add(error instanceof Error && 'code' in error ? error.code : error)
      }
    }
    expect([...codes]).toEqual(['bad_model'])
    expect(acceptedCount).toBeGreaterThan(0)
  })
})

const splices = [
  '',
  '\n',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '"',
  '&a ',
  '*a',
  '.nan',
  '1e999',
  '!!x ',
]

function mutate(original: string, prng: Prng): string {
  let text = original
  const editCount = 1 + prng.below(3)
  for (let edit = 0; edit < editCount; edit++) {
    const begin = prng.below(text.length + 1)
    const end = Math.min(text.length, begin + prng.below(4))
    const pieces = [
      splices[prng.below(splices.length)] ?? '',
      String.fromCharCode(prng.below(256)),
      text.slice(begin, begin + prng.below(40)),
    ]
    text = text.slice(0, begin) + (pieces[prng.below(3)] ?? '') + text.slice(end)
  }
  return text
}
