/**
 * Bad XGBoost files: each is refused as `bad_model`, at the byte where it is broken, with a message
 * that names key, value and bound.
 */
import { describe, expect, test } from 'vitest'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'
import { encodeUbjson } from './support/ubjson.js'
import { exampleXgboostText as text } from './support/xgboost-example.js'

/** That `bytes` are refused at `offset` with a message that has `says`. */
function expectRefused(bytes: Uint8Array, offset: number, says: string): void {
  expect(() => parseXgboostModel(bytes)).toThrow(
    expect.objectContaining({
      code: 'bad_model',
      message: expect.stringContaining(says),
      details: { offset, excerpt: expect.stringMatching(/^[ -~]{0,60}$/) },
    }),
  )
}

/** The sets of nodes as the example has them, each with both categories. */
function sets(...nodes: number[]): string {
  const lines = [
    `"categories_nodes": [${nodes.join(', ')}]`,
    `"categories_segments": [${nodes.map(() => 0).join(', ')}]`,
    `"categories_sizes": [${nodes.map(() => 2).join(', ')}]`,
  ]
  return lines.join(',\n            ')
}

describe('a bad JSON file', () => {
  test.each([
    ['no JSON', '{', 'tree', 'tree', 'not an XGBoost model in JSON or UBJSON'],
    ['no learner', '"learner"', '"learners"', '{', 'the file has no learner'],
    [
      'a learner twice',
      '"version": [',
      '"learner": {}, "version": [',
      '"learner": {}',
      'twice in the file',
    ],
    [
      'no object',
      '"learner": {',
      '"learner": 7, "x": {',
      '7, "x"',
      'learner holds a number, expected an object',
    ],
    [
      'no booster',
      '"gradient_booster"',
      '"booster"',
      '{\n    "attributes"',
      'learner has no gradient_booster',
    ],
    [
      'a linear booster',
      '"name": "gbtree"',
      '"name": "gblinear"',
      '"gblinear"',
      "'gblinear' has no trees",
    ],
    ['an unknown booster', '"name": "gbtree"', '"name": "x"', '"x"', "the booster 'x' is unknown"],
    [
      'dart without weights',
      '"name": "gbtree"',
      '"name": "dart"',
      '{\n      "model"',
      'no weight_drop',
    ],
    [
      'no number',
      '"num_feature": "3", "num_t',
      '"num_feature": "3.5", "num_t',
      '"3.5"',
      "num_feature is '3.5', expected an integer",
    ],
    [
      'overflow',
      '"num_class": "0"',
      '"num_class": "99999999999999999999"',
      '"99999',
      'outside the range of an int64',
    ],
    [
      'absurd outputs',
      '"num_class": "0"',
      '"num_class": "10001"',
      '"10001"',
      'num_class is 10001, expected 0 to 10000',
    ],
    [
      'too few names',
      '"a", "b", "c',
      '"a", "c',
      '["a", "c',
      'feature_names has 2 items, expected 3',
    ],
    [
      'too many names',
      '"a", "b"',
      '"a", "x", "b"',
      '"c=\\u00e4',
      'feature_names has more than 3 items',
    ],
    [
      'a name that is no text',
      '["a", "b"',
      '["a", 4',
      '4, "c=',
      'feature_names holds a number, expected a text',
    ],
    [
      'a bad escape',
      '\\u00e4',
      '\\u00g4',
      '"c=\\u00g4',
      "the escape '\\u00g4', which stands for no character",
    ],
    ['half a surrogate', '\\u00e4', '\\ud83d', '"c=\\ud83d', 'which stands for no character'],
    ['a low surrogate', '\\u00e4', '\\udc00', '"c=\\udc00', 'which stands for no character'],
    ['no base_score', '"base_score": "[5E-1]", ', '', '{\n      "boost_from', 'no base_score'],
    [
      'a base_score of no meaning',
      '[5E-1]',
      'half',
      '"half"',
      "base_score is 'half', expected a number",
    ],
    ['a base_score without end', '[5E-1]', '[5E-1', '"[5E-1"', 'a list without its end'],
    ['an empty base_score', '[5E-1]', '[]', '"[]"', "base_score is '', expected a number"],
    ['two base_scores', '[5E-1]', '[1E-1,2E-1]', '"[1E-1', 'base_score has 2 numbers, expected 1'],
    ['no probability', '[5E-1]', '[2E0]', '"[2E0]"', 'expected 0 to 1 for this objective'],
    ['a probability of NaN', '[5E-1]', 'NaN', '"NaN"', 'expected 0 to 1 for this objective'],
    [
      'absurd trees',
      '"num_trees": "2"',
      '"num_trees": "1000000000"',
      '"1000000000"',
      'num_trees is 1000000000, expected 0 to 100000',
    ],
    [
      'fewer trees',
      '"num_trees": "2"',
      '"num_trees": "3"',
      '[0, 0],\n        "trees"',
      'tree_info has 2 items, expected 3',
    ],
    [
      'more trees',
      '"num_trees": "2"',
      '"num_trees": "1"',
      '0],\n        "trees"',
      'tree_info has more than 1 items',
    ],
    [
      'an output out of range',
      '"tree_info": [0, 0]',
      '"tree_info": [0, 1]',
      '1],\n        "trees"',
      'tree_info is 1, expected 0 to 0',
    ],
    [
      'trees that are none',
      '"trees": [',
      '"trees": [7, ',
      '7, \n',
      'tree 0: it holds a number, expected an object',
    ],
    [
      'a tree out of place',
      '"id": 1',
      '"id": 0',
      '0,\n            "left_children": [-1]',
      "tree 1: id is 0, expected the tree's place 1",
    ],
    [
      'no nodes',
      '"num_nodes": "1"',
      '"num_nodes": "0"',
      '"0", "size_leaf_vector": "0"',
      'num_nodes is 0, expected 1',
    ],
    [
      'absurd nodes',
      '"num_nodes": "1"',
      '"num_nodes": "2000000000"',
      '"2000000000"',
      'nodes are left',
    ],
    [
      'more nodes than children',
      '"num_nodes": "7"',
      '"num_nodes": "8"',
      '[1, -1, 3, -1, -1, -1, -1]',
      'left_children has 7 items, expected 8 (num_nodes)',
    ],
    ['leaf weights', '"id": 1', '"leaf_weights": [1.0], "id": 1', '[1.0]', 'vector leaves'],
    [
      'no thresholds',
      '"split_conditions": [8]',
      '"x": [8]',
      '{\n            "categories": []',
      'no split_conditions',
    ],
    [
      'too few thresholds',
      '[5E-1, 2.5E-1,',
      '[5E-1,',
      '[5E-1, 1e-45',
      'split_conditions has 6 items, expected 7',
    ],
    [
      'a number of no meaning',
      '2.5E-1',
      '2.5.1',
      '2.5.1',
      "split_conditions is '2.5.1', expected a number",
    ],
    ['a number out of range', '2.5E-1', '1e39', '1e39', 'outside the range of a float32'],
    [
      'null for a number',
      '2.5E-1',
      'null',
      'null',
      'split_conditions holds null, expected a number',
    ],
    [
      'a feature out of range',
      '"split_indices": [0, 0, 2',
      '"split_indices": [0, 0, 3',
      '3, 0, 0, 2147483647',
      'split_indices of node 2 is 3, expected less than num_feature = 3',
    ],
    [
      'a negative feature',
      '"split_indices": [0, 0',
      '"split_indices": [-1, 0',
      '-1, 0, 2',
      'split_indices is -1, expected 0 to',
    ],
    [
      'a child out of range',
      '"left_children": [1, -1, 3',
      '"left_children": [1, -1, 7',
      '7, -1, -1',
      'left_children is 7, expected -1 to 6',
    ],
    [
      'a cycle',
      '"left_children": [1, -1, 3',
      '"left_children": [1, -1, 0',
      '0, -1, -1, -1, -1],\n            "loss',
      'left_children of node 2 is 0, which is reached twice',
    ],
    [
      'a shared leaf',
      '"right_children": [2, -1, 4',
      '"right_children": [2, -1, 1',
      '1, -1, -1, -1, -1],\n            "split',
      'which is reached twice',
    ],
    [
      'a lone left child',
      '"right_children": [2, -1, 4',
      '"right_children": [2, -1, -1',
      '-1, -1, -1, -1, -1],\n            "split',
      'right_children of node 2 is -1, but it has another child',
    ],
    [
      'a lone right child',
      '"right_children": [2, -1',
      '"right_children": [2, 5',
      '5, 4',
      'right_children of node 1 is 5, but it has no left child',
    ],
    [
      'a lost node',
      '2147483647, 2147483647]',
      '2147483647, 0]',
      '0],\n            "split_type"',
      'split_indices of node 6 is 0, but no other node leads there',
    ],
    [
      'a side of no meaning',
      '"default_left": [1',
      '"default_left": [2',
      '2, 0, 0',
      'default_left is 2, expected 0 to 1',
    ],
    [
      'a split of no meaning',
      '"split_type": [0, 0, 1',
      '"split_type": [0, 0, 2',
      '2, 0, 0, 0, 0],\n            "sum',
      'split_type is 2, expected 0 to 1',
    ],
    [
      'a set for another node',
      '"categories_nodes": [2]',
      '"categories_nodes": [3]',
      '[3]',
      'categories_nodes lacks categorical node 2',
    ],
    [
      'a set beyond the categories',
      '"categories_segments": [0]',
      '"categories_segments": [1]',
      '[1],\n            "categories_sizes',
      'reach to 3, but there are 2 categories',
    ],
    [
      'a negative category',
      '"categories": [1, 2]',
      '"categories": [-1, 2]',
      '-1, 2]',
      'categories is -1, expected 0 to 16777215',
    ],
    [
      'a category too high',
      '"categories": [1, 2]',
      '"categories": [1, 16777216]',
      '16777216',
      'categories is 16777216',
    ],
    [
      'cover that is none',
      '"sum_hessian": [4E0,',
      '"sum_hessian": [',
      '[ 1E0',
      'sum_hessian has 6 items',
    ],
    ['offsets that decrease', '[0, 1, 3, 4]', '[0, 3, 1, 4]', '[0, 3, 1, 4]', 'must not decrease'],
    [
      'an offset beyond the texts',
      '[0, 1, 3, 4]',
      '[0, 1, 3, 5]',
      '5], "values"',
      'offsets is 5, expected 0 to 4',
    ],
    [
      'a category that is no text',
      '120, -61, -92, 34',
      '120, -61, 61, 34',
      '[120, -61, 61',
      'a category is not UTF-8',
    ],
    [
      'lists for more features',
      '"enc": [',
      '"enc": [{ "values": [] }, ',
      '{ "offsets": [0, 1',
      'enc has more items',
    ],
    [
      'a version that is none',
      '[3, 2, 0]',
      '[3, "x"]',
      '"x"]',
      'version holds a text, expected an integer',
    ],
    [
      'a best iteration of no meaning',
      '"best_iteration": "1"',
      '"best_iteration": "last"',
      '"last"',
      "best_iteration is 'last', expected an integer",
    ],
    ['a missing comma', '"id": 0,', '"id": 0', '"left_children": [1', "expected ',' or '}'"],
    ['a missing colon', '"id": 0', '"id" 0', '0,\n            "left', "expected ':'"],
    ['a key that is no text', '"id": 0', '5: 0', '5: 0', 'expected a key'],
    ['a value that is none', '"id": 0', '"id": ?', '?', "expected a value, met '?'"],
    ['half a word', '"id": 0', '"x": nul', 'nul,', "expected a value, met 'n'"],
    [
      'no features',
      '"num_feature": "3", "num_t',
      '"num_t',
      '{\n      "base_score"',
      'no num_feature',
    ],
    [
      'vector leaves',
      '"size_leaf_vector": "0"',
      '"size_leaf_vector": "2"',
      '"2" }\n          }',
      'vector leaves',
    ],
    [
      'a set without segment',
      '"categories_nodes": [2]',
      '"categories_nodes": [2, 3]',
      '[0],\n            "categories_sizes',
      'categories_segments has 1 items, expected 2 (as categories_nodes)',
    ],
    [
      'a set without size',
      '"categories_sizes": [2]',
      '"categories_sizes": [1, 2]',
      '[1, 2],\n            "default',
      'categories_sizes has 2 items, expected 1',
    ],
    [
      'two sets for a node',
      sets(2),
      sets(2, 2),
      '[2, 2],\n            "categories_seg',
      'categories_nodes names node 2 twice',
    ],
    [
      'a missing bracket',
      '"tree_info": [0, 0]',
      '"tree_info": [0, 0',
      ': [\n          {\n            "base',
      "expected ',' or ']'",
    ],
  ])('with %s is refused where it is', (_, from, to, at, says) => {
    expect(text).toContain(from)
    const broken = text.replace(from, to)
    const offset = Buffer.from(broken).indexOf(at)
    expect(offset).toBeGreaterThanOrEqual(0)
    expectRefused(Buffer.from(broken), offset, says)
  })

  test.each([
    ['count:poisson', '-1E0', 'expected a finite number from 0'],
    ['reg:tweedie', 'Infinity', 'expected a finite number from 0'],
    ['reg:gamma', '[0E0]', 'expected a finite number above 0'],
    ['reg:squarederror', 'NaN', 'expected a finite number for'],
    ['binary:logistic', '1.0000001', 'expected 0 to 1 for'],
  ])('with the objective %s and base_score %s is refused', (objective, base, says) => {
    const broken = text.replace('binary:logistic', objective).replace('[5E-1]', base)
    expectRefused(Buffer.from(broken), Buffer.from(broken).indexOf(`"${base}"`), says)
  })

  test('that is nested too deep is refused, not followed', () => {
    const deep = text.replace('"id": 0', `"x": ${'['.repeat(1_000_000)}`)
    expectRefused(Buffer.from(deep), deep.indexOf('[[') + 58, 'nested deeper than 64')
  })

  test('that is not there is refused', () => {
    expectRefused(new Uint8Array(0), 0, 'not an XGBoost model')
    expectRefused(Buffer.from('  '), 0, 'not an XGBoost model')
    expectRefused(Buffer.from('{'), 1, 'it was cut short')
    expectRefused(Buffer.from('binf\0\0'), 0, "save_model('model.json')")
  })
})

describe('a bad UBJSON file', () => {
  const around = (value: Buffer) => Buffer.concat([Buffer.from('{i\x01x'), value, Buffer.from('}')])

  test.each([
    [
      'a text beyond the end',
      'SL\0\0\0\0\0\0\0\x09abc',
      1,
      'a length is 9, but only 4 bytes are left',
    ],
    ['a text of negative length', 'Si\xffabc', 1, 'a length is -1'],
    [
      'a text of absurd length',
      'SL\x7f\xff\xff\xff\xff\xff\xff\xff',
      1,
      'a length is 9223372036854775807',
    ],
    ['a length that is a float', 'Sd\0\0\0\0', 1, "expected a length, met the marker 'd'"],
    ['a length that is none', 'S?', 1, "expected a length, met the marker '?'"],
    ['an unknown marker', '?', 0, "expected a value, met the marker '?'"],
    ['a no-op', 'N', 0, "met the marker 'N'"],
    ['an absurd array', '[$L#l\x7f\xff\xff\xff', 4, 'a length is 2147483647'],
    ['an absurd list', '[#l\x7f\xff\xff\xff', 2, 'a length is 2147483647'],
    [
      'items without bytes',
      '[$T#l\x7f\xff\xff\xff',
      2,
      "expected a type of numbers, met the marker 'T'",
    ],
    ['lists within a type', '[$[#i\x01', 2, "expected a type of numbers, met the marker '['"],
    ['a type without a count', '[$di\x01', 3, 'a typed array has no count'],
    ['a typed object', '{$i#i\x01', 1, 'expected an object without types'],
    ['an absurd object', '{#l\x7f\xff\xff\xff', 2, 'a length is 2147483647'],
    ['an integer beyond int64', 'M\xff\0\0\0\0\0\0\0', 0, 'outside the range of an int64'],
  ])('with %s is refused where it is', (_, value, at, says) => {
    expectRefused(around(Buffer.from(value, 'latin1')), 4 + at, says)
  })

  test('that is nested too deep is refused, not followed', () => {
    expectRefused(around(Buffer.from('['.repeat(1_000_000))), 4 + 63, 'nested deeper than 64')
  })

  test('with a float64 that no float32 holds is refused', () => {
    const good = Buffer.from(encodeUbjson(JSON.parse(text)))
    const key = 'split_conditions'
    const begin = good.lastIndexOf(key) + key.length
    const array = Buffer.from('[$D#i\x01\x7e\x37\xe4\x3c\x88\x00\x75\x9c', 'latin1')
    const broken = Buffer.concat([good.subarray(0, begin), array, good.subarray(begin + 4 + 9 + 8)])
    expectRefused(broken, begin + 6, 'outside the range of a float32')
  })
})
