import { status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import {
  type FakeDaemon,
  failThenAnswer,
  grpcError,
  startFakeDaemon,
} from '../../test/support/fake-daemon.js'
import {
  type RegisterLayoutRequest,
  RegisterLayoutResponse,
  type SampleRowsRequest,
  SampleRowsResponse,
} from '../gen/larder/v1/admin.js'
import { createLarderClient } from './index.js'
import type { RegisterLayoutOptions } from './view-layouts.js'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function clientOf(daemon: FakeDaemon) {
  const client = createLarderClient({ addresses: daemon.address, retry: { baseDelayMs: 1 } })
  closers.push(
    () => client.close(),
    () => daemon.stop(),
  )
  return client
}

const unavailable = grpcError(status.UNAVAILABLE, 'the warm tier is down')
const sample = SampleRowsResponse.fromPartial({
  schemaVersion: 2,
  features: [
    {
      name: 'mean',
      type: 'float32',
      values: { $case: 'f32', value: Buffer.from(Float32Array.of(1.5, 0).buffer) },
      status: Buffer.from([1, 2]),
    },
  ],
  eventTimesUs: [-5n, 2n ** 60n],
  rowBytes: [30, 26],
  keyBytes: [3, 3],
  scannedRowCount: 70n,
  isWholeView: false,
})

test('a sample comes as typed columns, and is asked for again where that may help', async () => {
  const requests: SampleRowsRequest[] = []
  const sampleRows = failThenAnswer([unavailable], (request: SampleRowsRequest) => {
    requests.push(request)
    return sample
  })
  const client = clientOf(await startFakeDaemon({ admin: { sampleRows } }))
  const result = await client.sampleRows({ view: 'sales', rowCountMax: 9 })
  expect(requests).toEqual([{ view: 'sales', rowCountMax: 9 }])
  expect(result).toMatchObject({
    schemaVersion: 2,
    rowCount: 2,
    eventTimesUs: BigInt64Array.of(-5n, 2n ** 60n),
    rowBytes: [30, 26],
    keyBytes: [3, 3],
    scannedRowCount: 70,
    isWholeView: false,
  })
  const [mean] = result.features
  expect([mean?.valueAt(0), mean?.valueAt(1)]).toEqual([1.5, null])
})

test('a sample whose columns do not match its rows is broken', async () => {
  const sampleRows = failThenAnswer([], () => ({ ...sample, eventTimesUs: [1n] }))
  const client = clientOf(await startFakeDaemon({ admin: { sampleRows } }))
  await expect(client.sampleRows({ view: 'sales' })).rejects.toMatchObject({ code: 'internal' })
})

const version = { eventBaseUs: -1n, eventUnitUs: 2n, eventBytes: 3 }
const base = { view: 'sales', schemaVersion: 1 }

test.each<{ name: string; options: RegisterLayoutOptions; request: RegisterLayoutRequest }>([
  {
    name: 'a learned profile',
    options: { ...base, profileJson: '{}' },
    request: {
      ...base,
      profile: { $case: 'profileJson', value: '{}' },
      version: undefined,
      loadId: '',
    },
  },
  {
    name: 'the plain profile for a load',
    options: { ...base, profileId: 0, version, loadId: 'files' },
    request: { ...base, profile: { $case: 'profileId', value: 0 }, version, loadId: 'files' },
  },
])('a layout is registered, safe to repeat: $name', async ({ options, request }) => {
  const requests: RegisterLayoutRequest[] = []
  const response = RegisterLayoutResponse.fromPartial({ layoutId: 3, sequence: 2n ** 62n })
  const registerLayout = failThenAnswer([unavailable], (seen: RegisterLayoutRequest) => {
    requests.push(seen)
    return response
  })
  const client = clientOf(await startFakeDaemon({ admin: { registerLayout } }))
  expect(await client.registerLayout(options)).toEqual(response)
  expect(requests).toEqual([request])
})

test.each([
  { name: 'no profile', options: base },
  { name: 'two profiles', options: { ...base, profileJson: '{}', profileId: 1 } },
])('a layout of $name is refused before any call', async ({ options }) => {
  const client = clientOf(await startFakeDaemon({}))
  await expect(client.registerLayout(options)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: 'registerLayout takes either a profile as JSON or the id of one',
  })
})
