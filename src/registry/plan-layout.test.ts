import { beforeEach, describe, expect, test } from 'vitest'
import { integerProfile } from '../../test/support/integer-profile.js'
import { LarderError } from '../errors.js'
import { layoutsPerViewMax, profilesPerViewMax } from '../limits.js'
import type { CompactVersion } from '../version-format.js'
import { emptyDocument, type RegistryDocument } from './document.js'
import { parseDefinitions } from './parse-definitions.js'
import { planDefinitions } from './plan-definitions.js'
import { type LayoutRequest, planLayout } from './plan-layout.js'

const f = '{ name: f, type: int32 }'
const g = '{ name: g, type: int64 }'
const h = '{ name: h, type: int8 }'

function withFeatures(current: RegistryDocument, ...features: string[]): RegistryDocument {
  const text = `entities: [{ name: e, keys: { k: int64 } }]
feature_views:
  - { name: v, entity: e, latency_class: realtime, ttl: 1h, retention: 1d, features: [${features}] }
`
  const files = [{ path: 'a.yaml', text }]
  return planDefinitions(current, parseDefinitions(files), files).document ?? emptyDocument
}

const request: LayoutRequest = {
  view: 'v',
  schemaVersion: 1,
  profile: integerProfile([1, 2]),
  versionFormat: 'full',
}
const compact: CompactVersion = {
  eventBaseUs: 1_000_000n,
  eventUnitUs: 1_000_000n,
  eventBytes: 3,
  sequence: 7n,
}

let first: RegistryDocument
beforeEach(() => {
  first = withFeatures(emptyDocument, f, g)
})

const register = (document: RegistryDocument, words: Partial<LayoutRequest> = {}) =>
  planLayout(document, { ...request, ...words })

/** The view's layouts, as `id: schema profile version`. */
function layoutsOf({ views }: RegistryDocument): readonly string[] {
  return (views[0]?.layouts ?? []).map(({ id, schemaVersion, profileId, versionFormat }) => {
    const version = versionFormat === 'full' ? 'full' : `compact ${versionFormat.sequence}`
    return `${id}: schema ${schemaVersion}, profile ${profileId}, ${version}`
  })
}

const startLayouts = ['2: schema 1, profile 0, full']
const learnedLayouts = [...startLayouts, '3: schema 1, profile 1, full']

test('a new profile is given an id and a layout with full versions', () => {
  const { document, ...given } = register(first)
  expect(given).toEqual({ layoutId: 3, profileId: 1 })
  expect(layoutsOf(document)).toEqual(learnedLayouts)
  expect(document).toMatchObject({ version: 2, files: first.files, entities: first.entities })
  expect(document.views[0]?.profiles).toEqual([{ ...integerProfile([1, 2]), id: 1 }])
})

test('a compact version of a new profile comes with the layout of full versions', () => {
  const { document, ...given } = register(first, { versionFormat: compact })
  expect(given).toEqual({ layoutId: 4, profileId: 1 })
  expect(layoutsOf(document)).toEqual([...learnedLayouts, '4: schema 1, profile 1, compact 7'])
})

test('plain rows may have a compact version', () => {
  const { document, ...given } = register(first, { profile: 0, versionFormat: compact })
  expect(given).toEqual({ layoutId: 3, profileId: 0 })
  expect(layoutsOf(document)).toEqual([...startLayouts, '3: schema 1, profile 0, compact 7'])
})

test.each([
  { name: 'learned', words: {} },
  { name: 'learned with a compact version', words: { versionFormat: compact } },
  { name: 'plain with a compact version', words: { profile: 0, versionFormat: compact } },
])('the same request again finds its layout: $name', ({ words }) => {
  const once = register(first, words)
  const again = register(once.document, words)
  expect(again).toEqual(once)
  expect(again.document).toBe(once.document)
})

test('the plain layout with full versions is always there', () => {
  expect(register(first, { profile: 0 })).toEqual({ document: first, layoutId: 2, profileId: 0 })
})

test('a profile is known again whatever its id, its sample and the order of its features', () => {
  const { document } = register(first)
  const profile = { ...integerProfile([2, 1]), id: 9, sampleRowCount: 3 }
  expect(register(document, { profile })).toEqual({ document, layoutId: 3, profileId: 1 })
  expect(register(document, { profile: 1 })).toEqual({ document, layoutId: 3, profileId: 1 })
  const other = register(document, { profile: integerProfile([1, 2], 5n) })
  expect(other).toMatchObject({ layoutId: 4, profileId: 2 })
})

test.each<{ name: string; words: Partial<CompactVersion> }>([
  { name: 'the least event time', words: { eventBaseUs: 1n - 2n ** 53n, eventBytes: 0 } },
  {
    name: 'the greatest event time',
    words: { eventBaseUs: 2n ** 53n - 256n, eventUnitUs: 1n, eventBytes: 1 },
  },
  { name: 'the greatest sequence', words: { sequence: 2n ** 63n - 1n } },
])('a version may reach $name', ({ words }) => {
  const planned = register(first, { versionFormat: { ...compact, ...words } })
  expect(planned).toMatchObject({ layoutId: 4, profileId: 1 })
})

test('versions that differ in anything are different layouts', () => {
  const versions = [
    compact,
    { ...compact, eventBaseUs: 0n },
    { ...compact, eventUnitUs: 1n },
    { ...compact, eventBytes: 0 },
    { ...compact, sequence: 8n },
  ]
  let document = first
  const ids = versions.map((versionFormat) => {
    const planned = register(document, { versionFormat })
    document = planned.document
    return planned.layoutId
  })
  expect(ids).toEqual([4, 5, 6, 7, 8])
})

describe('layouts over the life of a view', () => {
  let learned: RegistryDocument
  beforeEach(() => {
    learned = register(first, { versionFormat: compact }).document
  })

  const lastLayouts = (document: RegistryDocument) =>
    layoutsOf(document).slice(layoutsOf(learned).length)

  test.each([
    { name: 'adding a feature', features: [f, g, h], ids: [1, 2, 3] },
    { name: 'dropping a feature', features: [g], ids: [2] },
  ])('$name gives a plain layout and one of the newest profile', ({ features, ids }) => {
    const next = withFeatures(learned, ...features)
    expect(lastLayouts(next)).toEqual([
      '5: schema 2, profile 0, full',
      '6: schema 2, profile 1, full',
    ])
    expect(next.views[0]?.schemas.at(-1)?.features.map(({ id }) => id)).toEqual(ids)
    expect(next.views[0]?.profiles).toEqual(learned.views[0]?.profiles)
  })

  test('a feature dropped and added again is new to the profile', () => {
    const again = withFeatures(withFeatures(learned, g), f, g)
    expect(lastLayouts(again).slice(2)).toEqual([
      '7: schema 3, profile 0, full',
      '8: schema 3, profile 1, full',
    ])
    expect(again.views[0]?.schemas.at(-1)?.features.map(({ id }) => id)).toEqual([3, 2])
    expect([...(again.views[0]?.profiles[0]?.encodings.keys() ?? [])]).toEqual([1, 2])
  })

  test.each([
    { name: 'another order', features: [g, f] },
    { name: 'another default', features: ['{ name: f, type: int32, default: 3 }', g] },
  ])('$name leaves layouts as they are', ({ features }) => {
    const next = withFeatures(learned, ...features)
    expect(next.version).toBe(3)
    expect(next.views[0]?.layouts).toBe(learned.views[0]?.layouts)
    expect(next.views[0]?.profiles).toBe(learned.views[0]?.profiles)
  })

  test('a new profile is what later schema versions are given', () => {
    const profile = integerProfile([1, 2], 100n)
    const { document } = register(learned, { profile })
    expect(lastLayouts(document)).toEqual(['5: schema 1, profile 2, full'])
    expect(lastLayouts(withFeatures(document, f, g, h)).slice(1)).toEqual([
      '6: schema 2, profile 0, full',
      '7: schema 2, profile 2, full',
    ])
  })

  test('an older schema version takes layouts still, of its own features', () => {
    const next = withFeatures(learned, f, g, h)
    const versionFormat = { ...compact, sequence: 9n }
    const { document } = register(next, { profile: 1, versionFormat })
    expect(lastLayouts(document).at(-1)).toBe('7: schema 1, profile 1, compact 9')
  })
})

describe('a registration is refused', () => {
  test.each([
    {
      name: 'for an unknown view',
      words: { view: 'w' },
      error: { code: 'not_found', message: 'no feature view \'w\': did you mean "v"?' },
    },
    {
      name: 'for an unknown schema version',
      words: { schemaVersion: 2 },
      error: {
        code: 'invalid_argument',
        message: "view 'v' has no readable schema version 2; the current one is 1",
      },
    },
    {
      name: 'for an unknown profile',
      words: { profile: 1 },
      error: {
        code: 'invalid_argument',
        message: "view 'v' has no profile 1: it has no learned profile",
      },
    },
    {
      name: 'for a profile of features that the schema lacks',
      words: { profile: integerProfile([1, 3]) },
      error: { code: 'invalid_argument', message: expect.stringContaining('feature 3') },
    },
    {
      name: 'for too many event bytes',
      words: { versionFormat: { ...compact, eventBytes: 7 } },
      error: { code: 'invalid_argument', message: 'version: event_bytes is 7: it must be 0 to 6' },
    },
    {
      name: 'for a unit of nothing',
      words: { versionFormat: { ...compact, eventUnitUs: 0n } },
      error: {
        code: 'invalid_argument',
        message: 'version: event_unit_us is 0: it must be at least 1',
      },
    },
    {
      name: 'for a base beyond 2^53',
      words: { versionFormat: { ...compact, eventBaseUs: -(2n ** 53n) } },
      error: {
        code: 'invalid_argument',
        message: 'version: event_base_us is -9007199254740992: it must be below 2^53 in magnitude',
      },
    },
    {
      name: 'for event times beyond 2^53',
      words: { versionFormat: { ...compact, eventBaseUs: 0n, eventUnitUs: 2n ** 30n } },
      error: {
        code: 'invalid_argument',
        message:
          'version: its latest event time would be 18014397435740160 us: it must be below 2^53 in magnitude',
      },
    },
    {
      name: 'for event times up to 2^53',
      words: {
        versionFormat: {
          ...compact,
          eventBaseUs: 2n ** 53n - 255n,
          eventUnitUs: 1n,
          eventBytes: 1,
        },
      },
      error: {
        code: 'invalid_argument',
        message:
          'version: its latest event time would be 9007199254740992 us: it must be below 2^53 in magnitude',
      },
    },
    {
      name: 'for a sequence beyond 63 bits',
      words: { versionFormat: { ...compact, sequence: 2n ** 63n } },
      error: {
        code: 'invalid_argument',
        message: 'version: sequence is 9223372036854775808: it must be 1 to 2^63 - 1',
      },
    },
    {
      name: 'for no sequence',
      words: { versionFormat: { ...compact, sequence: 0n } },
      error: {
        code: 'invalid_argument',
        message: 'version: sequence is 0: it must be 1 to 2^63 - 1',
      },
    },
  ])('$name', ({ words, error }) => {
    expect(() => register(first, words)).toThrow(expect.objectContaining(error))
    expect(() => register(first, words)).toThrow(LarderError)
  })

  test('beyond the layouts of a view, though a new schema version is still given its own', () => {
    let document = first
    for (let sequence = 1n; document.views[0]?.layouts.length !== layoutsPerViewMax; sequence++) {
      document = register(document, { versionFormat: { ...compact, sequence } }).document
    }
    expect(() => register(document, { versionFormat: { ...compact, sequence: 5000n } })).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message:
          "view 'v' has 1000 layouts, at most 1000 can be registered: rows are written in those that it has",
      }),
    )
    expect(layoutsOf(withFeatures(document, f)).slice(layoutsPerViewMax)).toEqual([
      '1002: schema 2, profile 0, full',
      '1003: schema 2, profile 1, full',
    ])
  })

  test('beyond the profiles of a view', () => {
    let document = first
    for (let base = 1n; base <= BigInt(profilesPerViewMax); base++) {
      document = register(document, { profile: integerProfile([1], base) }).document
    }
    expect(() => register(document)).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message:
          "view 'v' has 64 profiles, at most 64 are possible: register a layout of one of them",
      }),
    )
  })
})
