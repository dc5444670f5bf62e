/**
 * How deep a YAML text nests, told from its tokens, before it is parsed.
 *
 * The parser recurses once or more per level and can take the whole process down when the stack ends,
 * so that depth must be bounded first. The tokens come from an iterative lexer. What is counted never
 * falls short of the real depth: open brackets, indicators in a row (`- - -`, `? ? ?`, `a: b: c:`),
 * and outside brackets the columns of indentation, since each level needs one more.
 */
import { CST, Lexer } from 'yaml'
import { yamlNestingMax } from './limits.js'

/** The offset at which `text` nests too deep for the parser; undefined where it does not. */
export function findDeepNesting(text: string): number | undefined {
  let offset = 0
  let flowDepth = 0
  let indentColumns = 0
  let indicatorCount = 0
  let atLineStart = true
  let inScalar = false
  for (const token of new Lexer().lex(text)) {
    const type: string | null = inScalar ? 'scalar-text' : CST.tokenType(token)
    inScalar = type === 'scalar'
    // Marks have a token but no place in the text.
    if (type === 'doc-mode' || type === 'scalar') continue
    if (type === 'flow-error-end') {
      flowDepth = 0
      continue
    }
    if (type === 'newline') {
      atLineStart = true
      if (flowDepth === 0) indentColumns = 0
    } else if (type === 'space') {
      if (atLineStart && flowDepth === 0) indentColumns = token.length
    } else {
      atLineStart = false
    }
    flowDepth = Math.max(0, flowDepth + (flowSteps.get(type) ?? 0))
    if (indicators.has(type)) indicatorCount++
    else if (flowSteps.has(type) || (type === 'newline' && flowDepth === 0)) indicatorCount = 0
    const depth = indentColumns + flowDepth + indicatorCount
    if (depth > yamlNestingMax && type !== 'space' && type !== 'comment') return offset
    offset += token.length
  }
  return undefined
}

const indicators = new Set<string | null>(['seq-item-ind', 'explicit-key-ind', 'map-value-ind'])
/** What a token does to the number of open brackets. */
const flowSteps = new Map<string | null, number>([
  ['flow-map-start', 1],
  ['flow-seq-start', 1],
  ['flow-map-end', -1],
  ['flow-seq-end', -1],
  ['comma', 0],
])
