/**
 * Batches that are wrong: each is refused whole, its bad rows are told, and nothing of it is stored.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn, type WriteBatch } from '../../src/client/index.js'
import { cellStatus } from '../../src/column.js'
import { formatInstant } from '../../src/instant.js'
import { messageBytesMax } from '../../src/limits.js'
import {
  dayUs,
  type E2eDaemon,
  freshTiers,
  hourUs,
  nowUs,
  startDaemon,
  type TierUrls,
} from '../support/e2e-daemon.js'
import { countStored } from '../support/e2e-stored-rows.js'
import { pages, textColumn, userDefinitions, users } from '../support/e2e-user-views.js'

const { notFound, present } = cellStatus

let tiers: TierUrls
let daemon: E2eDaemon

beforeAll(async () => {
  tiers = await freshTiers('embedded')
  const limits = { requestRows: 10, batchRows: 20 }
  daemon = await startDaemon({ tiers, definitions: userDefinitions, limits })
})
afterAll(() => daemon.stop())

/** A good batch of two rows, for a test to spoil. */
function batch(changes: Partial<WriteBatch> = {}): WriteBatch {
  return {
    batchId: 'batch',
    view: 'profile',
    schemaVersion: 1,
    keys: [users('a', 'b')],
    features: [age(1, 2), words('x', 'y'), paths([1], []), faces([1, 2], [3, 4])],
    eventTimesUs: BigInt64Array.of(nowUs, nowUs),
    ...changes,
  }
}
const age = (...values: readonly (number | null)[]) => column.fromValues('age', 'int16', values)
const words = (...values: readonly string[]) => column.strings('word', values)
const paths = (...values: readonly number[][]) => column.fromValues('path', 'list<int32>', values)
const faces = (...values: readonly number[][]) => column.fromValues('face', 'list<float32>', values)

/** The good features with one replaced. */
function withFeature(changed: RequestColumn): Partial<WriteBatch> {
  const features = batch().features.map((one) => (one.name === changed.name ? changed : one))
  return { features }
}

afterEach(async () => {
  expect(await countStored(tiers, 'profile')).toBe(0)
  const hot = await daemon.client.getFeatures({ view: 'profile', keys: [users('a', 'b')] })
  expect([...(hot.columns[0]?.status ?? [])]).toEqual([notFound, notFound])
})

const tooMany = Array.from({ length: 21 }, (_, index) => `u${index}`)

test.each<[string, Partial<WriteBatch>, string, readonly string[]]>([
  ['an unknown view', { view: 'profil' }, 'not_found', ["no feature view 'profil'", 'profile']],
  [
    'an unknown schema version',
    { schemaVersion: 7 },
    'invalid_argument',
    ["view 'profile'", 'schema version 7', 'current one is 1'],
  ],
  [
    'schema version 0',
    { schemaVersion: 0 },
    'invalid_argument',
    ['schema version 0', 'current one is 1'],
  ],
  ['an empty batch id', { batchId: '' }, 'invalid_argument', ['batch_id has 0 bytes', '128']],
  [
    'a batch id too long, in bytes',
    { batchId: 'ü'.repeat(65) },
    'invalid_argument',
    ['batch_id has 130 bytes', '128'],
  ],
  [
    'no rows',
    { keys: [users()], eventTimesUs: new BigInt64Array(0) },
    'invalid_argument',
    ['the batch has no rows'],
  ],
  [
    'too many rows',
    { keys: [users(...tooMany)], eventTimesUs: new BigInt64Array(21).fill(nowUs) },
    'resource_exhausted',
    ['21 rows', 'at most 20'],
  ],
  ['a missing join key', { keys: [] }, 'invalid_argument', ["key column 'user' of 'profile'"]],
  [
    'an extra key column',
    { keys: [users('a', 'b'), pages(1, 2)] },
    'invalid_argument',
    ["entity 'user' has no join key 'page'"],
  ],
  [
    'a key column of one cell for two rows',
    { keys: [users('a')] },
    'invalid_argument',
    ["'user' has 1 cells", '2'],
  ],
  [
    'a missing feature column',
    { features: batch().features.slice(1) },
    'invalid_argument',
    ["view 'profile', schema version 1", "feature column 'age' is missing"],
  ],
  [
    'a feature that the view does not have',
    { features: [...batch().features, column.int16('aeg', [1, 2])] },
    'invalid_argument',
    ["view 'profile', schema version 1, has no feature 'aeg'"],
  ],
  [
    'one feature column twice',
    { features: [...batch().features, age(1, 2)] },
    'invalid_argument',
    ["'age' is there twice"],
  ],
  [
    'a ragged feature column',
    withFeature(age(1, 2, 3)),
    'invalid_argument',
    ["'age' has 3 cells", '2'],
  ],
  [
    'a feature of another class',
    withFeature(column.strings('age', ['1', '2'])),
    'invalid_argument',
    ["column 'age'", 'sent as f32', 'not as var'],
  ],
  [
    'a list for a scalar',
    withFeature(column.fromValues('word', 'list<string>', [['x'], []])),
    'invalid_argument',
    ["column 'word'", 'type string is sent as var', 'not as list<var>'],
  ],
  [
    'a sequence far in the future',
    { sequence: 2n ** 63n },
    'invalid_argument',
    [`sequence ${2n ** 63n}`, '3600 s'],
  ],
])('%s', async (_, changes, code, parts) => {
  const ack = await write(batch(changes))
  expect(ack).toMatchObject({ durable: false, visible: false, storedCount: 0, error: { code } })
  expect(ack.error?.retryable).toBe(false)
  for (const part of parts) expect(ack.error?.message).toContain(part)
})

// One bad row, the second: the batch is refused whole, and told which and why.
test.each<[string, Partial<WriteBatch>, string, readonly string[]]>([
  [
    'a null key',
    { keys: [column.fromValues('user', 'string', ['a', null])] },
    'user',
    ['NULL_VALUE', 'must have a value'],
  ],
  [
    'a key that is not UTF-8',
    { keys: [textColumn('user', [0x61, 0xc3], [1, 1])] },
    'user',
    ['UTF-8'],
  ],
  ['an over-long key', { keys: [users('a', 'x'.repeat(1025))] }, 'user', ['1025', '1024']],
  [
    'an event time in the far future',
    { eventTimesUs: BigInt64Array.of(nowUs, nowUs + hourUs + 1n) },
    'event_times',
    [formatInstant(nowUs + hourUs + 1n), 'future', '3600 s', formatInstant(nowUs + hourUs)],
  ],
  [
    'an event time past retention',
    { eventTimesUs: BigInt64Array.of(nowUs, nowUs - 2n * dayUs - 1n) },
    'event_times',
    [formatInstant(nowUs - 2n * dayUs - 1n), 'expired', formatInstant(nowUs - 2n * dayUs)],
  ],
  [
    'a value beyond its type',
    withFeature(column.int32('age', [1, 40000])),
    'age',
    ['40000', '32767'],
  ],
  [
    'a fraction for an integer',
    withFeature(column.float64('age', [1, 1.5])),
    'age',
    ['1.5', 'whole'],
  ],
  ['NaN for an integer', withFeature(column.float64('age', [1, Number.NaN])), 'age', ['nan']],
  [
    'text that is not UTF-8',
    withFeature(textColumn('word', [0x78, 0xed, 0xa0, 0x80], [1, 3])),
    'word',
    ['UTF-8'],
  ],
  [
    'a text too long',
    withFeature(words('x', 'y'.repeat(256 * 1024 + 1))),
    'word',
    ['262145', '262144'],
  ],
  [
    'a list too long',
    withFeature(paths([1], new Array(65537).fill(0))),
    'path',
    ['65537', '65536'],
  ],
  ['an embedding of another length', withFeature(faces([1, 2], [1, 2, 3])), 'face', ['3', '2']],
  [
    'a status that cannot be written',
    withFeature(
      column.fromWire(
        'age',
        { $case: 'f32', value: Buffer.alloc(8) },
        Uint8Array.of(present, notFound),
      ),
    ),
    'age',
    ['NOT_FOUND', 'only PRESENT and NULL_VALUE'],
  ],
])('a row with %s', async (_, changes, badColumn, parts) => {
  const ack = await write(batch(changes))
  expect(ack).toMatchObject({ durable: false, visible: false, storedCount: 0, badRowCount: 1 })
  expect(ack.badRows).toEqual([
    { index: 1, column: badColumn, reason: expect.stringContaining(parts[0] ?? '') },
  ])
  for (const part of parts)
    expect(ack.badRows[0]?.reason.toLowerCase()).toContain(part.toLowerCase())
  expect(ack.error).toMatchObject({ code: 'invalid_argument', retryable: false })
  expect(ack.error?.message).toContain('1 of 2 rows are bad, nothing of the batch is stored')
})

test('every bad row is counted, the first hundred are told, at most once each', async () => {
  const eventTimesUs = BigInt64Array.of(nowUs, nowUs - 3n * dayUs)
  const ack = await write(batch({ eventTimesUs, keys: [users('a', 'x'.repeat(2000))] }))
  expect(ack.badRowCount).toBe(1)
  expect(new Set(ack.badRows.map(({ index }) => index))).toEqual(new Set([1]))
})

test('event times that are not whole numbers of 8 bytes', async () => {
  const ack = await write(batch({ eventTimesUs: halfTimes() }))
  expect(ack.error).toMatchObject({ code: 'invalid_argument' })
  expect(ack.error?.message).toContain('event_times has 12 bytes')
})

test('an acknowledgement that should wait too long', async () => {
  const writer = daemon.client.openWriter({ ackTimeoutMs: 60_001 })
  const ack = await writer.write(batch())
  await writer.close()
  expect(ack.error?.message).toContain('ack_timeout_ms is 60001, at most 60000')
})

test('a batch larger than a message', async () => {
  const text = 'x'.repeat(messageBytesMax / 2)
  const writing = write(batch(withFeature(words(text, text))))
  await expect(writing).rejects.toMatchObject({ code: 'resource_exhausted' })
})

test('a refused batch does not end the stream', async () => {
  const writer = daemon.client.openWriter()
  const acks = await Promise.all([
    writer.write(batch({ batchId: 'bad', view: 'nope' })),
    writer.write(batch({ batchId: 'worse', schemaVersion: 9 })),
  ])
  await writer.close()
  expect(acks.map(({ batchId, error }) => [batchId, error?.code])).toEqual([
    ['bad', 'not_found'],
    ['worse', 'invalid_argument'],
  ])
})

async function write(bad: WriteBatch) {
  const writer = daemon.client.openWriter()
  const ack = await writer.write(bad)
  await writer.close()
  return ack
}

/** Twelve bytes as event times: one and a half of them. */
function halfTimes(): BigInt64Array {
  const times = new BigInt64Array(2)
  return Object.defineProperty(times, 'byteLength', { value: 12 })
}
