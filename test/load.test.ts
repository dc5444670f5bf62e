import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readColumn } from '../src/client/response-column.js'
import {
  type GetRegistryRequest,
  GetRegistryResponse,
  type GetStatusRequest,
  GetStatusResponse,
} from '../src/gen/larder/v1/admin.js'
import type { Column } from '../src/gen/larder/v1/column.js'
import { type WriteFeaturesRequest, WriteFeaturesResponse } from '../src/gen/larder/v1/ingest.js'
import { runCaptured } from './support/captured-io.js'
import {
  type FakeDaemon,
  failThenAnswer,
  grpcError,
  startFakeDaemon,
} from './support/fake-daemon.js'

/** The daemon's clock stands at 2001-06-15T18:00:00Z, and rows are kept for a day. */
const nowUs = 992_628_000_000_000n
const dayUs = 86_400_000_000n

const features = [
  { name: 'busy', type: 'bool' },
  { name: 'count', type: 'int32' },
  { name: 'serial', type: 'int64' },
  { name: 'delay', type: 'float32' },
  { name: 'share', type: 'float64' },
  { name: 'label', type: 'categorical' },
  { name: 'blob', type: 'bytes' },
  { name: 'seen', type: 'timestamp' },
  { name: 'hours', type: 'list<int16>' },
  { name: 'names', type: 'list<string>' },
  { name: 'profile', type: 'embedding<2, f16>' },
]
const typeOf = new Map(
  [{ name: 'airport', type: 'string' }, ...features].map((f) => [f.name, f.type]),
)

const registry = GetRegistryResponse.fromPartial({
  registryVersion: 1n,
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
    },
  ],
})

type Call = ServerDuplexStream<WriteFeaturesRequest, WriteFeaturesResponse>
type Answer = (batch: WriteFeaturesRequest) => Partial<WriteFeaturesResponse>

let folder: string
let daemon: FakeDaemon
let batches: WriteFeaturesRequest[]
let answer: Answer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-load-'))
  daemon = await startFakeDaemon({
    admin: {
      getRegistry: failThenAnswer<GetRegistryRequest, GetRegistryResponse>([], () => registry),
      getStatus: failThenAnswer<GetStatusRequest, GetStatusResponse>([], () =>
        GetStatusResponse.fromPartial({ frozenClockUs: nowUs }),
      ),
    },
    ingest: {
      writeFeatures: (call: Call) => {
        call.on('data', (batch: WriteFeaturesRequest) => {
          batches.push(batch)
          const rowCount = batch.eventTimes.byteLength / 8
          const stored = { batchId: batch.batchId, rowCount, storedCount: rowCount }
          const reply = { ...stored, durable: true, visible: true, ...answer(batch) }
          call.write(WriteFeaturesResponse.fromPartial(reply))
        })
        call.on('end', () => call.end())
      },
    },
  })
})

beforeEach(() => {
  batches = []
  answer = () => ({})
})

afterEach(async () => {
  await rm(join(folder, 'rows'), { recursive: true, force: true })
})

afterAll(async () => {
  daemon.stop()
  await rm(folder, { recursive: true, force: true })
})

function load(...argv: string[]) {
  return runCaptured(['load', 'now', ...argv, '--address', daemon.address], { cwd: folder })
}

async function loadJson(...argv: string[]) {
  const { exitCode, stdout, stderr } = await load(...argv, '--json')
  return { exitCode, stderr, summary: JSON.parse(stdout) }
}

async function writeParquet(name: string, select: string): Promise<string> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`COPY (${select}) TO '${join(folder, name)}'`)
  connection.closeSync()
  return name
}

async function writeText(name: string, lines: readonly string[]): Promise<string> {
  await writeFile(join(folder, name), `${lines.join('\n')}\n`)
  return name
}

/** The rows that arrived, as JS values. */
function rowsSent(): Record<string, unknown>[] {
  return batches.flatMap((batch) => {
    const times = new BigInt64Array(Uint8Array.from(batch.eventTimes).buffer)
    const columns = [...batch.keys, ...batch.features].map((column: Column) =>
      readColumn({ ...column, type: typeOf.get(column.name) ?? '' }, times.length),
    )
    return Array.from(times, (time, row) => ({
      as_of: time,
      ...Object.fromEntries(columns.map((column) => [column.name, column.valueAt(row)])),
    }))
  })
}

const csvHead = 'airport,as_of,busy,count,serial,delay,share,label,blob,seen,hours,names,profile'
const fullRow = {
  as_of: nowUs,
  airport: '007',
  busy: true,
  count: -7,
  serial: 9_007_199_254_740_993n,
  delay: 1.5,
  share: 0.1,
  label: 'late, very',
  blob: new Uint8Array([104, 105]),
  seen: nowUs - 500_000n,
  hours: [1, 2],
  names: ['a', 'b,"c"'],
  profile: [0.5, -1],
}
const emptyRow = {
  as_of: nowUs - dayUs,
  airport: 'ATL',
  ...Object.fromEntries(features.map(({ name }) => [name, null])),
}

const fullSelect = `SELECT '007' AS airport, TIMESTAMP '2001-06-15 18:00:00' AS as_of, true AS busy,
  -7::TINYINT AS count, 9007199254740993 AS serial, 1.5::FLOAT AS delay, 0.1::DOUBLE AS share,
  'late, very' AS label, 'hi'::BLOB AS blob, TIMESTAMP '2001-06-15 17:59:59.5' AS seen,
  [1, 2]::SMALLINT[] AS hours, ['a', 'b,"c"'] AS names, [0.5, -1]::FLOAT[2] AS profile`
const emptySelect = `SELECT 'ATL', TIMESTAMP '2001-06-14 18:00:00', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL`

test('Parquet values of every type arrive exactly', async () => {
  const file = await writeParquet('rows.parquet', `${fullSelect} UNION ALL ${emptySelect}`)
  const { exitCode, summary } = await loadJson(file)
  expect({ exitCode, summary }).toMatchObject({ exitCode: 0, summary: { stored_count: 2 } })
  expect(rowsSent()).toEqual([fullRow, emptyRow])
  expect(batches[0]).toMatchObject({ view: 'now', schemaVersion: 3, sequence: 0n })
})

test('CSV values of every type arrive exactly', async () => {
  const file = await writeText('rows.csv', [
    csvHead,
    '007,2001-06-15T20:00:00+02:00,true,-7.0,9007199254740993,1.5,0.1,"late, very",aGk=,' +
      '2001-06-15T17:59:59.5Z,"[1, 2]","[""a"", ""b,\\""c\\""""]","[0.5, -1]"',
    'ATL,2001-06-14 18:00:00,,,,,,,,,,,',
  ])
  const { exitCode, stderr } = await loadJson(file)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(rowsSent()).toEqual([fullRow, emptyRow])
})

test('JSONL values of every type arrive exactly', async () => {
  const file = await writeText('rows.jsonl', [
    '{"airport": "007", "as_of": "2001-06-15T18:00:00Z", "busy": true, "count": -7, ' +
      '"serial": 9007199254740993, "delay": 1.5, "share": 0.1, "label": "late, very", ' +
      '"blob": "aGk=", "seen": 992627999500000, "hours": [1, 2], "names": ["a", "b,\\"c\\""], ' +
      '"profile": [0.5, -1]}',
    '{"airport": "ATL", "as_of": "2001-06-14T18:00:00Z", "busy": null}',
  ])
  const { exitCode, stderr } = await loadJson(file)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(rowsSent()).toEqual([fullRow, emptyRow])
})

test.each(['s', 'ms', 'us', 'ns'])('Parquet timestamps in %s are microseconds', async (unit) => {
  const type = { s: 'TIMESTAMP_S', ms: 'TIMESTAMP_MS', us: 'TIMESTAMP', ns: 'TIMESTAMP_NS' }[unit]
  const file = await writeParquet(
    'times.parquet',
    `SELECT * REPLACE (as_of::${type} AS as_of, seen::TIMESTAMPTZ AS seen) FROM (${fullSelect})`,
  )
  const { exitCode } = await load(file)
  expect(exitCode).toBe(0)
  expect(rowsSent()).toEqual([fullRow])
})

test('columns that the view does not have are ignored, whatever their names', async () => {
  const file = await writeParquet(
    'extra.parquet',
    `SELECT 1 AS v0, 'x' AS bad, 2 AS c1, 3 AS s2, [4] AS element, * FROM (${fullSelect})`,
  )
  const { exitCode } = await load(file)
  expect(exitCode).toBe(0)
  expect(rowsSent()).toEqual([fullRow])
})

test.each([
  { column: 'count', text: '3.7', type: 'int32' },
  { column: 'count', text: '0x10', type: 'int32' },
  { column: 'count', text: '2147483648', type: 'int32' },
  { column: 'serial', text: '9223372036854775808', type: 'int64' },
  { column: 'delay', text: '1e39', type: 'float32' },
  { column: 'share', text: 'much', type: 'float64' },
  { column: 'busy', text: 'maybe', type: 'bool' },
  { column: 'blob', text: '***', type: 'bytes' },
  { column: 'seen', text: 'yesterday', type: 'timestamp' },
  { column: 'as_of', text: 'yesterday', type: 'timestamp' },
  { column: 'hours', text: '[1]x', type: 'list<int16>' },
  { column: 'hours', text: '[40000]', type: 'list<int16>' },
  { column: 'profile', text: '[1]', type: 'list of 2 numbers' },
])('$column "$text" makes its row bad', async ({ column, text, type }) => {
  const names = csvHead.split(',')
  const defaults: Record<string, string> = { airport: 'ATL', as_of: '2001-06-15T18:00:00Z' }
  const cells = names.map((name) => (name === column ? `"${text}"` : (defaults[name] ?? '')))
  const file = await writeText('bad.csv', [csvHead, cells.join(',')])
  const { exitCode, summary } = await loadJson(file)
  expect(exitCode).toBe(1)
  expect(summary.refusals).toMatchObject([{ first_row: 1, last_row: 1, bad_row_count: 1 }])
  const [{ problem }] = summary.refusals[0].bad_rows
  expect(problem).toContain(`column "${column}": ${text} is not `)
  expect(problem).toContain(type)
  expect(batches).toEqual([])
})

/** Rows 1 to 10; row 5 has a count that is none. */
async function tenRows(count5: string): Promise<string> {
  const rows = Array.from({ length: 10 }, (_, index) => {
    const count = index === 4 ? count5 : String(index)
    return `K${index},2001-06-15T18:00:00Z,,${count},,,,,,,,,`
  })
  return writeText('ten.csv', [csvHead, ...rows])
}

test('a bad row refuses its batch alone; a corrected file completes the load', async () => {
  const { exitCode, stdout, stderr } = await load(await tenRows('x'), '--batch-rows', '3')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('rows 4 to 6: 1 bad row: nothing of these rows was sent')
  expect(stderr).toContain('row 5: column "count": x is not of type int32')
  expect(stdout).toContain('7 stored')
  expect(stdout).toContain('3 refused')
  expect(rowsSent().map((row) => row['airport'])).toEqual([
    'K0',
    'K1',
    'K2',
    'K6',
    'K7',
    'K8',
    'K9',
  ])
  batches = []
  const retry = await loadJson(await tenRows('4'), '--batch-rows', '3')
  expect(retry).toMatchObject({ exitCode: 0, summary: { row_count: 10, stored_count: 10 } })
})

test('the same file makes the same batches; another file, view schema or range others', async () => {
  const file = await tenRows('4')
  await load(file, '--batch-rows', '4')
  const first = batches.map((batch) => batch.batchId)
  batches = []
  await load(file, '--batch-rows', '4')
  expect(batches.map((batch) => batch.batchId)).toEqual(first)
  expect(new Set(first).size).toBe(3)
  batches = []
  await load(await tenRows('5'), '--batch-rows', '4')
  expect(batches.map((batch) => batch.batchId).filter((id) => first.includes(id))).toEqual([])
})

test("rows past retention are left out and counted, by the daemon's clock", async () => {
  const file = await writeText('old.csv', [
    csvHead,
    'OLD,2001-06-14T17:59:59Z,,,,,,,,,,,',
    'ATL,2001-06-14T18:00:00Z,,,,,,,,,,,',
    'NEW,2001-06-15T18:00:00Z,,,,,,,,,,,',
  ])
  const { exitCode, summary } = await loadJson(file)
  expect({ exitCode, summary }).toMatchObject({
    exitCode: 0,
    summary: { row_count: 3, stored_count: 2, left_out_count: 1 },
  })
  expect(rowsSent().map((row) => row['airport'])).toEqual(['ATL', 'NEW'])
})

test("a batch that the daemon refuses is told with the file's row numbers", async () => {
  answer = ({ batchId }) =>
    batchId.endsWith('-4-6')
      ? {
          error: { code: 'invalid_argument', message: '1 bad row', retryable: false },
          badRows: [{ index: 1, column: 'airport', reason: 'is too long' }],
          badRowCount: 1,
        }
      : {}
  const { exitCode, summary } = await loadJson(await tenRows('4'), '--batch-rows', '3')
  expect(exitCode).toBe(1)
  expect(summary).toMatchObject({
    stored_count: 7,
    refused_count: 3,
    refusals: [
      {
        first_row: 4,
        message: 'invalid_argument: 1 bad row',
        bad_rows: [{ row: 5, problem: 'column "airport": is too long' }],
      },
    ],
  })
})

test("--now stamps every row with the daemon's time", async () => {
  const file = await writeParquet('now.parquet', `SELECT * EXCLUDE as_of FROM (${fullSelect})`)
  const { exitCode } = await load(file, '--now')
  expect(exitCode).toBe(0)
  expect(rowsSent()).toEqual([fullRow])
})

test('--event-time names another column, and several files are one load', async () => {
  const renamed = `SELECT * RENAME (as_of AS loaded_at) FROM (${fullSelect})`
  await writeParquet('part-1.parquet', renamed)
  await writeParquet('part-2.parquet', renamed)
  const { exitCode, summary } = await loadJson('part-*.parquet', '--event-time', 'loaded_at')
  expect({ exitCode, summary }).toMatchObject({ exitCode: 0, summary: { row_count: 2 } })
})

test.each([
  {
    name: 'a missing column',
    file: () => writeText('x.csv', ['airport,as_of,busy', 'ATL,2001-06-15T18:00:00Z,true']),
    problem: 'column "count" is missing',
  },
  {
    name: 'a column of another type',
    file: () => writeParquet('x.parquet', `SELECT * REPLACE (7 AS airport) FROM (${fullSelect})`),
    problem: 'column "airport" is INTEGER, which cannot be of type string',
  },
  {
    name: 'an unreadable Parquet file',
    file: () => writeText('broken.parquet', ['PAR1 this is not Parquet']),
    problem: 'broken.parquet cannot be read',
  },
  {
    name: 'broken JSON',
    file: () => writeText('x.jsonl', ['{"airport": "ATL"', '{']),
    problem: 'x.jsonl cannot be read',
  },
  { name: 'no such file', file: async () => 'none.csv', problem: 'there is no file' },
  {
    name: 'an unknown kind of file',
    file: () => writeText('x.txt', ['a']),
    problem: 'is not a .parquet, .csv, .jsonl or .ndjson file',
  },
])('$name is told before anything is sent', async ({ file, problem }) => {
  const good = await writeParquet('good.parquet', fullSelect)
  const { exitCode, stderr } = await load(good, await file())
  expect(exitCode).toBe(1)
  expect(stderr).toContain(problem)
  expect(batches).toEqual([])
})

test.each([
  {
    argv: ['--batch-rows', '0'],
    problem: '--batch-rows "0" is not a whole number from 1 to 10000',
  },
  { argv: ['--now', '--event-time', 'x'], problem: 'exclude each other' },
  { argv: [], problem: 'view "now" declares no source' },
])('$argv is a wrong command line', async ({ argv, problem }) => {
  const { exitCode, stderr } = await load(...argv)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(problem)
})

test('a daemon that goes away ends the load with its reason', async () => {
  const gone = await startFakeDaemon({
    admin: {
      getRegistry: failThenAnswer<GetRegistryRequest, GetRegistryResponse>([], () => registry),
      getStatus: failThenAnswer<GetStatusRequest, GetStatusResponse>([], () =>
        GetStatusResponse.fromPartial({ frozenClockUs: nowUs }),
      ),
    },
    ingest: {
      writeFeatures: (call: Call) => {
        call.emit('error', grpcError(status.UNAVAILABLE, 'draining'))
      },
    },
  })
  const file = await tenRows('4')
  const { exitCode, stderr } = await runCaptured(['load', 'now', file, '--address', gone.address], {
    cwd: folder,
  })
  gone.stop()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`error: ${gone.address}: draining`)
})

test('an interrupted load says how far it came and how to go on', async () => {
  const stop = new AbortController()
  answer = () => {
    stop.abort()
    return {}
  }
  const select = `SELECT * FROM (${fullSelect}), range(500)`
  const file = await writeParquet('many.parquet', `SELECT * EXCLUDE (range) FROM (${select})`)
  const { exitCode, stderr } = await runCaptured(
    ['load', 'now', file, '--batch-rows', '1', '--address', daemon.address],
    { cwd: folder, stop: stop.signal },
  )
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/interrupted after \d+ acknowledged rows?: run the same load again/)
})

test('a null key is told as what it is', async () => {
  const nullKey = `SELECT * REPLACE (NULL::VARCHAR AS airport) FROM (${fullSelect})`
  const { stderr } = await load(await writeParquet('null-key.parquet', nullKey))
  expect(stderr).toContain('column "airport": null, but join keys and event times must be given')
})
