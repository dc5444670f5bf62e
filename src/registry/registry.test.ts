import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
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

describe('a stored document', () => {
  const text = encodeDocument(emptyDocument, fingerprint)

  test('is read as it was written', () => {
    const document = decodeDocument({ version: 0, documentJson: text }, fingerprint)
    expect(document).toEqual(emptyDocument)
  })

  test.each([
    {
      name: 'of a newer format',
      documentJson: text.replace('"format":1', '"format":2'),
      error: {
        code: 'refused',
        message: 'registry version 4 has format 2: this daemon reads up to 1: upgrade it',
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
    expect(() => decodeDocument({ version: 4, documentJson }, fingerprint)).toThrow(
      expect.objectContaining(error),
    )
  })
})
