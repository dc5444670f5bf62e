/**
 * Models bound to small definitions, as a Predict request has them, and what reading for them gave.
 */
import { cellStatus, type FeatureColumn } from '../../src/column.js'
import { bindModel } from '../../src/predict/bind-model.js'
import { parseModelYaml } from '../../src/predict/model-yaml.js'
import type { Snapshot } from '../../src/registry/snapshot.js'
import type { ModelInUse, PredictInput, PredictPlan } from '../../src/server/predict-path.js'
import type { ReadResult } from '../../src/server/read-path.js'
import { snapshotOf } from './defined-snapshot.js'
import { type TestModelWords, testModel } from './test-models.js'

/** Services \`shops\` (roles near and far of one view) and \`users\` (role near of another). */
const definitions = `
entities:
  - { name: shop, keys: { shop: string } }
  - { name: user, keys: { user: int64 } }
feature_views:
  - name: sales
    entity: shop
    latency_class: standard
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32, default: 100 }, { name: total, type: float64 }]
  - name: clicks
    entity: user
    latency_class: standard
    ttl: 1h
    retention: 1d
    on_stale: default
    features: [{ name: mean, type: float64 }]
feature_services:
  - { name: shops, views: [{ view: sales, as: near }, { view: sales, as: far, keys: { shop: far_shop } }] }
  - { name: users, views: [{ view: clicks, as: near }] }
`

export function shopsAndUsers(): Promise<Snapshot> {
  return snapshotOf(definitions)
}

/** A request that asks for scores alone. */
export const scoresOnly = {
  keys: [],
  features: [],
  rowsMax: 1000,
  raw: false,
  explain: false,
  contributions: false,
  keepsGoing: false,
} as const satisfies PredictInput

/** A model of version 1, bound to \`snapshot\`. */
const neverLoaded = { isPending: false, vectorCount: 0, loadedAtMs: undefined, loadMs: undefined }

export function useModel(
  snapshot: Snapshot,
  name: string,
  { yamlText = '', ...words }: TestModelWords & { readonly yamlText?: string },
): ModelInUse {
  const yaml = parseModelYaml({ path: 'model.yaml', text: `kind: lightgbm\n${yamlText}` })
  const model = testModel(words)
  const entry = { name, version: '1', labels: [], yaml, model, problem: undefined, ...neverLoaded }
  return { ...bindModel(model, yaml, snapshot), entry }
}

/** What reading `predictPlan` gave: these values by column name, all else not found. */
export function readOf(
  predictPlan: PredictPlan,
  values: Readonly<Record<string, readonly number[]>>,
  statusCode: number = cellStatus.present,
): ReadResult {
  const { read, rowCount } = predictPlan
  const columns = (read?.features ?? []).map(({ name, feature }): FeatureColumn => {
    const known = values[name]
    return {
      name,
      type: feature.type,
      values: { class: 'f64', values: Float64Array.from(known ?? Array(rowCount).fill(0)) },
      status: new Uint8Array(rowCount).fill(known === undefined ? cellStatus.notFound : statusCode),
    }
  })
  const roles = (read?.roles ?? []).map(({ role, view }) => ({
    role,
    view: view.name,
    eventTimesUs: new BigInt64Array(rowCount),
    tiers: new Uint8Array(rowCount),
  }))
  return { columns, roles, unknownLayouts: [] }
}
