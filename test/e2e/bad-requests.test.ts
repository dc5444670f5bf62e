/**
 * Reads and deletes that are wrong: each is refused whole, with a message that names the thing, the
 * value and the bound.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import type { GetFeaturesOptions } from '../../src/client/start-call.js'
import { cellStatus } from '../../src/column.js'
import {
  type E2eDaemon,
  freshTiers,
  hourUs,
  nowUs,
  startDaemon,
  type TierUrls,
} from '../support/e2e-daemon.js'
import { countStored } from '../support/e2e-stored-rows.js'
import { pages, textColumn, userDefinitions, users } from '../support/e2e-user-views.js'

const { present, unavailable } = cellStatus

let tiers: TierUrls
let daemon: E2eDaemon

beforeAll(async () => {
  tiers = await freshTiers('embedded')
  const limits = { requestRows: 10, batchRows: 20 }
  daemon = await startDaemon({ tiers, definitions: userDefinitions, limits })
})
afterAll(() => daemon.stop())

describe('GetFeatures', () => {
  const many = Array.from({ length: 11 }, (_, index) => `u${index}`)
  const twice = { view: 'profile', keys: [users('a')] }

  test.each<[string, GetFeaturesOptions, string, string, readonly string[]]>([
    [
      'an unknown view',
      { view: 'profil', keys: [users('a')] },
      'not_found',
      'not_found',
      ["no feature view 'profil'", 'profile'],
    ],
    [
      'an unknown service',
      { service: 'everthing', keys: [users('a')] },
      'not_found',
      'not_found',
      ["no feature service 'everthing'", 'everything'],
    ],
    [
      'a missing join key',
      { service: 'everything', keys: [users('a')] },
      'invalid_argument',
      'invalid_argument',
      ["key column 'page' (int32) is missing", "view 'visits'"],
    ],
    [
      'no keys at all',
      { view: 'profile', keys: [] },
      'invalid_argument',
      'invalid_argument',
      ["key column 'user' (string) is missing"],
    ],
    [
      'a misspelt join key',
      { view: 'profile', keys: [users('a'), column.strings('usr', ['a'])] },
      'invalid_argument',
      'invalid_argument',
      ["no key column 'usr'", 'user'],
    ],
    [
      'one key column twice',
      { view: 'profile', keys: [users('a'), users('b')] },
      'invalid_argument',
      'invalid_argument',
      ["'user' is there twice"],
    ],
    [
      'a join key of another type',
      { view: 'profile', keys: [column.int32('user', [7])] },
      'invalid_argument',
      'invalid_argument',
      ["'user'", 'type string is sent as var', 'not as f64'],
    ],
    [
      'a number that is no int32',
      { view: 'visits', keys: [users('a'), column.float64('page', [0.5])] },
      'invalid_argument',
      'invalid_argument',
      ["'page'", 'row 0', '0.5 is not a whole number'],
    ],
    [
      'an int64 beyond int32',
      { view: 'visits', keys: [users('a', 'b'), column.int64('page', [1n, 2147483648n])] },
      'invalid_argument',
      'invalid_argument',
      ["'page'", 'row 1', '2147483648', '2147483647'],
    ],
    [
      'a null key',
      { view: 'profile', keys: [column.fromValues('user', 'string', ['a', null])] },
      'invalid_argument',
      'invalid_argument',
      ["'user'", 'row 1', 'NULL_VALUE', 'must have a value'],
    ],
    [
      'a key that is not UTF-8',
      { view: 'profile', keys: [textColumn('user', [0x61, 0xff], [1, 1])] },
      'invalid_argument',
      'invalid_argument',
      ["'user'", 'row 1', 'UTF-8'],
    ],
    [
      'an over-long key',
      { view: 'profile', keys: [users('a'.repeat(1025))] },
      'invalid_argument',
      'invalid_argument',
      ["'user'", 'row 0', '1025', '1024'],
    ],
    [
      'ragged key columns',
      { view: 'visits', keys: [users('a', 'b'), pages(1, 2, 3)] },
      'invalid_argument',
      'invalid_argument',
      ["'user' has 2 rows", "'page' has 3"],
    ],
    [
      'half a number',
      {
        view: 'visits',
        keys: [users('a'), column.fromWire('page', { $case: 'f64', value: Buffer.alloc(12) })],
      },
      'invalid_argument',
      'invalid_argument',
      ["'page'", 'whole number of f64'],
    ],
    [
      'lengths that do not add up',
      { view: 'profile', keys: [textColumn('user', [0x61], [1, 4000000000])] },
      'invalid_argument',
      'invalid_argument',
      ["'user'", '4000000001', '1'],
    ],
    [
      'a status for too few cells',
      {
        view: 'profile',
        keys: [textColumn('user', [0x61, 0x62], [1, 1], Uint8Array.of(present))],
      },
      'invalid_argument',
      'invalid_argument',
      ["'user'", '2', '1'],
    ],
    [
      'a status that a key cannot have',
      {
        view: 'profile',
        keys: [textColumn('user', [0x61], [1], Uint8Array.of(unavailable))],
      },
      'invalid_argument',
      'invalid_argument',
      ["'user'", 'row 0', 'UNAVAILABLE'],
    ],
    [
      'no rows',
      { view: 'profile', keys: [users()] },
      'invalid_argument',
      'invalid_argument',
      ["'user' is empty"],
    ],
    [
      'too many rows',
      { view: 'profile', keys: [users(...many)] },
      'resource_exhausted',
      'resource_exhausted',
      ["'user' has 11 rows", 'at most 10'],
    ],
    [
      'an unknown feature',
      { ...twice, features: ['profile.aeg'] },
      'invalid_argument',
      'invalid_argument',
      ["view 'profile' has no feature 'profile.aeg'", 'profile.age'],
    ],
    [
      'a feature asked twice',
      { ...twice, features: ['profile.age', 'profile.age'] },
      'invalid_argument',
      'invalid_argument',
      ["'profile.age' is asked twice"],
    ],
  ])('%s', async (_, request, code, larderCode, parts) => {
    const failing = daemon.client.getFeatures(request)
    await expect(failing).rejects.toMatchObject({ code, details: { larderCode } })
    for (const part of parts) await expect(failing).rejects.toThrow(part)
  })
})

describe('DeleteEntities', () => {
  const entity = 'visit'
  test.each([
    ['an unknown entity', { entity: 'vist', keys: [users('a')] }, 'not_found', ["'vist'", 'visit']],
    [
      'a key of another entity',
      { entity: 'user', keys: [users('a'), pages(1)] },
      'invalid_argument',
      ["'user' has no join key 'page'"],
    ],
    [
      'part of a key without saying so',
      { entity, keys: [users('a')] },
      'invalid_argument',
      ['page', 'set partial'],
    ],
    ['no key', { entity, keys: [], partial: true }, 'invalid_argument', ['at least one join key']],
    [
      'an event time in the far future',
      { entity, keys: [users('a'), pages(1)], eventTimeUs: nowUs + 2n * hourUs },
      'invalid_argument',
      [String(nowUs + 2n * hourUs), String(nowUs + hourUs)],
    ],
    [
      'a null key',
      { entity: 'user', keys: [column.fromValues('user', 'string', [null])] },
      'invalid_argument',
      ["'user'", 'row 0', 'NULL_VALUE', 'must have a value'],
    ],
    [
      'ragged keys',
      { entity, keys: [users('a', 'b'), pages(1, 2, 3)] },
      'invalid_argument',
      ['ragged'],
    ],
    [
      'too many rows',
      { entity: 'user', keys: [users(...Array.from({ length: 21 }, String))] },
      'resource_exhausted',
      ['21', '20'],
    ],
  ] as const)('%s', async (_, request, code, parts) => {
    const failing = drain(daemon.client.deleteEntities(request))
    await expect(failing).rejects.toMatchObject({ code })
    for (const part of parts) await expect(failing).rejects.toThrow(part)
    expect(await countStored(tiers, 'visits')).toBe(0)
  })
})

async function drain(progress: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of progress) {
    // Only the end matters.
  }
}
