/**
 * Where the daemon is, and a client for the time of one command.
 *
 * `--address`, then `LARDER_ADDRESS`, then the address file that a daemon leaves in its data folder:
 * that of larder.yaml if there is one, else `.larder/address.json` in the current folder or one above.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { createLarderClient, type LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import { addressFileName, type DaemonAddress } from '../server/address-file.js'
import type { CliIo } from './cli-io.js'
import type { DaemonOptions } from './command-context.js'
import { findConfigPath, readProject } from './project.js'

const addressFileSchema = z.object({
  grpc: z.string(),
  http: z.string(),
  pid: z.number().int(),
}) satisfies z.ZodType<DaemonAddress>

/** Runs `use` with a client of the daemon; several addresses are separated by commas. */
export async function withClient<Result>(
  options: DaemonOptions,
  io: CliIo,
  use: (client: LarderClient) => Promise<Result>,
): Promise<Result> {
  const addresses = (await findAddress(options, io)).split(',')
  const client = createLarderClient({ addresses, deadlineMs: commandDeadlineMs, clock: io.clock })
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

/** People wait longer than programs: an apply may have to check every model. */
const commandDeadlineMs = 30_000

async function findAddress(options: DaemonOptions, io: CliIo): Promise<string> {
  const named = options.address ?? io.env['LARDER_ADDRESS']
  if (named !== undefined) return named
  const paths = addressPaths(options, io)
  for (const path of paths) {
    const found = await readAddressFile(path)
    if (found !== undefined) return found.grpc
  }
  const [nearest] = paths
  const above = paths.length > 1 ? ', nor in a folder above' : ''
  throw new LarderError(
    'unavailable',
    `no running daemon was found: there is no ${nearest}${above}`,
  )
}

function addressPaths(options: DaemonOptions, io: CliIo): string[] {
  if (findConfigPath(options.config, io) !== undefined) {
    return [join(readProject(options.config, io).dataFolder, addressFileName)]
  }
  const paths: string[] = []
  for (let folder = io.cwd; ; folder = dirname(folder)) {
    paths.push(join(folder, '.larder', addressFileName))
    if (dirname(folder) === folder) return paths
  }
}

async function readAddressFile(path: string): Promise<DaemonAddress | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new LarderError('bad_file', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (text === undefined) return undefined
  const parsed = addressFileSchema.safeParse(jsonOf(path, text))
  if (parsed.success) return parsed.data
  throw new LarderError('bad_file', `${path} is not an address file: delete it, start the daemon`)
}

function jsonOf(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new LarderError('bad_file', `${path} is not JSON: delete it and start the daemon`, {
      cause: error,
    })
  }
}
