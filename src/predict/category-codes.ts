/**
 * Category codes: what the values of a categorical input are to its model.
 *
 * A model's file lists the categories of such an input, and a category's place in the list is its code.
 * Text is looked up as text, everything else as a number, so that 3 and 3.0 are one category, and false
 * and true are 0 and 1, as they are for pandas. A value that is not in the list is missing (NaN), never
 * the nearest one.
 */
import type { DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import { columnClassOf, type FeatureType, formatFeatureType } from '../feature-type.js'
import { quoteText } from '../quoted-text.js'
import type { Category } from './model.js'

/** From a category, as text for text inputs and else as a number, to the model's code. */
export type CategoryCodes = ReadonlyMap<string | number, number>

/** Types whose values are looked up as text. */
export function isTextType(type: FeatureType | undefined): boolean {
  return type?.kind === 'scalar' && (type.scalar === 'string' || type.scalar === 'categorical')
}

/**
 * The codes of `categories` for an input of `type`. Throws `bad_model` for a category that no value of
 * the type could be told by, or that is there twice.
 */
export function createCategoryCodes(
  type: FeatureType,
  categories: readonly Category[],
): CategoryCodes {
  const codes = new Map<string | number, number>()
  for (const [code, category] of categories.entries()) {
    const key = keyOfCategory(category, type)
    if (codes.has(key)) throw badCategory(category, 'is there twice')
    codes.set(key, code)
  }
  return codes
}

/** The code of a value, or NaN where the model does not know it. */
export function codeOf(codes: CategoryCodes, value: string | number): number {
  return codes.get(value) ?? Number.NaN
}

/** The code of a default for an input of `type`; undefined where no category is that. */
export function codeOfDefault(
  codes: CategoryCodes,
  value: DefaultValue,
  type: FeatureType,
): number | undefined {
  if (typeof value === 'boolean') return isTextType(type) ? undefined : codes.get(Number(value))
  if (typeof value === 'number') return codes.get(isTextType(type) ? String(value) : value)
  // An integer that a float64 cannot hold is no category: those are all exact.
  if (typeof value === 'bigint') {
    return BigInt(Number(value)) === value ? codes.get(Number(value)) : undefined
  }
  return typeof value === 'string' ? codes.get(value) : undefined
}

function keyOfCategory(category: Category, type: FeatureType): string | number {
  const typeText = formatFeatureType(type)
  if (isTextType(type)) {
    if (typeof category !== 'boolean') return String(category)
    throw badCategory(category, `is not text, as the input is (${typeText})`)
  }
  if (typeof category === 'string') {
    throw badCategory(category, `is text, which no ${typeText} is`)
  }
  if (columnClassOf(type) === 'i64' && Math.abs(Number(category)) > Number.MAX_SAFE_INTEGER) {
    throw badCategory(category, 'is beyond 2^53: the file does not tell it from its neighbours')
  }
  return Number(category)
}

function badCategory(category: Category, why: string): LarderError {
  const text = typeof category === 'string' ? quoteText(category) : String(category)
  return new LarderError('bad_model', `its category ${text} ${why}`)
}
