/**
 * Builds what runs: generated messages, the native addon, JavaScript in `dist`, and `npx larder`.
 * Each part only when its inputs changed.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { doOnce, fail, rootFolder, runBin } from './steps.mjs'

/** Builds everything. Throws an `Error` whose message says what to do. */
export async function build() {
  doOnce(
    {
      stampPath: 'src/gen/.stamp',
      inputs: ['proto', 'buf.yaml', 'buf.gen.yaml', 'package-lock.json'],
      outputPath: 'src/gen/larder.binpb',
    },
    () => {
      runBin('buf', ['generate'])
      runBin('buf', ['build', '-o', 'src/gen/larder.binpb'])
    },
  )
  const { buildNative } = await import('./build-native.mjs')
  buildNative({ clean: false })
  doOnce(
    {
      stampPath: 'dist/.stamp',
      inputs: ['src', 'tsconfig.json', 'package-lock.json'],
      outputPath: 'dist/cli/main.js',
    },
    () => {
      rmSync(join(rootFolder, 'dist'), { recursive: true, force: true })
      runBin('tsc', ['-p', 'tsconfig.json'])
    },
  )
  linkCommand()
}

/** `npx larder` finds the command of this checkout. */
function linkCommand() {
  const binFolder = join(rootFolder, 'node_modules', '.bin')
  const link = join(binFolder, 'larder')
  chmodSync(join(rootFolder, 'dist', 'cli', 'main.js'), 0o755)
  mkdirSync(binFolder, { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(join('..', '..', 'dist', 'cli', 'main.js'), link)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build().catch(fail)
