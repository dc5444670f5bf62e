/**
 * The flights model's fixture: 10,000 June flights with LightGBM's own scores, as request columns.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { column, type RequestColumn } from '../../src/client/index.js'
import { cellStatus } from '../../src/column.js'

const example = 'examples/flights'
export const flightsModelsFolder = `${example}/models`
export const flightsModelPath = `${example}/models/flight_delay/1/model.txt`
const fixturePath = 'test/fixtures/flights/june-10000.parquet'

export interface FlightRows {
  readonly rowCount: number
  /** The model's inputs by name, in its order; NaN is missing. */
  readonly inputs: ReadonlyMap<string, Float32Array>
  /** LightGBM's own. */
  readonly rawScores: Float64Array
  readonly probabilities: Float64Array
}

/** The example's definition files. */
export function flightDefinitions(): string[] {
  const folder = join(example, 'features')
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
}

/** Reads the fixture. */
export async function readFlightRows(): Promise<FlightRows> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  try {
    const reader = await connection.runAndReadAll(`FROM '${fixturePath}'`)
    const columns = reader.getColumns()
    const names = reader.columnNames()
    const numbersOf = (name: string) =>
      Float64Array.from(columns[names.indexOf(name)] ?? [], (value) =>
        value === null ? Number.NaN : Number(value),
      )
    const inputNames = names.filter((name) => name !== 'raw_score' && name !== 'probability')
    return {
      rowCount: reader.currentRowCount,
      inputs: new Map(inputNames.map((name) => [name, Float32Array.from(numbersOf(name))])),
      rawScores: numbersOf('raw_score'),
      probabilities: numbersOf('probability'),
    }
  } finally {
    connection.closeSync()
  }
}

/** The cells `start` to `end` of one input under `name`; missing ones are null. */
export function flightColumn(
  name: string,
  values: Float32Array,
  { start, end }: { readonly start: number; readonly end: number },
): RequestColumn {
  const cells = values.slice(start, end)
  const status = Uint8Array.from(cells, (value) =>
    Number.isNaN(value) ? cellStatus.nullValue : cellStatus.present,
  )
  const filled = cells.map((value) => (Number.isNaN(value) ? 0 : value))
  return column.fromWire(name, { $case: 'f32', value: Buffer.from(filled.buffer) }, status)
}

/** The rows as a CSV file that `larder model score` reads. */
export function flightCsv({ rowCount, inputs }: FlightRows): string {
  const lines = [[...inputs.keys()].join(',')]
  for (let row = 0; row < rowCount; row++) {
    const cells = Array.from(inputs.values(), (values) => {
      const value = values[row] ?? Number.NaN
      return Number.isNaN(value) ? '' : String(value)
    })
    lines.push(cells.join(','))
  }
  return `${lines.join('\n')}\n`
}
