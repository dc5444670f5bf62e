/**
 * XGBoost models in JSON or UBJSON: a file's bytes -> a model.
 *
 * Margins are those of XGBoost's `Booster.predict(output_margin=True)`, bit for bit, and scores those
 * of `Booster.predict`, with all iterations. Never guesses: a wrong file is `bad_model` with the place,
 * never a score.
 */
import { LarderError } from '../errors.js'
import { loadAddon } from '../native.js'
import type { TreesParsed } from '../native-trees.js'
import type { Category } from './model.js'
import { requireOutput } from './model-output.js'
import type { TreeKernel } from './tree-kernel.js'
import { createTreeModel, type TreeModel, treeParseLimits } from './tree-model.js'

/**
 * Parses `bytes`, which may be changed afterwards; JSON and UBJSON are told apart by them. Throws
 * `bad_model` with offset and excerpt, and `refused` where this machine cannot run `kernel`, by default
 * the fastest.
 */
export function parseXgboostModel(
  bytes: Uint8Array,
  { kernel = 'auto' }: { readonly kernel?: TreeKernel } = {},
): TreeModel {
  const native = loadAddon()
  const parsed = native.xgboostParse(bytes, treeParseLimits)
  if (!parsed.ok) {
    const { offset, message, excerpt } = parsed
    throw new LarderError('bad_model', `XGBoost model, byte ${offset}: ${message}`, {
      details: { offset, excerpt },
    })
  }
  const pandasCategorical = categoriesOf(parsed)
  const model = createTreeModel(native, parsed, { kind: 'xgboost', pandasCategorical, kernel })
  return parsed.objective === 'multi:softmax' ? withClassIndex(model) : model
}

function categoriesOf({
  pandasCategorical: text,
}: TreesParsed): readonly (readonly Category[])[] | undefined {
  if (text === undefined) return undefined
  // The native edge: the parser wrote this text, from lists of texts and integers that it checked.
  return JSON.parse(text) as readonly (readonly Category[])[]
}

/**
 * A model of `multi:softmax`: its trees add up to a margin per class, its one score is the index of
 * the class with the greatest. The engine leaves it where the first margin was.
 */
function withClassIndex(model: TreeModel): TreeModel {
  const { rawOutputCount } = model
  return Object.freeze({
    ...model,
    outputCount: 1,
    predict: async (columns, rowCount, output, options, signal) => {
      if (options.raw) return await model.predict(columns, rowCount, output, options, signal)
      requireOutput(output, rowCount, 1)
      const cells = new Float64Array(rowCount * rawOutputCount)
      await model.predict(columns, rowCount, cells, options, signal)
      for (let row = 0; row < rowCount; row++) output[row] = cells[row * rawOutputCount] ?? NaN
    },
  } satisfies TreeModel)
}
