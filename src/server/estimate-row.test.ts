import { expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import type { CodeClass, FeatureEncoding } from '../encoding-profile.js'
import type { FeatureView } from '../registry/snapshot.js'
import { estimateKeyBytes, estimateRowBytes } from './estimate-row.js'

const signal = new AbortController().signal

/** A view of one feature, and what it has learned of it. */
async function viewOf(type: string, encoding?: FeatureEncoding, eventBytes?: number) {
  const text = `
entities: [{ name: stay, keys: { user: int64, shop: string } }]
feature_views:
  - name: visits
    entity: stay
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features: [{ name: f, type: "${type}" }]
`
  const registry = await applyDefinitions(createMemoryRegistryStore(), text)
  const compact = { eventBaseUs: 0n, eventUnitUs: 1n, eventBytes: eventBytes ?? 0, sequence: 1n }
  const encodings = new Map(encoding === undefined ? [] : [[1, encoding]])
  await registry.registerLayout(
    {
      view: 'visits',
      schemaVersion: 1,
      profile: encoding === undefined ? 0 : { id: 0, encodings, sampleRowCount: 1 },
      versionFormat: eventBytes === undefined ? 'full' : compact,
    },
    signal,
  )
  const view: FeatureView | undefined = registry.current().views.get('visits')
  if (view === undefined) throw new Error('the view is defined')
  return view
}

test('a key has the bytes of its join keys, texts assumed', async () => {
  expect(estimateKeyBytes(await viewOf('bool'))).toBe(8 + 11)
})

const headerBytes = 17

test.each([
  { type: 'bool', bytes: 2 },
  { type: 'float64', bytes: 9 },
  { type: 'string', bytes: 12 },
  { type: 'list<int16>', bytes: 18 },
  { type: 'embedding<64, f32>', bytes: 257 },
  { type: 'embedding<64, f16>', bytes: 129 },
  { type: 'embedding<64, int8>', bytes: 69 },
])('a plain row of $type has its width and a presence bit', async ({ type, bytes }) => {
  expect(estimateRowBytes(await viewOf(type))).toBe(headerBytes + bytes)
})

test("a load's rows have the version bytes of their layout", async () => {
  expect(estimateRowBytes(await viewOf('bool', undefined, 3))).toBe(1 + 3 + 2)
})

const range = (prefixBits: number, base: bigint, width: number): CodeClass => {
  return { kind: 'range', prefixBits, base, width, exponent: 0 }
}
const integer = { kind: 'integer', unit: 1n } as const

/** With the bit that says whether a row has exceptions, in whole bytes. */
const bytesOf = (bits: number) => headerBytes + Math.ceil((1 + bits) / 8)

test.each<{ name: string; type: string; encoding: FeatureEncoding; bits: number }>([
  { name: 'plain', type: 'int32', encoding: { kind: 'plain' }, bits: 33 },
  {
    name: 'coded, half of it null',
    type: 'int32',
    encoding: {
      kind: 'coded',
      coding: { mapping: integer, classes: [{ kind: 'null', prefixBits: 1 }, range(1, 0n, 20)] },
    },
    bits: 1 + 10,
  },
  {
    name: 'coded, half of it literal',
    type: 'int64',
    encoding: {
      kind: 'coded',
      coding: { mapping: integer, classes: [{ kind: 'literal', prefixBits: 1 }, range(1, 0n, 8)] },
    },
    bits: 1 + 32 + 4,
  },
  {
    name: 'a packed list of 4 to 11 elements',
    type: 'list<int32>',
    encoding: {
      kind: 'packed_list',
      lengths: [range(0, 4n, 3)],
      elements: { mapping: integer, classes: [range(0, 0n, 5)] },
    },
    bits: 3 + 7.5 * 5,
  },
  {
    name: 'an int8 embedding with its scale',
    type: 'embedding<16, int8>',
    encoding: {
      kind: 'packed_list',
      lengths: [range(0, 16n, 0)],
      elements: { mapping: integer, classes: [range(0, -64n, 7)] },
    },
    bits: 32 + 16 * 7,
  },
  {
    name: 'a block of 0 to 63 bytes',
    type: 'string',
    encoding: { kind: 'block', lengths: [range(0, 0n, 6)], lz4BytesMin: undefined },
    bits: 6 + 31.5 * 8,
  },
])('a learned row counts the mean of its codes: $name', async ({ type, encoding, bits }) => {
  expect(estimateRowBytes(await viewOf(type, encoding))).toBe(bytesOf(bits))
})
