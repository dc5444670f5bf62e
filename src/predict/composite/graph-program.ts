/**
 * Writes the words of one native program (`native/graph/program.h` draws them).
 *
 * Instructions are written over as many registers as there are values; `finish` then gives registers
 * that are read no more to others, so that a block of rows stays near the processor.
 */
import { type GraphColumnKind, type GraphOp, graphColumns, graphOps } from '../../native-graph.js'

/** A value of the program under way. */
export type Register =
  | { readonly kind: 'value'; readonly id: number }
  | { readonly kind: 'constant'; readonly id: number }

export interface ProgramWords {
  readonly words: Uint32Array
  readonly constants: Float64Array
}

export interface ProgramWriter {
  /** A register that holds `value`. */
  constant(value: number): Register
  /** A column, of `dim` where it is a vector: its index. */
  column(kind: GraphColumnKind, dim?: number): number
  /** Where a table of constants begins, among all. */
  table(values: readonly number[]): Table
  /** Writes an instruction that makes a value. */
  compute(op: GraphOp, operands: readonly ProgramOperand[]): Register
  /** Writes an instruction whose first operand is a column it fills. */
  fill(op: 'store' | 'oneHot', column: number, from: Register): void
  finish(): ProgramWords
}

/** An offset among the tables, which stand behind the constant registers. */
export interface Table {
  readonly kind: 'table'
  readonly offset: number
}

/** A register, a table, or a plain word: a column's index or a count. */
export type ProgramOperand = Register | Table | number

interface Instruction {
  readonly op: GraphOp
  /** The value it makes. */
  readonly target: number | undefined
  readonly operands: readonly ProgramOperand[]
}

export function createProgramWriter(): ProgramWriter {
  const constantValues: number[] = []
  const constantIds = new Map<string, number>()
  const tables: number[] = []
  const columns: { readonly kind: GraphColumnKind; readonly dim: number }[] = []
  const instructions: Instruction[] = []
  let valueCount = 0
  return {
    constant(value) {
      const key = Object.is(value, -0) ? '-0' : String(value)
      const id = constantIds.get(key) ?? constantValues.push(value) - 1
      constantIds.set(key, id)
      return { kind: 'constant', id }
    },
    column: (kind, dim = 0) => columns.push({ kind, dim }) - 1,
    table(values) {
      const offset = tables.length
      for (const value of values) tables.push(value)
      return { kind: 'table', offset }
    },
    compute(op, operands) {
      const target = valueCount++
      instructions.push({ op, target, operands })
      return { kind: 'value', id: target }
    },
    fill(op, column, from) {
      instructions.push({ op, target: undefined, operands: [column, from] })
    },
    finish() {
      const { registers, registerCount } = assignRegisters(instructions)
      const constantCount = constantValues.length
      const wordOf = (operand: ProgramOperand): number => {
        if (typeof operand === 'number') return operand
        if (operand.kind === 'constant') return operand.id
        if (operand.kind === 'table') return constantCount + operand.offset
        return constantCount + (registers[operand.id] ?? 0)
      }
      const words = [constantCount, constantCount + registerCount, columns.length]
      for (const { kind, dim } of columns) words.push(graphColumns[kind], dim)
      for (const { op, target, operands } of instructions) {
        const targets = target === undefined ? [] : [{ kind: 'value', id: target } as const]
        const operandWords = [...targets, ...operands].map(wordOf)
        words.push(graphOps[op], operandWords.length, ...operandWords)
      }
      return {
        words: Uint32Array.from(words),
        constants: Float64Array.from([...constantValues, ...tables]),
      }
    },
  }
}

/** For each value its register: one that is free from the last read of what it held. */
function assignRegisters(instructions: readonly Instruction[]) {
  const lastReads = new Map<number, number>()
  for (const [place, { operands }] of instructions.entries()) {
    for (const operand of operands) {
      if (typeof operand === 'object' && operand.kind === 'value') lastReads.set(operand.id, place)
    }
  }
  const registers: number[] = []
  const free: number[] = []
  let registerCount = 0
  for (const [place, { target, operands }] of instructions.entries()) {
    const ends = new Set<number>()
    for (const operand of operands) {
      if (typeof operand !== 'object' || operand.kind !== 'value') continue
      if (lastReads.get(operand.id) === place) ends.add(registers[operand.id] ?? 0)
    }
    free.push(...ends)
    // A value may take the register of an operand: the engine reads before it writes.
    if (target !== undefined) registers[target] = free.pop() ?? registerCount++
  }
  return { registers, registerCount }
}
