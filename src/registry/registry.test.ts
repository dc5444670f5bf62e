import { beforeEach, describe, expect, test } from 'vitest'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { profilesPerViewMax } from '../limits.js'
import { decodeDocument, emptyDocument, encodeDocument } from './document.js'
import { createRegistry, type DefinitionSource, type Registry } from './registry.js'
import type { RegistryStore } from './registry-store.js'

const signal = AbortSignal.timeout(60_000)
const one = source(`entities: [{ name: user, keys: { id: int64 } }]
feature_views:
  - name: clicks
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features:
      - { name: count, type: int64, default: 9007199254740993 }
      - { name: profile, type: "embedding<2, f16>", default: [.nan, -0.0] }
    source: { path: clicks.csv, event_time: at }
feature_services:
  - name: ranking
    views: [{ view: clicks, as: reader, keys: { id: reader_id } }, { view: clicks, as: writer, keys: { id: writer_id } }]
`)
const two = source('entities: [{ name: user, keys: { id: int64 } }]')

function source(text: string): DefinitionSource {
  return { kind: 'files', files: [{ path: 'a.yaml', text }] }
}

/** FNV-1a: any function of the bytes will do here. */
function fingerprint(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

let store: RegistryStore
let registry: Registry
beforeEach(() => {
  store = createMemoryRegistryStore()
  registry = createRegistry(store, { fingerprint })
})

const apply = (definitions: DefinitionSource, allowDrop = false, expectedVersion = 0) =>
  registry.apply({ source: definitions, allowDrop, expectedVersion }, signal)

test('what is applied is current, here at once and elsewhere after a refresh', async () => {
  const other = createRegistry(store, { fingerprint })
  const swapped: number[] = []
  registry.onSwap(({ version }) => swapped.push(version))
  const result = await apply(one)
  expect(result).toMatchObject({ version: 1, snapshot: registry.current() })
  expect(swapped).toEqual([1])
  expect(other.current().version).toBe(0)
  await other.refresh(signal)
  expect(other.current()).toEqual(registry.current())
})

test('the snapshot has every reference resolved', async () => {
  const { snapshot } = await apply(one)
  const service = snapshot.services.get('ranking')
  const view = snapshot.views.get('clicks')
  expect(service?.keys).toEqual([
    { name: 'reader_id', type: 'int64' },
    { name: 'writer_id', type: 'int64' },
  ])
  expect(service?.features.map(({ name }) => name)).toEqual([
    'reader.count',
    'reader.profile',
    'writer.count',
    'writer.profile',
  ])
  expect(service?.views[1]?.view).toBe(view)
  expect(view?.entity).toBe(snapshot.entities.get('user'))
  expect(view?.features.map(({ defaultValue }) => defaultValue)).toEqual([
    9007199254740993n,
    [Number.NaN, -0],
  ])
  expect(Object.isFrozen(view)).toBe(true)
})

test('applying again changes nothing and makes no version', async () => {
  await apply(one)
  expect(await apply(one)).toMatchObject({ version: 1, changes: [] })
  expect(await store.latestVersion(signal)).toBe(1)
})

test('a plan changes nothing', async () => {
  const result = await registry.plan(one, signal)
  expect(result).toMatchObject({ version: 0, snapshot: { version: 1 } })
  expect(result.changes.map(({ kind }) => kind)).toEqual([
    'entity',
    'feature view',
    'feature service',
  ])
  expect(await store.latestVersion(signal)).toBe(0)
})

test('an earlier version can be applied again', async () => {
  await apply(one)
  await apply(two, true)
  expect(registry.current().views.size).toBe(0)
  await apply({ kind: 'version', version: 1 })
  expect(registry.current()).toMatchObject({ version: 3 })
  expect(registry.current().views.get('clicks')).toMatchObject({ generation: 2 })
})

describe('an apply is refused', () => {
  beforeEach(() => apply(one))

  test.each([
    {
      name: 'a drop without leave',
      error: {
        code: 'refused',
        message:
          'this drops feature view clicks, feature service ranking: allow it with --allow-drop',
      },
      request: { source: two, allowDrop: false, expectedVersion: 0 },
    },
    {
      name: 'another version than expected',
      error: { code: 'conflict', message: 'the registry is at version 1, not 7: plan again' },
      request: { source: one, allowDrop: false, expectedVersion: 7 },
    },
    {
      name: 'an unknown version',
      error: { code: 'not_found', message: 'there is no registry version 5: the newest is 1' },
      request: {
        source: { kind: 'version', version: 5 } as const,
        allowDrop: false,
        expectedVersion: 0,
      },
    },
    {
      name: 'bad definitions',
      error: { code: 'bad_definitions' },
      request: { source: source('entities: 1'), allowDrop: true, expectedVersion: 0 },
    },
  ])('for $name', async ({ request, error }) => {
    await expect(registry.apply(request, signal)).rejects.toMatchObject(error)
    expect(await store.latestVersion(signal)).toBe(1)
  })

  test('for a change of type, which a drop does not allow', async () => {
    const changed = source('entities: [{ name: user, keys: { id: string } }]')
    const retyped = {
      ...one,
      files: [
        {
          path: 'a.yaml',
          text: textOf(one).replace('type: int64', 'type: int32').replace('9007199254740993', '1'),
        },
      ],
    }
    await expect(apply(retyped, true)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(
        'feature clicks.count: int64 default 9007199254740993 -> int32 default 1',
      ),
    })
    await apply(changed, true)
    expect(registry.current().version).toBe(2)
  })

  test('where somebody else was first', async () => {
    const other = createRegistry(store, { fingerprint })
    const racing: RegistryStore = {
      ...store,
      async appendDocument(version, text) {
        await other.apply({ source: two, allowDrop: true, expectedVersion: 0 }, signal)
        await store.appendDocument(version, text, signal)
      },
    }
    const slower = createRegistry(racing, { fingerprint })
    const changed = source(`${textOf(one)}# \n`.replace('ttl: 1h', 'ttl: 2h'))
    const request = { source: changed, allowDrop: false, expectedVersion: 0 }
    await expect(slower.apply(request, signal)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('where two sets of definitions have one fingerprint', async () => {
    const blind = createRegistry(createMemoryRegistryStore(), { fingerprint: () => 7n })
    const request = { source: one, allowDrop: false, expectedVersion: 0 }
    await expect(blind.apply(request, signal)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('the definitions cannot be told apart'),
    })
    expect(blind.current().version).toBe(0)
  })
})

function textOf(definitions: DefinitionSource): string {
  return definitions.kind === 'files' ? (definitions.files[0]?.text ?? '') : ''
}

/** Each feature has one of very many long words. */
function wordsProfile(featureIds: readonly number[], word: string): EncodingProfile {
  const values = Array.from({ length: 4096 }, (_, index) => Buffer.from(`${word} ${index}`))
  const code = { kind: 'range', prefixBits: 0, base: 0n, width: 12, exponent: 0 } as const
  const coding = { mapping: { kind: 'dictionary', values } as const, classes: [code] }
  const encodings = new Map(featureIds.map((id) => [id, { kind: 'coded', coding } as const]))
  return { id: 0, encodings, sampleRowCount: 1 }
}

describe('registering a layout', () => {
  const versionFormat = {
    eventBaseUs: -1n,
    eventUnitUs: 60_000_000n,
    eventBytes: 2,
    sequence: 2n ** 60n + 1n,
  }
  const request = { view: 'clicks', schemaVersion: 1, profile: integerProfile([1]), versionFormat }
  beforeEach(() => apply(one))

  const layoutsOf = (from: Registry) => from.current().views.get('clicks')?.layouts ?? []

  test('makes a version that other daemons read back whole', async () => {
    const other = createRegistry(store, { fingerprint })
    await other.refresh(signal)
    const [plain] = layoutsOf(other)
    const swapped: number[] = []
    other.onSwap(({ version }) => swapped.push(version))
    expect(await registry.registerLayout(request, signal)).toEqual({
      version: 2,
      layoutId: 4,
      profileId: 1,
    })
    await other.refresh(signal)
    expect(swapped).toEqual([2])
    const profile = { ...integerProfile([1]), id: 1 }
    expect(layoutsOf(other)).toEqual([
      { id: 2, schemaVersion: 1, profile: undefined, versionFormat: 'full' },
      { id: 3, schemaVersion: 1, profile, versionFormat: 'full' },
      { id: 4, schemaVersion: 1, profile, versionFormat },
    ])
    expect(layoutsOf(other)[0]).toBe(plain)
    expect(other.current()).toEqual(registry.current())
  })

  test('again makes no version', async () => {
    const once = await registry.registerLayout(request, signal)
    expect(await registry.registerLayout(request, signal)).toEqual(once)
    expect(await store.latestVersion(signal)).toBe(2)
  })

  test('leaves the definitions as they are: applying them again changes nothing', async () => {
    await registry.registerLayout(request, signal)
    expect(await apply(one)).toMatchObject({ version: 2, changes: [] })
    expect(await apply({ kind: 'version', version: 2 })).toMatchObject({ version: 2, changes: [] })
  })

  test('outlives an earlier version that is applied again', async () => {
    const later = source(textOf(one).replace('ttl: 1h', 'ttl: 2h'))
    await apply(later)
    await registry.registerLayout(request, signal)
    const layouts = layoutsOf(registry)
    await apply({ kind: 'version', version: 1 })
    expect(registry.current().views.get('clicks')?.ttlUs).toBe(3_600_000_000n)
    expect(layoutsOf(registry)).toEqual(layouts)
    expect(layoutsOf(registry)).toHaveLength(3)
  })

  test('is tried again where somebody else was first, and given up in the end', async () => {
    const rivals = (count: number): RegistryStore => {
      let left = count
      return {
        ...store,
        async appendDocument(version, text) {
          const other = createRegistry(store, { fingerprint })
          const sequence = BigInt(left)
          const rival = { ...request, versionFormat: { ...versionFormat, sequence } }
          if (left-- > 0) await other.registerLayout(rival, signal)
          await store.appendDocument(version, text, signal)
        },
      }
    }
    const slower = createRegistry(rivals(3), { fingerprint })
    expect(await slower.registerLayout(request, signal)).toEqual({
      version: 5,
      layoutId: 7,
      profileId: 1,
    })
    const slowest = createRegistry(rivals(100), { fingerprint })
    const late = { ...request, versionFormat: { ...versionFormat, sequence: 1000n } }
    await expect(slowest.registerLayout(late, signal)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('is refused where the registry would grow beyond its bound', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `f${index}`)
    const features = names.map((name) => `{ name: ${name}, type: string }`).join(', ')
    // Of megabytes the length is told apart faster than a hash.
    const large = createRegistry(createMemoryRegistryStore(), {
      fingerprint: ({ byteLength }) => BigInt(byteLength),
    })
    const definitions = source(`entities: [{ name: user, keys: { id: int64 } }]
feature_views:
  - { name: words, entity: user, latency_class: relaxed, ttl: 1h, retention: 1h, features: [${features}] }
`)
    await large.apply({ source: definitions, allowDrop: false, expectedVersion: 0 }, signal)
    const ids = names.map((_, index) => index + 1)
    const registerAll = async () => {
      for (let index = 0; index < profilesPerViewMax; index++) {
        const profile = wordsProfile(ids, `word ${index}`)
        await large.registerLayout({ ...request, view: 'words', profile }, signal)
      }
    }
    await expect(registerAll()).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(/^the registry would take \d+ bytes, at most 16777216 are/),
    })
    expect(large.current().views.get('words')?.layouts.length).toBeGreaterThan(10)
  })

  test('of a view that was dropped and added again starts anew', async () => {
    await registry.registerLayout(request, signal)
    await apply(two, true)
    await apply(one)
    expect(layoutsOf(registry)).toMatchObject([{ id: 2, versionFormat: 'full' }])
    expect(await registry.registerLayout(request, signal)).toMatchObject({ layoutId: 4 })
    expect(layoutsOf(registry).map(({ id }) => id)).toEqual([2, 3, 4])
  })
})

describe('a stored document', () => {
  const text = encodeDocument(emptyDocument, fingerprint)

  test('is read as it was written', () => {
    const document = decodeDocument({ version: 0, documentJson: text }, fingerprint, emptyDocument)
    expect(document).toEqual(emptyDocument)
  })

  test.each([
    {
      name: 'of another format',
      documentJson: text.replace('"format":2', '"format":3'),
      error: {
        code: 'refused',
        message:
          'registry version 4 has format 3: this daemon reads format 2: use the Larder that wrote it',
      },
    },
    {
      name: 'cut short',
      documentJson: text.slice(0, -1),
      error: { code: 'internal', message: 'registry version 4 is damaged: it is not JSON' },
    },
    {
      name: 'altered',
      documentJson: text.replace('"views":[]', '"views":[1]'),
      error: {
        code: 'internal',
        message: 'registry version 4 is damaged: its fingerprint does not match',
      },
    },
    {
      name: 'without a part',
      documentJson: text.replace('"files":[]', '"file":[]'),
      error: {
        code: 'internal',
        message:
          'registry version 4 is damaged: files: Invalid input: expected array, received undefined',
      },
    },
  ])('$name is refused', ({ documentJson, error }) => {
    expect(() => decodeDocument({ version: 4, documentJson }, fingerprint, emptyDocument)).toThrow(
      expect.objectContaining(error),
    )
  })
})
