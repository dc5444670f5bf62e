/**
 * The flights model through a daemon: LightGBM's own scores, those of `larder model score`, and those
 * from stored features, all the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import { runCaptured } from '../support/captured-io.js'
import { describeOnBothKinds, predictRecorded } from '../support/e2e-both-kinds.js'
import { type E2eDaemon, freshTiers, nowUs, startDaemon } from '../support/e2e-daemon.js'
import {
  type FlightRows,
  flightColumn,
  flightCsv,
  flightDefinitions,
  flightsModelPath,
  flightsModelsFolder,
  readFlightRows,
} from '../support/e2e-flights.js'

const requestRows = 1000
/** Rows of the fixture whose features are stored, each under airports of its own. */
const storedRows = 200
const requestValues = ['hour_of_day', 'day_of_week']

/** Service roles, and the view and key columns each reads. */
const roles = {
  origin: { view: 'airport_now', keys: { airport: 'O' } },
  destination: { view: 'airport_now', keys: { airport: 'D' } },
  origin_week: { view: 'airport_week', keys: { airport: 'O' } },
  destination_week: { view: 'airport_week', keys: { airport: 'D' } },
  route_day: { view: 'route_day', keys: { origin: 'O', destination: 'D' } },
  route_month: { view: 'route_month', keys: { origin: 'O', destination: 'D' } },
} as const

const rows: FlightRows = await readFlightRows()

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'larder-e2e-score-'))
    daemon = await startDaemon({
      tiers: await freshTiers(recorder.kind),
      definitions: flightDefinitions(),
      modelsFolder: flightsModelsFolder,
    })
    await storeRows()
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true })
  })

  /** All features of rows `start` to `end`, by value. */
  function givenColumns(start: number, end: number): RequestColumn[] {
    return Array.from(rows.inputs, ([name, values]) => flightColumn(name, values, { start, end }))
  }

  /** Scores by value, a request for every thousand rows. */
  async function scoreByValue(label: string, options: { readonly raw: boolean }) {
    const scores: number[] = []
    for (let start = 0; start < rows.rowCount; start += requestRows) {
      const end = Math.min(rows.rowCount, start + requestRows)
      const { predictions } = await predictRecorded(recorder, daemon, `${label} ${start}`, {
        models: ['flight_delay'],
        features: givenColumns(start, end),
        ...options,
      })
      scores.push(...(predictions[0]?.scores ?? []))
    }
    return Float64Array.from(scores)
  }

  /** Scores every row of the fixture with the command line, without a daemon. */
  async function scoreByCommand(...flags: readonly string[]): Promise<Float64Array> {
    const csvPath = join(folder, 'rows.csv')
    writeFileSync(csvPath, flightCsv(rows))
    const command = ['model', 'score', flightsModelPath, '--input', csvPath, ...flags]
    const { exitCode, stdout, stderr } = await runCaptured(command)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return Float64Array.from(stdout.trimEnd().split('\n'), Number)
  }

  /** Writes each view's features of the first rows: row i flies from `Oi` to `Di`. */
  async function storeRows(): Promise<void> {
    const { views, entities } = await daemon.client.registry()
    const writer = daemon.client.openWriter()
    for (const [role, { view: viewName, keys }] of Object.entries(roles)) {
      const view = views.find(({ name }) => name === viewName)
      const joinKeys = entities.find(({ name }) => name === view?.entity)?.keys ?? []
      const range = { start: 0, end: storedRows }
      const features = (view?.features ?? []).map(({ name, type }) => {
        const values = rows.inputs.get(`${role}.${name}`)
        return values === undefined
          ? column.fromValues(name, type, new Array(storedRows).fill(null))
          : flightColumn(name, values, range)
      })
      const ack = await writer.write({
        batchId: role,
        view: viewName,
        schemaVersion: 1,
        keys: joinKeys.map(({ name }) => airports(name, new Map(Object.entries(keys)).get(name))),
        features,
        eventTimesUs: new BigInt64Array(storedRows).fill(nowUs),
      })
      expect(ack).toMatchObject({ durable: true, visible: true, storedCount: storedRows })
    }
    await writer.close()
  }

  function storedKeys(): RequestColumn[] {
    return [airports('origin', 'O'), airports('destination', 'D')]
  }

  function requestValueColumns(): RequestColumn[] {
    const range = { start: 0, end: storedRows }
    return requestValues.map((name) =>
      flightColumn(name, rows.inputs.get(name) ?? new Float32Array(0), range),
    )
  }

  test('raw scores of features passed by value are LightGBM’s, bit for bit', async () => {
    const scores = await scoreByValue('raw', { raw: true })
    expect(rows.rowCount).toBe(10_000)
    expect(bitsOf(scores)).toEqual(bitsOf(rows.rawScores))
  })

  test('probabilities are LightGBM’s to the last place', async () => {
    const scores = await scoreByValue('transformed', { raw: false })
    expect(largestUlps(scores, rows.probabilities)).toBeLessThanOrEqual(1n)
  })

  test.each([
    ['raw scores', true, ['--raw']],
    ['probabilities', false, []],
  ] as const)('%s are those of `larder model score`, bit for bit', async (name, raw, flags) => {
    const byDaemon = await scoreByValue(`command line ${name}`, { raw })
    expect(bitsOf(byDaemon)).toEqual(bitsOf(await scoreByCommand(...flags)))
  })

  test('features from the store give the scores of the same features by value', async () => {
    const { predictions } = await predictRecorded(recorder, daemon, 'stored', {
      models: ['flight_delay@stable'],
      keys: storedKeys(),
      features: requestValueColumns(),
      raw: true,
    })
    const [prediction] = predictions
    expect(prediction).toMatchObject({ model: 'flight_delay', version: '1', outputCount: 1 })
    const expected = rows.rawScores.slice(0, storedRows)
    expect(bitsOf(prediction?.scores ?? new Float64Array(0))).toEqual(bitsOf(expected))
    const missingCount = Array.from(rows.inputs.values())
      .flatMap((values) => Array.from(values.slice(0, storedRows)))
      .filter((value) => Number.isNaN(value)).length
    expect(prediction?.defaults).toEqual({
      modelDefaultCount: 0,
      viewDefaultCount: 0,
      missingCount,
      unavailableCount: 0,
    })
  })

  test('a given feature beats the stored one, row by row', async () => {
    const name = 'origin.delay_mean_3h'
    // Every second row is given another row's value; the others are left to the store.
    const values = rows.inputs.get(name)?.slice(0, storedRows).toReversed() ?? new Float32Array(0)
    const cells = Array.from(values, (value, row) => (row % 2 === 0 ? given(value) : undefined))
    const { predictions } = await predictRecorded(recorder, daemon, 'partly given', {
      models: ['flight_delay'],
      keys: storedKeys(),
      features: [...requestValueColumns(), column.fromValues(name, 'float32', cells)],
      raw: true,
    })
    const stored = rows.inputs.get(name) ?? new Float32Array(0)
    const mixed = stored.slice(0, storedRows).map((value, row) => {
      return row % 2 === 0 ? (values[row] ?? Number.NaN) : value
    })
    const byValue = await daemon.client.predict({
      models: ['flight_delay'],
      features: Array.from(rows.inputs, ([inputName, all]) =>
        flightColumn(inputName, inputName === name ? mixed : all, { start: 0, end: storedRows }),
      ),
      raw: true,
    })
    const expected = byValue.predictions[0]?.scores ?? new Float64Array(0)
    expect(bitsOf(predictions[0]?.scores ?? new Float64Array(0))).toEqual(bitsOf(expected))
    expect(bitsOf(expected)).not.toEqual(bitsOf(rows.rawScores.slice(0, storedRows)))
  })
})

/** The key column `name`: an airport of its own for each stored row. */
function airports(name: string, prefix = ''): RequestColumn {
  return column.strings(
    name,
    Array.from({ length: storedRows }, (_, row) => `${prefix}${row}`),
  )
}

/** NaN of the fixture stands for null. */
function given(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function bitsOf(scores: Float64Array): BigUint64Array {
  return new BigUint64Array(Float64Array.from(scores).buffer)
}

/** The most places in the last digit by which any two positive scores differ. */
function largestUlps(scores: Float64Array, expected: Float64Array): bigint {
  const [left, right] = [bitsOf(scores), bitsOf(expected)]
  expect(left.length).toBe(right.length)
  return left.reduce((largest, bits, row) => {
    const other = right[row] ?? 0n
    const ulps = bits > other ? bits - other : other - bits
    return ulps > largest ? ulps : largest
  }, 0n)
}
