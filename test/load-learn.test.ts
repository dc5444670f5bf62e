/**
 * What a load learns and registers before it sends, and how rows of views in buckets are sent.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ServerDuplexStream, type ServiceError, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readColumn } from '../src/client/response-column.js'
import { encodeEntityKeys } from '../src/codec/entity-key.js'
import { bucketOf } from '../src/codec/store-key.js'
import {
  type GetRegistryRequest,
  GetRegistryResponse,
  type GetStatusRequest,
  GetStatusResponse,
  type RegisterLayoutRequest,
  RegisterLayoutResponse,
} from '../src/gen/larder/v1/admin.js'
import { type WriteFeaturesRequest, WriteFeaturesResponse } from '../src/gen/larder/v1/ingest.js'
import { parseProfileText } from '../src/profile-json.js'
import { parseColumns } from '../src/server/messages.js'
import { runCaptured } from './support/captured-io.js'
import {
  type FakeDaemon,
  failThenAnswer,
  grpcError,
  startFakeDaemon,
} from './support/fake-daemon.js'

/** 2001-06-15T18:00:00Z */
const nowUs = 992_628_000_000_000n
const dayUs = 86_400_000_000n
const loadSequence = 77n
const bucketSeed = 0x1234_5678_9abc_def0n
const bucketCount = 40

const features = [
  { id: 0, name: 'count', type: 'int32' },
  { id: 1, name: 'delay', type: 'float32' },
]

type Call = ServerDuplexStream<WriteFeaturesRequest, WriteFeaturesResponse>

let folder: string
let daemon: FakeDaemon
let batches: WriteFeaturesRequest[]
let registrations: RegisterLayoutRequest[]
let refusal: ServiceError | undefined
let badIndexes: (batch: WriteFeaturesRequest) => number[]
let view: { packing: string; bucketCount: number; profileJson: string }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-learn-'))
  daemon = await startFakeDaemon({
    admin: {
      getRegistry: failThenAnswer<GetRegistryRequest, GetRegistryResponse>([], () => registry()),
      getStatus: failThenAnswer<GetStatusRequest, GetStatusResponse>([], () =>
        GetStatusResponse.fromPartial({ frozenClockUs: nowUs }),
      ),
      registerLayout: (
        { request }: { request: RegisterLayoutRequest },
        done: (error: ServiceError | null, response?: RegisterLayoutResponse) => void,
      ) => {
        registrations.push(request)
        if (refusal !== undefined) return done(refusal)
        const profileId = request.profile?.$case === 'profileId' ? request.profile.value : 1
        const sequence = request.version === undefined ? 0n : loadSequence
        done(null, RegisterLayoutResponse.fromPartial({ layoutId: 3, profileId, sequence }))
      },
    },
    ingest: {
      writeFeatures: (call: Call) => {
        call.on('data', (batch: WriteFeaturesRequest) => {
          batches.push(batch)
          call.write(answerOf(batch))
        })
        call.on('end', () => call.end())
      },
    },
  })
})

beforeEach(() => {
  batches = []
  registrations = []
  refusal = undefined
  badIndexes = () => []
  view = { packing: 'string', bucketCount: 0, profileJson: '' }
})

afterAll(async () => {
  daemon.stop()
  await rm(folder, { recursive: true, force: true })
})

function registry(): GetRegistryResponse {
  return GetRegistryResponse.fromPartial({
    registryVersion: 1n,
    bucketSeed,
    entities: [{ name: 'airport', keys: [{ name: 'airport', type: 'string' }] }],
    views: [
      {
        name: 'now',
        entity: 'airport',
        retentionUs: dayUs,
        schemaVersion: 3,
        features,
        sourceEventTime: 'as_of',
        generation: 1n,
        ...view,
      },
    ],
  })
}

function answerOf(batch: WriteFeaturesRequest): WriteFeaturesResponse {
  const rowCount = batch.eventTimes.byteLength / 8
  const bad = badIndexes(batch)
  const stored = { batchId: batch.batchId, rowCount, durable: true, visible: true }
  return WriteFeaturesResponse.fromPartial(
    bad.length === 0
      ? { ...stored, storedCount: rowCount }
      : {
          ...stored,
          error: { code: 'invalid_argument', message: 'bad rows', retryable: false },
          badRows: bad.map((index) => ({ index, column: 'delay', reason: 'is odd' })),
          badRowCount: bad.length,
        },
  )
}

async function load(...argv: string[]) {
  const captured = await runCaptured(['load', 'now', ...argv, '--address', daemon.address], {
    cwd: folder,
  })
  return captured
}

async function loadJson(...argv: string[]) {
  const { stdout, ...rest } = await load(...argv, '--json')
  return { ...rest, summary: JSON.parse(stdout) }
}

async function writeRows(name: string, select: string): Promise<string> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const format = name.endsWith('.jsonl') ? '(FORMAT json)' : ''
  await connection.run(`COPY (${select}) TO '${join(folder, name)}' ${format}`)
  connection.closeSync()
  return name
}

/** Rows \`from\` and on, 15 s apart from noon on, each of an airport of its own. */
function rowsSql(rowCount: number, from = 0): string {
  return `SELECT 'K' || i AS airport, TIMESTAMP '2001-06-15 12:00:00' + INTERVAL (15 * i) SECOND AS as_of,
    (i % 100)::INTEGER AS count, (round(i / 7, 2))::FLOAT AS delay
    FROM range(${from}, ${from + rowCount}) t(i)`
}

function airportsOf(batch: WriteFeaturesRequest): unknown[] {
  const [keys] = batch.keys
  const rowCount = batch.eventTimes.byteLength / 8
  const column = keys && readColumn({ ...keys, type: 'string' }, rowCount)
  return Array.from({ length: rowCount }, (_, row) => column?.valueAt(row))
}

function bucketsOf(batch: WriteFeaturesRequest): number[] {
  const rowCount = batch.eventTimes.byteLength / 8
  const columns = parseColumns(batch.keys, 'key')
  const keys = encodeEntityKeys([{ name: 'airport', type: 'string' }], columns, rowCount)
  return 'problems' in keys ? [] : Array.from(bucketOf(keys, bucketCount, bucketSeed))
}

describe('a load of enough rows', () => {
  test('registers what it learned before it sends, and its batches carry the sequence', async () => {
    const file = await writeRows('rows.parquet', rowsSql(1440))
    const { exitCode, stderr, summary } = await loadJson(file)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(registrations).toMatchObject([
      {
        view: 'now',
        schemaVersion: 3,
        profile: { $case: 'profileJson' },
        version: {
          eventBaseUs: nowUs - 6n * 3_600_000_000n,
          eventUnitUs: 1_000_000n,
          eventBytes: 2,
        },
      },
    ])
    expect(registrations[0]?.loadId).toMatch(/^load-[0-9a-f]{32}$/)
    const profile = parseProfileText(String(registrations[0]?.profile?.value))
    expect(Array.from(profile.encodings.keys())).toEqual([0, 1])
    expect(batches.map(({ sequence }) => sequence)).toEqual([loadSequence])
    expect(summary.encoding).toMatchObject({
      profile_id: 1,
      is_new: true,
      layout_id: 3,
      sequence: Number(loadSequence),
      sample_row_count: 1440,
    })
    expect(summary.encoding.row_bytes).toBeLessThan(summary.encoding.plain_row_bytes / 2)
  })

  test('says in a line what was learned', async () => {
    const file = await writeRows('rows.parquet', rowsSql(1440))
    const { stdout } = await load(file)
    expect(stdout).toMatch(
      /^encoding: profile 1, \d+ B per row \(plain 26\), learned from 1,440 rows$/m,
    )
  })

  test('loaded again it is the same load, and the profile that is there stays', async () => {
    const file = await writeRows('rows.parquet', rowsSql(1440))
    await load(file)
    view.profileJson = JSON.stringify({
      ...JSON.parse(String(registrations[0]?.profile?.value)),
      id: 5,
    })
    const { stdout } = await load(file)
    expect(stdout).toMatch(/^encoding: profile 5, \d+ B per row \(plain 26\)$/m)
    expect(registrations[1]).toMatchObject({
      profile: { $case: 'profileId', value: 5 },
      version: registrations[0]?.version,
      loadId: registrations[0]?.loadId,
    })
    expect(batches[1]?.batchId).toBe(batches[0]?.batchId)
  })

  test('several files are one load with one layout, over the times of all', async () => {
    await writeRows('part-1.parquet', rowsSql(700))
    await writeRows(
      'part-2.parquet',
      `${rowsSql(699, 700)} UNION ALL
      SELECT 'LAST', TIMESTAMP '2001-06-15 18:00:00.5', NULL, NULL`,
    )
    await load('part-*.parquet')
    expect(registrations).toMatchObject([{ version: { eventUnitUs: 500_000n, eventBytes: 2 } }])
    expect(batches.map(({ sequence }) => sequence)).toEqual([loadSequence, loadSequence])
  })

  test.each(['csv', 'jsonl'])(
    'a %s file teaches what the same rows in Parquet do',
    async (format) => {
      await load(await writeRows('rows.parquet', rowsSql(1440)))
      await load(await writeRows(`rows.${format}`, rowsSql(1440)))
      expect(registrations[1]).toEqual({ ...registrations[0], loadId: registrations[1]?.loadId })
      expect(registrations[1]?.loadId).not.toBe(registrations[0]?.loadId)
    },
  )

  test('rows past retention and bad rows teach nothing', async () => {
    const file = await writeRows(
      'odd.parquet',
      `SELECT * REPLACE (count::VARCHAR AS count) FROM (${rowsSql(1440)}) UNION ALL
       SELECT 'OLD', TIMESTAMP '1999-01-01', '1', 1 UNION ALL
       SELECT 'BAD', TIMESTAMP '2001-06-15 12:00:00', 'x', 1 UNION ALL
       SELECT 'FAR', TIMESTAMP '2901-06-15 12:00:00', '1', 1`,
    )
    await load(file)
    expect(registrations).toMatchObject([{ version: { eventUnitUs: 1_000_000n, eventBytes: 2 } }])
  })

  test('rows of one entity at one time keep sequences of their own', async () => {
    const file = await writeRows('twice.parquet', `${rowsSql(1440)} UNION ALL ${rowsSql(2)}`)
    const { stdout } = await load(file)
    expect(stdout).toContain('; versions in full: 2 rows repeat an entity and event time')
    expect(registrations).toMatchObject([{ version: undefined, loadId: '' }])
    expect(batches.map(({ sequence }) => sequence)).toEqual([0n])
  })

  test.each([
    {
      name: 'an older daemon',
      error: grpcError(status.UNIMPLEMENTED, 'no such method'),
      told: 'the daemon is older than this client',
    },
    {
      name: 'a view without room for a layout',
      error: grpcError(status.RESOURCE_EXHAUSTED, 'view "now" has 1000 layouts'),
      told: 'view "now" has 1000 layouts',
    },
    {
      name: 'a profile that the daemon refuses',
      error: grpcError(status.INVALID_ARGUMENT, 'the profile has 3000000 bytes'),
      told: 'the profile has 3000000 bytes',
    },
  ])('$name is told, and the rows are loaded all the same', async ({ error, told }) => {
    refusal = error
    const file = await writeRows('rows.parquet', rowsSql(1440))
    const { exitCode, stderr, summary } = await loadJson(file)
    expect(stderr).toContain(`note: rows are written as the view has them now: ${told}`)
    expect({ exitCode, summary }).toMatchObject({
      exitCode: 0,
      summary: { stored_count: 1440, encoding: null },
    })
    expect(batches.map(({ sequence }) => sequence)).toEqual([0n])
  })

  test('any other failure ends it before a row is sent', async () => {
    refusal = grpcError(status.NOT_FOUND, 'there is no view "now"')
    const { exitCode, stderr } = await load(await writeRows('rows.parquet', rowsSql(1440)))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('there is no view "now"')
    expect(batches).toEqual([])
  })
})

test.each([
  { name: '--no-learn', argv: ['--no-learn'], rowCount: 1440 },
  { name: 'a load of few rows', argv: [], rowCount: 999 },
])('$name learns nothing', async ({ argv, rowCount }) => {
  const file = await writeRows('rows.parquet', rowsSql(rowCount))
  const { exitCode, summary } = await loadJson(file, ...argv)
  expect({ exitCode, summary }).toMatchObject({ exitCode: 0, summary: { encoding: null } })
  expect(registrations).toEqual([])
  expect(batches.map(({ sequence }) => sequence)).toEqual([0n])
})

describe('a view in buckets', () => {
  beforeEach(() => {
    view = { packing: 'bucket', bucketCount, profileJson: '' }
  })

  test('is sent a bucket at a time, over all files', async () => {
    await writeRows('part-1.parquet', rowsSql(700))
    await writeRows('part-2.parquet', rowsSql(740, 700))
    const { summary } = await loadJson('part-*.parquet', '--batch-rows', '100')
    expect(summary).toMatchObject({ row_count: 1440, stored_count: 1440 })
    const buckets = batches.map(bucketsOf)
    expect(buckets.flat()).toEqual(buckets.flat().toSorted((a, b) => a - b))
    const inBatches = buckets.flatMap((batch) => Array.from(new Set(batch)))
    expect(inBatches.length).toBe(bucketCount)
    const airports = Array.from({ length: 1440 }, (_, index) => `K${index}`)
    expect(new Set(batches.flatMap(airportsOf))).toEqual(new Set(airports))
  })

  test('makes the same batches again', async () => {
    const file = await writeRows('rows.parquet', rowsSql(1440))
    await load(file, '--batch-rows', '100')
    const first = batches.map(({ batchId }) => batchId)
    batches = []
    await load(file, '--batch-rows', '100')
    expect(batches.map(({ batchId }) => batchId)).toEqual(first)
    expect(new Set(first).size).toBe(first.length)
  })

  test('a row with a bad key refuses its range of the file alone', async () => {
    const lines = Array.from({ length: 9 }, (_, index) => {
      const airport = index === 4 ? 'x'.repeat(1025) : `K${index}`
      return `${airport},2001-06-15T18:00:00Z,1,1`
    })
    await writeFile(join(folder, 'long.csv'), ['airport,as_of,count,delay', ...lines].join('\n'))
    const { exitCode, summary } = await loadJson('long.csv', '--batch-rows', '3')
    expect(exitCode).toBe(1)
    expect(summary).toMatchObject({ stored_count: 6, refused_count: 3, row_count: 9 })
    expect(summary.refusals).toMatchObject([{ first_row: 4, last_row: 6, bad_row_count: 1 }])
    expect(summary.refusals[0].bad_rows[0]).toMatchObject({ row: 5 })
    expect(summary.refusals[0].bad_rows[0].problem).toContain('1025')
  })

  test("what the daemon refuses is told with the files' own rows", async () => {
    await writeRows('part-1.parquet', rowsSql(4))
    await writeRows('part-2.parquet', rowsSql(4, 4))
    badIndexes = (batch) => [airportsOf(batch).indexOf('K6')]
    const { exitCode, stderr } = await load('part-*.parquet')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('8 rows that share buckets')
    expect(stderr).toContain(`row 3 of ${join(folder, 'part-2.parquet')}: column "delay": is odd`)
  })
})
