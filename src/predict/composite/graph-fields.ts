/**
 * What the fields of a graph's nodes may hold, and how they are read: names, operands, numbers.
 */
import { z } from 'zod'
import { didYouMean } from '../../closest-name.js'
import { featureNameCharsMax } from '../../limits.js'
import type { Position, ProblemList } from '../../problems.js'
import { quoteText } from '../../quoted-text.js'
import type { YamlNode } from '../../yaml-document.js'
import { itemsOf, readValue } from '../../yaml-fields.js'
import type { Category } from '../model.js'

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/

/** A node's name: as features are named, so that an input can have its feature's own. */
export const nodeNameSchema = z.string().max(featureNameCharsMax).regex(namePattern, {
  error:
    'expected a name of letters, digits and _, perhaps with one dot, not beginning with a digit',
})

const numberError = { error: 'expected a number' }
/** Not z.number(), which refuses infinities and NaN; integers beyond 2^53 would lose digits. */
export const anyNumberSchema = z.custom<number>((value) => typeof value === 'number', numberError)
export const finiteSchema = z.number({ error: 'expected a finite number' })

/** A node's name, a number, or true and false as 1 and 0. */
export const operandSchema = z
  .custom<string | number | boolean>(
    (value) => ['string', 'number', 'boolean'].includes(typeof value),
    { error: 'expected the name of a node or a number' },
  )
  .transform((value) => (typeof value === 'boolean' ? Number(value) : value))

const categorySchema = z.custom<Category>(
  (value) => typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value),
  { error: 'expected categories: texts, numbers, true or false' },
)
export const categoriesSchema = z.array(categorySchema).min(1)

/** One of a few words, with the nearest told for another. */
export function wordSchema<const Word extends string>(what: string, words: readonly Word[]) {
  return z.string().transform((text, context): Word => {
    const word = words.find((known) => known === text)
    if (word !== undefined) return word
    const known = didYouMean(text, words) || `: known are ${words.join(', ')}`
    context.addIssue({ code: 'custom', message: `${quoteText(text)} is not ${what}${known}` })
    return z.NEVER
  })
}

/** An operand as the file has it. */
export interface RawOperand {
  readonly value: string | number
  readonly at: Position
}

export function readOperand(node: YamlNode, problems: ProblemList): RawOperand | undefined {
  const value = readValue(node, operandSchema, problems)
  return value === undefined ? undefined : { value, at: node.at }
}

export interface OperandCounts {
  readonly min: number
  readonly max: number
}

/** The operands of `of`: a list, or one alone where one is enough. Undefined where any is wrong. */
export function readOperands(
  node: YamlNode,
  { min, max }: OperandCounts,
  problems: ProblemList,
): readonly RawOperand[] | undefined {
  const nodes = node.kind === 'list' ? itemsOf(node) : [node]
  if (nodes.length < min || nodes.length > max) {
    const most = max === Number.POSITIVE_INFINITY ? ' or more' : ''
    const wanted = min === max || most !== '' ? `${min}${most}` : `${min} to ${max}`
    problems.add(
      node.at,
      `expected ${wanted} operand${wanted === '1' ? '' : 's'}, found ${nodes.length}`,
    )
    return undefined
  }
  const operands = nodes.flatMap((item) => readOperand(item, problems) ?? [])
  return operands.length === nodes.length ? operands : undefined
}
