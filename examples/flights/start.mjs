/**
 * Runs the example: a daemon on the replay clock, its definitions applied, its features written
 * through the ordinary gRPC write path, a few flights predicted beside what happened, and then it
 * keeps serving until SIGTERM or SIGINT.
 *
 * A second start on the same data writes nothing again.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFeatures, readSql, viewNames } from './build-features.mjs'

const exampleFolder = fileURLToPath(new URL('.', import.meta.url))
const flightsPath = fileURLToPath(
  new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
)
const modelName = 'flight_delay'
const demoFlightCount = 8

/** Runs until a signal stops it; prints `larder ready …` and, last, `larder stopped`. */
export async function start() {
  // The daemon is what the build made: it is not there when this file is first read.
  const { readConfig } = await import('../../dist/server/config.js')
  const { serve } = await import('../../dist/server/serve.js')
  const { createLarderClient } = await import('../../dist/client/index.js')
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop.abort())
  const configPath = join(exampleFolder, 'larder.yaml')
  const config = readConfig({
    configPath,
    env: { LARDER_LOG_LEVEL: 'warn', ...process.env },
    flags: {},
  })
  const daemon = await serve(config)
  try {
    await Promise.race([daemon.ready, whenAborted(stop.signal)])
    const client = createLarderClient({ addresses: daemon.grpcAddress, deadlineMs: 60_000 })
    try {
      await prepare({ config, client, address: daemon.grpcAddress }, stop.signal)
    } finally {
      client.close()
    }
    console.log(`larder ready grpc=${daemon.grpcAddress} http=${daemon.httpAddress}`)
    await whenAborted(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    await daemon.stop()
  }
  console.log('larder stopped')
}

/** Definitions, features, and the account of it all. */
async function prepare({ config, client, address }, signal) {
  const at = new Date(Number(config.clockAtUs / 1000n))
  console.log(`Flights of June 2001; the judging clock stands at ${at.toISOString()}`)
  const folder = join(config.featuresFolder)
  const applied = await client.apply(await readDefinitions(folder), {}, signal)
  const registry = await client.registry(signal)
  const featureCount = registry.views.reduce((sum, view) => sum + view.features.length, 0)
  console.log(
    `definitions: registry version ${registry.registryVersion}, ${registry.views.length} views, ` +
      `${featureCount} features (${applied.changes.length} changes)`,
  )
  const demoFlights = await loadFeatures({ config, address, at }, signal)
  await printTiers(client, signal)
  await printPredictions(client, demoFlights, signal)
}

async function readDefinitions(folder) {
  const names = ['airports.yaml', 'routes.yaml', 'services.yaml']
  const files = await Promise.all(
    names.map(async (name) => ({ path: name, text: await readFile(join(folder, name), 'utf8') })),
  )
  return { files }
}

/** Computes and loads every view, unless the same was loaded into the same tier before. */
async function loadFeatures({ config, address, at }, signal) {
  const outputDir = join(config.dataFolder, 'flights-features')
  const markPath = join(outputDir, 'loaded.json')
  const mark = await markOf(config, at)
  const demoFlightsPath = join(outputDir, 'demo-flights.json')
  const known = await readFile(markPath, 'utf8').catch(() => undefined)
  if (known === mark) {
    console.log('features: loaded by an earlier start')
    return JSON.parse(await readFile(demoFlightsPath, 'utf8'))
  }
  await mkdir(outputDir, { recursive: true })
  const startMs = performance.now()
  const built = await buildFeatures({ flightsPath, at, outputDir }, signal)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`features: ${viewNames.length} views of 3,000,000 flights computed in ${seconds} s`)
  for (const { name, path } of built.views) {
    await runCommand(['load', name, path, '--address', address], signal)
  }
  await writeFile(markPath, mark)
  return JSON.parse(await readFile(demoFlightsPath, 'utf8'))
}

/** What was loaded, and where: another instant, text of SQL or tier is loaded afresh. */
async function markOf(config, at) {
  const digest = createHash('sha256')
  for (const name of ['flights', ...viewNames]) digest.update(await readSql(name))
  return JSON.stringify({ at, warm: config.tiers.warm, sql: digest.digest('hex') })
}

/** Runs `larder …` in this process. */
async function runCommand(argv, signal) {
  const { run } = await import('../../dist/cli/run.js')
  const { systemClock } = await import('../../dist/clock.js')
  const output = (stream) => ({
    terminal: undefined,
    write: async (text) => void stream.write(text),
  })
  const exitCode = await run(argv, {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    stop: signal,
    ask: undefined,
  })
  if (exitCode !== 0) throw new Error(`larder ${argv.join(' ')} failed (exit ${exitCode})`)
}

async function printTiers(client, signal) {
  const { tiers } = await client.status(signal)
  for (const { role, url, rowCount, storedBytes } of tiers) {
    console.log(`${role.padEnd(4)} ${url}  ${amount(rowCount)} rows, ${amount(storedBytes)} bytes`)
  }
}

function amount(count) {
  return count < 0n ? '?' : count.toLocaleString('en-US')
}

/** A few flights of the hours after the instant: what the model says, and what happened. */
async function printPredictions(client, demoFlights, signal) {
  const { column } = await import('../../dist/client/index.js')
  const step = Math.max(1, Math.floor(demoFlights.length / demoFlightCount))
  const flights = demoFlights.filter((_, index) => index % step === 0).slice(0, demoFlightCount)
  const valuesOf = (name) => flights.map((flight) => flight[name])
  const { predictions } = await client.predict(
    {
      models: [modelName],
      keys: [
        column.strings('origin', valuesOf('origin')),
        column.strings('destination', valuesOf('destination')),
      ],
      features: [
        column.int8('hour_of_day', valuesOf('hour_of_day')),
        column.int8('day_of_week', valuesOf('day_of_week')),
      ],
    },
    signal,
  )
  console.log('departure         from to   late?  what happened')
  for (const [index, flight] of flights.entries()) {
    const share = `${(100 * predictions[0].scores[index]).toFixed(0)} %`.padStart(5)
    const late = flight.delay_minutes > 15
    const happened = `${late ? 'late' : 'on time'} (${flight.delay_minutes} min)`
    const when = flight.departure.slice(0, 16).replace('T', ' ')
    console.log(`${when}  ${flight.origin}  ${flight.destination}  ${share}  ${happened}`)
  }
}

function whenAborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', resolve, { once: true })
  })
}
