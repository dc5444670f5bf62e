/**
 * `larder plan [DIR]`: what applying a folder of definitions would change. Changes nothing.
 */
import type { Command } from 'commander'
import { type ChangeReport, printChanges } from './change-report.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { readProject } from './project.js'
import { readDefinitions } from './read-definitions.js'

export function addPlanCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('plan'))
    .description('Show what applying the definitions would change')
    .argument('[dir]', 'folder of definitions (default: `features` of larder.yaml)')
    .action((folder: string | undefined, options: DaemonOptions) => plan(folder, options, context))
}

async function plan(
  folder: string | undefined,
  options: DaemonOptions,
  { io }: CommandContext,
): Promise<void> {
  const files = await readDefinitions(definitionsFolder(folder, options, io), io.cwd, io.stop)
  const response = await withClient(options, io, (client) => client.plan({ files }, io.stop))
  const report: ChangeReport = { ...response, applied: false }
  await printChanges(io, report, options.json ?? false)
}

/** The folder that was named, else the one that larder.yaml names. */
export function definitionsFolder(
  folder: string | undefined,
  options: DaemonOptions,
  io: CommandContext['io'],
): string {
  return folder ?? readProject(options.config, io).featuresFolder
}
