/**
 * The names that definitions of one kind give, for those who refer to them.
 */
import { didYouMean } from '../closest-name.js'
import { formatPosition, type Position, type ProblemList } from '../problems.js'
import type { YamlNode } from '../yaml-document.js'
import type { Field } from '../yaml-fields.js'

/** A definition as it was read: undefined where it is broken. */
export interface Named<Definition> {
  readonly name: Field<string>
  readonly definition: Definition | undefined
}

export interface Known<Definition> {
  /** Reads every definition. One that adds problems is known by name only. */
  readAll(read: (node: YamlNode) => Named<Definition>): void
  /** The definition that `field` names; undefined where it is broken, or unknown, which it tells. */
  find(field: Field<string>): Definition | undefined
  /** Those that are whole, in order. */
  all(): readonly Definition[]
}

export interface KnownOptions {
  /** What the definitions are called in messages. */
  readonly kind: string
  readonly nodes: readonly YamlNode[]
  readonly countMax: number
  /** False where some definitions could not be read: then no name can be told to be unknown. */
  readonly complete: boolean
  readonly problems: ProblemList
}

export function createKnown<Definition>(options: KnownOptions): Known<Definition> {
  const { kind, nodes, countMax, complete, problems } = options
  const definitions = new Map<string, Definition | undefined>()
  const firstAt = new Map<string, Position>()
  return {
    readAll(read) {
      const [tooMany] = nodes.slice(countMax)
      if (tooMany !== undefined) {
        problems.add(tooMany.at, `${nodes.length} of the kind ${kind}: at most ${countMax}`)
      }
      for (const node of nodes) {
        const countBefore = problems.count
        const { name, definition } = read(node)
        if (name.value === undefined) continue
        const first = firstAt.get(name.value)
        if (first !== undefined) {
          const where = formatPosition(first)
          problems.add(name.at, `${kind} "${name.value}" is already defined at ${where}`)
          continue
        }
        firstAt.set(name.value, name.at)
        definitions.set(name.value, problems.count === countBefore ? definition : undefined)
      }
    },
    find({ value: name, at }) {
      if (name === undefined) return undefined
      if (complete && !definitions.has(name)) {
        problems.add(at, () => `unknown ${kind} "${name}"${didYouMean(name, definitions.keys())}`)
      }
      return definitions.get(name)
    },
    all: () => Object.freeze([...definitions.values()].filter((value) => value !== undefined)),
  }
}

/** A list or map must hold something, and no more than `countMax`. */
export function checkCount(
  field: Field<unknown>,
  { count, countMax }: { readonly count: number; readonly countMax: number },
  problems: ProblemList,
): void {
  // A missing or wrong one was told already.
  if (field.value === undefined || (count > 0 && count <= countMax)) return
  problems.add(field.at, `expected between 1 and ${countMax} entries, found ${count}`)
}
