/**
 * The TypeScript client of a Larder daemon.
 *
 * One object over one or several addresses; every call has a deadline, and only what is safe to repeat
 * is retried: reads, and batches under their own batch id. Rejections are `LarderClientError`.
 */
import { type Clock, systemClock } from '../clock.js'
import type {
  ApplyResponse,
  GetRegistryResponse,
  GetStatusResponse,
  ListModelsResponse,
  PlanResponse,
  RegisterLayoutResponse,
  ReloadModelsResponse,
} from '../gen/larder/v1/admin.js'
import type { DeleteEntitiesResponse } from '../gen/larder/v1/ingest.js'
import { type Prng, systemPrng } from '../prng.js'
import { BatchWriter, type BatchWriterOptions } from './batch-writer.js'
import { type CallContext, DaemonChannels, type StartCall } from './daemon-channels.js'
import { deleteEntities } from './delete-entities.js'
import { assertLittleEndian } from './encode-scalars.js'
import { type Health, startHealthCheck } from './health.js'
import { type PredictResult, readPredictions } from './read-prediction.js'
import { type FeaturesResult, readFeatures } from './read-result.js'
import { defaultRetryPolicy, type RetryPolicy } from './retry.js'
import {
  type ApplyOptions,
  type Definitions,
  type DeleteEntitiesOptions,
  type GetFeaturesOptions,
  type PredictOptions,
  startApply,
  startGetFeatures,
  startModels,
  startPlan,
  startPredict,
  startRegistry,
  startReloadModels,
  startStatus,
} from './start-call.js'
import {
  type RegisterLayoutOptions,
  readSample,
  type SampleResult,
  type SampleRowsOptions,
  startRegisterLayout,
  startSampleRows,
} from './view-layouts.js'

export interface LarderClientOptions {
  /** `HOST:PORT` of a daemon, or of several that serve the same registry. */
  readonly addresses: string | readonly string[]
  /** Total of every call but a write, retries included; default 5,000. */
  readonly deadlineMs?: number
  readonly retry?: Partial<RetryPolicy>
  /** Time and randomness, for tests; the machine's own by default. */
  readonly clock?: Clock
  readonly prng?: Prng
}

export interface LarderClient {
  getFeatures(options: GetFeaturesOptions, signal?: AbortSignal): Promise<FeaturesResult>
  predict(options: PredictOptions, signal?: AbortSignal): Promise<PredictResult>
  openWriter(options?: BatchWriterOptions): BatchWriter
  /** Yields progress; the last message has `done`. Never retried: a second try would delete later rows. */
  deleteEntities(
    options: DeleteEntitiesOptions,
    signal?: AbortSignal,
  ): AsyncIterable<DeleteEntitiesResponse>
  plan(definitions: Definitions, signal?: AbortSignal): Promise<PlanResponse>
  /** Not retried: whether the first try was taken is for `registry` to tell. */
  apply(
    definitions: Definitions,
    options?: ApplyOptions,
    signal?: AbortSignal,
  ): Promise<ApplyResponse>
  registry(signal?: AbortSignal): Promise<GetRegistryResponse>
  /** Some of a view's stored rows; `not_found` for the view. */
  sampleRows(options: SampleRowsOptions, signal?: AbortSignal): Promise<SampleResult>
  /** The same request again finds the same layout. */
  registerLayout(
    options: RegisterLayoutOptions,
    signal?: AbortSignal,
  ): Promise<RegisterLayoutResponse>
  models(signal?: AbortSignal): Promise<ListModelsResponse>
  /** Has the daemon look for newer models now; the versions that changed, and all of them. */
  reloadModels(signal?: AbortSignal): Promise<ReloadModelsResponse>
  status(signal?: AbortSignal): Promise<GetStatusResponse>
  health(signal?: AbortSignal): Promise<Health>
  close(): void
}

const deadlineMsDefault = 5000

/** Connects lazily: an address that nobody listens on shows at the first call. */
export function createLarderClient(options: LarderClientOptions): LarderClient {
  assertLittleEndian()
  const addresses = typeof options.addresses === 'string' ? [options.addresses] : options.addresses
  const context: CallContext = {
    clock: options.clock ?? systemClock,
    prng: options.prng ?? systemPrng,
    retry: { ...defaultRetryPolicy, ...options.retry },
  }
  const channels = new DaemonChannels(addresses, context)
  const deadlineMs = options.deadlineMs ?? deadlineMsDefault
  const read = <Response>(start: StartCall<Response>, signal?: AbortSignal) =>
    channels.call({ start, deadlineMs, repeatable: true }, signal)
  return Object.freeze({
    getFeatures: async (request: GetFeaturesOptions, signal?: AbortSignal) =>
      readFeatures(await read(startGetFeatures(request), signal)),
    predict: async (request: PredictOptions, signal?: AbortSignal) =>
      readPredictions(await read(startPredict(request), signal)),
    openWriter: (writer: BatchWriterOptions = {}) => new BatchWriter(channels, context, writer),
    deleteEntities: (request: DeleteEntitiesOptions, signal?: AbortSignal) =>
      deleteEntities(channels.next(), request, signal),
    plan: (definitions: Definitions, signal?: AbortSignal) => read(startPlan(definitions), signal),
    apply: (definitions: Definitions, apply: ApplyOptions = {}, signal?: AbortSignal) =>
      channels.call(
        { start: startApply(definitions, apply), deadlineMs, repeatable: false },
        signal,
      ),
    registry: (signal?: AbortSignal) => read(startRegistry, signal),
    sampleRows: async (sample: SampleRowsOptions, signal?: AbortSignal) =>
      readSample(await read(startSampleRows(sample), signal)),
    registerLayout: async (layout: RegisterLayoutOptions, signal?: AbortSignal) =>
      await read(startRegisterLayout(layout), signal),
    models: (signal?: AbortSignal) => read(startModels, signal),
    reloadModels: (signal?: AbortSignal) => read(startReloadModels, signal),
    status: (signal?: AbortSignal) => read(startStatus, signal),
    health: (signal?: AbortSignal) => read(startHealthCheck, signal),
    close: () => channels.close(),
  })
}
