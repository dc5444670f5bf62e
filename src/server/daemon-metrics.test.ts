import { describe, expect, test } from 'vitest'
import { LarderError } from '../errors.js'
import { createDaemonMetrics, type DaemonMetrics } from './daemon-metrics.js'

/** The samples of one metric, as `labels value`. */
async function samplesOf({ registry }: DaemonMetrics, name: string): Promise<string[]> {
  const text = await registry.getSingleMetricAsString(name)
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && !line.includes('_bucket'))
    .map((line) => line.slice(name.length))
}

const quiet = () => createDaemonMetrics(() => {})

describe('tiers', () => {
  test('keys are counted by whether there was a row, times in seconds', async () => {
    const metrics = quiet()
    metrics.tierObserver.tierRead('hot', { keyCount: 10, rowCount: 7, durationMs: 2 })
    expect(await samplesOf(metrics, 'larder_tier_keys_total')).toEqual([
      '{tier="hot",found="yes"} 7',
      '{tier="hot",found="no"} 3',
    ])
    expect(await samplesOf(metrics, 'larder_tier_read_seconds')).toEqual([
      '_sum{tier="hot"} 0.002',
      '_count{tier="hot"} 1',
    ])
  })

  test('rows written are counted by whether they were stored', async () => {
    const metrics = quiet()
    metrics.tierObserver.tierWritten('warm', { rowCount: 5, storedCount: 4, durationMs: 1 })
    expect(await samplesOf(metrics, 'larder_tier_rows_written_total')).toEqual([
      '{tier="warm",outcome="stored"} 4',
      '{tier="warm",outcome="superseded"} 1',
    ])
  })

  test('failures are counted by code and handed on', async () => {
    const told: string[] = []
    const metrics = createDaemonMetrics((tier, error) => told.push(`${tier}: ${error.message}`))
    metrics.tierObserver.tierFailed('warm', new LarderError('unavailable', 'gone'))
    metrics.tierObserver.tierFailed('warm', new Error('a bug'))
    expect(told).toEqual(['warm: gone', 'warm: a bug'])
    expect(await samplesOf(metrics, 'larder_tier_failures_total')).toEqual([
      '{tier="warm",code="unavailable"} 1',
      '{tier="warm",code="internal"} 1',
    ])
  })

  test('a full hot tier is told until it takes a write again', async () => {
    const metrics = quiet()
    const isFull = () => samplesOf(metrics, 'larder_hot_out_of_memory')
    metrics.tierObserver.tierFailed('hot', new LarderError('hot_out_of_memory', 'full'))
    expect(await isFull()).toEqual([' 1'])
    metrics.tierObserver.tierWritten('warm', { rowCount: 1, storedCount: 1, durationMs: 1 })
    expect(await isFull()).toEqual([' 1'])
    metrics.tierObserver.tierWritten('hot', { rowCount: 1, storedCount: 1, durationMs: 1 })
    expect(await isFull()).toEqual([' 0'])
  })

  test.each(['stored', 'late', 'failed'] as const)('fills: %s', async (outcome) => {
    const metrics = quiet()
    metrics.tierObserver.filled(outcome, 3)
    expect(await samplesOf(metrics, 'larder_fill_rows_total')).toEqual([`{outcome="${outcome}"} 3`])
  })
})

describe('the daemon', () => {
  test('calls, rows, batches, corrupt rows and versions', async () => {
    const metrics = quiet()
    metrics.callEnded('Predict', 'OK', 3)
    metrics.batchEnded('refused', 20)
    metrics.corruptRow('sales')
    metrics.setRegistryVersion(4)
    expect(await samplesOf(metrics, 'larder_call_seconds')).toEqual([
      '_sum{rpc="Predict",code="OK"} 0.003',
      '_count{rpc="Predict",code="OK"} 1',
    ])
    expect(await samplesOf(metrics, 'larder_batches_total')).toEqual(['{outcome="refused"} 1'])
    expect(await samplesOf(metrics, 'larder_batch_rows_total')).toEqual(['{outcome="refused"} 20'])
    expect(await samplesOf(metrics, 'larder_corrupt_rows_total')).toEqual(['{view="sales"} 1'])
    expect(await samplesOf(metrics, 'larder_registry_version')).toEqual([' 4'])
  })

  test('defaults are counted by what stood in, and how many of them were unavailable', async () => {
    const metrics = quiet()
    metrics.defaultsUsed('delay', { modelDefault: 1, viewDefault: 0, missing: 2, unavailable: 2 })
    expect(await samplesOf(metrics, 'larder_defaults_total')).toEqual([
      '{model="delay",used="model_default"} 1',
      '{model="delay",used="view_default"} 0',
      '{model="delay",used="missing"} 2',
    ])
    expect(await samplesOf(metrics, 'larder_unavailable_inputs_total')).toEqual([
      '{model="delay"} 2',
    ])
  })

  test('models are told as they are, and their loads and refusals counted', async () => {
    const metrics = quiet()
    metrics.setModels({ loadedCount: 3, modelBytes: 4096, brokenCount: 1 })
    metrics.modelLoaded(250)
    metrics.modelRefused()
    metrics.modelRefused()
    expect(await samplesOf(metrics, 'larder_models_loaded')).toEqual([' 3'])
    expect(await samplesOf(metrics, 'larder_models_broken')).toEqual([' 1'])
    expect(await samplesOf(metrics, 'larder_model_bytes')).toEqual([' 4096'])
    expect(await samplesOf(metrics, 'larder_model_load_failures_total')).toEqual([' 2'])
    expect(await samplesOf(metrics, 'larder_model_load_seconds')).toEqual(['_sum 0.25', '_count 1'])
  })

  test('two daemons of one process do not share their counts', async () => {
    const [one, two] = [quiet(), quiet()]
    one.rowsRequested('Predict', 5)
    expect(await samplesOf(two, 'larder_requested_rows_total')).toEqual([])
  })
})
