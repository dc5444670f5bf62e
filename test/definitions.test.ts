/**
 * Definitions as a whole: the documented example, the flights example, random damage, random histories.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstLayoutId as codecFirstLayoutId } from '../src/codec/row-version.js'
import { LarderError } from '../src/errors.js'
import { parseModelYaml } from '../src/predict/model-yaml.js'
import { parseTestVectors } from '../src/predict/test-vectors.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { encodeProfile } from '../src/profile-json.js'
import { buildSnapshot } from '../src/registry/build-snapshot.js'
import {
  decodeDocument,
  emptyDocument,
  encodeDocument,
  type RegistryDocument,
} from '../src/registry/document.js'
import { encodeLayout } from '../src/registry/layout-json.js'
import { parseDefinitions } from '../src/registry/parse-definitions.js'
import { planDefinitions } from '../src/registry/plan-definitions.js'
import { firstLayoutId, type LayoutRequest, planLayout } from '../src/registry/plan-layout.js'
import type { StoredDocument } from '../src/registry/registry-store.js'
import { emptySnapshot } from '../src/registry/snapshot.js'
import { integerProfile } from './support/integer-profile.js'

const sumOf = (bytes: Uint8Array) =>
  bytes.reduce((sum, byte) => BigInt.asUintN(64, sum * 31n + BigInt(byte)), 7n)

const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const fuzzSeed = Number(process.env['LARDER_FUZZ_SEED'] ?? 3)

const root = join(import.meta.dirname, '..')
const example = /```yaml definitions\n(.*?)```/s.exec(
  readFileSync(join(root, 'docs/DEFINITIONS.md'), 'utf8'),
)?.[1]
const documented = example ?? ''

test('the documented example is read, and names features as it says', () => {
  const files = [{ path: 'docs/DEFINITIONS.md', text: documented }]
  const { document } = planDefinitions(emptyDocument, parseDefinitions(files), files)
  const service = buildSnapshot(document ?? emptyDocument, emptySnapshot).services.get(
    'delay_inputs',
  )
  expect(service?.keys.map(({ name }) => name)).toEqual(['origin', 'destination'])
  expect(service?.features.map(({ name }) => name)).toEqual([
    ...['departures_7d', 'delay_mean_7d', 'busy_hours', 'profile'].map((name) => `origin.${name}`),
    'destination.departures_7d',
    'destination.delay_mean_7d',
    'destination.busy_hours',
    'destination.profile',
    'route_delays.delay_mean_7d',
    'route_delays.late_share_7d',
  ])
})

test('the flights example is read', () => {
  const folder = join(root, 'examples/flights/features')
  const files = readdirSync(folder).map((name) => {
    return { path: name, text: readFileSync(join(folder, name), 'utf8') }
  })
  const { views, services } = parseDefinitions(files)
  expect(new Set(views.map(({ latencyClass }) => latencyClass)).size).toBe(3)
  expect(services.map(({ name }) => name)).toEqual(['flight_inputs'])
})

/** Every key of the format, and little else. */
const small = `entities: [{ name: e, keys: { k: int64, l: string } }]
feature_views:
  - name: v
    entity: e
    latency_class: realtime
    ttl: 1h
    retention: 1d12h
    on_stale: default
    packing: bucket
    expected_entities: 1000
    features:
      - { name: f, type: float32, default: 0.5 }
      - { name: g, type: "embedding<2, f16>", default: [1, .nan] }
    source: { path: a/*.csv, event_time: at }
feature_services:
  - name: s
    views: [{ view: v, as: r, keys: { k: a, l: b }, features: [g, f] }, { view: v }]
`

/** Pieces that YAML or the format give a meaning to. */
const pieces = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '? ',
    ',',
    '#',
    '|',
    '>',
    '&a ',
    '*a',
    '!',
    '!!str ',
    '%',
  ],
  ...[
    '"',
    "'",
    '\n',
    '\r\n',
    '\t',
    '  ',
    '\\',
    '\u0000',
    '\ufeff',
    '\ud800',
    'ä',
    '---\n',
    '...\n',
  ],
  ...[
    'null',
    'true',
    '.nan',
    '-.inf',
    '1e999',
    '-0',
    '9'.repeat(30),
    '__proto__',
    'constructor',
    '<<',
  ],
  ...[
    'name',
    'keys',
    'features',
    'view',
    'packing',
    'expected_entities',
    'as',
    'float64',
    'list<',
    'embedding<0, f32>',
    '1d',
    '36500d',
  ],
]

/** One to four random cuts, copies, swaps of a character and insertions. */
function damage(text: string, prng: Prng): string {
  let damaged = text
  for (let count = 1 + prng.below(4); count > 0; count--) {
    const start = prng.below(damaged.length + 1)
    const end = Math.min(damaged.length, start + prng.below(40))
    const inserted = [
      '',
      damaged.slice(start, end).repeat(2),
      pieces[prng.below(pieces.length)] ?? '',
      (pieces[prng.below(pieces.length)] ?? '').repeat(1 + prng.below(300)),
      String.fromCharCode(prng.below(256)),
    ][prng.below(5)]
    damaged = damaged.slice(0, start) + inserted + damaged.slice(prng.below(2) === 0 ? start : end)
  }
  return damaged
}

/** `value` or `problems`; whatever else happens is thrown on. */
function outcome(parse: () => unknown, code: string): 'value' | 'problems' {
  try {
    parse()
    return 'value'
  } catch (thrown) {
    if (thrown instanceof LarderError && thrown.code === code) return 'problems'
    throw thrown
  }
}

test(`damaged definitions are read or refused, never worse (seed ${fuzzSeed})`, () => {
  const prng = createSeededPrng(fuzzSeed)
  const counts = { value: 0, problems: 0 }
  for (let run = 0; run < fuzzRuns; run++) {
    const files = [{ path: 'a.yaml', text: damage(small, prng) }]
    counts[outcome(() => parseDefinitions(files), 'bad_definitions')]++
  }
  expect(counts.value).toBeGreaterThan(0)
  expect(counts.value + counts.problems).toBe(fuzzRuns)
}, 3_600_000)

test(`damaged model.yaml files are read or refused, never worse (seed ${fuzzSeed})`, () => {
  const prng = createSeededPrng(fuzzSeed)
  const path = 'model.yaml'
  const text =
    'kind: lightgbm\nservice: a\nrequest_values:\n  - { name: h, type: int8, default: 1 }\n' +
    'inputs:\n  x: h\n  y: { feature: a.b, default: 0.5 }\ncategorical: [x]\nlabels: { stable: 1 }\n' +
    'versions: { latest: 2 }\nkernel: walk\n' +
    'test_vectors: { rows: [{ version: 1, inputs: { x: 1 }, raw: [1, .nan] }] }\n'
  const counts = { value: 0, problems: 0 }
  for (let run = 0; run < fuzzRuns; run++) {
    counts[outcome(() => parseModelYaml({ path, text: damage(text, prng) }), 'bad_model')]++
  }
  expect(counts.value).toBeGreaterThan(0)
  expect(counts.value + counts.problems).toBe(fuzzRuns)
}, 3_600_000)

test(`damaged test vectors are read or refused, never worse (seed ${fuzzSeed})`, () => {
  const prng = createSeededPrng(fuzzSeed)
  const path = 'test_vectors.json'
  const text =
    '{"tolerance": 0.5, "rows": [{"inputs": {"a": 1.5, "b": [1, NaN], "c": null}, "raw": 1},\n' +
    '{"inputs": {"d": ["x", "y"], "e": true}, "scores": [0.5, -Infinity], "tolerance": 0}]}\n'
  const counts = { value: 0, problems: 0 }
  for (let run = 0; run < fuzzRuns; run++) {
    counts[outcome(() => parseTestVectors({ path, text: damage(text, prng) }), 'bad_model')]++
  }
  expect(counts.value).toBeGreaterThan(0)
  expect(counts.problems).toBeGreaterThan(0)
  expect(counts.value + counts.problems).toBe(fuzzRuns)
}, 3_600_000)

const featureArbitrary = fc.record({
  name: fc.constantFrom('f', 'g', 'h', 'i'),
  type: fc.constantFrom('int32', 'float32', '"list<string>"'),
  hasDefault: fc.boolean(),
})
const viewArbitrary = fc.record({
  name: fc.constantFrom('v', 'w'),
  latencyClass: fc.constantFrom('realtime', 'standard', 'relaxed'),
  ttl: fc.constantFrom('1h', '1d'),
  packing: fc.constantFrom(
    'string',
    'bucket, expected_entities: 64',
    'bucket, expected_entities: 65',
  ),
  features: fc.uniqueArray(featureArbitrary, { minLength: 1, selector: ({ name }) => name }),
})
/** Definitions of one or two views over one entity. */
const definitionsArbitrary = fc
  .uniqueArray(viewArbitrary, { minLength: 1, selector: ({ name }) => name })
  .map((views) => {
    const lines = views.map(({ name, latencyClass, ttl, packing, features }) => {
      const list = features.map(({ name, type, hasDefault }) => {
        const suffix = hasDefault && !type.includes('list') ? ', default: 1' : ''
        return `{ name: ${name}, type: ${type}${suffix} }`
      })
      return (
        `  - { name: ${name}, entity: e, latency_class: ${latencyClass}, ttl: ${ttl}, ` +
        `retention: 2d, packing: ${packing}, features: [${list.join(', ')}] }`
      )
    })
    return `entities: [{ name: e, keys: { k: int64 } }]\nfeature_views:\n${lines.join('\n')}\n`
  })

/** A layout that a load registers: by the number of what it learned, 0 for nothing, and its sequence. */
const registrationArbitrary = fc.record({
  learned: fc.nat(3),
  sequence: fc.option(fc.bigInt(1n, 3n), { nil: undefined }),
})
/** Definitions that are applied, and what is registered for each view then. */
const stepArbitrary = fc.record({
  text: definitionsArbitrary,
  registrations: fc.array(registrationArbitrary, { maxLength: 3 }),
})

/** Registers a layout for every view's current schema. */
function register(
  current: RegistryDocument,
  { learned, sequence }: { readonly learned: number; readonly sequence: bigint | undefined },
): RegistryDocument {
  return current.views.reduce((document, { name: view, schemas }) => {
    const schema = schemas.at(-1)
    const ids = (schema?.features ?? []).filter(({ type }) => {
      return type.kind === 'scalar' && type.scalar === 'int32'
    })
    const profile = integerProfile(
      ids.map(({ id }) => id),
      BigInt(learned),
    )
    const request: LayoutRequest = {
      view,
      schemaVersion: schema?.version ?? 0,
      profile: learned === 0 ? 0 : profile,
      versionFormat:
        sequence === undefined
          ? 'full'
          : { eventBaseUs: 0n, eventUnitUs: 1n, eventBytes: 6, sequence },
    }
    const planned = planLayout(document, request)
    expect(planLayout(planned.document, request)).toEqual(planned)
    return planned.document
  }, current)
}

function storedOf(document: RegistryDocument): StoredDocument {
  return { version: document.version, documentJson: encodeDocument(document, sumOf) }
}

/** What was given, and what it means for ever. */
function givenIds({ views }: RegistryDocument): [given: string, meaning: string][] {
  const given: [string, string][] = []
  for (const { name, generation, schemas, profiles, layouts, features } of views) {
    given.push([`generation ${generation}`, name])
    for (const feature of [...features, ...schemas.flatMap((schema) => schema.features)]) {
      const meaning = `${feature.name} ${JSON.stringify(feature.type)}`
      given.push([`feature ${generation}.${feature.id}`, meaning])
    }
    for (const schema of schemas) {
      given.push([`schema ${generation}.${schema.version}`, JSON.stringify(schema.features)])
    }
    for (const profile of profiles) {
      const meaning = JSON.stringify(encodeProfile(profile))
      given.push([`profile ${generation}.${profile.id}`, meaning])
    }
    for (const layout of layouts) {
      given.push([`layout ${generation}.${layout.id}`, JSON.stringify(encodeLayout(layout))])
    }
  }
  return given
}

test('layout ids start where the codec says', () => {
  expect(firstLayoutId).toBe(codecFirstLayoutId)
})

test('over any history ids mean one thing for ever, and applying twice changes nothing', () => {
  const law = fc.property(fc.array(stepArbitrary, { maxLength: 12 }), (history) => {
    const meanings = new Map<string, string>()
    let current = emptyDocument
    for (const { text, registrations } of history) {
      const files = [{ path: 'a.yaml', text }]
      const definitions = parseDefinitions(files)
      const planned = planDefinitions(current, definitions, files)
      expect(planned.document === current).toBe(planned.changes.length === 0)
      expect(planned.document === undefined).toBe(
        planned.changes.some(({ action }) => action === 'refused'),
      )
      const next = registrations.reduce(register, planned.document ?? current)
      expect(decodeDocument(storedOf(next), sumOf, emptyDocument)).toEqual(next)
      expect(decodeDocument(storedOf(next), sumOf, current)).toEqual(next)
      expect(next.nextGeneration).toBeGreaterThanOrEqual(current.nextGeneration)
      for (const [id, meaning] of givenIds(next)) {
        expect(meanings.get(id) ?? meaning).toBe(meaning)
        meanings.set(id, meaning)
      }
      current = next
    }
    const again = parseDefinitions(
      current.files.length > 0 ? current.files : [{ path: 'a', text: '' }],
    )
    expect(planDefinitions(current, again, current.files).changes).toEqual([])
  })
  expect(() => fc.assert(law, { seed: fuzzSeed, numRuns: 300 })).not.toThrow()
})
