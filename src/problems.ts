/**
 * Problems: what is wrong with files that users write, each with its place, all told at once.
 */
import { type ErrorCode, LarderError } from './errors.js'
import { problemsToldMax } from './limits.js'

/** A place in a file; line and column count from 1, columns in UTF-16 units. */
export interface Position {
  /** The file's path, or the name of the variable or flag. */
  readonly path: string
  /** Undefined for what is wrong with a whole file, a variable or a flag. */
  readonly line: number | undefined
  readonly column: number | undefined
}

export interface Problem extends Position {
  readonly message: string
}

/** Collects problems while a file is read. */
export interface ProblemList {
  /** Problems so far, those beyond `problemsToldMax` included. */
  readonly count: number
  /** Adds a problem; a costly message is given as a function, which is not called for one too many. */
  add(at: Position, message: string | (() => string)): void
  /** The problems told, in order of path, line and column. */
  told(): readonly Problem[]
  /** Throws every problem as one error, if there is any; `title` is its first line. */
  throwIfAny(code: ErrorCode, title: string): void
}

export function createProblemList(): ProblemList {
  const problems: Problem[] = []
  let count = 0
  const told = () => [...problems].sort(comparePositions)
  return {
    get count() {
      return count
    },
    add({ path, line, column }, message) {
      count++
      if (problems.length === problemsToldMax) return
      const text = typeof message === 'string' ? message : message()
      problems.push(Object.freeze({ path, line, column, message: text }))
    },
    told,
    throwIfAny(code, title) {
      if (count === 0) return
      const more = count > problems.length ? `\nand ${count - problems.length} more` : ''
      throw new LarderError(code, `${title}\n${formatProblems(told())}${more}`, {
        details: { problemCount: count },
      })
    },
  }
}

/** One line per problem: `file:line:column: message`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `${formatPosition(problem)}: ${problem.message}`).join('\n')
}

export function formatPosition({ path, line, column }: Position): string {
  return [path, line, column].filter((part) => part !== undefined).join(':')
}

function comparePositions(a: Position, b: Position): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}
