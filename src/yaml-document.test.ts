import { expect, test } from 'vitest'
import { createProblemList, formatProblems } from './problems.js'
import { parseYaml, type YamlNode } from './yaml-document.js'

function read(text: string, bytesMax = 1_000_000) {
  const problems = createProblemList()
  const root = parseYaml({ path: 'a.yaml', text, bytesMax }, problems)
  return { root, problems: formatProblems(problems.told()) }
}

/** Scalars as they are, lists and maps as JavaScript's. */
function plain(node: YamlNode | undefined): unknown {
  switch (node?.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(plain)
    case 'map':
      return new Map([...node.entries].map(([key, entry]) => [key, plain(entry.node)]))
    default:
      return node?.kind
  }
}

test.each([
  { text: '', value: null },
  { text: '# nothing\n', value: null },
  { text: '[1, -2, 0x10, 1.5, .inf, -.inf]', value: [1, -2, 16, 1.5, Infinity, -Infinity] },
  { text: '.nan', value: Number.NaN },
  { text: '[9007199254740991, 9007199254740992]', value: [9007199254740991, 9007199254740992n] },
  { text: '-99999999999999999999', value: -99999999999999999999n },
  { text: '[yes, 12:30, 2001-06-15]', value: ['yes', '12:30', '2001-06-15'] },
  { text: '%YAML 1.1\n---\nyes', value: 'yes' },
  {
    text: '{1: a, null: b, __proto__: c}',
    value: new Map([
      ['1', 'a'],
      ['null', 'b'],
      ['__proto__', 'c'],
    ]),
  },
  { text: 'a:\r\n  - b\r\n', value: new Map([['a', ['b']]]) },
  { text: '\ufeffa: b', value: new Map([['a', 'b']]) },
  {
    text: '[&x [1, 2], *x]',
    value: [
      [1, 2],
      [1, 2],
    ],
  },
])('$text is read exactly', ({ text, value }) => {
  expect(read(text).problems).toBe('')
  expect(plain(read(text).root)).toEqual(value)
})

test('every node knows its place, in lines after CRLF and multi-line text too', () => {
  const { root } = read('a: |\r\n  one\r\n  two\r\nb:\r\n  - { c: "x\r\n      y", d: 1 }\r\n')
  const b = root?.kind === 'map' ? root.entries.get('b') : undefined
  const item = b?.node.kind === 'list' ? b.node.items[0] : undefined
  const d = item?.kind === 'map' ? item.entries.get('d') : undefined
  expect(b?.keyAt).toEqual({ path: 'a.yaml', line: 4, column: 1 })
  expect(d?.keyAt).toEqual({ path: 'a.yaml', line: 6, column: 11 })
  expect(d?.node.at).toEqual({ path: 'a.yaml', line: 6, column: 14 })
})

test.each([
  {
    text: 'a: [1',
    problem:
      'a.yaml:1:6: Flow sequence in block collection must be sufficiently indented and end with a ]',
  },
  { text: 'a: b: c', problem: 'a.yaml:1:4: Nested mappings are not allowed in compact mappings' },
  {
    text: 'a: 1\n---\nb: 2',
    problem: 'a.yaml:2:1: a second document: one to a file',
  },
  { text: 'a: 1\nb: 2\na: 3', problem: 'a.yaml:3:1: duplicate key "a", first at a.yaml:1:1' },
  {
    text: 'a: !!binary aGVsbG8=',
    problem: 'a.yaml:1:13: tags (tag:yaml.org,2002:binary) are not supported',
  },
  { text: 'a: !foo b', problem: 'a.yaml:1:9: tags (!foo) are not supported' },
  {
    text: 'a: 1e400',
    problem: 'a.yaml:1:4: the number is beyond ±1.7976931348623157e+308: write .inf for infinity',
  },
  { text: 'a: "\\ud800"', problem: 'a.yaml:1:4: the text is not valid Unicode' },
  { text: 'a: *b', problem: 'a.yaml:1:4: no anchor &b before this alias' },
  { text: 'a: &a [*a]', problem: 'a.yaml:1:8: an alias within an anchor is not supported' },
  { text: '? [a]\n: 1', problem: 'a.yaml:1:3: a key must be text' },
])('$text is refused', ({ text, problem }) => {
  expect(read(text).problems).toBe(problem)
})

test('all problems are told at once', () => {
  expect(read('a: !x 1\na: 2\nb: *c\n').problems.split('\n')).toEqual([
    'a.yaml:1:7: tags (!x) are not supported',
    'a.yaml:2:1: duplicate key "a", first at a.yaml:1:1',
    'a.yaml:3:4: no anchor &c before this alias',
  ])
})

test('a file over its bound is not parsed', () => {
  expect(read('ä'.repeat(6), 11).problems).toBe(
    'a.yaml:1:1: the file has 12 bytes: at most 11 are allowed',
  )
})

test.each([
  { name: 'flow lists', text: '['.repeat(100_000) },
  { name: 'flow maps', text: '{a: '.repeat(100_000) },
  { name: 'brackets closed only in quotes', text: "[']', ".repeat(100_000) },
  { name: 'pairs in a flow list', text: `[${'a: '.repeat(100_000)}` },
  { name: 'compact lists', text: `${'- '.repeat(100_000)}a` },
  { name: 'explicit keys', text: '? '.repeat(100_000) },
  { name: 'pairs on a line', text: 'a: '.repeat(100_000) },
  {
    name: 'indentation',
    text: Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
  },
  {
    name: 'lists by indentation',
    text: Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}-`).join('\n'),
  },
])('$name that would end the stack are refused', ({ text }) => {
  expect(read(text).problems).toMatch(/^a\.yaml:\d+:\d+: nests too deep$/)
})

test('nesting within the bound is read', () => {
  expect(read(`${'['.repeat(90)}${']'.repeat(90)}`).problems).toBe('')
  expect(read(`a: |\n${' '.repeat(200)}text`).problems).toBe('')
})

test('aliases that unfold to very much are refused', () => {
  const text = `a: &a [${'1,'.repeat(10_000)}]\nb: [${'*a,'.repeat(10_000)}]\n`
  expect(read(text).problems).toContain('aliases unfold to more than 1000000 values')
})
