/**
 * `npm run check`: format, lint, types and what is unused, of TypeScript, JavaScript, C++ and proto. The
 * tree's own rules are `test/tidy.test.ts`, which this runs too.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, rootFolder, runBin } from './steps.mjs'

/** Throws where anything is not as it should be. */
export function check() {
  runBin('biome', ['ci', '--error-on-warnings', '.'])
  runBin('buf', ['lint'])
  runBin('buf', ['format', '--exit-code', '--diff'])
  runBin('clang-format', ['--dry-run', '--Werror', ...nativeSources('native')])
  runBin('tsc', ['-p', 'tsconfig.check.json'])
  runBin('knip', [])
}

/** C++ sources and headers under `folder`, without what was built. */
function nativeSources(folder) {
  return readdirSync(join(rootFolder, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return /^(build|node_modules)/.test(entry.name) ? [] : nativeSources(path)
    }
    return /\.(cc|h)$/.test(entry.name) ? [path] : []
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { build } = await import('./build.mjs')
    await build()
    check()
    runBin('vitest', ['run', 'test/tidy.test.ts'], { env: { CI: 'true' } })
  } catch (error) {
    fail(error)
  }
}
