/**
 * Small files of text that come with models.
 */
import { readFile, stat } from 'node:fs/promises'
import { LarderError } from '../errors.js'

/** The text of a file. Throws `bad_model` where it has more than `bytesMax` bytes or is not UTF-8. */
export async function readBoundedText(path: string, bytesMax: number): Promise<string> {
  const { size } = await stat(path)
  if (size > bytesMax) {
    throw new LarderError('bad_model', `${path} has ${size} bytes, at most ${bytesMax} are read`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    throw new LarderError('bad_model', `${path} is not UTF-8`, { cause: thrown })
  }
}
