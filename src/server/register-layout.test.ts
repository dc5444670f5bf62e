import { beforeEach, describe, expect, test } from 'vitest'
import { applyDefinitions } from '../../test/support/defined-registry.js'
import { integerProfile } from '../../test/support/integer-profile.js'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { LarderError } from '../errors.js'
import { RegisterLayoutRequest } from '../gen/larder/v1/admin.js'
import { batchIdBytesMax } from '../limits.js'
import { encodeProfile } from '../profile-json.js'
import { type RegisterLayoutTools, registerLayout } from './register-layout.js'
import { createSequencer } from './sequencer.js'

const definitions = `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: count, type: int32 }]
`
const signal = new AbortController().signal
const version = { eventBaseUs: 60_000_000n, eventUnitUs: 1_000_000n, eventBytes: 2 }
const learned = {
  $case: 'profileJson',
  value: JSON.stringify(encodeProfile(integerProfile([1]))),
} as const

let clock: ManualClock
let tools: RegisterLayoutTools
beforeEach(async () => {
  clock = createManualClock(Date.UTC(2026, 0, 1))
  const registryStore = createMemoryRegistryStore()
  tools = {
    registry: await applyDefinitions(registryStore, definitions),
    registryStore,
    sequencer: createSequencer(clock, () => 3),
    assertMayWrite: () => {},
    clock,
  }
})

/** Over the wire and back: what is absent there is absent here. */
function requestOf(words: Partial<RegisterLayoutRequest>): RegisterLayoutRequest {
  const whole = RegisterLayoutRequest.fromPartial({
    view: 'sales',
    schemaVersion: 1,
    profile: learned,
    ...words,
  })
  return RegisterLayoutRequest.decode(RegisterLayoutRequest.encode(whole).finish())
}

const register = (words: Partial<RegisterLayoutRequest> = {}) =>
  registerLayout(tools, requestOf(words), signal)
const layouts = () => tools.registry.current().views.get('sales')?.layouts ?? []

test('a learned profile is registered with full versions', async () => {
  const response = await register()
  expect(response).toEqual({ registryVersion: 2n, layoutId: 3, profileId: 1, sequence: 0n })
  expect(layouts()).toMatchObject([{ id: 2 }, { id: 3, profile: { id: 1 }, versionFormat: 'full' }])
})

test("a load's rows share a sequence, which its layout has", async () => {
  const response = await register({ version, loadId: 'files' })
  expect(response).toMatchObject({ registryVersion: 2n, layoutId: 4, profileId: 1 })
  expect(response.sequence).toBeGreaterThan(0n)
  const versionFormat = { ...version, sequence: response.sequence }
  expect(layouts().at(-1)).toMatchObject({ id: 4, versionFormat })
})

test('the same load later has the same sequence and layout, another one its own', async () => {
  const first = await register({ version, loadId: 'files' })
  clock.advance(3_600_000)
  expect(await register({ version, loadId: 'files' })).toEqual(first)
  const other = await register({ version, loadId: 'other files' })
  expect(other).toMatchObject({ layoutId: 5, profileId: 1 })
  expect(other.sequence).toBeGreaterThan(first.sequence)
})

test('plain rows take a compact version too, and a known profile another layout', async () => {
  const plain = { $case: 'profileId', value: 0 } as const
  expect(await register({ profile: plain, version, loadId: 'a' })).toMatchObject({
    layoutId: 3,
    profileId: 0,
  })
  await register()
  const known = { $case: 'profileId', value: 1 } as const
  expect(await register({ profile: known, version, loadId: 'a' })).toMatchObject({
    layoutId: 5,
    profileId: 1,
  })
})

test('a load id is no batch id', async () => {
  const sequence = 5n
  await tools.registryStore.recordBatch({ batchId: 'files', sequence, receivedAtMs: 0 }, signal)
  const response = await register({ version, loadId: 'files' })
  expect(response.sequence).not.toBe(sequence)
})

test('a load id may have as many bytes as a batch id', async () => {
  const response = await register({ version, loadId: 'ä'.repeat(batchIdBytesMax / 2) })
  expect(response.sequence).toBeGreaterThan(0n)
})

test('a load into an unknown view is given no sequence', async () => {
  const given: string[] = []
  const { registryStore } = tools
  tools = {
    ...tools,
    registryStore: {
      ...registryStore,
      recordBatch(batch, abort) {
        given.push(batch.batchId)
        return registryStore.recordBatch(batch, abort)
      },
    },
  }
  const unknown = register({ view: 'sale', version, loadId: 'files' })
  await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
  await register({ version, loadId: 'other files' })
  expect(given).toEqual(['larder:load:other files'])
})

describe('a request is refused, and registers nothing', () => {
  test.each([
    {
      name: 'without a profile',
      words: { profile: undefined },
      error: { code: 'invalid_argument', message: 'the request names no profile' },
    },
    {
      name: 'with a profile that is no JSON',
      words: { profile: { $case: 'profileJson', value: '{' } as const },
      error: { code: 'invalid_argument', message: 'the encoding profile is not JSON' },
    },
    {
      name: 'with a profile of another view',
      words: {
        profile: {
          $case: 'profileJson',
          value: JSON.stringify(encodeProfile(integerProfile([7]))),
        } as const,
      },
      error: { code: 'invalid_argument', message: expect.stringContaining('feature 7') },
    },
    {
      name: 'with a version and no load id',
      words: { version },
      error: {
        code: 'invalid_argument',
        message: 'load_id has 0 bytes, it must have 1 to 128',
      },
    },
    {
      name: 'with too long a load id',
      words: { version, loadId: 'ä'.repeat(batchIdBytesMax / 2 + 1) },
      error: {
        code: 'invalid_argument',
        message: 'load_id has 130 bytes, it must have 1 to 128',
      },
    },
    {
      name: 'with a NUL in the load id',
      words: { version, loadId: 'a\0b' },
      error: { code: 'invalid_argument', message: 'load_id has a NUL character' },
    },
    {
      name: 'with a load id and no version',
      words: { loadId: 'files' },
      error: {
        code: 'invalid_argument',
        message: "load_id 'files' goes with a version only",
      },
    },
    {
      name: 'with a version out of bounds',
      words: { version: { ...version, eventBytes: 9 }, loadId: 'files' },
      error: { code: 'invalid_argument', message: expect.stringContaining('event_bytes is 9') },
    },
    {
      name: 'for an unknown view',
      words: { view: 'sale' },
      error: { code: 'not_found', message: 'no feature view \'sale\': did you mean "sales"?' },
    },
  ])('$name', async ({ words, error }) => {
    await expect(register(words)).rejects.toMatchObject(error)
    expect(tools.registry.current().version).toBe(1)
  })

  test('while the daemon does not hold its lease', async () => {
    const assertMayWrite = () => {
      throw new LarderError('unavailable', 'the lease is lost')
    }
    tools = { ...tools, assertMayWrite }
    await expect(register({ version, loadId: 'files' })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})
