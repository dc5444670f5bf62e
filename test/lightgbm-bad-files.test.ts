/**
 * Broken LightGBM files: each is refused as `bad_model`, at the byte where it is broken, with a
 * message that names key, value and bound. A cut or a mutation never crashes the parser.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseLightgbmModel } from '../src/predict/lightgbm-model.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { exampleModelText as text } from './support/lightgbm-example.js'
import { parseMutations } from './support/parse-mutations.js'

const fixtures = new URL('fixtures/lightgbm/', import.meta.url)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 60_000 + fuzzRuns
const parse = (model: string) => parseLightgbmModel(Buffer.from(model))

describe('a bad file', () => {
  test.each([
    { name: 'not a model', from: /^tree\n/, to: 'plant\n', at: 'plant', says: "expected 'tree'" },
    { name: 'no num_class', from: 'num_class=1\n', to: '', at: 'Tree=0', says: 'no num_class' },
    {
      name: 'no feature_names',
      from: /feature_names=.*\n/,
      to: '',
      at: 'Tree=0',
      says: 'no feature_names',
    },
    { name: 'too few names', from: 'a b c=d', to: 'a b', at: 'a b\n', says: '2 names, expected 3' },
    {
      name: 'a key twice',
      from: 'label_index',
      to: 'num_class=1\nlabel_index',
      at: 'num_class=1\nlabel',
      says: 'num_class is given twice',
    },
    {
      name: 'too few infos',
      from: ' none 1:2',
      to: '',
      at: '[0:1]',
      says: '1 entries, expected 3',
    },
    {
      name: 'absurd feature count',
      from: 'idx=2',
      to: 'idx=2000000000',
      at: '2000000000',
      says: 'expected 0 to 65535',
    },
    {
      name: 'overflowing feature count',
      from: 'idx=2',
      to: 'idx=99999999999999999999',
      at: '9999999',
      says: 'expected 0 to 65535',
    },
    {
      name: 'absurd outputs',
      from: 'per_iteration=1',
      to: 'per_iteration=70000',
      at: '70000',
      says: 'expected 1 to 10000',
    },
    {
      name: 'absurd leaves',
      from: 'num_leaves=3',
      to: 'num_leaves=2000000000',
      at: '2000000000',
      says: 'expected 1 to 131072',
    },
    {
      name: 'more leaves than values',
      from: 'num_leaves=3',
      to: 'num_leaves=131072',
      at: '0.25 -0.5',
      says: 'leaf_value has 3 values, expected 131072 (num_leaves)',
    },
    {
      name: 'no leaves',
      from: 'num_leaves=3',
      to: 'num_leaves=0',
      at: '0\nnum_cat=1',
      says: "num_leaves is '0', expected 1 to 131072",
    },
    {
      name: 'no num_cat',
      from: 'num_cat=1\n',
      to: '',
      at: 'Tree=0',
      says: 'no num_cat: the file is from a very old LightGBM',
    },
    {
      name: 'absurd num_cat',
      from: 'num_cat=1',
      to: 'num_cat=131071',
      at: '0 1\ncat_threshold',
      says: 'cat_boundaries has 2 values, expected 131072',
    },
    {
      name: 'too few thresholds',
      from: 'threshold=0.5 0',
      to: 'threshold=0.5',
      at: '0.5\ndecision',
      says: 'threshold has 1 values, expected 2 (num_leaves - 1)',
    },
    {
      name: 'too many leaf values',
      from: '-0.5 1',
      to: '-0.5 1 2',
      at: '0.25 -0.5 1 2',
      says: 'leaf_value has 4 values, expected 3',
    },
    {
      name: 'a bad number',
      from: '0.25 -0.5',
      to: '0.25 1.#INF',
      at: '1.#INF',
      says: "leaf_value is '1.#INF', expected a number",
    },
    {
      name: 'a number out of range',
      from: '0.25 -0.5',
      to: '0.25 1e999',
      at: '1e999',
      says: 'outside the range of a float64',
    },
    {
      name: 'a feature out of range',
      from: 'split_feature=0 2',
      to: 'split_feature=0 3',
      at: '3\nthreshold',
      says: "split_feature is '3', expected 0 to 2",
    },
    {
      name: 'a negative feature',
      from: 'split_feature=0 2',
      to: 'split_feature=0 -1',
      at: '-1\nthreshold',
      says: 'expected 0 to 2',
    },
    {
      name: 'a decision type of no meaning',
      from: 'decision_type=2 1',
      to: 'decision_type=12 1',
      at: '12 1',
      says: 'expected 0 to 11',
    },
    {
      name: 'a child out of range',
      from: 'left_child=1 -1',
      to: 'left_child=2 -1',
      at: '2 -1',
      says: "left_child is '2', expected -3 to 1",
    },
    {
      name: 'a leaf out of range',
      from: 'right_child=-2 -3',
      to: 'right_child=-2 -4',
      at: '-4',
      says: 'expected -3 to 1',
    },
    {
      name: 'a cycle',
      from: 'left_child=1 -1',
      to: 'left_child=1 0',
      at: '0\nright',
      says: "left_child of node 1 is '0', which is reached twice",
    },
    {
      name: 'a shared leaf',
      from: 'right_child=-2 -3',
      to: 'right_child=-2 -1',
      at: '-1\nleaf_value',
      says: "right_child of node 1 is '-1', which is reached twice",
    },
    {
      name: 'an unreachable node',
      from: 'left_child=1 -1',
      to: 'left_child=-1 -3',
      at: '-1 -3',
      says: 'left_child and right_child reach 3 of 5',
    },
    {
      name: 'a category set out of range',
      from: 'threshold=0.5 0',
      to: 'threshold=0.5 1',
      at: '1\ndecision',
      says: "categorical node 1 is '1'",
    },
    {
      name: 'a fractional category set',
      from: 'threshold=0.5 0',
      to: 'threshold=0.5 nan',
      at: 'nan',
      says: 'below num_cat = 1',
    },
    {
      name: 'bounds beyond the words',
      from: 'boundaries=0 1',
      to: 'boundaries=0 2',
      at: '2\ncat_threshold',
      says: "cat_boundaries is '2', expected 0 to 1",
    },
    {
      name: 'bounds short of the words',
      from: 'boundaries=0 1',
      to: 'boundaries=0 0',
      at: '6\nis_linear',
      says: 'cat_threshold has 1 values, expected 0',
    },
    {
      name: 'bounds that decrease',
      from: 'boundaries=0 1',
      to: 'boundaries=1 0',
      at: '1 0\ncat',
      says: 'must not decrease',
    },
    {
      name: 'bounds that begin late',
      from: 'boundaries=0 1',
      to: 'boundaries=1 1',
      at: '1 1\ncat',
      says: 'must begin with 0',
    },
    {
      name: 'a word that is not u32',
      from: 'cat_threshold=6',
      to: 'cat_threshold=-6',
      at: '-6',
      says: 'expected 0 to 4294967295',
    },
    {
      name: 'too few linear terms',
      from: 'leaf_features=0  2 ',
      to: 'leaf_features=0',
      at: '0\nleaf_coeff',
      says: 'leaf_features has 1 values, expected 2 (the sum of num_features)',
    },
    {
      name: 'too few coefficients',
      from: 'leaf_coeff=2  -1 ',
      to: 'leaf_coeff=2',
      at: '2\nshrinkage',
      says: 'leaf_coeff has 1 values, expected 2',
    },
    {
      name: 'a linear feature out of range',
      from: 'leaf_features=0  2',
      to: 'leaf_features=0  3',
      at: '3 \nleaf_coeff',
      says: 'expected 0 to 2',
    },
    {
      name: 'no constants',
      from: 'leaf_const=0.125\n',
      to: '',
      at: 'Tree=1',
      says: 'the tree has no leaf_const',
    },
    {
      name: 'a line without key',
      from: 'an_unknown_key=7',
      to: 'noise',
      at: 'noise',
      says: "expected key=value in a tree, met 'noise'",
    },
    {
      name: 'noise between trees',
      from: '\n\nTree=1',
      to: '\n\nnoise\nTree=1',
      at: 'noise',
      says: "expected 'Tree=' or 'end of trees'",
    },
    {
      name: 'a lost tree',
      from: 'tree_sizes=300 300',
      to: 'tree_sizes=300 300 300',
      at: '\nparameters',
      says: 'has 2 trees, but tree_sizes announces 3',
    },
    {
      name: 'no end of trees',
      from: 'end of trees\n',
      to: '',
      at: 'parameters',
      says: "ends without 'end of trees'",
    },
    {
      name: 'no end of parameters',
      from: 'end of parameters\n',
      to: '',
      at: '',
      says: "ends without 'end of parameters'",
    },
    {
      name: 'broken pandas JSON',
      from: '[["x"',
      to: '[["x',
      at: '[["x',
      says: 'pandas_categorical is not JSON',
    },
    {
      name: 'odd pandas JSON',
      from: '[["x", "y", "z"]',
      to: '[[null]',
      at: '[[null]',
      says: 'must be null or lists',
    },
  ])('$name is refused where it is', ({ from, to, at, says }) => {
    const broken = text.replace(from, to)
    const offset = at === '' ? broken.length : broken.indexOf(at)
    expect(offset).toBeGreaterThanOrEqual(0)
    expect(() => parse(broken)).toThrow(
      expect.objectContaining({
        code: 'bad_model',
        message: expect.stringContaining(says),
        details: { offset, excerpt: expect.stringMatching(/^[ -~]{0,60}$/) },
      }),
    )
  })

  test('an empty file is refused', () => {
    expect(() => parse('')).toThrow('not a LightGBM text model')
  })
})

describe('broken files', () => {
  const base = readFileSync(new URL('categories-many.txt', fixtures))

  test('cut short anywhere before the end of its trees it is refused with an offset', () => {
    const end = base.indexOf('end of trees')
    const cuts = Array.from({ length: Math.ceil(end / 97) }, (_, i) => i * 97)
    const bad = expect.objectContaining({
      code: 'bad_model',
      details: { offset: expect.any(Number), excerpt: expect.any(String) },
    })
    for (const cut of cuts) expect(() => parseLightgbmModel(base.subarray(0, cut))).toThrow(bad)
  })

  test('cut short within its parameters it is refused', () => {
    const cut = base.indexOf('end of parameters') - 20
    expect(() => parseLightgbmModel(base.subarray(0, cut))).toThrow(/end of parameters/)
  })

  test(
    `${fuzzRuns} mutations never crash it and are refused cleanly (seed ${seed})`,
    async () => {
      const prng = createSeededPrng(seed)
      const small = ['linear', 'categories-pandas', 'objective-multiclassova'].map((name) =>
        readFileSync(new URL(`${name}.txt`, fixtures)),
      )
      const { acceptedCount, refusals } = await parseMutations(
        parseLightgbmModel,
        (run) => mutate(small[run % small.length] ?? base, prng),
        fuzzRuns,
      )
      expect(refusals).toEqual(['bad_model'])
      expect(acceptedCount).toBeGreaterThan(0)
    },
    fuzzTimeoutMs,
  )
})

const splices = ['', '\n', '\n\n', '=', ' ', '-1', '0', '99999999999999999999', 'nan', 'Tree=0\n']

/** One to three bytes changed, pieces cut out, doubled or replaced by something that bites. */
function mutate(original: Uint8Array, prng: Prng): Uint8Array {
  let text = Buffer.from(original)
  const editCount = 1 + prng.below(3)
  for (let edit = 0; edit < editCount; edit++) {
    const begin = prng.below(text.length + 1)
    const end = Math.min(text.length, begin + prng.below(prng.below(8) === 0 ? 400 : 4))
    const piece = [
      () => Buffer.from(splices[prng.below(splices.length)] ?? ''),
      () => Buffer.from([prng.below(256)]),
      () => Buffer.from(String(prng.below(20) - 10)),
      () => text.subarray(begin, begin + prng.below(60)),
    ][prng.below(4)]?.()
    text = Buffer.concat([text.subarray(0, begin), piece ?? Buffer.of(), text.subarray(end)])
  }
  return text
}
