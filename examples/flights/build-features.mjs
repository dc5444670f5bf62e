/**
 * Computes the example's feature rows as they would have been known at one instant.
 *
 * Each view is one SQL text in `sql/`, the same that train.py runs at every hour of six months;
 * here `instants` holds a single one. The rows go to one Parquet file per view, ready for
 * `larder load`, beside the flights that leave next and what became of them, which no view may
 * see.
 *
 * Plain JavaScript, so that it runs from a checkout and from a build alike.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** The views, in the order in which they are written. */
export const viewNames = Object.freeze(['airport_now', 'airport_week', 'route_day', 'route_month'])

const hourMs = 3_600_000
// A realtime row is fresh for 3 hours (its ttl): flights beyond that would be predicted without it.
const demoHourCount = 3

/**
 * @typedef {import('@duckdb/node-api').DuckDBConnection} Connection
 * @typedef {{ name: string, path: string, rowCount: number }} ViewFile
 */

/**
 * Writes `<view>.parquet` for every view and `demo-flights.json` into `outputDir`, replacing what
 * is there. The same input gives the same bytes.
 *
 * @param {{ flightsPath: string, at: Date, outputDir: string }} options `at` is a whole hour (UTC).
 * @param {AbortSignal} signal Stops a running query; what was written so far stays.
 * @returns {Promise<{ views: ViewFile[], demoFlightsPath: string }>}
 *   the demo flights are a JSON array of {departure, origin, destination, hour_of_day, day_of_week,
 *   delay_minutes}: when each left, what predicts it, and what happened
 * @throws {RangeError} if `at` is not a whole hour, or the file has no flights about it.
 */
export async function buildFeatures({ flightsPath, at, outputDir }, signal) {
  assertWholeHour(at)
  await mkdir(outputDir, { recursive: true })
  const connection = await openFlights(flightsPath)
  const interrupt = () => connection.interrupt()
  signal.addEventListener('abort', interrupt, { once: true })
  try {
    await assertCovered(connection, at)
    await setInstant(connection, at)
    const views = []
    for (const name of viewNames) {
      signal.throwIfAborted()
      views.push(await writeView(connection, name, join(outputDir, `${name}.parquet`)))
    }
    const demoFlights = await readDemoFlights(connection)
    const demoFlightsPath = join(outputDir, 'demo-flights.json')
    const lines = demoFlights.map((flight) => JSON.stringify(flight))
    await writeFile(demoFlightsPath, `[\n${lines.join(',\n')}\n]\n`)
    return { views, demoFlightsPath }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', interrupt)
    connection.closeSync()
  }
}

/**
 * A connection that has `flights`: the original flights with the instants their facts become known.
 *
 * @param {string} flightsPath
 * @returns {Promise<Connection>} for the caller to close
 */
export async function openFlights(flightsPath) {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  // The connection keeps the database open; this lets go of it when the connection closes.
  instance.closeSync()
  await connection.run(`CREATE VIEW raw_flights AS FROM ${quote(flightsPath)}`)
  await connection.run(await readSql('flights'))
  return connection
}

/**
 * Has the views computed for one instant.
 *
 * @param {Connection} connection
 * @param {Date} at a whole hour (UTC)
 */
export async function setInstant(connection, at) {
  assertWholeHour(at)
  const literal = at.toISOString().replace('Z', '')
  await connection.run(`CREATE OR REPLACE TABLE instants AS SELECT TIMESTAMP '${literal}' AS as_of`)
}

/**
 * Computes one view at the connection's instants and writes it as Parquet.
 *
 * @param {Connection} connection
 * @param {string} name
 * @param {string} path
 * @returns {Promise<ViewFile>}
 */
export async function writeView(connection, name, path) {
  const sql = await readSql(name)
  const written = await connection.runAndReadAll(`COPY (${sql}) TO ${quote(path)} (FORMAT parquet)`)
  return { name, path, rowCount: Number(written.value(0, 0)) }
}

/**
 * The SQL text of a view, or of `flights`.
 *
 * @param {string} name
 */
export function readSql(name) {
  return readFile(new URL(`sql/${name}.sql`, import.meta.url), 'utf8')
}

/**
 * The flights of the hours after the instant whose outcome the data can be trusted on.
 *
 * @param {Connection} connection
 * @returns {Promise<unknown[]>}
 */
async function readDemoFlights(connection) {
  const flights = await connection.runAndReadAll(`
    SELECT strftime(date, '%Y-%m-%dT%H:%M:%SZ') AS departure, origin, destination,
      hour(date)::INTEGER AS hour_of_day, isodow(date)::INTEGER AS day_of_week,
      delay::INTEGER AS delay_minutes
    FROM flights, instants
    WHERE date >= as_of AND date < as_of + INTERVAL ${demoHourCount} HOUR AND is_plausible(delay)
    ORDER BY departure, origin, destination, delay_minutes`)
  return flights.getRowObjectsJson()
}

/** @param {Date} at */
function assertWholeHour(at) {
  if (Number.isNaN(at.getTime())) throw new RangeError('the instant is not a valid date')
  if (at.getTime() % hourMs !== 0)
    throw new RangeError(`the instant must be a whole hour, not ${at.toISOString()}`)
}

/**
 * Outside the time the file covers every view would be empty, or a picture of a past that is over.
 *
 * @param {Connection} connection
 * @param {Date} at
 */
async function assertCovered(connection, at) {
  const covered = await connection.runAndReadAll(
    'SELECT epoch_ms(min(known_from)), epoch_ms(max(date)) FROM flights',
  )
  const first = new Date(Number(covered.value(0, 0)))
  const last = new Date(Number(covered.value(1, 0)))
  if (at >= first && at <= last) return
  throw new RangeError(
    `no features at ${at.toISOString()}: ` +
      `the flights cover ${first.toISOString()} to ${last.toISOString()}`,
  )
}

/** @param {string} text */
function quote(text) {
  return `'${text.replaceAll("'", "''")}'`
}
