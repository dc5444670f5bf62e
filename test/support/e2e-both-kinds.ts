/**
 * One suite on embedded tiers and on servers, whose answers must be the same byte for byte.
 *
 * The idea: a suite records the bytes of every reply under a label; a last test compares what the two
 * runs recorded. What a daemon makes up itself, such as a write sequence, must not be recorded.
 */
import { describe, expect, test } from 'vitest'
import type { WriteAck } from '../../src/client/index.js'
import { type PredictResult, readPredictions } from '../../src/client/read-prediction.js'
import { type FeaturesResult, readFeatures } from '../../src/client/read-result.js'
import type { GetFeaturesOptions, PredictOptions } from '../../src/client/start-call.js'
import { WriteFeaturesResponse } from '../../src/gen/larder/v1/ingest.js'
import {
  type GetFeaturesRequest,
  GetFeaturesResponse,
  type PredictRequest,
  PredictResponse,
  ServingServiceService,
} from '../../src/gen/larder/v1/serving.js'
import { type E2eDaemon, type TierKind, tierKinds } from './e2e-daemon.js'

export interface Recorder {
  readonly kind: TierKind
  /** Keeps the bytes of a reply; each label once. */
  record(label: string, bytes: Uint8Array): void
}

/** Declares the suite for every kind of tiers, and the test that compares what they recorded. */
export function describeOnBothKinds(declare: (recorder: Recorder) => void): void {
  const recorded = { embedded: new Map<string, string>(), servers: new Map<string, string>() }
  for (const kind of tierKinds) {
    const replies = recorded[kind]
    const record = (label: string, bytes: Uint8Array) => {
      if (replies.has(label)) throw new Error(`the label "${label}" is used twice`)
      replies.set(label, Buffer.from(bytes).toString('hex'))
    }
    describe(`on ${kind} tiers`, () => declare({ kind, record }))
  }
  test('embedded tiers and servers answered the same, byte for byte', () => {
    expect(recorded.embedded.size).toBeGreaterThan(0)
    expect(recorded.servers).toEqual(recorded.embedded)
  })
}

/** Reads features over a bare channel and records the reply's bytes. */
export async function readRecorded(
  { record }: Recorder,
  daemon: E2eDaemon,
  label: string,
  options: GetFeaturesOptions,
): Promise<FeaturesResult> {
  const { service, view = '', keys, ...rest } = options
  const request: GetFeaturesRequest = {
    target:
      service === undefined ? { $case: 'view', value: view } : { $case: 'service', value: service },
    keys: [...keys],
    features: [...(rest.features ?? [])],
    applyDefaults: rest.applyDefaults ?? false,
    includeRows: rest.includeRows ?? false,
    failOnUnavailable: rest.failOnUnavailable ?? false,
  }
  const bytes = await daemon.call(ServingServiceService.getFeatures, request)
  record(label, bytes)
  return readFeatures(GetFeaturesResponse.decode(bytes))
}

/** Predicts over a bare channel and records the reply's bytes. */
export async function predictRecorded(
  { record }: Recorder,
  daemon: E2eDaemon,
  label: string,
  options: PredictOptions,
): Promise<PredictResult> {
  const request: PredictRequest = {
    models: [...options.models],
    keys: [...(options.keys ?? [])],
    features: [...(options.features ?? [])],
    raw: options.raw ?? false,
    explain: options.explain ?? false,
    failOnUnavailable: options.failOnUnavailable ?? false,
    keepGoing: options.keepGoing ?? false,
    contributions: options.contributions ?? false,
  }
  const bytes = await daemon.call(ServingServiceService.predict, request)
  record(label, bytes)
  return readPredictions(PredictResponse.decode(bytes))
}

/** Records an acknowledgement without the sequence, which each daemon makes up itself. */
export function recordAck({ record }: Recorder, label: string, ack: WriteAck): void {
  record(label, WriteFeaturesResponse.encode({ ...ack, sequence: 0n }).finish())
}
