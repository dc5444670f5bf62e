import type { ServerDuplexStream } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { type FakeDaemon, grpcError, startFakeDaemon } from '../../test/support/fake-daemon.js'
import { type WriteFeaturesRequest, WriteFeaturesResponse } from '../gen/larder/v1/ingest.js'
import { createSeededPrng } from '../prng.js'
import {
  type BatchWriter,
  type BatchWriterOptions,
  column,
  createLarderClient,
  type WriteBatch,
} from './index.js'

type Call = ServerDuplexStream<WriteFeaturesRequest, WriteFeaturesResponse>
type OnBatch = (call: Call, batch: WriteFeaturesRequest) => void

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function daemonThat(onBatch: OnBatch): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon({
    ingest: {
      writeFeatures: (call: Call) => {
        call.on('data', (batch: WriteFeaturesRequest) => onBatch(call, batch))
        call.on('end', () => call.end())
        call.on('error', () => undefined)
      },
    },
  })
  closers.push(() => daemon.stop())
  return daemon
}

function writerTo(addresses: readonly string[], options: BatchWriterOptions = {}): BatchWriter {
  const retry = { baseDelayMs: 1 }
  const client = createLarderClient({ addresses, retry, prng: createSeededPrng(1) })
  const writer = client.openWriter(options)
  closers.push(() => {
    writer.abort()
    client.close()
  })
  return writer
}

function batch(batchId: string): WriteBatch {
  return {
    batchId,
    view: 'airport_delays',
    schemaVersion: 1,
    keys: [column.strings('airport', ['ATL'])],
    eventTimesUs: BigInt64Array.of(1n),
    features: [column.float32('delay_mean_7d', [1.5])],
  }
}

function ack(call: Call, request: WriteFeaturesRequest, part = {}): void {
  const { batchId } = request
  const stored = { batchId, durable: true, visible: true, rowCount: 1, storedCount: 1, ...part }
  call.write(WriteFeaturesResponse.fromPartial(stored))
}

test('acknowledgements are matched by batch id, in whatever order they come', async () => {
  const held: (() => void)[] = []
  const daemon = await daemonThat((call, request) => {
    held.push(() => ack(call, request, { sequence: BigInt(held.length) }))
    if (held.length === 2) for (const release of held.reverse()) release()
  })
  const writer = writerTo([daemon.address])
  const acks = await Promise.all([writer.write(batch('a')), writer.write(batch('b'))])
  expect(acks.map((received) => received.batchId)).toEqual(['a', 'b'])
  await writer.close()
})

test('a refusal is an acknowledgement, and the stream goes on', async () => {
  const daemon = await daemonThat((call, request) => {
    const isBad = request.batchId === 'bad'
    const error = { code: 'invalid_argument', message: 'no', retryable: false }
    ack(call, request, isBad ? { error, badRows: [{ index: 0, column: 'x', reason: 'y' }] } : {})
  })
  const writer = writerTo([daemon.address])
  const refused = await writer.write(batch('bad'))
  expect(refused).toMatchObject({ error: { code: 'invalid_argument' }, badRows: [{ column: 'x' }] })
  const stored = await writer.write(batch('good'))
  expect(stored.error).toBeUndefined()
})

test('a broken stream sends unacknowledged batches again, with their ids, to the next daemon', async () => {
  const first: string[] = []
  const second: string[] = []
  const breaking = await daemonThat((call, request) => {
    first.push(request.batchId)
    if (first.length === 1) ack(call, request)
    else if (first.length === 3) call.emit('error', grpcError(status.UNAVAILABLE, 'draining'))
  })
  const working = await daemonThat((call, request) => {
    second.push(request.batchId)
    ack(call, request)
  })
  const writer = writerTo([breaking.address, working.address])
  const acks = await Promise.all(['a', 'b', 'c'].map((id) => writer.write(batch(id))))
  expect(acks.map((received) => received.batchId)).toEqual(['a', 'b', 'c'])
  expect(first).toEqual(['a', 'b', 'c'])
  expect(second).toEqual(['b', 'c'])
})

test('a daemon that ends the stream while batches are under way counts as broken', async () => {
  const seen: string[] = []
  const daemon = await daemonThat((call, request) => {
    seen.push(request.batchId)
    if (seen.length === 1) call.end()
    else ack(call, request)
  })
  const received = await writerTo([daemon.address]).write(batch('a'))
  expect(received.durable).toBe(true)
  expect(seen).toEqual(['a', 'a'])
})

test('a failure that may pass is repeated with the same batch id, then told', async () => {
  const seen: string[] = []
  const daemon = await daemonThat((call, request) => {
    seen.push(request.batchId)
    ack(call, request, { error: { code: 'unavailable', message: 'warm is down', retryable: true } })
  })
  const received = await writerTo([daemon.address]).write(batch('a'))
  expect(received.error?.message).toBe('warm is down')
  expect(seen).toEqual(['a', 'a', 'a', 'a'])
})

test('no more batches are under way than allowed, and `ready` waits for room', async () => {
  const held: (() => void)[] = []
  let seenCount = 0
  const daemon = await daemonThat((call, request) => {
    seenCount += 1
    held.push(() => ack(call, request))
    if (held.length === 2) for (const release of held.splice(0)) release()
  })
  const writer = writerTo([daemon.address], { inFlightMax: 2 })
  const writes: Promise<unknown>[] = []
  const seenAtReady: number[] = []
  for (const id of ['a', 'b', 'c', 'd']) {
    await writer.ready()
    seenAtReady.push(seenCount)
    writes.push(writer.write(batch(id)))
  }
  await Promise.all(writes)
  expect(seenAtReady).toEqual([0, 0, 2, 2])
})

test('a daemon that never answers ends the write at its deadline', async () => {
  const daemon = await daemonThat(() => undefined)
  const writer = writerTo([daemon.address], { deadlineMs: 50 })
  await expect(writer.write(batch('a'))).rejects.toMatchObject({
    code: 'deadline_exceeded',
    message: 'batch "a" was not acknowledged within 50 ms',
  })
})

test('nobody listening fails every write as unavailable, after every retry', async () => {
  const gone = await startFakeDaemon({})
  gone.stop()
  const writer = writerTo([gone.address])
  const writes = await Promise.allSettled([writer.write(batch('a')), writer.write(batch('b'))])
  expect(writes).toMatchObject([
    { status: 'rejected', reason: { code: 'unavailable' } },
    { status: 'rejected', reason: { code: 'unavailable' } },
  ])
})

test('a stream that the daemon refuses is not opened again', async () => {
  let openedCount = 0
  const daemon = await daemonThat((call) => {
    openedCount += 1
    call.emit('error', grpcError(status.UNAUTHENTICATED, 'who are you?'))
  })
  const writer = writerTo([daemon.address])
  await expect(writer.write(batch('a'))).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(openedCount).toBe(1)
})

test('a batch id that is under way is refused', async () => {
  const daemon = await daemonThat((call, request) => {
    if (request.batchId === 'b') ack(call, request)
  })
  const writer = writerTo([daemon.address])
  writer.write(batch('a')).catch(() => undefined)
  await expect(writer.write(batch('a'))).rejects.toThrow('batch "a" is already under way')
})

test('close waits for what is under way; later writes fail', async () => {
  const daemon = await daemonThat((call, request) => ack(call, request))
  const writer = writerTo([daemon.address])
  const write = writer.write(batch('a'))
  await writer.close()
  await expect(write).resolves.toMatchObject({ batchId: 'a' })
  await expect(writer.write(batch('b'))).rejects.toMatchObject({ code: 'cancelled' })
})
