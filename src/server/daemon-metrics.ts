/**
 * What the daemon counts and times, as Prometheus metrics. One value per daemon, none global.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LarderError } from '../errors.js'
import type { TierObserver } from '../tiers/tier-observer.js'
import type { DefaultCounts } from './score-models.js'

/** Seconds: from a tenth of a millisecond to ten seconds. */
const secondsBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

export interface DaemonMetrics {
  readonly registry: Registry
  readonly tierObserver: TierObserver
  /** A call has ended: its RPC, its gRPC status name, and how long it took. */
  callEnded(rpc: string, code: string, durationMs: number): void
  rowsRequested(rpc: string, rowCount: number): void
  corruptRow(view: string): void
  defaultsUsed(model: string, counts: DefaultCounts): void
  batchEnded(outcome: 'stored' | 'not_visible' | 'refused' | 'failed', rowCount: number): void
  setReady(isReady: boolean): void
  setRegistryVersion(version: number): void
  /** Versions of models that serve, their bytes, and versions whose files cannot be used. */
  setModels(models: {
    readonly loadedCount: number
    readonly modelBytes: number
    readonly brokenCount: number
  }): void
  modelLoaded(loadMs: number): void
  modelRefused(): void
}

/** Fresh metrics, all at zero. */
export function createDaemonMetrics(onTierFailure: TierObserver['tierFailed']): DaemonMetrics {
  const registry = new Registry()
  const registers = [registry]
  const calls = new Histogram({
    name: 'larder_call_seconds',
    help: 'Duration of RPCs by gRPC status',
    labelNames: ['rpc', 'code'],
    buckets: secondsBuckets,
    registers,
  })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const requested = counter('larder_requested_rows_total', 'Rows asked for', ['rpc'])
  const corrupt = counter('larder_corrupt_rows_total', 'Stored rows that cannot be read', ['view'])
  const defaults = counter(
    'larder_defaults_total',
    'Model inputs without a value of their own, by what stood in',
    ['model', 'used'],
  )
  const unavailableInputs = counter(
    'larder_unavailable_inputs_total',
    'Of these, inputs that a tier could not give',
    ['model'],
  )
  const batches = counter('larder_batches_total', 'Write batches by outcome', ['outcome'])
  const batchRows = counter('larder_batch_rows_total', 'Rows of write batches', ['outcome'])
  const ready = new Gauge({ name: 'larder_ready', help: '1 while ready to serve', registers })
  const version = new Gauge({
    name: 'larder_registry_version',
    help: 'The registry version that is served',
    registers,
  })
  return {
    registry,
    tierObserver: createTierMetrics(registers, onTierFailure),
    callEnded: (rpc, code, durationMs) => calls.observe({ rpc, code }, durationMs / 1000),
    rowsRequested: (rpc, rowCount) => requested.inc({ rpc }, rowCount),
    corruptRow: (view) => corrupt.inc({ view }),
    defaultsUsed(model, { modelDefault, viewDefault, missing, unavailable }) {
      defaults.inc({ model, used: 'model_default' }, modelDefault)
      defaults.inc({ model, used: 'view_default' }, viewDefault)
      defaults.inc({ model, used: 'missing' }, missing)
      unavailableInputs.inc({ model }, unavailable)
    },
    batchEnded(outcome, rowCount) {
      batches.inc({ outcome })
      batchRows.inc({ outcome }, rowCount)
    },
    ...createModelMetrics(registers),
    setReady: (isReady) => ready.set(isReady ? 1 : 0),
    setRegistryVersion: (current) => version.set(current),
  }
}

type ModelMetrics = Pick<DaemonMetrics, 'setModels' | 'modelLoaded' | 'modelRefused'>

function createModelMetrics(registers: Registry[]): ModelMetrics {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const loaded = gauge('larder_models_loaded', 'Versions of models that are loaded')
  const broken = gauge('larder_models_broken', 'Versions of models whose files cannot be used')
  const bytes = gauge('larder_model_bytes', 'Memory of the models that are loaded')
  const loads = new Histogram({
    name: 'larder_model_load_seconds',
    help: 'Duration of loading a version of a model, its checks included',
    buckets: secondsBuckets,
    registers,
  })
  const refusals = new Counter({
    name: 'larder_model_load_failures_total',
    help: 'Versions of models that were refused, again after each change of their files',
    registers,
  })
  return {
    setModels({ loadedCount, modelBytes, brokenCount }) {
      loaded.set(loadedCount)
      broken.set(brokenCount)
      bytes.set(modelBytes)
    },
    modelLoaded: (loadMs) => loads.observe(loadMs / 1000),
    modelRefused: () => refusals.inc(),
  }
}

function createTierMetrics(
  registers: Registry[],
  onFailure: TierObserver['tierFailed'],
): TierObserver {
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['tier'], buckets: secondsBuckets, registers })
  const reads = histogram('larder_tier_read_seconds', 'Duration of one read of a tier')
  const writes = histogram('larder_tier_write_seconds', 'Duration of one write to a tier')
  const keys = new Counter({
    name: 'larder_tier_keys_total',
    help: 'Keys read from a tier, by whether it had a row',
    labelNames: ['tier', 'found'],
    registers,
  })
  const rows = new Counter({
    name: 'larder_tier_rows_written_total',
    help: 'Rows written to a tier, or superseded there',
    labelNames: ['tier', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'larder_tier_failures_total',
    help: 'Reads and writes that a tier failed, by error code',
    labelNames: ['tier', 'code'],
    registers,
  })
  const fills = new Counter({
    name: 'larder_fill_rows_total',
    help: 'Rows copied from warm into hot, or why not',
    labelNames: ['outcome'],
    registers,
  })
  const hotFull = new Gauge({
    name: 'larder_hot_out_of_memory',
    help: '1 after hot refused a write for lack of memory, 0 after the next one it took',
    registers,
  })
  return {
    tierRead(tier, { keyCount, rowCount, durationMs }) {
      reads.observe({ tier }, durationMs / 1000)
      keys.inc({ tier, found: 'yes' }, rowCount)
      keys.inc({ tier, found: 'no' }, keyCount - rowCount)
    },
    tierWritten(tier, { rowCount, storedCount, durationMs }) {
      writes.observe({ tier }, durationMs / 1000)
      rows.inc({ tier, outcome: 'stored' }, storedCount)
      rows.inc({ tier, outcome: 'superseded' }, rowCount - storedCount)
      if (tier === 'hot') hotFull.set(0)
    },
    tierFailed(tier, error) {
      const code = codeOf(error)
      failures.inc({ tier, code })
      if (code === 'hot_out_of_memory') hotFull.set(1)
      onFailure(tier, error)
    },
    filled: (outcome, rowCount) => fills.inc({ outcome }, rowCount),
  }
}

function codeOf(error: Error | LarderError): string {
  return 'code' in error ? error.code : 'internal'
}
