/**
 * The version of this Larder, as its package names it.
 */
import { readFileSync } from 'node:fs'
import { LarderError } from './errors.js'

/** At the package's root, seen from `src` and from `dist` alike. */
const packageUrl = new URL('../package.json', import.meta.url)

export const larderVersion = readVersion()

function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(packageUrl, 'utf8'))
  const isDescribed =
    typeof description === 'object' && description !== null && 'version' in description
  if (isDescribed && typeof description.version === 'string') return description.version
  throw new LarderError('internal', `${packageUrl.pathname} names no version`)
}
