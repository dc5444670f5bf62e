import { status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import {
  type FakeDaemon,
  type FakeHandlers,
  failThenAnswer,
  grpcError,
  startFakeDaemon,
} from '../../test/support/fake-daemon.js'
import { systemClock } from '../clock.js'
import { CellStatus } from '../gen/larder/v1/column.js'
import type { DeleteEntitiesResponse } from '../gen/larder/v1/ingest.js'
import {
  type GetFeaturesRequest,
  GetFeaturesResponse,
  type PredictRequest,
  PredictResponse,
} from '../gen/larder/v1/serving.js'
import { createSeededPrng } from '../prng.js'
import { column, createLarderClient, type LarderClient } from './index.js'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function daemonWith(handlers: FakeHandlers): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(handlers)
  closers.push(() => daemon.stop())
  return daemon
}

function clientOf(addresses: readonly string[], deadlineMs = 5000): LarderClient {
  const client = createLarderClient({
    addresses,
    deadlineMs,
    retry: { baseDelayMs: 1 },
    prng: createSeededPrng(1),
  })
  closers.push(() => client.close())
  return client
}

/** An address that nobody listens on. */
async function deadAddress(): Promise<string> {
  const daemon = await startFakeDaemon({})
  daemon.stop()
  return daemon.address
}

const unavailable = grpcError(status.UNAVAILABLE, 'the warm tier is down')
const emptyReply = GetFeaturesResponse.fromPartial({ registryVersion: 3n })
const getNothing = { view: 'airport_delays', keys: [] }

test('a read that is unavailable is repeated', async () => {
  const daemon = await daemonWith({
    serving: { getFeatures: failThenAnswer([unavailable, unavailable], () => emptyReply) },
  })
  const result = await clientOf([daemon.address]).getFeatures(getNothing)
  expect(result.registryVersion).toBe(3n)
})

test('a read that stays unavailable fails with the last reason, the address and the tries', async () => {
  const errors = Array.from({ length: 4 }, () => unavailable)
  const daemon = await daemonWith({
    serving: { getFeatures: failThenAnswer(errors, () => emptyReply) },
  })
  await expect(clientOf([daemon.address]).getFeatures(getNothing)).rejects.toMatchObject({
    name: 'LarderClientError',
    code: 'unavailable',
    message: `${daemon.address}: the warm tier is down`,
    details: { address: daemon.address, attemptCount: 4 },
  })
})

test('a read goes to the next address when nobody listens on the first', async () => {
  const daemon = await daemonWith({
    serving: { getFeatures: failThenAnswer([], () => emptyReply) },
  })
  const client = clientOf([await deadAddress(), daemon.address])
  const results = await Promise.all([
    client.getFeatures(getNothing),
    client.getFeatures(getNothing),
  ])
  expect(results.map((result) => result.registryVersion)).toEqual([3n, 3n])
})

test('calls take turns among the addresses', async () => {
  const reply = (version: bigint) =>
    daemonWith({
      serving: {
        getFeatures: failThenAnswer([], () => ({ ...emptyReply, registryVersion: version })),
      },
    })
  const daemons = [await reply(1n), await reply(2n)]
  const client = clientOf(daemons.map((daemon) => daemon.address))
  const versions: bigint[] = []
  for (let call = 0; call < 4; call += 1) {
    versions.push((await client.getFeatures(getNothing)).registryVersion)
  }
  expect(versions).toEqual([1n, 2n, 1n, 2n])
})

test.each([
  { code: status.INVALID_ARGUMENT, name: 'invalid_argument' },
  { code: status.NOT_FOUND, name: 'not_found' },
  { code: status.RESOURCE_EXHAUSTED, name: 'resource_exhausted' },
  { code: status.FAILED_PRECONDITION, name: 'failed_precondition' },
  { code: status.INTERNAL, name: 'internal' },
])('a read that fails as $name is not repeated, and keeps its message', async ({ code, name }) => {
  const message = "airports.yaml:3:5: unknown key 'tll'\nairports.yaml:9:1: no entity"
  const daemon = await daemonWith({
    serving: { getFeatures: failThenAnswer([grpcError(code, message)], () => emptyReply) },
  })
  await expect(clientOf([daemon.address]).getFeatures(getNothing)).rejects.toMatchObject({
    code: name,
    message,
    details: { attemptCount: 1 },
  })
})

test("the daemon's own code is in the details", async () => {
  const error = grpcError(status.FAILED_PRECONDITION, 'drops need --allow-drop')
  error.metadata.set('larder-code', 'refused')
  const daemon = await daemonWith({
    admin: { apply: failThenAnswer([error], () => ({})) },
  })
  await expect(clientOf([daemon.address]).apply({ files: [] })).rejects.toMatchObject({
    code: 'failed_precondition',
    details: { larderCode: 'refused' },
  })
})

test('an apply that is unavailable is not repeated: it may have been taken', async () => {
  const daemon = await daemonWith({
    admin: { apply: failThenAnswer([unavailable], () => ({})) },
  })
  await expect(clientOf([daemon.address]).apply({ files: [] })).rejects.toMatchObject({
    code: 'unavailable',
    details: { attemptCount: 1 },
  })
})

test('a call that gets no answer ends at its deadline, which the daemon is told', async () => {
  const deadlinesMs: number[] = []
  const daemon = await daemonWith({
    serving: {
      getFeatures: (call: { getDeadline(): Date | number }) => {
        deadlinesMs.push(Number(call.getDeadline()) - systemClock.nowMs())
      },
    },
  })
  await expect(clientOf([daemon.address], 50).getFeatures(getNothing)).rejects.toMatchObject({
    code: 'deadline_exceeded',
  })
  expect(deadlinesMs.every((deadlineMs) => deadlineMs <= 51)).toBe(true)
})

test('a signal cancels a call that is under way', async () => {
  const abort = new AbortController()
  const daemon = await daemonWith({ serving: { getFeatures: () => abort.abort() } })
  await expect(
    clientOf([daemon.address]).getFeatures(getNothing, abort.signal),
  ).rejects.toMatchObject({ code: 'cancelled' })
})

test('features come back as typed columns, as single values and as rows', async () => {
  const reply = GetFeaturesResponse.fromPartial({
    rowCount: 2,
    columns: [
      {
        name: 'origin.delay_mean_7d',
        type: 'float32',
        values: { $case: 'f32', value: Buffer.from(Float32Array.of(1.5, 0).buffer) },
        status: Buffer.from([CellStatus.CELL_STATUS_PRESENT, CellStatus.CELL_STATUS_NOT_FOUND]),
      },
      {
        name: 'origin.last_departure',
        type: 'timestamp',
        values: {
          $case: 'i64',
          value: Buffer.from(BigInt64Array.of(9_007_199_254_740_993n, -1n).buffer),
        },
      },
      {
        name: 'origin.busy',
        type: 'list<string>',
        values: {
          $case: 'list',
          value: {
            lengths: Buffer.from(Uint32Array.of(2, 0).buffer),
            elements: {
              $case: 'var',
              value: {
                data: Buffer.from('ATLORD'),
                lengths: Buffer.from(Uint32Array.of(3, 3).buffer),
              },
            },
          },
        },
      },
    ],
    rows: [
      {
        role: 'origin',
        view: 'airport_delays',
        eventTimes: Buffer.from(BigInt64Array.of(7n, 0n).buffer),
        tiers: Buffer.from([3, 0]),
      },
    ],
  })
  const daemon = await daemonWith({
    serving: {
      getFeatures: failThenAnswer<GetFeaturesRequest, GetFeaturesResponse>([], () => reply),
    },
  })
  const result = await clientOf([daemon.address]).getFeatures({ service: 's', keys: [] })
  expect(result.columns[0]?.values).toEqual({ class: 'f32', values: Float32Array.of(1.5, 0) })
  expect(result.columns[0]?.statusAt(1)).toBe('notFound')
  expect(result.origins[0]?.tierAt(0)).toBe('warm')
  expect(result.origins[0]?.tierAt(1)).toBeUndefined()
  expect(result.toRows()).toEqual([
    {
      'origin.delay_mean_7d': 1.5,
      'origin.last_departure': 9_007_199_254_740_993n,
      'origin.busy': ['ATL', 'ORD'],
    },
    { 'origin.delay_mean_7d': null, 'origin.last_departure': -1n, 'origin.busy': [] },
  ])
})

test('predictions come back with scores, defaults and origins', async () => {
  const requests: PredictRequest[] = []
  const reply = PredictResponse.fromPartial({
    rowCount: 2,
    predictions: [
      {
        model: 'flight_delay',
        version: '1',
        outputCount: 2,
        scores: Buffer.from(Float64Array.of(0.1, 0.9, 0.4, 0.6).buffer),
        defaults: { missing: 1, unavailable: 1 },
        inputs: [
          {
            input: 'x',
            feature: 'origin.x',
            values: Buffer.from(Float64Array.of(1, Number.NaN).buffer),
            origins: Buffer.from([2, 5]),
            statuses: Buffer.from([1, 5]),
            tiers: Buffer.from([2, 0]),
            eventTimes: Buffer.from(BigInt64Array.of(5n, 0n).buffer),
          },
        ],
      },
    ],
  })
  const daemon = await daemonWith({
    serving: {
      predict: failThenAnswer<PredictRequest, PredictResponse>([], (request) => {
        requests.push(request)
        return reply
      }),
    },
  })
  const result = await clientOf([daemon.address]).predict({
    models: ['flight_delay@1'],
    keys: [column.strings('origin', ['ATL', 'ORD'])],
    features: [column.fromValues('hour', 'int32', [7])],
    explain: true,
  })
  const [prediction] = result.predictions
  expect(Array.from(prediction?.scoresAt(1) ?? [])).toEqual([0.4, 0.6])
  expect(prediction?.defaults).toMatchObject({ missingCount: 1, unavailableCount: 1 })
  expect(prediction?.inputs[0]?.sourceAt(1)).toBe('missing')
  expect(prediction?.inputs[0]?.statusAt(1)).toBe('unavailable')
  expect(requests[0]).toMatchObject({ models: ['flight_delay@1'], explain: true, raw: false })
})

test('a delete tells its progress, and a daemon that stops early is an error', async () => {
  const message = (part: Partial<DeleteEntitiesResponse>) => ({
    scannedCount: 0n,
    deletedCount: 0n,
    durable: false,
    visible: false,
    done: false,
    sequence: 0n,
    ...part,
  })
  const answers = [[message({ deletedCount: 1n }), message({ done: true })], [message({})]]
  const daemon = await daemonWith({
    ingest: {
      deleteEntities: (call: { write(reply: object): void; end(): void }) => {
        for (const reply of answers.shift() ?? []) call.write(reply)
        call.end()
      },
    },
  })
  const client = clientOf([daemon.address])
  const told: boolean[] = []
  for await (const progress of client.deleteEntities({ entity: 'airport', keys: [] })) {
    told.push(progress.done)
  }
  expect(told).toEqual([false, true])
  const early = async () => {
    for await (const progress of client.deleteEntities({ entity: 'airport', keys: [] })) {
      told.push(progress.done)
    }
  }
  await expect(early()).rejects.toMatchObject({ code: 'unavailable' })
})

test.each([
  { addresses: [], reason: 'no address' },
  { addresses: ['localhost'], reason: '"localhost" is not HOST:PORT' },
])('addresses $addresses are refused', ({ addresses, reason }) => {
  expect(() => createLarderClient({ addresses })).toThrow(reason)
})

test('getFeatures takes either a service or a view', async () => {
  const client = clientOf(['127.0.0.1:1'])
  await expect(client.getFeatures({ service: 'a', view: 'b', keys: [] })).rejects.toThrow(
    'either a service or a view',
  )
})
