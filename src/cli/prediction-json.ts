/**
 * A prediction as `--json` has it: everything that was asked for, nothing cut.
 */
import type { PredictionResult } from '../client/index.js'
import { explainCell } from './explained-input.js'
import type { JsonInput } from './json-text.js'
import { type TextColumns, textAt } from './key-columns.js'
import { type Predicted, rowIndexesOf } from './print-prediction.js'

export function predictionJson(keys: TextColumns, predicted: Predicted): JsonInput {
  const { model, version, error, defaults } = predicted.prediction
  if (error !== undefined) return { model, version, error: { ...error } }
  return {
    model,
    version,
    rows: rowIndexesOf(predicted.prediction).map((rowIndex) => rowJson(keys, predicted, rowIndex)),
    defaults: {
      model_default_count: defaults.modelDefaultCount,
      view_default_count: defaults.viewDefaultCount,
      missing_count: defaults.missingCount,
      unavailable_count: defaults.unavailableCount,
    },
  }
}

function rowJson(keys: TextColumns, { prediction, types }: Predicted, rowIndex: number): JsonInput {
  const { inputs } = prediction
  return {
    keys: Object.fromEntries(
      [...keys.keys()].map((name) => [name, textAt(keys, name, rowIndex)] as const),
    ),
    scores: Array.from(prediction.scoresAt(rowIndex)),
    ...(inputs.length > 0 && {
      inputs: inputs.map((input) => ({
        input: input.input,
        feature: input.feature,
        ...explainCell(input, rowIndex, types),
      })),
    }),
    ...(prediction.contributions && { contributions: contributionsJson(prediction, rowIndex) }),
  }
}

/** One entry for each score of the row. */
function contributionsJson(
  { contributions, outputCount }: PredictionResult,
  rowIndex: number,
): JsonInput {
  return Array.from({ length: outputCount }, (_, outputIndex) => {
    const values = contributions?.at(rowIndex, outputIndex) ?? new Float64Array(0)
    return {
      expected: values.at(-1),
      inputs: contributions?.inputs.map((input, index) => ({
        input,
        contribution: values[index],
      })),
    }
  })
}
