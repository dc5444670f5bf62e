/**
 * Operands with their types, and the checks that ops make on them: each says which node, which operand,
 * what it is and what was wanted.
 */
import type { Position, ProblemList } from '../../problems.js'
import type { NodeType, NodeWork, Operand } from './graph.js'
import type { RawOperand } from './graph-fields.js'

export interface TypedOperand {
  readonly operand: Operand
  readonly type: NodeType
  /** As the file has it. */
  readonly text: string
  readonly at: Position
}

/** A compute node as read, before it is known what its operands are. */
export interface RawNode {
  readonly name: string
  readonly at: Position
  readonly operands: readonly RawOperand[]
  /** Checks the operands' types; undefined where they are wrong, and problems were added. */
  readonly check: (
    operands: readonly TypedOperand[],
    problems: ProblemList,
  ) => CheckedWork | undefined
}

export interface CheckedWork {
  readonly work: NodeWork
  readonly type: NodeType
}

export const numberType: NodeType = Object.freeze({ kind: 'number' })

export function describeType(type: NodeType): string {
  switch (type.kind) {
    case 'number':
      return 'a number'
    case 'category':
      return 'a category'
    case 'vector':
      return `a vector of ${type.dim}`
    case 'list':
      return `a list of ${type.items}s`
  }
}

/** Whether all of them are numbers; adds a problem for each that is not. */
export function areNumbers(
  op: string,
  operands: readonly TypedOperand[],
  problems: ProblemList,
): boolean {
  const wrong = operands.filter(({ type }) => type.kind !== 'number')
  for (const operand of wrong) {
    const hint =
      operand.type.kind === 'category' ? ' (one_hot, is_one_of and linear take categories)' : ''
    problems.add(operand.at, `${describeOperand(operand)}, but ${op} takes numbers${hint}`)
  }
  return wrong.length === 0
}

/** Whether all of them are lists of the same items. */
export function areLists(
  op: string,
  operands: readonly TypedOperand[],
  problems: ProblemList,
): boolean {
  const before = problems.count
  const [first] = operands
  for (const operand of operands) {
    if (operand.type.kind !== 'list') {
      problems.add(operand.at, `${describeOperand(operand)}, but ${op} takes lists`)
    } else if (first?.type.kind === 'list' && first.type.items !== operand.type.items) {
      problems.add(
        operand.at,
        `${describeOperand(operand)}, but ${first.text} is ${describeType(first.type)}: ` +
          `${op} takes lists of one kind of items`,
      )
    }
  }
  return problems.count === before
}

/** Whether all of them are vectors of the same dimension. */
export function areVectors(
  op: string,
  operands: readonly TypedOperand[],
  problems: ProblemList,
): boolean {
  const before = problems.count
  const [first] = operands
  for (const operand of operands) {
    if (operand.type.kind !== 'vector') {
      problems.add(operand.at, `${describeOperand(operand)}, but ${op} takes vectors`)
    } else if (first?.type.kind === 'vector' && first.type.dim !== operand.type.dim) {
      problems.add(
        operand.at,
        `${describeOperand(operand)}, but ${first.text} is ${describeType(first.type)}`,
      )
    }
  }
  return problems.count === before
}

export function describeOperand({ text, type }: TypedOperand): string {
  return `${text} is ${describeType(type)}`
}
