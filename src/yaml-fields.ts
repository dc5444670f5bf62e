/**
 * Values out of a YAML tree, each checked by a zod schema.
 *
 * A map is read field by field, so that a wrong one hides nothing wrong with the others: unknown keys,
 * missing ones and wrong values are all told. What could not be read is undefined, and the caller goes
 * on with the rest, knowing that a problem was added.
 */
import { z } from 'zod'
import { didYouMeanOrKnown } from './closest-name.js'
import { LarderError } from './errors.js'
import type { Position, ProblemList } from './problems.js'
import { quoteText } from './quoted-text.js'
import type { YamlEntry, YamlNode } from './yaml-document.js'

export interface Field<Value> {
  /** Undefined where it is absent or wrong. */
  readonly value: Value | undefined
  /** Undefined where it is absent. */
  readonly node: YamlNode | undefined
  /** Of the value; of the map around it where it is absent. */
  readonly at: Position
}

export type Shape = Readonly<Record<string, z.ZodType>>
export type Fields<S extends Shape> = { readonly [Key in keyof S]: Field<z.output<S[Key]>> }

/** A list or a map whose content is read by further calls, on the field's node. */
export const listSchema = z.array(z.unknown())
export const mapSchema = z.map(z.string(), z.unknown())

/** Text that `parse` turns into a value, or refuses with a `LarderError`. */
export function parsedText<Value>(expected: string, parse: (text: string) => Value) {
  return z.string({ error: `expected ${expected}` }).transform((text, context) => {
    try {
      return parse(text)
    } catch (thrown) {
      if (!(thrown instanceof LarderError)) throw thrown
      context.addIssue({ code: 'custom', message: thrown.message })
      return z.NEVER
    }
  })
}

/** Reads the map `node` by `shape`; every field is undefined where it is no map. */
export function readFields<S extends Shape>(
  node: YamlNode,
  shape: S,
  problems: ProblemList,
): Fields<S> {
  const entries = readEntries(node, problems)
  const known = Object.keys(shape)
  for (const [key, entry] of entries ?? []) {
    if (Object.hasOwn(shape, key)) continue
    problems.add(entry.keyAt, () => `unknown key ${quoteText(key)}${didYouMeanOrKnown(key, known)}`)
  }
  const fields = Object.entries(shape).map(([key, schema]) => {
    const entry = entries?.get(key)
    const at = entry?.node.at ?? node.at
    if (entry !== undefined) {
      return [key, { value: readValue(entry.node, schema, problems), node: entry.node, at }]
    }
    const absent = schema.safeParse(undefined)
    if (!absent.success && entries !== undefined) problems.add(at, `${quoteText(key)} is missing`)
    return [key, { value: absent.data, node: undefined, at }]
  })
  // The loop above made one field per key of the shape, which the type system cannot see.
  return Object.fromEntries(fields) as Fields<S>
}

/** Reads one value; undefined where it is wrong. */
export function readValue<Schema extends z.ZodType>(
  node: YamlNode,
  schema: Schema,
  problems: ProblemList,
): z.output<Schema> | undefined {
  if (containsBroken(node)) return undefined
  const result = schema.safeParse(plainValue(node), { error: describeIssue })
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const place = nodeAt(node, issue.path)
    const found = issue.code === 'custom' ? '' : `, found ${describeNode(place)}`
    problems.add(place.at, `${issue.message}${found}`)
  }
  return undefined
}

/** The items of a list; none where it is no list. Used on fields that `listSchema` has checked. */
export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === 'list' ? node.items : []
}

/** The entries of a map; none where it is no map. Used on fields that `mapSchema` has checked. */
export function entriesOf(node: YamlNode | undefined): ReadonlyMap<string, YamlEntry> {
  return node?.kind === 'map' ? node.entries : new Map()
}

function readEntries(
  node: YamlNode,
  problems: ProblemList,
): ReadonlyMap<string, YamlEntry> | undefined {
  if (node.kind === 'map') return node.entries
  if (node.kind !== 'broken') problems.add(node.at, `expected a map, found ${describeNode(node)}`)
  return undefined
}

/** The node as zod takes it: what lies deeper than a list of scalars stays nodes. */
function plainValue(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map((item) => (item.kind === 'scalar' ? item.value : item))
    case 'map':
      return node.entries
    case 'broken':
      return undefined
  }
}

function containsBroken(node: YamlNode): boolean {
  if (node.kind === 'list') return node.items.some((item) => item.kind === 'broken')
  return node.kind === 'broken'
}

/** The item that an issue's path points at; the list itself where it points nowhere. */
function nodeAt(node: YamlNode, path: readonly PropertyKey[]): YamlNode {
  const [index] = path
  return itemsOf(node)[Number(index ?? -1)] ?? node
}

const typeTexts: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  map: 'a map',
  number: 'a number',
  string: 'text',
}

/** What was expected, in our words; schemas with an `error` of their own keep it. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeTexts[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected one of ${issue.values.join(', ')}`
    case 'too_small':
      return `expected at least ${issue.minimum}${countNoun(issue.origin)}`
    case 'too_big':
      return `expected at most ${issue.maximum}${countNoun(issue.origin)}`
    default:
      return undefined
  }
}

function countNoun(origin: string): string {
  if (origin === 'array') return ' items'
  return origin === 'string' ? ' characters' : ''
}

/** What stands there, short enough for a message. */
function describeNode(node: YamlNode): string {
  switch (node.kind) {
    case 'list':
      return `a list of ${node.items.length}`
    case 'map':
      return 'a map'
    case 'broken':
      return 'something unreadable'
    case 'scalar':
      if (node.value === null) return 'nothing'
      return typeof node.value === 'string' ? quoteText(node.value) : `${node.value}`
  }
}
