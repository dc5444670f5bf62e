/**
 * No feature of the flights example may know the future.
 *
 * Features are computed at one instant from the original flights, and again from flights whose
 * delays were replaced wherever the outcome was not known yet, known-from staying what it was. The
 * files must be equal byte for byte. The same replacement on known flights must change every view,
 * and SQL that is an hour too early must be caught, which shows that the comparison can fail.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  openFlights,
  setInstant,
  viewNames,
  writeView,
} from '../examples/flights/build-features.mjs'

const flightsPath = 'node_modules/vega-datasets/data/flights-3m.parquet'
// A bad evening, a quiet night, and a midnight, at which the daily views are new.
const instants = ['2001-06-15T18:00:00Z', '2001-06-20T04:00:00Z', '2001-05-01T00:00:00Z']
// Every third flight becomes very late, every third very early, every third a data error.
const replacedDelay = '(CASE hash(rowid) % 3 WHEN 0 THEN 700 WHEN 1 THEN -59 ELSE -900 END)'

const noBytes = Buffer.alloc(0)

let connection: DuckDBConnection
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-flights-'))
  connection = await openFlights(flightsPath)
  await connection.run('CREATE TABLE original_flights AS FROM flights')
})

afterAll(async () => {
  connection.closeSync()
  await rm(folder, { recursive: true })
})

async function count(sql: string): Promise<number> {
  const found = await connection.runAndReadAll(`SELECT count(*) FROM ${sql}`)
  return Number(found.value(0, 0))
}

/** The original flights, their delays replaced where `condition` holds. */
function withDelaysReplaced(condition: string): string {
  const delay = `CASE WHEN ${condition} THEN ${replacedDelay} ELSE delay END AS delay`
  return `SELECT * REPLACE (${delay}) FROM original_flights`
}

/** The views' files as computed at `at` from the flights that `flightsSql` selects. */
async function viewFiles(at: string, flightsSql: string): Promise<Map<string, Buffer>> {
  await connection.run(`CREATE OR REPLACE TABLE flights AS ${flightsSql}`)
  await setInstant(connection, new Date(at))
  const files = new Map<string, Buffer>()
  for (const name of viewNames) {
    const { path } = await writeView(connection, name, join(folder, `${name}.parquet`))
    files.set(name, await readFile(path))
  }
  return files
}

/** The views whose files differ. */
function changedViews(before: Map<string, Buffer>, after: Map<string, Buffer>): string[] {
  return viewNames.filter((name) => before.get(name)?.compare(after.get(name) ?? noBytes) !== 0)
}

test('known-from is the departure, 400 mph, an hour, and the delay if there was one', async () => {
  const expected = 'epoch(date) + distance / 400.0 * 3600 + 3600 + greatest(delay, 0) * 60'
  expect(await count(`original_flights WHERE abs(epoch(known_from) - (${expected})) > 1e-3`)).toBe(
    0,
  )
  expect(await count('original_flights')).toBe(3_000_000)
})

describe.each(instants)('at %s', (at) => {
  const instant = `TIMESTAMP '${at.replace('Z', '')}'`
  const known = `known_from <= ${instant}`
  const unknown = `known_from > ${instant}`

  test('delays not known yet change no byte, known ones change every view', async () => {
    expect(await count(`original_flights WHERE ${unknown}`)).toBeGreaterThan(50_000)
    const original = await viewFiles(at, 'FROM original_flights')
    expect([...original.values()].every((bytes) => bytes.length > 1_000)).toBe(true)
    const unknownReplaced = await viewFiles(at, withDelaysReplaced(unknown))
    expect(changedViews(original, unknownReplaced)).toEqual([])
    const knownReplaced = await viewFiles(at, withDelaysReplaced(known))
    expect(changedViews(original, knownReplaced)).toEqual(viewNames)
  })

  test('flights that have not left yet change no byte', async () => {
    const original = await viewFiles(at, 'FROM original_flights')
    const departed = await viewFiles(at, `FROM original_flights WHERE date <= ${instant}`)
    expect(changedViews(original, departed)).toEqual([])
  })

  test('SQL that knew outcomes one hour too early would be caught', async () => {
    const early = (flightsSql: string) =>
      `SELECT * REPLACE (known_hour - INTERVAL 1 HOUR AS known_hour) FROM (${flightsSql})`
    const original = await viewFiles(at, early('FROM original_flights'))
    const unknownReplaced = await viewFiles(at, early(withDelaysReplaced(unknown)))
    expect(changedViews(original, unknownReplaced)).toEqual(
      expect.arrayContaining(['airport_now', 'route_day']),
    )
  })
})
