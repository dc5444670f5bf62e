/**
 * What callers ask -> the messages that ask it, and the call of a daemon that carries them.
 *
 * Options left out become the proto's own defaults. What can be seen to be wrong without a daemon is
 * refused here; everything else is the daemon's to judge.
 */
import type {
  ApplyResponse,
  DefinitionFile,
  DefinitionSource,
  GetRegistryResponse,
  GetStatusResponse,
  ListModelsResponse,
  PlanResponse,
  ReloadModelsResponse,
} from '../gen/larder/v1/admin.js'
import type { DeleteEntitiesRequest } from '../gen/larder/v1/ingest.js'
import type {
  GetFeaturesRequest,
  GetFeaturesResponse,
  PredictResponse,
} from '../gen/larder/v1/serving.js'
import { invalidRequest } from './client-error.js'
import type { StartCall } from './daemon-channels.js'
import type { RequestColumn } from './request-column.js'

export interface GetFeaturesOptions {
  /** Exactly one of a feature service and a feature view. */
  readonly service?: string
  readonly view?: string
  readonly keys: readonly RequestColumn[]
  /** Only these features; all when left out. */
  readonly features?: readonly string[]
  readonly applyDefaults?: boolean
  readonly includeRows?: boolean
  readonly failOnUnavailable?: boolean
}

export interface PredictOptions {
  /** `name`, `name@version` or `name@label`. */
  readonly models: readonly string[]
  readonly keys?: readonly RequestColumn[]
  /** Given features and request values; a given value beats the store's. */
  readonly features?: readonly RequestColumn[]
  /** Raw scores instead of the objective's transform. */
  readonly raw?: boolean
  /** Fills each prediction's `inputs`: the values the model saw, and where they came from. */
  readonly explain?: boolean
  /** Rejects with `unavailable` if a feature that a model needs is. */
  readonly failOnUnavailable?: boolean
  /** A model that cannot answer has an `error` in its prediction, and the others answer. */
  readonly keepGoing?: boolean
  /** Fills each prediction's `contributions`: what each input adds to the raw scores. */
  readonly contributions?: boolean
}

export interface DeleteEntitiesOptions {
  readonly entity: string
  readonly keys: readonly RequestColumn[]
  /** Microseconds; left out, the later of now and each stored row's event time. */
  readonly eventTimeUs?: bigint
  /** `keys` are only some of the entity's join keys: every entity that matches. */
  readonly partial?: boolean
}

/** Definition files, or the number of an earlier registry version. */
export type Definitions =
  | { readonly files: readonly DefinitionFile[] }
  | { readonly registryVersion: bigint }

export interface ApplyOptions {
  readonly allowDrop?: boolean
  /** The version a plan was made against; left out, whatever is current. */
  readonly expectedVersion?: bigint
}

export function startGetFeatures(options: GetFeaturesOptions): StartCall<GetFeaturesResponse> {
  const request: GetFeaturesRequest = {
    target: targetOf(options),
    keys: [...options.keys],
    features: [...(options.features ?? [])],
    applyDefaults: options.applyDefaults ?? false,
    includeRows: options.includeRows ?? false,
    failOnUnavailable: options.failOnUnavailable ?? false,
  }
  return (daemon, metadata, call, done) => daemon.serving.getFeatures(request, metadata, call, done)
}

export function startPredict(options: PredictOptions): StartCall<PredictResponse> {
  const request = {
    models: [...options.models],
    keys: [...(options.keys ?? [])],
    features: [...(options.features ?? [])],
    raw: options.raw ?? false,
    explain: options.explain ?? false,
    failOnUnavailable: options.failOnUnavailable ?? false,
    keepGoing: options.keepGoing ?? false,
    contributions: options.contributions ?? false,
  }
  return (daemon, metadata, call, done) => daemon.serving.predict(request, metadata, call, done)
}

export function startPlan(definitions: Definitions): StartCall<PlanResponse> {
  const request = { source: sourceOf(definitions) }
  return (daemon, metadata, call, done) => daemon.admin.plan(request, metadata, call, done)
}

export function startApply(
  definitions: Definitions,
  options: ApplyOptions,
): StartCall<ApplyResponse> {
  const request = {
    source: sourceOf(definitions),
    allowDrop: options.allowDrop ?? false,
    expectedVersion: options.expectedVersion ?? 0n,
  }
  return (daemon, metadata, call, done) => daemon.admin.apply(request, metadata, call, done)
}

export const startRegistry: StartCall<GetRegistryResponse> = (daemon, metadata, call, done) =>
  daemon.admin.getRegistry({}, metadata, call, done)

export const startModels: StartCall<ListModelsResponse> = (daemon, metadata, call, done) =>
  daemon.admin.listModels({}, metadata, call, done)

export const startReloadModels: StartCall<ReloadModelsResponse> = (daemon, metadata, call, done) =>
  daemon.admin.reloadModels({}, metadata, call, done)

export const startStatus: StartCall<GetStatusResponse> = (daemon, metadata, call, done) =>
  daemon.admin.getStatus({}, metadata, call, done)

export function deleteRequestOf(options: DeleteEntitiesOptions): DeleteEntitiesRequest {
  return {
    entity: options.entity,
    keys: [...options.keys],
    eventTime: options.eventTimeUs ?? 0n,
    partial: options.partial ?? false,
  }
}

function targetOf({ service, view }: GetFeaturesOptions): GetFeaturesRequest['target'] {
  if (service !== undefined && view === undefined) return { $case: 'service', value: service }
  if (view !== undefined && service === undefined) return { $case: 'view', value: view }
  throw invalidRequest('getFeatures takes either a service or a view')
}

function sourceOf(definitions: Definitions): DefinitionSource {
  return 'registryVersion' in definitions
    ? { source: { $case: 'registryVersion', value: definitions.registryVersion } }
    : { source: { $case: 'files', value: { files: [...definitions.files] } } }
}
