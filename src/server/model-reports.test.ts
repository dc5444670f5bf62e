import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import {
  createModelsFolder,
  putModel,
  putModelYaml,
  sumModel,
} from '../../test/support/e2e-models.js'
import { createManualClock } from '../../test/support/manual-clock.js'
import { ModelRepository } from '../predict/model-repository.js'
import { emptySnapshot, type Snapshot } from '../registry/snapshot.js'
import { createDaemonMetrics } from './daemon-metrics.js'
import { createModelReports, type ModelReports } from './model-reports.js'

const definitions = `
entities: [{ name: shop, keys: { shop: string } }]
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32 }]
feature_services: [{ name: inputs, views: [{ view: sales }] }]
`

let folder: string
let models: ModelRepository
let snapshot: Snapshot
let logged: string[]
let reports: ModelReports
const metrics = createDaemonMetrics(() => {})

beforeEach(async () => {
  folder = createModelsFolder()
  const clock = createManualClock(0)
  models = new ModelRepository({ folder, clock, kernel: 'auto', quietMs: 0 })
  snapshot = await snapshotOf(definitions)
  logged = []
  const log = (level: string) => (_facts: object, message: string) => {
    logged.push(`${level} ${message}`)
  }
  reports = createModelReports({
    registry: { current: () => snapshot },
    models,
    metrics,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
  })
})
afterEach(async () => {
  await models.close()
  rmSync(folder, { recursive: true })
})

/** A look at the folder; what was logged. */
async function look(): Promise<readonly string[]> {
  reports.scanned(await models.load())
  return logged.splice(0)
}

const noSuchFeature =
  "model 'sums@1' does not fit the definitions: no feature service has all its inputs " +
  '(sales.median): name the service in model.yaml'

test('a model is told when it is loaded, and nothing is found', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  expect(await look()).toEqual(['info model loaded'])
  expect(await look()).toEqual([])
  expect(reports.findings()).toEqual([])
})

test('a model that does not fit is told once, and when it does', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.median': 1 }))
  expect(await look()).toEqual(['info model loaded', `error ${noSuchFeature}`])
  expect(await look()).toEqual([])
  expect(reports.findings()).toEqual([noSuchFeature])
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  expect(await look()).toEqual(['info model loaded', `info no longer: ${noSuchFeature}`])
})

test('a swap of the registry tells what no longer fits, once, and what fits again', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  await look()
  const fitting = snapshot
  snapshot = emptySnapshot
  reports.registrySwapped()
  reports.registrySwapped()
  const misfit =
    "model 'sums@1' does not fit the definitions: there are no feature services: " +
    'apply definitions first'
  expect(logged.splice(0)).toEqual([`error ${misfit}`])
  snapshot = fitting
  reports.registrySwapped()
  expect(logged).toEqual([`info no longer: ${misfit}`])
})

test('broken files are told once with the reason, beside what serves on', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  await look()
  putModel(folder, 'sums', 1, 'broken')
  putModel(folder, 'sums', 2, 'broken')
  const why =
    "LightGBM model, byte 0: not a LightGBM text model: the first line is 'broken', expected 'tree'"
  const findings = [
    `model 'sums@1' cannot be used: ${why} (what was loaded before serves on)`,
    `model 'sums@2' cannot be used: ${why}`,
  ]
  expect(await look()).toEqual(findings.map((text) => `error ${text}`))
  expect(await look()).toEqual([])
  expect(reports.findings()).toEqual(findings)
})

test('labels that are not where model.yaml wants them are told', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  putModelYaml(folder, 'sums', 'kind: lightgbm\nlabels: { stable: 1 }')
  expect(await look()).toEqual(['info model loaded'])
  putModelYaml(folder, 'sums', 'kind: lightgbm\nlabels: { stable: 3, canary: 4 }')
  const findings = [
    "model 'sums': its label stable stays at 1: version 3 is not there or cannot be used",
    "model 'sums': its label canary points at nothing: version 4 is not there or cannot be used",
  ]
  expect(await look()).toEqual([
    'info settings of a model changed',
    ...findings.map((text) => `error ${text}`),
  ])
  expect(reports.findings()).toEqual(findings)
})

test('a version that is still being written is no finding; one that was removed is told', async () => {
  putModel(folder, 'sums', 1, sumModel({ 'sales.mean': 1 }))
  await look()
  mkdirSync(join(folder, 'sums/2'))
  writeFileSync(join(folder, 'sums/2/model.txt'), 'tree')
  reports.scanned(await models.scan())
  expect(reports.findings()).toEqual([])
  rmSync(join(folder, 'sums'), { recursive: true })
  expect(await look()).toEqual(['info model removed'])
})
