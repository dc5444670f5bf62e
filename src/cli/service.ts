/**
 * `larder service NAME`: a feature service's features, named as a model must name them.
 */
import type { Command } from 'commander'
import { LarderError } from '../errors.js'
import type { FeatureService, JoinKey } from '../gen/larder/v1/admin.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { printJson, printLine, printTable } from './print.js'

export function addServiceCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('service'))
    .description("Show a feature service's features as a model must name them, and its keys")
    .argument('<name>', 'the feature service')
    .action((name: string, options: DaemonOptions) => showService(name, options, context))
}

async function showService(
  name: string,
  options: DaemonOptions,
  { io }: CommandContext,
): Promise<void> {
  const { services } = await withClient(options, io, (client) => client.registry(io.stop))
  const service = services.find((candidate) => candidate.name === name)
  if (service === undefined) {
    const names = services.map((candidate) => candidate.name)
    throw new LarderError('not_found', `there is no service "${name}"; ${knownNames(names)}`)
  }
  if (options.json) {
    await printJson(io, serviceJson(service))
    return
  }
  await printLine(io, `keys: ${formatKeys(service.keys)}`)
  await printTable(io, {
    head: ['feature', 'type', 'view'],
    rows: service.features.map((feature) => [feature.name, feature.type, feature.view]),
  })
}

function serviceJson(service: FeatureService) {
  return {
    name: service.name,
    keys: service.keys.map(({ name, type }) => ({ name, type })),
    features: service.features.map(({ name, type, role, view }) => ({ name, type, role, view })),
  }
}

function formatKeys(keys: readonly JoinKey[]): string {
  return keys.map((key) => `${key.name} (${key.type})`).join(', ')
}

/** `there are a, b and c`, for messages about a name that is not there. */
export function knownNames(names: readonly string[]): string {
  return names.length === 0
    ? 'there are none: apply definitions first'
    : `known: ${names.join(', ')}`
}
