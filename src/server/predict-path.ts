/**
 * The predict path: one request in, scores out, in one hop.
 *
 * plan (which features are given, which must be read) -> read, all models' features in one plan ->
 * resolve every input -> score. A given value beats the stored one; a feature given for every row is
 * not read at all.
 */

import { didYouMean } from '../closest-name.js'
import type { FeatureColumn, WireColumn } from '../column.js'
import { cellStatus } from '../column.js'
import { LarderError } from '../errors.js'
import { formatFeatureType } from '../feature-type.js'
import { requestModelsMax } from '../limits.js'
import type { BoundInput, BoundModel } from '../predict/bind-model.js'
import { parseGivenColumn } from '../predict/given-column.js'
import type { ModelVersion } from '../predict/model-repository.js'
import { type ResolvedInput, resolveInput, valueOrigin } from '../predict/resolve-input.js'
import type { FeatureService, ServiceFeature } from '../registry/snapshot.js'
import {
  countRows,
  indexColumns,
  planRead,
  type ReadPlan,
  type WantedFeature,
  type WantedView,
} from './plan-read.js'
import type { ReadResult, RoleRows } from './read-path.js'

export interface PredictInput {
  readonly keys: readonly WireColumn[]
  readonly features: readonly WireColumn[]
  readonly rowsMax: number
}

export type ModelInUse = BoundModel & { readonly entry: ModelVersion }

export interface PredictPlan {
  readonly rowCount: number
  readonly models: readonly ModelInUse[]
  readonly given: ReadonlyMap<string, FeatureColumn>
  /** Undefined where every feature is given. */
  readonly read: ReadPlan | undefined
}

/** How many inputs had no value of their own, over all rows. */
export interface DefaultCounts {
  modelDefault: number
  viewDefault: number
  missing: number
  unavailable: number
}

export interface InputResult {
  readonly input: BoundInput
  readonly resolved: ResolvedInput
  /** The rows the stored values came from; undefined where nothing was read. */
  readonly rows: RoleRows | undefined
}

export interface ModelResult {
  readonly model: ModelInUse
  readonly scores: Float64Array
  readonly defaults: DefaultCounts
  readonly inputs: readonly InputResult[]
}

/** Plans a prediction: what is given, and what must be read. Pure. Throws what is wrong with the request. */
export function planPredict(models: readonly ModelInUse[], request: PredictInput): PredictPlan {
  assertModelCount(models.length)
  const rowCount = countRows([...request.keys, ...request.features], request.rowsMax)
  const given = parseGiven(models, request.features)
  assertKeysKnown(models, request.keys)
  const services = servicesOf(models)
  const views: WantedView[] = []
  const features: WantedFeature[] = []
  for (const service of services) {
    const needed = neededFeatures(models, service, given)
    const roles = new Set(needed.map((feature) => feature.role))
    const prefix = rolePrefix(service, services.size)
    for (const view of service.views) {
      if (roles.has(view.role)) views.push({ ...view, role: prefix + view.role })
    }
    for (const { name, role, feature } of needed) {
      features.push({ name: prefix + name, role: prefix + role, feature })
    }
  }
  const read =
    views.length === 0 ? undefined : planRead({ views, features }, request.keys, rowCount)
  return Object.freeze({ rowCount, models, given, read })
}

/** Scores every model of `plan` on what was given and read. */
export async function scoreModels(
  plan: PredictPlan,
  read: ReadResult | undefined,
  options: { readonly raw: boolean; readonly signal: AbortSignal },
): Promise<readonly ModelResult[]> {
  const stored = new Map(read?.columns.map((column) => [column.name, column]))
  const rows = new Map(read?.roles.map((role) => [role.role, role]))
  const serviceCount = servicesOf(plan.models).size
  const results: ModelResult[] = []
  for (const model of plan.models) {
    const prefix = model.service === undefined ? '' : rolePrefix(model.service, serviceCount)
    const inputs = model.inputs.map((input): InputResult => {
      const { feature } = input
      const sources = {
        given: plan.given.get(input.name),
        stored: feature === undefined ? undefined : stored.get(prefix + input.name),
        servesStale: feature?.view.onStale === 'serve',
      }
      const resolved = resolveInput(input, sources, plan.rowCount)
      const readRows = sources.stored === undefined ? undefined : rows.get(prefix + feature?.role)
      return { input, resolved, rows: readRows }
    })
    const scores = new Float64Array(plan.rowCount * model.model.outputCount)
    const columns = inputs.map(({ resolved }) => resolved.values)
    await model.model.predict(columns, plan.rowCount, scores, { raw: options.raw }, options.signal)
    results.push({ model, scores, defaults: countDefaults(inputs), inputs })
  }
  return results
}

/** Models without a service read nothing from a tier. */
function servicesOf(models: readonly ModelInUse[]): ReadonlySet<FeatureService> {
  return new Set(models.flatMap(({ service }) => (service === undefined ? [] : [service])))
}

/** Two services may use one role name for different views: then roles carry their service's name. */
function rolePrefix(service: FeatureService, serviceCount: number): string {
  return serviceCount === 1 ? '' : `${service.name}/`
}

function assertModelCount(modelCount: number): void {
  if (modelCount === 0) throw new LarderError('invalid_argument', 'the request names no model')
  if (modelCount > requestModelsMax) {
    throw new LarderError(
      'resource_exhausted',
      `${modelCount} models in one request, at most ${requestModelsMax} are allowed`,
    )
  }
}

function parseGiven(
  models: readonly ModelInUse[],
  columns: readonly WireColumn[],
): ReadonlyMap<string, FeatureColumn> {
  if (columns.length === 0) return new Map()
  const inputs = new Map(
    models.flatMap((model) => model.inputs.map((input) => [input.name, input])),
  )
  const serviceFeatures = new Map(
    models.flatMap(({ service }) =>
      (service?.features ?? []).map((feature) => [feature.name, feature]),
    ),
  )
  const given = new Map<string, FeatureColumn>()
  for (const [name, column] of indexColumns(columns, 'feature column')) {
    const type = inputs.get(name)?.type ?? serviceFeatures.get(name)?.feature.type
    if (type === undefined) {
      const known = [...inputs.keys(), ...serviceFeatures.keys()]
      throw new LarderError(
        'invalid_argument',
        `no model of the request reads a feature or request value '${name}'${didYouMean(name, known)}`,
      )
    }
    // A feature of the service that no model reads is checked no further.
    if (!inputs.has(name)) continue
    assertOneType(models, name)
    given.set(name, parseGivenColumn(column, type))
  }
  return given
}

/** One given column cannot be of two types: which model would be scored on a value it did not mean? */
function assertOneType(models: readonly ModelInUse[], name: string): void {
  const uses = models.flatMap(({ entry, inputs }) => {
    const input = inputs.find((candidate) => candidate.name === name)
    return input === undefined
      ? []
      : [{ model: `${entry.name}@${entry.version}`, typeText: formatFeatureType(input.type) }]
  })
  const [first] = uses
  const other = uses.find(({ typeText }) => typeText !== first?.typeText)
  if (first === undefined || other === undefined) return
  throw new LarderError(
    'invalid_argument',
    `'${name}' is ${first.typeText} in model '${first.model}' and ${other.typeText} in model ` +
      `'${other.model}': one request cannot give it to both, ask for them one by one`,
  )
}

function assertKeysKnown(models: readonly ModelInUse[], keys: readonly WireColumn[]): void {
  const known = new Set(models.flatMap(({ service }) => service?.keys.map((key) => key.name) ?? []))
  for (const { name } of keys) {
    if (known.has(name)) continue
    throw new LarderError(
      'invalid_argument',
      `no model of the request has a key column '${name}'${didYouMean(name, known)}`,
    )
  }
}

/** The features of `service` that some model reads and the caller did not give for every row. */
function neededFeatures(
  models: readonly ModelInUse[],
  service: FeatureService,
  given: ReadonlyMap<string, FeatureColumn>,
): readonly ServiceFeature[] {
  const needed = new Set<ServiceFeature>()
  for (const model of models) {
    if (model.service !== service) continue
    for (const { name, feature } of model.inputs) {
      if (feature !== undefined && !isGivenWhole(given.get(name))) needed.add(feature)
    }
  }
  return [...needed]
}

function isGivenWhole(column: FeatureColumn | undefined): boolean {
  return column !== undefined && !column.status.includes(cellStatus.notFound)
}

function countDefaults(inputs: readonly InputResult[]): DefaultCounts {
  const counts = { modelDefault: 0, viewDefault: 0, missing: 0, unavailable: 0 }
  for (const { resolved } of inputs) {
    // Not by `entries()`, which makes a pair per row: measured, 60 us a request against 5.
    for (let row = 0; row < resolved.origins.length; row++) {
      const origin = resolved.origins[row]
      if (origin === valueOrigin.given || origin === valueOrigin.stored) continue
      if (origin === valueOrigin.modelDefault) counts.modelDefault++
      else if (origin === valueOrigin.viewDefault) counts.viewDefault++
      else counts.missing++
      if (resolved.statuses[row] === cellStatus.unavailable) counts.unavailable++
    }
  }
  return counts
}
