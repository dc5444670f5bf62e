/**
 * The flights example hangs together: what its SQL computes is what its definitions declare, its
 * model's inputs are features of its service, and one instant gives the rows that many would.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import {
  buildFeatures,
  openFlights,
  readSql,
  setInstant,
  viewNames,
} from '../examples/flights/build-features.mjs'

const example = 'examples/flights'
const flightsPath = 'node_modules/vega-datasets/data/flights-3m.parquet'
const neverAborted = new AbortController().signal

const feature = z.object({ name: z.string(), type: z.string() })
const view = z.object({
  name: z.string(),
  entity: z.string(),
  latency_class: z.enum(['realtime', 'standard', 'relaxed']),
  features: z.array(feature),
  source: z.object({ path: z.string(), event_time: z.string() }),
})
const definitions = z.object({
  entities: z.array(z.object({ name: z.string(), keys: z.record(z.string(), z.string()) })),
  feature_views: z.array(view),
  feature_services: z.array(
    z.object({
      name: z.string(),
      views: z.array(z.object({ view: z.string(), as: z.string().optional() })),
    }),
  ),
})
const model = z.object({ request_values: z.array(feature) })

/** What DuckDB must write for a declared type. */
const columnTypes: Record<string, string> = {
  bool: 'BOOLEAN',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  float32: 'FLOAT',
  string: 'VARCHAR',
  categorical: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  'list<int32>': 'INTEGER[]',
  'list<float32>': 'FLOAT[]',
}

async function readDefinitions(): Promise<z.infer<typeof definitions>> {
  const merged: Record<string, unknown[]> = {}
  for (const file of await readdir(join(example, 'features'))) {
    const text = await readFile(join(example, 'features', file), 'utf8')
    const parsed = z.record(z.string(), z.array(z.unknown())).parse(parse(text))
    for (const [kind, items] of Object.entries(parsed))
      merged[kind] = [...(merged[kind] ?? []), ...items]
  }
  return definitions.parse(merged)
}

const declared = await readDefinitions()
const at = z
  .object({ clock: z.object({ at: z.string() }) })
  .transform(({ clock }) => new Date(clock.at))
  .parse(parse(await readFile(join(example, 'larder.yaml'), 'utf8')))

let connection: DuckDBConnection
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-flights-'))
  connection = await openFlights(flightsPath)
})

afterAll(async () => {
  connection.closeSync()
  await rm(folder, { recursive: true })
})

async function rows(sql: string) {
  return (await connection.runAndReadAll(sql)).getRowsJson()
}

test('the definitions declare the views that are built, of every latency class', () => {
  const views = declared.feature_views
  expect(views.map(({ name }) => name).sort()).toEqual([...viewNames].sort())
  expect(new Set(views.map((one) => one.latency_class)).size).toBe(3)
  expect(views.flatMap(({ features }) => features).length).toBeGreaterThanOrEqual(20)
})

describe('buildFeatures at the replay instant', () => {
  test('writes what the definitions declare, a row per busy airport or route', async () => {
    const built = await buildFeatures({ flightsPath, at, outputDir: folder }, neverAborted)
    expect(built.views.map(({ name }) => name)).toEqual(viewNames)
    for (const { name, path, rowCount } of built.views) {
      const one = declared.feature_views.find((candidate) => candidate.name === name)
      const entity = declared.entities.find((candidate) => candidate.name === one?.entity)
      const keys = Object.entries(entity?.keys ?? {})
      const features = (one?.features ?? []).map((each) => [each.name, each.type])
      const expected = [...keys, [one?.source.event_time ?? '', 'timestamp'], ...features].map(
        ([column, type = '']) => [column, columnTypes[type]],
      )
      const described = await rows(`SELECT column_name, column_type FROM (DESCRIBE FROM '${path}')`)
      expect(described, name).toEqual(expected)
      const keyNames = keys.map(([key]) => key).join(', ')
      const [totals] = await rows(
        `SELECT count(*), count(DISTINCT (${keyNames})), max(as_of) <= '${at.toISOString()}'
         FROM '${path}'`,
      )
      expect(totals, name).toEqual([`${rowCount}`, `${rowCount}`, true])
      const [atLeast, atMost] = keys.length === 1 ? [200, 229] : [2_500, 3_399]
      expect(rowCount, name).toBeGreaterThanOrEqual(atLeast)
      expect(rowCount, name).toBeLessThanOrEqual(atMost)
    }
  })

  test('tells the flights that leave next, with what happened', async () => {
    const built = await buildFeatures({ flightsPath, at, outputDir: folder }, neverAborted)
    const flights = z
      .array(
        z.strictObject({
          departure: z.iso.datetime(),
          origin: z.string(),
          destination: z.string(),
          hour_of_day: z.int().min(0).max(23),
          day_of_week: z.int().min(1).max(7),
          delay_minutes: z.int().min(-60),
        }),
      )
      .parse(JSON.parse(await readFile(built.demoFlightsPath, 'utf8')))
    const untilMs = at.getTime() + 3 * 3_600_000
    expect(flights.length).toBeGreaterThan(1_000)
    expect(flights.every(({ departure }) => Date.parse(departure) >= at.getTime())).toBe(true)
    expect(flights.every(({ departure }) => Date.parse(departure) < untilMs)).toBe(true)
  })

  test.each([
    ['not a date', new Date('soon'), /not a valid date/],
    ['half past', new Date('2001-06-15T18:30:00Z'), /whole hour, not 2001-06-15T18:30/],
    ['before the first flight', new Date('2000-12-31T00:00:00Z'), /cover 2001-01-01T.* to 2001-07/],
    ['after the last flight', new Date('2001-07-02T00:00:00Z'), /no features at 2001-07-02T00/],
  ])('refuses an instant that is %s', async (_, wrong, message) => {
    const building = buildFeatures({ flightsPath, at: wrong, outputDir: folder }, neverAborted)
    await expect(building).rejects.toThrow(message)
  })

  test('stops when told to', async () => {
    const reason = new Error('enough')
    const building = buildFeatures(
      { flightsPath, at, outputDir: folder },
      AbortSignal.abort(reason),
    )
    await expect(building).rejects.toBe(reason)
  })
})

test.each(viewNames)('%s: one instant alone gives the rows it has among many', async (name) => {
  const sql = await readSql(name)
  const others = ['2001-06-14T18:00:00Z', '2001-06-15T00:00:00Z', '2001-06-15T17:00:00Z']
  const literals = [at.toISOString(), '2001-06-15T19:00:00Z', '2001-06-18T06:00:00Z', ...others]
  const values = literals.map((literal) => `(TIMESTAMP '${literal.replace('Z', '')}')`)
  await connection.run(`CREATE OR REPLACE TABLE instants AS FROM (VALUES ${values}) AS v(as_of)`)
  await connection.run(`CREATE OR REPLACE TABLE many AS ${sql}`)
  await setInstant(connection, at)
  await connection.run(`CREATE OR REPLACE TABLE alone AS ${sql}`)
  const amongMany = 'SELECT * FROM many WHERE as_of IN (SELECT DISTINCT as_of FROM alone)'
  const [difference] = await rows(`SELECT
    (SELECT count(*) FROM alone), (SELECT count(*) FROM (${amongMany})),
    (SELECT count(*) FROM (FROM alone EXCEPT ALL ${amongMany})),
    (SELECT count(DISTINCT as_of) > 1 FROM many)`)
  expect(difference).toEqual([difference?.[1], difference?.[0], '0', true])
  expect(Number(difference?.[0])).toBeGreaterThan(200)
})

test('the model takes features of the service and request values, and so does its fixture', async () => {
  const [service] = declared.feature_services
  const offered = (service?.views ?? []).flatMap((used) => {
    const one = declared.feature_views.find(({ name }) => name === used.view)
    return (one?.features ?? []).map(({ name }) => `${used.as ?? used.view}.${name}`)
  })
  const { request_values: requestValues } = model.parse(
    parse(await readFile(join(example, 'models/flight_delay/model.yaml'), 'utf8')),
  )
  const text = await readFile(join(example, 'models/flight_delay/1/model.txt'), 'utf8')
  const inputs = /^feature_names=(.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  expect(inputs.length).toBeGreaterThan(20)
  expect([...offered, ...requestValues.map(({ name }) => name)]).toEqual(
    expect.arrayContaining(inputs),
  )
  const fixture = 'test/fixtures/flights/june-10000.parquet'
  expect(await rows(`SELECT column_name FROM (DESCRIBE FROM '${fixture}')`)).toEqual(
    [...inputs, 'raw_score', 'probability'].map((name) => [name]),
  )
})
