/**
 * The predict path: one request in, scores out, in one hop. This is its plan.
 *
 * bind -> plan (which features are given, which must be read) -> read, all models' features in one plan
 * -> resolve every input -> score (`score-models.ts`). A given value beats the stored one; a feature
 * given for every row is not read at all.
 */

import { didYouMean } from '../closest-name.js'
import type { FeatureColumn, WireColumn } from '../column.js'
import { cellStatus } from '../column.js'
import { LarderError } from '../errors.js'
import { formatFeatureType } from '../feature-type.js'
import { replyValuesMax, requestModelsMax } from '../limits.js'
import type { BoundModel } from '../predict/bind-model.js'
import { parseGivenColumn } from '../predict/given-column.js'
import { scoresPerRow } from '../predict/model.js'
import type { ModelVersion } from '../predict/model-repository.js'
import type { FeatureService, ServiceFeature } from '../registry/snapshot.js'
import {
  countRows,
  indexColumns,
  planRead,
  type ReadPlan,
  type WantedFeature,
  type WantedView,
} from './plan-read.js'

export interface PredictInput {
  readonly keys: readonly WireColumn[]
  readonly features: readonly WireColumn[]
  readonly rowsMax: number
  readonly raw: boolean
  readonly explain: boolean
  readonly contributions: boolean
  /** A model that cannot answer leaves the others to. */
  readonly keepsGoing: boolean
}

export type ModelInUse = BoundModel & { readonly entry: ModelVersion }

/** A model of the request that cannot answer, and why. */
export interface UnusableModel {
  readonly name: string
  /** Empty where it could not be found or bound. */
  readonly version: string
  readonly error: LarderError
}

export type RequestedModel = ModelInUse | UnusableModel

export interface PredictPlan {
  readonly rowCount: number
  /** One for each entry of the request, in its order; the same object where two mean one version. */
  readonly requested: readonly RequestedModel[]
  /** Each version that can be used, once. */
  readonly models: readonly ModelInUse[]
  readonly given: ReadonlyMap<string, FeatureColumn>
  /** Undefined where every feature is given. */
  readonly read: ReadPlan | undefined
}

/** Binds each of the request's models. Throws where there are none or too many, or one cannot be used. */
export function bindModels(
  references: readonly string[],
  { bind, keepsGoing }: { bind: (reference: string) => ModelInUse; keepsGoing: boolean },
): readonly RequestedModel[] {
  assertModelCount(references.length)
  return references.map((reference) => {
    try {
      return bind(reference)
    } catch (thrown) {
      if (!keepsGoing) throw thrown
      return { name: reference, version: '', error: LarderError.from(thrown) }
    }
  })
}

/** Plans a prediction: what is given, and what must be read. Pure. Throws what is wrong with the request. */
export function planPredict(bound: readonly RequestedModel[], request: PredictInput): PredictPlan {
  const rowCount = countRows([...request.keys, ...request.features], request.rowsMax)
  const requested = withoutUntold(shareVersions(bound), request)
  const usable = requested.filter(isUsable)
  assertReplyBounded(usable, rowCount, request)
  const models = [...new Set(usable)]
  // What no model knows may be meant for one that cannot be used.
  const allKnown = usable.length === requested.length
  const given = parseGiven(models, request.features, allKnown)
  if (allKnown) assertKeysKnown(models, request.keys)
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
  return Object.freeze({ rowCount, requested, models, given, read })
}

export function isUnusable(model: RequestedModel): model is UnusableModel {
  return 'error' in model
}

function isUsable(model: RequestedModel): model is ModelInUse {
  return !isUnusable(model)
}

/** One object for each version, however often and by whatever label it is asked for. */
function shareVersions(bound: readonly RequestedModel[]): readonly RequestedModel[] {
  if (bound.length === 1) return bound
  const firsts = new Map<ModelVersion, ModelInUse>()
  return bound.map((model) => {
    if (isUnusable(model)) return model
    const first = firsts.get(model.entry)
    if (first === undefined) firsts.set(model.entry, model)
    return first ?? model
  })
}

/** Models without a service read nothing from a tier. */
export function servicesOf(models: readonly ModelInUse[]): ReadonlySet<FeatureService> {
  return new Set(models.flatMap(({ service }) => (service === undefined ? [] : [service])))
}

/** Two services may use one role name for different views: then roles carry their service's name. */
export function rolePrefix(service: FeatureService, serviceCount: number): string {
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
  allKnown: boolean,
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
      if (!allKnown) continue
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

/** Where the caller wants more than scores: whether each model can tell, and whether the reply can hold it. */
function withoutUntold(
  requested: readonly RequestedModel[],
  { contributions, raw, keepsGoing }: PredictInput,
): readonly RequestedModel[] {
  if (!contributions) return requested
  return requested.map((model) => {
    const why = isUnusable(model) ? undefined : whyUntold(model, raw)
    if (isUnusable(model) || why === undefined) return model
    const { name, version } = model.entry
    const error = new LarderError('invalid_argument', `model '${name}@${version}' ${why}`)
    if (!keepsGoing) throw error
    return { name, version, error }
  })
}

/** Why a model cannot tell contributions; undefined where it can. */
function whyUntold({ model }: ModelInUse, raw: boolean): string | undefined {
  const { kind, contributions, contributionRefusal } = model
  if (contributions === undefined) {
    const reason = contributionRefusal ?? `models of kind ${kind} give scores only`
    return `cannot tell contributions: ${reason}`
  }
  const rawOutputCount = scoresPerRow(model, { raw: true })
  if (scoresPerRow(model, { raw }) === rawOutputCount) return undefined
  return (
    'answers the index of a class, and contributions add up to its ' +
    `${rawOutputCount} raw scores: ask for raw scores with them`
  )
}

function assertReplyBounded(
  models: readonly ModelInUse[],
  rowCount: number,
  { contributions, explain, raw }: PredictInput,
): void {
  const sumOf = (valuesPerRow: (model: ModelInUse) => number) =>
    rowCount * models.reduce((sum, model) => sum + valuesPerRow(model), 0)
  const counts = {
    scores: sumOf(({ model }) => scoresPerRow(model, { raw })),
    'explained values': explain ? sumOf(({ inputs }) => inputs.length) : 0,
    contributions: contributions
      ? sumOf(({ model, inputs }) => scoresPerRow(model, { raw: true }) * (inputs.length + 1))
      : 0,
  }
  for (const [what, count] of Object.entries(counts)) assertReplyValues(what, count)
}

/** Throws `resource_exhausted` where a reply would have more values of one sort than it may. */
export function assertReplyValues(what: string, valueCount: number): void {
  if (valueCount <= replyValuesMax) return
  throw new LarderError(
    'resource_exhausted',
    `${valueCount} ${what}, at most ${replyValuesMax} are allowed in a reply: ask for fewer rows or models`,
  )
}
