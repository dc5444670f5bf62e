/**
 * A folder of definition files -> their texts, for `plan`, `apply` and `doctor`.
 *
 * Only reads: what the texts mean is for the daemon (or the registry) to say. Paths are told relative to
 * the current folder, since problems are shown with them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { LarderError } from '../errors.js'
import type { DefinitionFile } from '../gen/larder/v1/admin.js'
import { definitionFilesMax, definitionsBytesMax } from '../limits.js'

/**
 * Every `.yaml` and `.yml` file in `folder` and below, in order of path. Errors: `bad_definitions` for a
 * folder that is missing or holds none; `resource_exhausted` over the limits.
 */
export async function readDefinitions(
  folder: string,
  cwd: string,
  signal?: AbortSignal,
): Promise<DefinitionFile[]> {
  const root = resolve(cwd, folder)
  const paths = await listYaml(root)
  if (paths.length === 0) {
    throw new LarderError('bad_definitions', `${root} holds no definition files (*.yaml)`)
  }
  if (paths.length > definitionFilesMax) {
    throw new LarderError(
      'resource_exhausted',
      `${root} holds ${paths.length} definition files; at most ${definitionFilesMax} are read`,
    )
  }
  const files: DefinitionFile[] = []
  let readBytes = 0
  for (const path of paths) {
    const text = await readFile(path, { encoding: 'utf8', ...(signal && { signal }) })
    readBytes += Buffer.byteLength(text)
    if (readBytes > definitionsBytesMax) {
      throw new LarderError(
        'resource_exhausted',
        `the definition files in ${root} are over ${definitionsBytesMax} bytes together`,
      )
    }
    files.push({ path: relative(cwd, path), text })
  }
  return files
}

async function listYaml(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new LarderError('bad_definitions', `${root} cannot be read: ${error.message}`, {
        cause: error,
      })
    },
  )
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
