/**
 * Files that come with models, read only where they are no larger than they may be.
 */
import { readFile, stat } from 'node:fs/promises'
import { LarderError } from '../errors.js'

/** The bytes of a file. Throws `bad_model` where it has more than `bytesMax` of them. */
export async function readBoundedBytes(path: string, bytesMax: number): Promise<Buffer> {
  const { size } = await stat(path)
  if (size > bytesMax) {
    throw new LarderError('bad_model', `${path} has ${size} bytes, at most ${bytesMax} are read`)
  }
  return await readFile(path)
}

/** The text of a file. Throws `bad_model` where it has more than `bytesMax` bytes or is not UTF-8. */
export async function readBoundedText(path: string, bytesMax: number): Promise<string> {
  const bytes = await readBoundedBytes(path, bytesMax)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    throw new LarderError('bad_model', `${path} is not UTF-8`, { cause: thrown })
  }
}
