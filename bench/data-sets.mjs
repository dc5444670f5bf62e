/**
 * Data sets of the memory benches: rows of a view in columns, made by a workload or read from the flights
 * example, and the entropy of their columns.
 *
 *   { name, features, keyNames, keyColumns, eventTimesUs, rowCount, cells, entropy }
 *
 * `cells` are values by feature, then by row, null where there is none; `entropy` is in bytes per row.
 * That of drawn values is computed from their distributions, that of the flights counted.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'yaml'
import { buildFeatures, viewNames } from '../examples/flights/build-features.mjs'
import { choiceBits, discreteBits } from './value-kinds.mjs'
import { drawRows, entropyOf } from './workload.mjs'

/** Of all drawn rows: any whole second. */
const drawnAtUs = 1_000_000_000_000_000n

const exampleFolder = fileURLToPath(new URL('../examples/flights', import.meta.url))
const flightsPath = fileURLToPath(
  new URL('../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
)
/** The instant at which the example stands. */
const flightsAt = new Date('2001-06-15T18:00:00Z')

/** Entities 0 to `rowCount` - 1 of a workload's view. */
export function drawDataSet(workloadView, rowCount) {
  const { keys, eventTimesUs, cells } = drawRows(workloadView, {
    begin: 0,
    rowCount,
    atUs: drawnAtUs,
  })
  return {
    name: workloadView.name,
    features: workloadView.features,
    keyNames: [workloadView.keyName],
    keyColumns: [keys],
    entropy: { ...entropyOf(workloadView), uncountedColumnCount: 0 },
    ...{ eventTimesUs, rowCount, cells },
  }
}

/** The example's views at its instant, computed into `folder`. */
export async function readFlights(folder) {
  const options = { flightsPath, at: flightsAt, outputDir: folder }
  await buildFeatures(options, new AbortController().signal)
  const files = await Promise.all(
    ['airports', 'routes'].map((name) =>
      readFile(join(exampleFolder, 'features', `${name}.yaml`), 'utf8'),
    ),
  )
  const definitions = files.map((text) => parse(text))
  const entities = definitions.flatMap((file) => file.entities)
  const views = definitions.flatMap((file) => file.feature_views)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const dataSets = []
  for (const viewName of viewNames) {
    const { features, entity } = views.find(({ name }) => name === viewName)
    const { keys } = entities.find(({ name }) => name === entity)
    const path = join(folder, `${viewName}.parquet`)
    const view = { name: viewName, features, keyNames: Object.keys(keys) }
    dataSets.push(await readParquet(connection, view, path))
  }
  connection.closeSync()
  instance.closeSync()
  return dataSets
}

async function readParquet(connection, view, path) {
  const columns = [
    'epoch_us(as_of)',
    ...view.keyNames,
    ...view.features.map(({ name, type }) => (type === 'timestamp' ? `epoch_us(${name})` : name)),
  ]
  const rows = await connection.runAndReadAll(`SELECT ${columns.join(', ')} FROM '${path}'`)
  const [eventTimes, ...others] = rows.getColumnsJS()
  const keyCount = view.keyNames.length
  const cells = others.slice(keyCount)
  const cellEntropies = cells.map((column, index) => countedBits(view.features[index].type, column))
  return {
    ...view,
    keyColumns: others.slice(0, keyCount),
    eventTimesUs: BigInt64Array.from(eventTimes),
    rowCount: eventTimes.length,
    cells,
    entropy: {
      columnBytes: cellEntropies.reduce((sum, { bits }) => sum + bits, 0) / 8,
      // All rows are of one instant.
      eventTimeBytes: 0,
      uncountedColumnCount: cellEntropies.filter(({ isCounted }) => !isCounted).length,
    },
  }
}

/**
 * Entropy of a column's cells in bits, counted: how often each value occurs. A list's elements count one
 * by one. `isCounted` is false where more than half of the values are distinct: there are then too few
 * to tell, and `bits` are less than the entropy is.
 */
export function countedBits(type, column) {
  const set = column.filter((cell) => cell !== null)
  const setShare = set.length / column.length
  const parts = /^list/.test(type)
    ? [
        { values: set.map((list) => list.length), perCell: 1 },
        { values: set.flat(), perCell: set.flat().length / Math.max(1, set.length) },
      ]
    : [{ values: set, perCell: 1 }]
  const counted = parts.map(({ values, perCell }) => {
    const counts = countsOf(values)
    return {
      bits: perCell * discreteBits(counts.map((count) => count / values.length)),
      isCounted: counts.length <= values.length / 2,
    }
  })
  return {
    bits: choiceBits(setShare) + setShare * counted.reduce((sum, { bits }) => sum + bits, 0),
    isCounted: counted.every(({ isCounted }) => isCounted),
  }
}

function countsOf(values) {
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts.values()]
}

/** Row `index`, as the peers' layouts take it; `key` is its join keys' values as one text. */
export function rowAt({ keyNames, keyColumns, eventTimesUs, cells }, index) {
  const keyValues = keyNames.map((name, at) => [name, keyColumns[at][index]])
  return {
    keyValues: Object.fromEntries(keyValues),
    key: keyValues.map(([, value]) => value).join(':'),
    eventTimeUs: eventTimesUs[index],
    cells: cells.map((column) => column[index]),
  }
}
