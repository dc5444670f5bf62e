/**
 * The rules of house style that this project enforces on its own tree, each a pure function from a
 * source file to what is wrong with it.
 */
import { parseSync } from 'vite'

/** A file of the tree; `path` is relative to the checkout, with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** What a rule found: a line (from 1) and a sentence. */
export interface Finding {
  readonly line: number
  readonly message: string
}

export type Rule = (file: SourceFile) => Finding[]

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const fileLinesMax = 500
const grabBagNames = ['utils', 'util', 'common', 'misc', 'manager', 'helpers', 'helper']
const nakedNames = ['size', 'length', 'timeout', 'ttl']
const bannedTime = ['Date.now', 'Math.random', 'setTimeout', 'setInterval', 'setImmediate']

/**
 * What each folder of `src` may import. Files in `src` itself are the vocabulary that everything may
 * use; a folder may always import itself.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  '': [],
  registry: [''],
  codec: [''],
  tiers: ['', 'registry', 'codec'],
  predict: ['', 'registry', 'codec'],
  client: ['', 'gen'],
  server: ['', 'registry', 'codec', 'tiers', 'predict', 'gen'],
  cli: ['', 'registry', 'codec', 'tiers', 'predict', 'server', 'client', 'gen'],
}

/** Every rule by name. */
export const rules = {
  'a file name says one idea, in kebab-case': fileName,
  'a file has a header and at most 500 lines': fileShape,
  'imports go one way': importDirection,
  'time and randomness are arguments': noAmbientTime,
  'exported names carry their units': unitsInNames,
  'a cast says why': explainedCasts,
  'no assertion stands under an if': noConditionalAssertion,
  'our own modules are not mocked': noOwnMocks,
  'nothing names a machine': noMachinePaths,
} as const satisfies Record<string, Rule>

function fileName({ path }: SourceFile): Finding[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const stem = name.split('.')[0] ?? ''
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) {
    return [{ line: 1, message: `the file name '${name}' is not kebab-case` }]
  }
  const grabBag = stem.split('-').find((word) => grabBagNames.includes(word))
  if (grabBag === undefined) return []
  return [{ line: 1, message: `the file name '${name}' says '${grabBag}', which names no idea` }]
}

function fileShape({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = []
  const lineCount = text.split('\n').length - 1
  if (lineCount > fileLinesMax) {
    findings.push({ line: lineCount, message: `${lineCount} lines, at most ${fileLinesMax}` })
  }
  const needsHeader = /^(src|scripts|bench|examples|test\/support)\//.test(path)
  const isTest = path.endsWith('.test.ts')
  if (needsHeader && !isTest && !/^(#!.*\n)?\/\*\*/.test(text)) {
    findings.push({ line: 1, message: 'the file has no header comment that says what it is' })
  }
  return findings
}

function importDirection({ path, text }: SourceFile): Finding[] {
  const match = /^src\/(?:([a-z]+)\/)?[^/]+$/.exec(path)
  if (match === null || path.endsWith('.test.ts')) return []
  const folder = match[1] ?? ''
  const allowed = [folder, ...(mayImport[folder] ?? [])]
  const findings: Finding[] = []
  for (const { specifier, start } of importsOf(path, text)) {
    const target = importedFolder(folder, specifier)
    if (target === undefined || allowed.includes(target)) continue
    const message = `src/${folder} must not import src/${target} (${specifier})`
    findings.push({ line: lineAt(text, start), message })
  }
  return findings
}

/** The folder of `src` that a relative import leads to; undefined for packages. */
function importedFolder(folder: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const resolved = new URL(specifier, `file:///src/${folder === '' ? '' : `${folder}/`}x.ts`)
    .pathname
  const parts = resolved.split('/').slice(2)
  return parts.length === 1 ? '' : parts[0]
}

function importsOf(path: string, text: string): { specifier: string; start: number }[] {
  const { module } = parseSync(path, text)
  return [
    ...module.staticImports.map((entry) => ({
      specifier: entry.moduleRequest.value,
      start: entry.start,
    })),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap(({ moduleRequest }) =>
        moduleRequest ? [{ specifier: moduleRequest.value, start: entry.start }] : [],
      ),
    ),
  ]
}

function noAmbientTime({ path, text }: SourceFile): Finding[] {
  if (!path.startsWith('src/') || ['src/clock.ts', 'src/prng.ts'].includes(path)) return []
  const findings: Finding[] = []
  walk(path, text, (node) => {
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return
    const callee = textOf(node['callee'], text)
    const isNow = node.type === 'NewExpression' && callee === 'Date' && isEmpty(node['arguments'])
    if (!isNow && !bannedTime.includes(callee)) return
    const message = `${isNow ? 'new Date()' : callee} belongs to clock.ts or prng.ts`
    findings.push({ line: lineAt(text, node.start), message })
  })
  return findings
}

function unitsInNames({ path, text }: SourceFile): Finding[] {
  if (!path.startsWith('src/')) return []
  const findings: Finding[] = []
  walk(path, text, (node) => {
    if (node.type !== 'ExportNamedDeclaration') return
    for (const name of declaredNames(node['declaration'])) {
      if (!nakedNames.includes(name.toLowerCase())) continue
      const message = `the exported name '${name}' does not say its unit`
      findings.push({ line: lineAt(text, node.start), message })
    }
  })
  return findings
}

/** The names that an exported declaration declares, members of an exported interface included. */
function declaredNames(declaration: unknown): string[] {
  if (!isNode(declaration)) return []
  const names = nodesIn(declaration['declarations']).map((one) => nameOf(one['id']))
  const members = isNode(declaration['body']) ? nodesIn(declaration['body']['body']) : []
  const properties = members.filter((member) => member.type === 'TSPropertySignature')
  return [nameOf(declaration['id']), ...names, ...properties.map((one) => nameOf(one['key']))]
}

function explainedCasts({ path, text }: SourceFile): Finding[] {
  if (!path.startsWith('src/') || path.endsWith('.test.ts')) return []
  const lines = text.split('\n')
  const findings: Finding[] = []
  walk(path, text, (node) => {
    if (node.type !== 'TSAsExpression') return
    if (textOf(node['typeAnnotation'], text) === 'const') return
    const line = lineAt(text, node.start)
    const isExplained = [line, line - 1].some((near) => /\/\/|^\s*\*/.test(lines[near - 1] ?? ''))
    if (isExplained) return
    findings.push({ line, message: 'a cast (as …) has no comment that says why it holds' })
  })
  return findings
}

function noConditionalAssertion({ path, text }: SourceFile): Finding[] {
  if (!/\.(test|contract)\.ts$/.test(path)) return []
  const findings: Finding[] = []
  walk(path, text, (node) => {
    if (node.type !== 'IfStatement') return
    visit(node, (inner) => {
      if (inner.type !== 'CallExpression' || textOf(inner['callee'], text) !== 'expect') return
      findings.push({ line: lineAt(text, inner.start), message: 'an assertion under an if' })
    })
  })
  return findings
}

function noOwnMocks({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = []
  walk(path, text, (node) => {
    if (node.type !== 'CallExpression' || textOf(node['callee'], text) !== 'vi.mock') return
    findings.push({
      line: lineAt(text, node.start),
      message: 'vi.mock: pass a fake as an argument',
    })
  })
  return findings
}

/** Spelt in pieces, so that this file does not find itself. */
const machinePaths = ['/work' + '/', '/ro' + 'ot/', '/home' + '/', 'registry.npm' + 'js.org']

function noMachinePaths({ text }: SourceFile): Finding[] {
  return machinePaths
    .map((machinePath) => ({ machinePath, at: text.indexOf(machinePath) }))
    .filter(({ at }) => at >= 0)
    .map(({ machinePath, at }) => ({ line: lineAt(text, at), message: `names ${machinePath}` }))
}

function walk(path: string, text: string, look: (node: Node) => void): void {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0]?.message}`)
  // The parser's own types name every node kind; the rules only need the few fields they look at.
  visit(program as unknown as Node, look)
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node)
  for (const value of Object.values(node)) {
    for (const child of nodesIn(Array.isArray(value) ? value : [value])) visit(child, look)
  }
}

function nodesIn(values: unknown): Node[] {
  return Array.isArray(values) ? values.filter(isNode) : []
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function nameOf(node: unknown): string {
  return isNode(node) && typeof node['name'] === 'string' ? node['name'] : ''
}

function textOf(node: unknown, text: string): string {
  return isNode(node) ? text.slice(node.start, node.end) : ''
}

function isEmpty(values: unknown): boolean {
  return Array.isArray(values) && values.length === 0
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
