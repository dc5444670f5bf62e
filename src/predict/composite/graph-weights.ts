/**
 * The nodes `linear` and `logistic`: a bias and weighted terms.
 *
 *   - name: result
 *     op: logistic
 *     bias: -1.5
 *     of:
 *       price: -0.03                      # a number: its weight
 *       taste: [0.5, 0.1, -0.2]           # a vector: a weight each
 *       cuisine: { pizza: 0.4, thai: 0 }  # a category: its weights by name, 0 where not named
 *
 * `{ op: logistic, of: score }` is the logistic function of one number.
 */
import { z } from 'zod'
import type { Position, ProblemList } from '../../problems.js'
import type { YamlNode } from '../../yaml-document.js'
import { entriesOf, readFields, readValue } from '../../yaml-fields.js'
import type { Category } from '../model.js'
import type { NodeOp } from './graph.js'
import { finiteSchema, nodeNameSchema, readOperands } from './graph-fields.js'
import { codeOf } from './graph-inputs.js'
import {
  areNumbers,
  type CheckedWork,
  describeOperand,
  numberType,
  type RawNode,
  type TypedOperand,
} from './typed-operand.js'

const shape = {
  name: nodeNameSchema,
  op: z.unknown(),
  of: z.unknown(),
  bias: finiteSchema.optional(),
}
const weightsSchema = z.array(finiteSchema)

export function readLinear(node: YamlNode, op: NodeOp, problems: ProblemList): RawNode | undefined {
  const { name, of, bias } = readFields(node, shape, problems)
  if (of.node === undefined) {
    if (node.kind === 'map') problems.add(node.at, '"of" is missing')
    return undefined
  }
  if (name.value === undefined) return undefined
  if (of.node.kind === 'map') {
    return readTerms(
      { name: name.value, at: name.at, op, of: of.node, bias: bias.value ?? 0 },
      problems,
    )
  }
  if (op === 'linear') {
    if (of.node.kind !== 'broken') {
      problems.add(of.node.at, 'expected a map from nodes to their weights')
    }
    return undefined
  }
  if (bias.node !== undefined) {
    problems.add(bias.at, 'a bias needs weights: write "of" as a map from nodes to weights')
  }
  const operands = readOperands(of.node, { min: 1, max: 1 }, problems)
  if (operands === undefined) return undefined
  return {
    name: name.value,
    at: name.at,
    operands,
    check: (typed, list) =>
      areNumbers(op, typed, list)
        ? { work: { op: 'logistic', bias: 0, weights: [1] }, type: numberType }
        : undefined,
  }
}

interface Terms {
  readonly name: string
  readonly at: Position
  readonly op: NodeOp
  readonly of: YamlNode
  readonly bias: number
}

function readTerms({ name, at, op, of, bias }: Terms, problems: ProblemList): RawNode | undefined {
  const entries = [...entriesOf(of)]
  if (entries.length === 0) {
    problems.add(of.at, `${op} needs at least one term`)
    return undefined
  }
  const check = (typed: readonly TypedOperand[], list: ProblemList): CheckedWork | undefined => {
    const weights = typed.flatMap((operand, index) => {
      const node = entries[index]?.[1].node
      return (node && readWeights(operand, node, list)) ?? []
    })
    if (weights.length !== typed.length) return undefined
    return {
      work: { op: op === 'linear' ? 'linear' : 'logistic', bias, weights },
      type: numberType,
    }
  }
  const operands = entries.map(([value, { keyAt }]) => ({ value, at: keyAt }))
  return { name, at, operands, check }
}

/** In an array, so that a list of weights stays one. */
function readWeights(
  operand: TypedOperand,
  node: YamlNode,
  problems: ProblemList,
): readonly [number | readonly number[]] | undefined {
  const { type } = operand
  switch (type.kind) {
    case 'number': {
      const weight = readValue(node, finiteSchema, problems)
      return weight === undefined ? undefined : [weight]
    }
    case 'category': {
      const weights =
        node.kind === 'map'
          ? readNamedWeights(type.categories, node, problems)
          : readListedWeights(operand, node, type.categories.length, problems)
      return weights && [weights]
    }
    case 'vector': {
      const weights = readListedWeights(operand, node, type.dim, problems)
      return weights && [weights]
    }
    case 'list':
      problems.add(
        operand.at,
        `${describeOperand(operand)}: only its size or matches have a weight`,
      )
      return undefined
  }
}

function readListedWeights(
  operand: TypedOperand,
  node: YamlNode,
  count: number,
  problems: ProblemList,
): readonly number[] | undefined {
  const weights = readValue(node, weightsSchema, problems)
  if (weights === undefined || weights.length === count) return weights
  problems.add(
    node.at,
    `${describeOperand(operand)} and needs ${count} weights, found ${weights.length}`,
  )
  return undefined
}

function readNamedWeights(
  categories: readonly Category[],
  node: YamlNode,
  problems: ProblemList,
): readonly number[] {
  const weights = categories.map(() => 0)
  for (const [name, entry] of entriesOf(node)) {
    const code = codeOf(categories, name, entry.keyAt, problems)
    const weight = readValue(entry.node, finiteSchema, problems)
    if (code !== undefined && weight !== undefined) weights[code] = weight
  }
  return weights
}
