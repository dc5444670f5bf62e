/**
 * `larder apply [DIR]`: makes a folder of definitions, or an earlier version, the registry's next.
 */
import type { Command } from 'commander'
import type { Definitions } from '../client/index.js'
import { LarderError } from '../errors.js'
import { printChanges } from './change-report.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { definitionsFolder } from './plan.js'
import { readDefinitions } from './read-definitions.js'

interface ApplyCommandOptions extends DaemonOptions {
  readonly allowDrop?: boolean
  readonly fromVersion?: string
}

export function addApplyCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('apply'))
    .description('Apply the definitions: what `larder plan` shows')
    .argument('[dir]', 'folder of definitions (default: `features` of larder.yaml)')
    .option('--allow-drop', 'allow changes that make stored features or views unreadable')
    .option('--from-version <n>', 'apply the definitions of an earlier registry version again')
    .action((folder: string | undefined, options: ApplyCommandOptions) =>
      apply(folder, options, context),
    )
}

async function apply(
  folder: string | undefined,
  options: ApplyCommandOptions,
  { io }: CommandContext,
): Promise<void> {
  const definitions = await definitionsOf(folder, options, io)
  const allowDrop = options.allowDrop ?? false
  const response = await withClient(options, io, (client) =>
    client.apply(definitions, { allowDrop }, io.stop),
  )
  await printChanges(io, { ...response, applied: true }, options.json ?? false)
}

async function definitionsOf(
  folder: string | undefined,
  options: ApplyCommandOptions,
  io: CommandContext['io'],
): Promise<Definitions> {
  const { fromVersion } = options
  if (fromVersion === undefined) {
    return {
      files: await readDefinitions(definitionsFolder(folder, options, io), io.cwd, io.stop),
    }
  }
  if (folder !== undefined) {
    throw new LarderError('invalid_argument', 'apply takes a folder or --from-version, not both')
  }
  if (!/^[1-9]\d{0,18}$/.test(fromVersion)) {
    throw new LarderError(
      'invalid_argument',
      `--from-version "${fromVersion}" is not a registry version, such as 3`,
    )
  }
  return { registryVersion: BigInt(fromVersion) }
}
