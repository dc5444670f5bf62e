import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { rules, type SourceFile } from './tidy-rules.js'

const codePattern = /\.(ts|mjs)$/
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => codePattern.test(path) && existsSync(path))
  .map((path): SourceFile => ({ path, text: readFileSync(path, 'utf8') }))

describe('the tree', () => {
  test('has code to look at', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  test.each(Object.entries(rules))('%s', (_name, rule) => {
    const findings = files.flatMap((file) =>
      rule(file).map(({ line, message }) => `${file.path}:${line}: ${message}`),
    )
    expect(findings).toEqual([])
  })
})

/** For each rule a file that breaks it, and one near it that does not. */
const examples: Record<keyof typeof rules, { broken: SourceFile[]; fine: SourceFile[] }> = {
  'a file name says one idea, in kebab-case': {
    broken: [source('src/rowBatch.ts'), source('src/tier-utils.ts')],
    fine: [source('src/row-batch.ts'), source('src/row-batch.test.ts')],
  },
  'a file has a header and at most 500 lines': {
    broken: [source('src/a.ts', 'const a = 1\n'), source('src/a.ts', `/** */${'\n'.repeat(501)}`)],
    fine: [source('src/a.ts', '/** What. */\n'), source('scripts/a.mjs', '#!x\n/** What. */\n')],
  },
  'imports go one way': {
    broken: [
      source('src/codec/a.ts', "import { b } from '../tiers/b.js'"),
      source('src/predict/a.ts', "import type { B } from '../tiers/b.js'"),
      source('src/client/a.ts', "export { b } from '../tiers/b.js'"),
      source('src/a.ts', "import './server/b.js'"),
    ],
    fine: [
      source('src/tiers/a.ts', "import { b } from '../codec/b.js'"),
      source('src/client/a.ts', "import { b } from '../gen/b.js'"),
      source('src/codec/a.ts', "import fs from 'node:fs'"),
    ],
  },
  'time and randomness are arguments': {
    broken: [
      source('src/a.ts', 'const t = Date.now()'),
      source('src/a.ts', 'const t = new Date()'),
      source('src/a.ts', 'setTimeout(() => {}, 1)'),
    ],
    fine: [
      source('src/clock.ts', 'const t = Date.now()'),
      source('src/a.ts', 'const t = new Date(0)'),
      source('src/a.ts', 'server.setTimeout(1)'),
    ],
  },
  'exported names carry their units': {
    broken: [
      source('src/a.ts', 'export const timeout = 1'),
      source('src/a.ts', 'export interface A { readonly ttl: number }'),
    ],
    fine: [
      source('src/a.ts', 'export const timeoutMs = 1'),
      source('src/a.ts', 'const timeout = 1'),
    ],
  },
  'a cast says why': {
    broken: [source('src/a.ts', 'const a = b as string')],
    fine: [
      source('src/a.ts', '// The addon returns text.\nconst a = b as string'),
      source('src/a.ts', 'const a = [1] as const'),
    ],
  },
  'no assertion stands under an if': {
    broken: [source('a.test.ts', 'if (a) { expect(a).toBe(1) }')],
    fine: [source('a.test.ts', 'if (a) { b() }\nexpect(a).toBe(1)')],
  },
  'our own modules are not mocked': {
    broken: [source('a.test.ts', "vi.mock('./a.js')")],
    fine: [source('a.test.ts', 'const mock = () => 1')],
  },
  'nothing names a machine': {
    broken: [source('a.ts', `const a = '${'/ro'}${'ot/x'}'`)],
    fine: [source('a.ts', "const a = './x'")],
  },
}

describe('each rule can fail', () => {
  test.each(Object.entries(examples))('%s', (name, { broken, fine }) => {
    const rule = Object.entries(rules).find(([known]) => known === name)?.[1]
    const findingCounts = (sources: SourceFile[]) => sources.map((file) => rule?.(file).length)
    expect(findingCounts(broken)).toEqual(broken.map(() => 1))
    expect(findingCounts(fine)).toEqual(fine.map(() => 0))
  })
})

function source(path: string, text = ''): SourceFile {
  return { path, text }
}
