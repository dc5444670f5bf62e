/**
 * What models answered, as the proto's messages: one for each entry of the request, in its order.
 */
import { assert } from '../assert.js'
import type { LarderError } from '../errors.js'
import type { InputOrigin, Prediction } from '../gen/larder/v1/serving.js'
import { isListColumn } from '../predict/model.js'
import { bytesOf } from './messages.js'
import { assertReplyValues, isUnusable, type PredictPlan } from './predict-path.js'
import type { InputResult, ModelOutcome, ModelResult } from './score-models.js'

/** Throws `resource_exhausted` where explained lists are more than a reply may hold. */
export function formatPredictions(
  plan: PredictPlan,
  outcomes: readonly ModelOutcome[],
): Prediction[] {
  const outcomeOf = new Map(outcomes.map((outcome) => [outcome.model, outcome]))
  let explainedCount = 0
  return plan.requested.map((requested) => {
    if (isUnusable(requested)) return formatFailure(requested, requested.error)
    const outcome = outcomeOf.get(requested)
    assert(outcome !== undefined, 'every usable model has an outcome')
    if ('error' in outcome) return formatFailure(requested.entry, outcome.error)
    explainedCount += outcome.inputs.reduce((sum, input) => sum + elementCountOf(input), 0)
    assertReplyValues('explained values', explainedCount)
    return formatPrediction(outcome)
  })
}

function formatFailure(
  { name, version }: { readonly name: string; readonly version: string },
  { code, message }: LarderError,
): Prediction {
  return {
    model: name,
    version,
    outputCount: 0,
    scores: Buffer.alloc(0),
    defaults: undefined,
    inputs: [],
    error: { code, message },
    contributions: Buffer.alloc(0),
    contributionInputs: [],
    texts: [],
  }
}

function formatPrediction(result: ModelResult): Prediction {
  const { model, outputCount, scores, defaults, inputs, contributions, texts } = result
  return {
    model: model.entry.name,
    version: model.entry.version,
    outputCount,
    scores: bytesOf(scores),
    defaults: { ...defaults },
    inputs: inputs.map(formatInput),
    error: undefined,
    contributions: contributions === undefined ? Buffer.alloc(0) : bytesOf(contributions),
    contributionInputs:
      contributions === undefined ? [] : model.inputs.map(({ inputName }) => inputName),
    texts: [...texts],
  }
}

function elementCountOf({ resolved: { column } }: InputResult): number {
  return isListColumn(column) ? column.values.length : column.length
}

function formatInput({ input, resolved, rows }: InputResult): InputOrigin {
  const { column, origins, statuses } = resolved
  const isList = isListColumn(column)
  return {
    input: input.inputName,
    feature: input.name,
    values: bytesOf(Float64Array.from(isList ? column.values : column)),
    lengths: isList ? bytesOf(column.lengths) : Buffer.alloc(0),
    texts: input.kind === 'textList',
    origins: bytesOf(origins),
    statuses: bytesOf(statuses),
    tiers: rows === undefined ? Buffer.alloc(origins.length) : bytesOf(rows.tiers),
    eventTimes: rows === undefined ? Buffer.alloc(origins.length * 8) : bytesOf(rows.eventTimesUs),
  }
}
