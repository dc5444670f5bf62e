import { expect, test } from 'vitest'
import { definitionFilesMax } from '../limits.js'
import { parseDefinitions } from './parse-definitions.js'

const valid = `entities:
  - { name: airport, keys: { airport: string } }
  - { name: route, keys: { origin: string, destination: string } }
feature_views:
  - name: airport_delays
    entity: airport
    latency_class: realtime
    ttl: 36h
    retention: 30d
    features:
      - { name: departures_7d, type: int32 }
      - { name: delay_mean_7d, type: float32, default: 0 }
    source: { path: data/*.parquet, event_time: as_of }
  - name: route_delays
    entity: route
    latency_class: standard
    ttl: 1d
    retention: 1d
    on_stale: default
    features:
      - { name: late_share_7d, type: float64 }
feature_services:
  - name: delay_inputs
    views:
      - { view: airport_delays, as: origin, keys: { airport: origin } }
      - { view: airport_delays, as: destination, keys: { airport: destination } }
      - { view: route_delays, features: [late_share_7d] }
`

/** `valid` with its line \`line\` (from 1) replaced. */
function withLine(line: number, ...replacement: string[]): string {
  return valid
    .split('\n')
    .toSpliced(line - 1, 1, ...replacement)
    .join('\n')
}

function problemsOf(...texts: string[]): string[] {
  try {
    parseDefinitions(texts.map((text, index) => ({ path: `${'abc'[index]}.yaml`, text })))
    return []
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : ''
    return message.split('\n').slice(1)
  }
}

test('definitions are read into plain, frozen values', () => {
  const definitions = parseDefinitions([{ path: 'a.yaml', text: valid }])
  expect(definitions).toMatchObject({
    entities: [
      { name: 'airport', keys: [{ name: 'airport', type: 'string' }] },
      { name: 'route', keys: [{ name: 'origin' }, { name: 'destination' }] },
    ],
    views: [
      {
        name: 'airport_delays',
        entity: 'airport',
        latencyClass: 'realtime',
        ttlUs: 129_600_000_000n,
        retentionUs: 2_592_000_000_000n,
        onStale: 'serve',
        packing: { kind: 'string' },
        expectedEntityCount: undefined,
        features: [
          { name: 'departures_7d', type: { scalar: 'int32' }, defaultValue: undefined },
          { name: 'delay_mean_7d', type: { scalar: 'float32' }, defaultValue: 0 },
        ],
        source: { path: 'data/*.parquet', eventTime: 'as_of' },
      },
      { name: 'route_delays', onStale: 'default', source: undefined },
    ],
    services: [
      {
        name: 'delay_inputs',
        views: [
          { role: 'origin', keyColumns: ['origin'], features: ['departures_7d', 'delay_mean_7d'] },
          { role: 'destination', keyColumns: ['destination'] },
          {
            role: 'route_delays',
            keyColumns: ['origin', 'destination'],
            features: ['late_share_7d'],
          },
        ],
      },
    ],
  })
  expect(Object.isFrozen(definitions.views[0]?.features)).toBe(true)
})

test('a packing in buckets has as many as its expected entities need', () => {
  const packed = withLine(
    15,
    '    entity: route',
    '    packing: bucket',
    '    expected_entities: 100000',
  )
  const sized = withLine(15, '    entity: route', '    expected_entities: 100000')
  const viewsOf = (text: string) => parseDefinitions([{ path: 'a.yaml', text }]).views
  const expectedEntityCount = 100_000
  expect(viewsOf(packed)[1]).toMatchObject({
    packing: { kind: 'bucket', bucketCount: 1563 },
    expectedEntityCount,
  })
  expect(viewsOf(sized)[1]).toMatchObject({ packing: { kind: 'string' }, expectedEntityCount })
})

test('definitions may be spread over files in any order', () => {
  const [entities = '', rest = ''] = valid.split(/(?=feature_views)/)
  expect(problemsOf(rest, '', entities)).toEqual([])
})

test.each([
  // entities
  {
    line: 2,
    text: '  - { name: 1airport, keys: { airport: string } }',
    problem:
      'a.yaml:2:13: expected a name of letters, digits and _, at most 64, not beginning with a digit, found "1airport"',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: { airport: strin } }',
    problem:
      'a.yaml:2:39: "strin" is not a type: did you mean "string"?: types are bool, int8, int16, int32, int64, float32, float64, string, bytes, timestamp, categorical, list<TYPE> and embedding<DIM, f32|f16|int8>',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: { airport: float64 } }',
    problem:
      'a.yaml:2:39: join key "airport" is float64: join keys compare exactly: floats, lists and embeddings cannot be one',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: { airport: list<string> } }',
    problem:
      'a.yaml:2:39: join key "airport" is list<string>: join keys compare exactly: floats, lists and embeddings cannot be one',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: {} }',
    problem: 'a.yaml:2:28: expected between 1 and 8 entries, found 0',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: { air-port: string } }',
    problem:
      'a.yaml:2:30: expected a name of letters, digits and _, at most 64, not beginning with a digit, found "air-port"',
  },
  {
    line: 2,
    text: '  - { name: airport, keys: [airport] }',
    problem: 'a.yaml:2:28: expected a map, found a list of 1',
  },
  { line: 2, text: '  - airport', problem: 'a.yaml:2:5: expected a map, found "airport"' },
  {
    line: 3,
    text: '  - { name: airport, keys: { origin: string, destination: string } }',
    problem: 'a.yaml:3:13: entity "airport" is already defined at a.yaml:2:13',
  },
  // views
  {
    line: 5,
    text: '  - heading: airport_delays',
    problem:
      'a.yaml:5:5: unknown key "heading": known are name, entity, latency_class, ttl, retention, on_stale, packing, expected_entities, features, source',
  },
  {
    line: 6,
    text: '    entity: airprot',
    problem: 'a.yaml:6:13: unknown entity "airprot": did you mean "airport"?',
  },
  {
    line: 7,
    text: '    latency_class: realtme',
    problem: 'a.yaml:7:20: expected one of realtime, standard, relaxed, found "realtme"',
  },
  { line: 8, text: '    tll: 36h', problem: 'a.yaml:8:5: unknown key "tll": did you mean "ttl"?' },
  {
    line: 8,
    text: '    ttl: 36',
    problem: 'a.yaml:8:10: expected a duration such as 36h, found 36',
  },
  {
    line: 8,
    text: '    ttl: 36hours',
    problem: 'a.yaml:8:10: "36hours" is not a duration: write 36h, 30d, 15m, 10s, 500ms or 1d12h',
  },
  {
    line: 9,
    text: '    retention: 35h',
    problem: 'a.yaml:9:16: retention 1d11h is less than ttl 1d12h: rows would go while fresh',
  },
  {
    line: 9,
    text: '    retention:',
    problem: 'a.yaml:9:15: expected a duration such as 36h, found nothing',
  },
  {
    line: 9,
    text: '    retention: 30d\n    packing: hash',
    problem: 'a.yaml:10:14: expected one of string, bucket, found "hash"',
  },
  {
    line: 9,
    text: '    retention: 30d\n    packing: bucket',
    problem:
      'a.yaml:10:14: packing bucket needs expected_entities: the number of buckets follows from it',
  },
  {
    line: 9,
    text: '    retention: 30d\n    packing: bucket\n    expected_entities: 0',
    problem: 'a.yaml:11:24: expected a whole number from 1 to 10000000000, found 0',
  },
  {
    line: 9,
    text: '    retention: 30d\n    expected_entities: 10000000001',
    problem: 'a.yaml:10:24: expected a whole number from 1 to 10000000000, found 10000000001',
  },
  {
    line: 9,
    text: '    retention: 30d\n    expected_entities: 1.5',
    problem: 'a.yaml:10:24: expected a whole number from 1 to 10000000000, found 1.5',
  },
  {
    line: 9,
    text: '    retention: 30d\n    expected_entities: 9007199254740993',
    problem: 'a.yaml:10:24: expected a whole number from 1 to 10000000000, found 9007199254740993',
  },
  {
    line: 10,
    text: '    features: []\n    other:',
    problem: 'a.yaml:10:15: expected between 1 and 1024 entries, found 0',
  },
  {
    line: 12,
    text: '      - { name: departures_7d, type: float32 }',
    problem: 'a.yaml:12:17: feature "departures_7d" is already defined at a.yaml:11:17',
  },
  {
    line: 12,
    text: '      - { name: delay_mean_7d, type: float32, default: zero }',
    problem:
      'a.yaml:12:56: the default "zero" does not fit float32: it must be a number between -3.4028234663852886e+38 and 3.4028234663852886e+38',
  },
  {
    line: 12,
    text: '      - { name: delay_mean_7d, type: "embedding<0, f32>" }',
    problem: 'a.yaml:12:38: an embedding has between 1 and 16384 dimensions, found 0',
  },
  { line: 12, text: '      - { name: delay_mean_7d }', problem: 'a.yaml:12:9: "type" is missing' },
  {
    line: 13,
    text: '    source: { path: data/*.parquet }',
    problem: 'a.yaml:13:13: "event_time" is missing',
  },
  {
    line: 13,
    text: '    source: data/*.parquet',
    problem: 'a.yaml:13:13: expected a map, found "data/*.parquet"',
  },
  {
    line: 14,
    text: '  - name: airport_delays',
    problem: 'a.yaml:14:11: feature view "airport_delays" is already defined at a.yaml:5:11',
  },
  // services
  {
    line: 25,
    text: '      - { view: airport_delay, as: origin, keys: { airport: origin } }',
    problem: 'a.yaml:25:17: unknown feature view "airport_delay": did you mean "airport_delays"?',
  },
  {
    line: 25,
    text: '      - { view: airport_delays, as: origin, keys: { airprt: origin, airport: origin } }',
    problem: 'a.yaml:25:53: entity "airport" has no join key "airprt": did you mean "airport"?',
  },
  {
    line: 25,
    text: '      - { view: airport_delays, as: origin, keys: {} }',
    problem: 'a.yaml:25:51: join key "airport" of entity "airport" is not mapped to a key column',
  },
  {
    line: 25,
    text: '      - { view: airport_delays, as: origin, keys: { airport: 7 } }',
    problem:
      'a.yaml:25:62: expected a name of letters, digits and _, at most 64, not beginning with a digit, found 7',
  },
  {
    line: 26,
    text: '      - { view: airport_delays, as: origin, keys: { airport: destination } }',
    problem: 'a.yaml:26:37: role "origin" is already used at a.yaml:25:37: give another with "as"',
  },
  {
    line: 27,
    text: '      - { view: route_delays, features: [late_share] }',
    problem:
      'a.yaml:27:42: feature view "route_delays" has no feature "late_share": did you mean "late_share_7d"?',
  },
  {
    line: 27,
    text: '      - { view: route_delays, features: [late_share_7d, late_share_7d] }',
    problem: 'a.yaml:27:57: feature "late_share_7d" is already listed at a.yaml:27:42',
  },
  {
    line: 27,
    text: '      - { view: route_delays, features: [] }',
    problem: 'a.yaml:27:41: expected between 1 and 1024 entries, found 0',
  },
  {
    line: 27,
    text: '      - { view: route_delays, as: delay.inputs }',
    problem:
      'a.yaml:27:35: expected a name of letters, digits and _, at most 64, not beginning with a digit, found "delay.inputs"',
  },
  {
    line: 24,
    text: '    view:',
    problem: 'a.yaml:24:5: unknown key "view": did you mean "views"?',
  },
])('line $line as $text is told', ({ line, text, problem }) => {
  expect(problemsOf(withLine(line, text))).toContain(problem)
})

test('one request column cannot have two types', () => {
  const text = withLine(3, '  - { name: route, keys: { origin: int32, destination: string } }')
  expect(problemsOf(text)).toEqual([
    'a.yaml:27:17: key column "origin" is int32 here, but string at a.yaml:25:62',
  ])
})

test('a broken definition is the one problem, not those who refer to it', () => {
  expect(problemsOf(withLine(2, '  - { name: airport, keys: { airport: float32 } }'))).toHaveLength(
    1,
  )
  expect(problemsOf(withLine(11, '      - { name: departures_7d, type: int33 }'))).toHaveLength(1)
  expect(problemsOf(valid, 'entities: [')).toHaveLength(1)
  expect(problemsOf(valid.replace(/^entities:(.*\n){3}/, ''), 'entities: [')).toHaveLength(1)
})

test('all problems of all files are told at once, in order', () => {
  const broken = valid
    .replace('entity: route', 'entity: rout')
    .replace('ttl: 36h', 'ttl: soon')
    .replace('type: float64', 'type: floot64')
    .replace('late_share_7d]', 'nothing_like_it]')
  expect(
    problemsOf(broken, 'features: []\n').map((problem) => problem.split(': ', 2).join(': ')),
  ).toEqual([
    'a.yaml:8:10: "soon" is not a duration',
    'a.yaml:15:13: unknown entity "rout"',
    'a.yaml:21:38: "floot64" is not a type',
    'b.yaml:1:1: unknown key "features"',
  ])
})

test('very many items are told, not too many for the stack', () => {
  const problems = problemsOf(`entities: [${'x,'.repeat(150_000)}]`)
  expect(problems).toContain('a.yaml:1:8204: 150000 of the kind entity: at most 4096')
})

test('too many problems are counted', () => {
  const many = `entities: [${'x,'.repeat(1000)}]`
  expect(problemsOf(many)).toHaveLength(201)
  expect(problemsOf(many).at(-1)).toBe('and 800 more')
})

test.each([
  { name: 'no file', files: [], problem: 'definitions: there is no definition file' },
  {
    name: 'a file twice',
    files: [
      { path: 'a.yaml', text: '' },
      { path: 'a.yaml', text: '' },
    ],
    problem: 'a.yaml: the file is given twice',
  },
  {
    name: 'too many files',
    files: Array.from({ length: definitionFilesMax + 1 }, (_, i) => ({ path: `${i}`, text: '' })),
    problem:
      'definitions: 1025 files of 0 bytes: at most 1024 files of 2097152 bytes in all are allowed',
  },
  {
    name: 'too many bytes',
    files: [{ path: 'a', text: '#'.repeat(9_000_000) }],
    problem:
      'definitions: 1 files of 9000000 bytes: at most 1024 files of 2097152 bytes in all are allowed',
  },
  {
    name: 'a file that is a list',
    files: [{ path: 'a', text: '[]' }],
    problem: 'a:1:1: expected a map, found a list of 0',
  },
])('$name is told', ({ files, problem }) => {
  expect(() => parseDefinitions(files)).toThrow(
    expect.objectContaining({
      code: 'bad_definitions',
      message: `the definitions are wrong:\n${problem}`,
    }),
  )
})
