/**
 * LightGBM text models: a file's bytes -> a model.
 *
 * Never guesses: a wrong file is `bad_model` with the place, never a score.
 */
import { LarderError } from '../errors.js'
import { loadAddon } from '../native.js'
import type { TreesParsed } from '../native-trees.js'
import type { Category } from './model.js'
import type { TreeKernel } from './tree-kernel.js'
import { createTreeModel, type TreeModel, treeParseLimits } from './tree-model.js'

/**
 * Parses `bytes`, which may be changed afterwards. Throws `bad_model` with offset and excerpt, and
 * `refused` where this machine cannot run `kernel`, by default the fastest.
 */
export function parseLightgbmModel(
  bytes: Uint8Array,
  { kernel = 'auto' }: { readonly kernel?: TreeKernel } = {},
): TreeModel {
  const native = loadAddon()
  const parsed = native.lightgbmParse(bytes, treeParseLimits)
  if (!parsed.ok) throw badModel(parsed.message, parsed.offset, parsed.excerpt)
  const pandasCategorical = parsePandasCategorical(parsed)
  return createTreeModel(native, parsed, { kind: 'lightgbm', pandasCategorical, kernel })
}

function badModel(reason: string, offset: number, excerpt: string): LarderError {
  return new LarderError('bad_model', `LightGBM model, byte ${offset}: ${reason}`, {
    details: { offset, excerpt },
  })
}

function parsePandasCategorical(parsed: TreesParsed): readonly (readonly Category[])[] | undefined {
  const { pandasCategorical: text, pandasCategoricalOffset: offset = 0 } = parsed
  if (text === undefined) return undefined
  const lists = parseJson(text, offset)
  if (lists === null) return undefined
  if (!isCategoryLists(lists)) {
    const reason = 'pandas_categorical must be null or lists of strings, numbers and booleans'
    throw badModel(reason, offset, text.slice(0, 60))
  }
  return lists
}

function parseJson(text: string, offset: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = `pandas_categorical is not JSON: ${LarderError.from(cause).message}`
    throw badModel(reason, offset, text.slice(0, 60))
  }
}

function isCategoryLists(value: unknown): value is readonly (readonly Category[])[] {
  return (
    Array.isArray(value) && value.every((list) => Array.isArray(list) && list.every(isCategory))
  )
}

function isCategory(value: unknown): value is Category {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
