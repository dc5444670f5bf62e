/**
 * The flights example's models of every kind through one daemon and in one request: each answers what
 * its file, loaded by itself, answers to the same values; and the trees say what each input added.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column, type RequestColumn } from '../../src/client/index.js'
import { loadModel } from '../../src/predict/load-model.js'
import type { Model, ModelColumn } from '../../src/predict/model.js'
import type { ModelKind } from '../../src/predict/model-kind.js'
import { parseModelYaml } from '../../src/predict/model-yaml.js'
import { describeOnBothKinds, predictRecorded } from '../support/e2e-both-kinds.js'
import { type E2eDaemon, freshTiers, startDaemon } from '../support/e2e-daemon.js'
import {
  type FlightRows,
  flightColumn,
  flightDefinitions,
  flightsModelsFolder,
  readFlightRows,
} from '../support/e2e-flights.js'

const rowCount = 500
const listName = 'route_month.late_share_by_weekday'
const rows: FlightRows = await readFlightRows()
/** A list of every length up to a week's. */
const lists = Array.from({ length: rowCount }, (_, row) =>
  Array.from({ length: row % 8 }, (_item, day) => Math.fround(((row + day) % 11) / 11)),
)

function givenColumns(): RequestColumn[] {
  const numbers = Array.from(rows.inputs, ([name, values]) =>
    flightColumn(name, values, { start: 0, end: rowCount }),
  )
  return [...numbers, column.fromValues(listName, 'list<float32>', lists)]
}

function columnOf(name: string): ModelColumn {
  if (name !== listName) return (rows.inputs.get(name) ?? new Float32Array()).slice(0, rowCount)
  return {
    values: Float32Array.from(lists.flat()),
    lengths: Uint32Array.from(lists, (list) => list.length),
  }
}

async function scoresOf(model: Model): Promise<number[]> {
  const scores = new Float64Array(rowCount * model.outputCount)
  const columns = model.inputs.map(({ name }) => columnOf(name))
  await model.predict(columns, rowCount, scores, { raw: false })
  return [...scores]
}

function load(kind: ModelKind, name: string, file: string): Promise<Model> {
  const folder = join(flightsModelsFolder, name)
  const yamlPath = join(folder, 'model.yaml')
  const yaml = parseModelYaml({ path: yamlPath, text: readFileSync(yamlPath, 'utf8') })
  const path = join(folder, '1', file)
  return loadModel({ kind, path, kernel: 'auto', tensors: yaml.tensors, output: yaml.output })
}

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon

  beforeAll(async () => {
    daemon = await startDaemon({
      tiers: await freshTiers(recorder.kind),
      definitions: flightDefinitions(),
      modelsFolder: flightsModelsFolder,
    })
  })
  afterAll(() => daemon.stop())

  test('trees, a composite and a network answer in one request what they answer alone', async () => {
    const { predictions } = await predictRecorded(recorder, daemon, 'all kinds', {
      models: ['flight_delay', 'flight_risk', 'flight_delay_mlp'],
      features: givenColumns(),
    })
    const trees = await load('lightgbm', 'flight_delay', 'model.txt')
    const composite = await load('composite', 'flight_risk', 'graph.yaml')
    const network = await load('onnx', 'flight_delay_mlp', 'model.onnx')
    expect(predictions.map(({ error }) => error)).toEqual([undefined, undefined, undefined])
    expect([...(predictions[0]?.scores ?? [])]).toEqual(await scoresOf(trees))
    const risks = await scoresOf(composite)
    expect([...(predictions[1]?.scores ?? [])]).toEqual(risks)
    expect(new Set(risks).size).toBeGreaterThan(rowCount / 2)
    expect([...(predictions[2]?.scores ?? [])]).toEqual(await scoresOf(network))
    for (const model of [trees, composite, network]) model.close()
  })

  test('contributions of the trees add up to the raw score', async () => {
    const { predictions } = await predictRecorded(recorder, daemon, 'contributions', {
      models: ['flight_delay'],
      features: givenColumns(),
      raw: true,
      contributions: true,
    })
    const [prediction] = predictions
    const parts = prediction?.contributions?.values ?? new Float64Array()
    const scores = prediction?.scores ?? new Float64Array()
    const width = parts.length / rowCount
    expect(width).toBe(rows.inputs.size + 1)
    const gaps = Array.from(scores, (score, row) => {
      const own = parts.subarray(row * width, (row + 1) * width)
      return Math.abs(score - own.reduce((sum, part) => sum + part, 0))
    })
    expect(Math.max(...gaps)).toBeLessThan(1e-10)
    expect(parts.some((part) => part !== 0)).toBe(true)
  })
})
