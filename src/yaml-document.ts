/**
 * YAML files as a tree whose every node knows its line and column.
 *
 * The tree is plain: scalars, lists and maps with text keys. What YAML offers beyond that is a problem
 * at its place: tags, several documents, other keys, aliases within anchors, duplicate keys, numbers
 * that would be rounded away. Integers beyond 2^53 are bigint, so that no digit is lost. Reading never
 * throws on a text, however broken: it adds problems. `yaml-fields.ts` takes values out of the tree.
 */

import type { Node, Scalar, YAMLMap } from 'yaml'
import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from 'yaml'
import { yamlUnfoldedNodesMax } from './limits.js'
import { formatPosition, type Position, type ProblemList } from './problems.js'
import { quoteText } from './quoted-text.js'
import { findDeepNesting } from './yaml-nesting.js'

export type YamlScalar = null | boolean | number | bigint | string

export type YamlNode = { readonly at: Position } & (
  | { readonly kind: 'scalar'; readonly value: YamlScalar }
  | { readonly kind: 'list'; readonly items: readonly YamlNode[] }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, YamlEntry> }
  // What is wrong with it was told already.
  | { readonly kind: 'broken' }
)

export interface YamlEntry {
  readonly keyAt: Position
  readonly node: YamlNode
}

export interface YamlSource {
  /** Names the file in problems. */
  readonly path: string
  readonly text: string
  readonly bytesMax: number
}

/** The document's tree; undefined, with problems added, where the text as a whole is not YAML. */
export function parseYaml(source: YamlSource, problems: ProblemList): YamlNode | undefined {
  const start = { path: source.path, line: 1, column: 1 }
  const byteCount = Buffer.byteLength(source.text)
  if (byteCount > source.bytesMax) {
    problems.add(start, `the file has ${byteCount} bytes: at most ${source.bytesMax} are allowed`)
    return undefined
  }
  const positionAt = createPositions(source)
  const deepOffset = findDeepNesting(source.text)
  if (deepOffset !== undefined) {
    problems.add(positionAt(deepOffset), 'nests too deep')
    return undefined
  }
  const document = parseDocument(source.text, {
    intAsBigInt: true,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: 'core',
    stringKeys: true,
    // Ours says where the first one stands, and takes linear time.
    uniqueKeys: false,
  })
  for (const { code, message, pos } of document.errors) {
    problems.add(positionAt(pos[0]), ourMessages[code] ?? message)
  }
  if (document.errors.length > 0) return undefined
  if (document.contents === null) return nullNode(start)
  return new TreeReader(positionAt, problems).read(document.contents)
}

/** Where the parser's own words speak of its interface. */
const ourMessages: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document: one to a file',
  NON_STRING_KEY: 'a key must be text',
}

/** Turns the parser's nodes into ours. Lives for one document. */
class TreeReader {
  readonly #positionAt: (offset: number) => Position
  readonly #problems: ProblemList
  readonly #anchors = new Map<string, { readonly node: YamlNode; readonly nodeCount: number }>()
  #nodeCount = 0
  #openAnchors = 0

  constructor(positionAt: (offset: number) => Position, problems: ProblemList) {
    this.#positionAt = positionAt
    this.#problems = problems
  }

  read(node: Node): YamlNode {
    const at = this.#positionAt(offsetOf(node))
    if (isAlias(node)) return this.#readAlias(node, at)
    if (node.tag !== undefined) return this.#broken(at, `tags (${node.tag}) are not supported`)
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    const nodeCountBefore = this.#nodeCount
    this.#nodeCount++
    if (anchor === undefined) return this.#readContent(node, at)
    this.#openAnchors++
    const content = this.#readContent(node, at)
    this.#openAnchors--
    const nodeCount = this.#nodeCount - nodeCountBefore
    this.#anchors.set(anchor, { node: content, nodeCount })
    return content
  }

  #readContent(node: Node, at: Position): YamlNode {
    if (isScalar(node)) return this.#readScalar(node, at)
    if (isMap(node)) return { kind: 'map', entries: this.#readEntries(node), at }
    if (isSeq<Node>(node))
      return { kind: 'list', items: node.items.map((item) => this.read(item)), at }
    return this.#broken(at, 'neither a value, a list nor a map')
  }

  #readAlias(alias: Alias, at: Position): YamlNode {
    const anchored = this.#anchors.get(alias.source)
    // Aliases within anchors could nest without end, and multiply.
    if (this.#openAnchors > 0) return this.#broken(at, 'an alias within an anchor is not supported')
    if (anchored === undefined)
      return this.#broken(at, `no anchor &${alias.source} before this alias`)
    if (this.#nodeCount + anchored.nodeCount > yamlUnfoldedNodesMax) {
      return this.#broken(at, `aliases unfold to more than ${yamlUnfoldedNodesMax} values`)
    }
    this.#nodeCount += anchored.nodeCount
    return anchored.node
  }

  #readScalar(scalar: Scalar, at: Position): YamlNode {
    const { value, source } = scalar
    switch (typeof value) {
      case 'bigint':
        return { kind: 'scalar', value: asPlainInteger(value), at }
      case 'number':
        if (Math.abs(value) === Number.POSITIVE_INFINITY && !/inf/i.test(source ?? '')) {
          return this.#broken(
            at,
            `the number is beyond ±${Number.MAX_VALUE}: write .inf for infinity`,
          )
        }
        return { kind: 'scalar', value, at }
      case 'string':
        if (/\p{Surrogate}/u.test(value)) return this.#broken(at, 'the text is not valid Unicode')
        return { kind: 'scalar', value, at }
      case 'boolean':
        return { kind: 'scalar', value, at }
      default:
        return { kind: 'scalar', value: null, at }
    }
  }

  #readEntries(map: YAMLMap): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>()
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.#broken(this.#positionAt(offsetOf(isNode(key) ? key : map)), 'a key must be text')
        continue
      }
      const keyAt = this.#positionAt(offsetOf(key))
      const node = isNode(value) ? this.read(value) : nullNode(keyAt)
      const first = entries.get(key.value)
      if (first === undefined) {
        entries.set(key.value, { keyAt, node })
      } else {
        const shown = quoteText(key.value)
        this.#problems.add(keyAt, `duplicate key ${shown}, first at ${formatPosition(first.keyAt)}`)
      }
    }
    return entries
  }

  #broken(at: Position, message: string): YamlNode {
    this.#problems.add(at, message)
    return { kind: 'broken', at }
  }
}

function nullNode(at: Position): YamlNode {
  return { kind: 'scalar', value: null, at }
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0
}

/** Numbers as far as they are exact, bigint beyond. */
function asPlainInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function createPositions(source: YamlSource): (offset: number) => Position {
  const lineCounter = new LineCounter()
  for (let start = 0; start !== 0 || lineCounter.lineStarts.length === 0; ) {
    lineCounter.addNewLine(start)
    start = source.text.indexOf('\n', start) + 1
  }
  return (offset) => {
    const { line, col } = lineCounter.linePos(offset)
    return { path: source.path, line, column: col }
  }
}
