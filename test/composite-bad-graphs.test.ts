/**
 * Broken graphs: each is refused as `bad_model` with the line and column of what is wrong. A mutation never
 * crashes the loader; what it takes, runs.
 */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { graphNodesMax, graphOneHotCellsMax } from '../src/limits.js'
import type { Model } from '../src/predict/model.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { loadGraph, runNative } from './support/composite-runs.js'

const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 120_000 + 30 * fuzzRuns

const valid = `inputs:
  - { name: price, kind: numerical, default: 0 }
  - { name: cuisine, kind: categorical, categories: [pizza, thai], default: thai }
  - { name: store, kind: embedding, dim: 4, default: 0 }
  - { name: user, kind: embedding, dim: 4 }
  - { name: recent, kind: list, items: text, length_max: 5 }
  - { name: liked, kind: list, items: text, length_max: 5 }
  - { name: hours, kind: list, items: number, length_max: 24, default: [1, 2] }
nodes:
  - { name: sim, op: cosine_similarity, of: [store, user] }
  - { name: hits, op: count_matches, of: [recent, liked], unique: true }
  - { name: first, op: count_matches_at, at: 0, of: [recent, liked] }
  - { name: busy, op: item_at, at: price, of: hours }
  - { name: band, op: bucketize, of: price, boundaries: [1, 10] }
  - { name: hot, op: one_hot, of: band, count: 3 }
  - { name: thai, op: is_one_of, of: cuisine, categories: [thai] }
  - { name: near, op: clip, of: price, low: 0, high: 20 }
  - { name: cheap, op: if_else, of: [thai, near, 3] }
  - { name: total, op: add, of: [cheap, busy, first, hits, 1] }
  - name: result
    op: logistic
    bias: -1
    of:
      total: 0.5
      sim: 2
      hot: [1, 2, 3]
      cuisine: { pizza: 0.5 }
`

describe('a broken graph', () => {
  test('the one that is broken here is good', async () => {
    expect((await loadGraph(valid)).warnings).toEqual([])
  })

  test.each([
    [
      'kind: numerical',
      'kind: numeric',
      '2:26: "numeric" is not a kind of input: did you mean "numerical"?',
    ],
    ['name: price, ', '', '2:5: "name" is missing'],
    ['name: price', 'name: 1price', '2:13: expected a name of letters'],
    ['kind: numerical, default: 0', 'kind: numerical, dim: 3', '2:37: unknown key "dim"'],
    [
      'default: 0 }\n  - { name: cuisine',
      'default: x }\n  - { name: cuisine',
      '2:46: expected a number, found "x"',
    ],
    [
      'default: 0 }\n  - { name: cuisine',
      'default: 9007199254740993 }\n  - { name: cuisine',
      '2:46: expected a number',
    ],
    [
      'default: thai',
      'default: tai',
      '3:77: "tai" is none of the categories: did you mean "thai"?',
    ],
    ['[pizza, thai], ', '[pizza, thai, pizza], ', '3:67: the category "pizza" is there twice'],
    ['categories: [pizza, thai], ', '', '3:5: "categories" is missing'],
    ['[pizza, thai], ', '[], ', '3:53: expected at least 1 items'],
    [
      'dim: 4, default: 0',
      'dim: 4, default: [1, 2]',
      '4:54: the default has 2 numbers, but dim is 4',
    ],
    ['dim: 4, default: 0', 'dim: 0', '4:42: expected at least 1, found 0'],
    ['dim: 4, default: 0', 'dim: 4.5', '4:42: expected a whole number'],
    [
      'items: text, length_max: 5 }\n  - { name: liked',
      'items: texts, length_max: 5 }\n  - { name: liked',
      '6:40: "texts" is not what a list can hold: did you mean "text"?',
    ],
    ['length_max: 24', 'length_max: 1', '8:71: the default has 2 items, but length_max is 1'],
    ['length_max: 24', 'length_max: 1000000', '8:59: expected at most 65536'],
    [
      'length_max: 5 }\n  - { name: hours',
      'length_max: 5, default: [1] }\n  - { name: hours',
      '7:69: the default of a list of texts can only be []',
    ],
    [
      'op: cosine_similarity',
      'op: cosine_similarty',
      '10:22: "cosine_similarty" is not an op: did you mean "cosine_similarity"?',
    ],
    ['op: cosine_similarity, ', '', '10:5: "op" is missing'],
    [', of: [store, user]', '', '10:5: "of" is missing'],
    ['of: [store, user]', 'of: [store]', '10:45: expected 2 operands, found 1'],
    [
      'of: [store, user]',
      'of: [store, usr]',
      '10:53: node "sim": there is no node "usr": did you mean "user"?',
    ],
    [
      'of: [store, user]',
      'of: [store, price]',
      '10:53: node "sim": "price" is a number, but cosine_similarity takes vectors',
    ],
    [
      'of: [store, user]',
      'of: [store, 1]',
      '10:53: node "sim": 1 is a number, but cosine_similarity takes vectors',
    ],
    [
      'of: [store, user]',
      'of: [store, hot]',
      '10:53: node "sim": "hot" is a vector of 3, but "store" is a vector of 4',
    ],
    [
      'of: [store, user]',
      'of: [store, { a: 1 }]',
      '10:53: expected the name of a node or a number',
    ],
    [
      'of: [recent, liked], unique',
      'of: [recent, hours], unique',
      '11:51: node "hits": "hours" is a list of numbers, but "recent" is a list of texts',
    ],
    [
      'of: [recent, liked], unique',
      'of: [recent, store], unique',
      '11:51: node "hits": "store" is a vector of 4, but count_matches takes lists',
    ],
    ['unique: true', 'unique: 1', '11:67: expected true or false, found 1'],
    [
      'at: 0, of: [recent, liked]',
      'at: 0, of: [recent]',
      '12:53: expected 2 or more operands, found 1',
    ],
    ['at: 0, of: [recent, liked]', 'of: [recent, liked]', '12:5: "at" is missing'],
    [
      'at: 0, of: [recent, liked]',
      'at: liked, of: [recent, liked]',
      '12:46: node "first": "liked" is a list of texts, but count_matches_at\'s index takes numbers',
    ],
    [
      'at: price, of: hours',
      'at: price, of: recent',
      '13:47: node "busy": "recent" is a list of texts, but item_at takes a list of numbers',
    ],
    [
      'boundaries: [1, 10]',
      'boundaries: [1, 1]',
      '14:61: boundaries must ascend: 1 is not above 1',
    ],
    ['boundaries: [1, 10]', 'boundaries: [1, .nan]', '14:61: expected a finite number'],
    [', count: 3', '', '15:35: node "hot": one_hot of a number needs "count"'],
    [
      'of: band, count: 3',
      'of: cuisine, count: 3',
      '15:35: node "hot": one_hot of a category has no "count"',
    ],
    [
      'of: band, count: 3',
      'of: store',
      '15:35: node "hot": "store" is a vector of 4, but one_hot takes a category or a number',
    ],
    [
      'categories: [thai]',
      'categories: [Thai food]',
      '16:60: node "thai": "Thai food" is none of the categories',
    ],
    [
      'of: cuisine, categories',
      'of: price, categories',
      '16:38: node "thai": "price" is a number, but is_one_of takes a category',
    ],
    ['low: 0, high: 20', 'low: 30, high: 20', '17:45: low is 30, which is not at most high, 20'],
    [', low: 0, high: 20', '', '17:13: clip needs "low", "high" or both'],
    ['[thai, near, 3]', '[thai, near]', '18:37: expected 3 operands, found 2'],
    [
      '[thai, near, 3]',
      '[cuisine, near, 3]',
      '18:38: node "cheap": "cuisine" is a category, but if_else takes numbers (one_hot, is_one_of and linear take categories)',
    ],
    ['of: [cheap, busy, first', 'of: [cheap, total, first', '19:41: a cycle: total reads total'],
    ['[thai, near, 3]', '[thai, total, 3]', '19:34: a cycle: cheap reads total reads cheap'],
    ['name: busy,', 'name: hits,', '13:13: node "hits" is already defined at graph.yaml:11:13'],
    ['name: busy,', 'name: price,', '13:13: node "price" is already defined at graph.yaml:2:13'],
    ['name: result', 'name: results', '1:1: no node "result": its value is the model\'s answer'],
    [
      'op: logistic\n    bias: -1\n    of:\n',
      'op: logistic\n    bias: -1\n    off:\n',
      '20:5: "of" is missing',
    ],
    ['bias: -1', 'bias: .inf', '22:11: expected a finite number'],
    [
      'total: 0.5',
      'total: [0.5]',
      '24:14: node "result": expected a finite number, found a list of 1',
    ],
    [
      'hot: [1, 2, 3]',
      'hot: [1, 2]',
      '26:12: node "result": "hot" is a vector of 3 and needs 3 weights, found 2',
    ],
    [
      'hot: [1, 2, 3]',
      'liked: 2',
      '26:7: node "result": "liked" is a list of texts: only its size or matches have a weight',
    ],
    [
      '{ pizza: 0.5 }',
      '{ pizzas: 0.5 }',
      '27:18: node "result": "pizzas" is none of the categories: did you mean "pizza"?',
    ],
    ['{ pizza: 0.5 }', '{ pizza: x }', '27:25: node "result": expected a finite number, found "x"'],
    ['nodes:\n', 'nodez:\n', '9:1: unknown key "nodez": did you mean "nodes"?'],
    ['bias: -1', 'bias: -1\n    bias: 2', '23:5: duplicate key "bias"'],
  ])('%j as %j is refused where it is', async (from, to, says) => {
    const broken = valid.replace(from, to)
    expect(broken).not.toBe(valid)
    await expect(loadGraph(broken)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining(`graph.yaml:${says}`),
    })
  })

  const model = (fields: string) =>
    `inputs: [{ name: x, kind: numerical }]\nnodes:\n  - { name: result, op: model, ${fields} }\n`
  test.each([
    [
      'kind: composite, file: a.yaml, inputs: { a: x }',
      '3:38: "composite" cannot be nested: write its nodes here',
    ],
    [
      'kind: lightgmb, file: a.txt, inputs: { a: x }',
      '3:38: "lightgmb" is not a kind of model that can be nested: did you mean "lightgbm"?',
    ],
    [
      'kind: lightgbm, file: ../a.txt, inputs: { a: x }',
      '3:54: expected the path of a file inside the folder of the graph',
    ],
    ['kind: lightgbm, file: /etc/a.txt, inputs: { a: x }', '3:54: expected the path'],
    ['kind: lightgbm, file: a/../../b.txt, inputs: { a: x }', '3:54: expected the path'],
    ['kind: lightgbm, file: "C:\\\\a.txt", inputs: { a: x }', '3:54: expected the path'],
    ['kind: lightgbm, file: a.txt, inputs: {}', '3:69: expected at least one input'],
    ['kind: lightgbm, file: a.txt, inputs: { a: x }, output: -1', '3:87: expected at least 0'],
    ['kind: lightgbm, inputs: { a: x }', '3:5: "file" is missing'],
  ])('a nested model of %s', async (fields, says) => {
    await expect(loadGraph(model(fields))).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining(`graph.yaml:${says}`),
    })
  })

  test.each([
    ['an empty file', '', '1:1: expected a map, found nothing'],
    ['no nodes', 'nodes: []', '1:8: expected at least 1 items'],
    [
      'a result that is an input',
      'inputs: [{ name: result, kind: numerical }]\nnodes: [{ name: a, op: abs, of: result }]',
      '1:18: "result" is an input: the answer must be computed',
    ],
    [
      'a result that is a vector',
      'inputs: [{ name: x, kind: numerical }]\nnodes: [{ name: result, op: one_hot, of: x, count: 2 }]',
      '2:17: "result" is a vector: the answer must be a number',
    ],
    ['JSON that ends early', '{ "nodes": [', '1:13: Flow sequence'],
    ['a YAML that nests deep', `nodes: ${'['.repeat(5000)}`, '1:108: nests too deep'],
  ])('%s', async (_, text, says) => {
    await expect(loadGraph(text)).rejects.toThrow(`graph.yaml:${says}`)
  })

  test('JSON, with tabs, is told with its places', async () => {
    const json =
      '{\n\t"inputs": [{"name": "x", "kind": "numerical"}],\n\t"nodes": [\n\t\t{"name": "result", "op": "abs", "of": "y"}\n\t]\n}'
    await expect(loadGraph(json)).rejects.toThrow(
      'graph.yaml:4:41: node "result": there is no node "y"',
    )
    expect((await loadGraph(json.replace('"y"', '"x"'))).inputs).toHaveLength(1)
  })
})

describe('limits', () => {
  const inputs = 'inputs: [{ name: x, kind: numerical }]\nnodes:\n'
  const chain = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const [name, of] = [
        index === count - 1 ? 'result' : `n${index}`,
        index === 0 ? 'x' : `n${index - 1}`,
      ]
      return `  - { name: ${name}, op: negate, of: ${of} }\n`
    })

  test('a graph as deep as may be loads; one node more does not', async () => {
    const loaded = await loadGraph(inputs + chain(graphNodesMax - 1).join(''))
    expect([...(await runNative(loaded, { cells: [[3]], rowCount: 1 }))]).toEqual([-3])
    await expect(loadGraph(inputs + chain(graphNodesMax).join(''))).rejects.toThrow(
      `has ${graphNodesMax + 1} nodes: at most ${graphNodesMax}`,
    )
  })

  test('a cycle through all of them is told short', async () => {
    const text = inputs + chain(1000).join('').replace('of: x', 'of: result')
    await expect(loadGraph(text)).rejects.toThrow(
      /a cycle: n0 reads result reads n998 reads .* reads … reads .* reads n0$/,
    )
  })

  test('rows that take too long, and one_hot vectors that take too much', async () => {
    const lists = 'inputs:\n  - { name: a, kind: list, items: number, length_max: 65536 }\nnodes:\n'
    const nodes = Array.from(
      { length: 9 },
      (_, index) => `  - { name: n${index}, op: size, of: a, unique: true }\n`,
    )
    const sum = `  - { name: result, op: add, of: [${nodes.map((_, index) => `n${index}`).join(', ')}] }\n`
    await expect(loadGraph(lists + nodes.join('') + sum)).rejects.toThrow(
      /a row may take \d+ steps: at most \d+ are allowed/,
    )
    const hot = `${inputs}  - { name: h, op: one_hot, of: x, count: 16384 }\n  - { name: g, op: one_hot, of: x, count: 16384 }\n  - { name: result, op: dot, of: [h, g] }\n`
    await expect(loadGraph(hot)).rejects.toThrow(
      `graph.yaml:4:13: one_hot nodes have more than ${graphOneHotCellsMax} numbers together`,
    )
  })
})

test(
  `${fuzzRuns} mutations never crash it and are refused cleanly (seed ${seed})`,
  async () => {
    const prng = createSeededPrng(seed)
    const refusals = new Set<unknown>()
    let acceptedCount = 0
    for (let run = 0; run < fuzzRuns; run++) {
      // A long run must not starve the test runner's own messages.
      if (run % 20 === 0) await setImmediate()
      const base = run % 8 === 0 ? valid : (small[run % small.length] ?? valid)
      const loaded = await tryLoad(mutate(base, prng), refusals)
      if (loaded === undefined) continue
      acceptedCount++
      const cells = loaded.inputs.map(({ form }) =>
        form.kind === 'embedding'
          ? [
              Array.from({ length: form.dim }, () => prng.next()),
              new Array<number>(form.dim).fill(Number.NaN),
            ]
          : form.kind === 'list'
            ? [[], [1]]
            : [prng.next() * 3, Number.NaN],
      )
      await runNative(loaded, { cells, rowCount: 2 })
      loaded.close()
    }
    expect([...refusals]).toEqual(['bad_model'])
    expect(acceptedCount).toBeGreaterThan(0)
  },
  fuzzTimeoutMs,
)

async function tryLoad(text: string, codes: Set<unknown>): Promise<Model | undefined> {
  try {
    return await loadGraph(text)
  } catch (error) {
    codes.add(error instanceof Error && 'code' in error ? error.code : error)
    return undefined
  }
}

/** Most mutations are of these, which are read several times as fast. */
const small = [
  `inputs:
  - { name: price, kind: numerical }
  - { name: store, kind: embedding, dim: 4 }
nodes:
  - { name: hot, op: one_hot, of: price, count: 4 }
  - { name: total, op: dot, of: [store, hot] }
  - { name: result, op: linear, of: { total: 2, hot: [1, 2, 3, 4] } }
`,
  `inputs:
  - { name: recent, kind: list, items: number, length_max: 5 }
  - { name: cuisine, kind: categorical, categories: [a, b] }
nodes:
  - { name: total, op: count_matches_at, at: 1, of: [recent, recent] }
  - { name: result, op: logistic, of: { total: 1, cuisine: { a: 2 } } }
`,
  '{"inputs": [{"name": "price", "kind": "numerical"}], "nodes": [\n{"name": "result", "op": "clip", "of": "price", "low": 0}]}',
]

const splices = [
  ...[
    '',
    '\n',
    ' ',
    '  - ',
    '{',
    '}',
    '[',
    ']',
    ',',
    ': ',
    '-1',
    '0',
    '.nan',
    '.inf',
    '1e400',
    '~',
  ],
  ...[
    'result',
    'price',
    'store',
    'recent',
    'cuisine',
    'op: model',
    'op: linear',
    'of: [total]',
    '&a ',
    '*a',
    '!!x ',
  ],
]

/** One or two pieces cut out, doubled, or replaced by something that bites. */
function mutate(original: string, prng: Prng): string {
  let text = original
  const editCount = 1 + prng.below(2)
  for (let edit = 0; edit < editCount; edit++) {
    const begin = prng.below(text.length + 1)
    const end = Math.min(text.length, begin + prng.below(prng.below(8) === 0 ? 90 : 4))
    const pieces = [
      splices[prng.below(splices.length)] ?? '',
      String.fromCharCode(prng.below(256)),
      text.slice(begin, begin + prng.below(60)),
    ]
    text = text.slice(0, begin) + (pieces[prng.below(pieces.length)] ?? '') + text.slice(end)
  }
  return text
}
