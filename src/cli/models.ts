/**
 * `larder models`: the models a daemon knows, and whether each is ready.
 */
import type { Command } from 'commander'
import type { Model } from '../gen/larder/v1/admin.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { colorsOf, printJson, printLine, printTable } from './print.js'

export function addModelsCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('models'))
    .description('List the models, their versions, labels and state')
    .action((options: DaemonOptions) => listModels(options, context))
}

async function listModels(options: DaemonOptions, { io }: CommandContext): Promise<void> {
  const { models } = await withClient(options, io, (client) => client.models(io.stop))
  if (options.json) {
    await printJson(io, { models: models.map(modelJson) })
    return
  }
  if (models.length === 0) {
    await printLine(io, 'no models: put one into models/NAME/VERSION/model.txt')
    return
  }
  await printTable(io, {
    head: ['model', 'version', 'labels', 'kind', 'service', 'inputs', 'trees', 'state'],
    rows: models.map(modelRow),
  })
  const colors = colorsOf(io, io.stdout)
  for (const model of models) {
    for (const warning of model.warnings) {
      await printLine(io, `${colors.yellow('warning')} ${model.name}@${model.version}: ${warning}`)
    }
  }
}

function modelRow(model: Model): string[] {
  return [
    model.name,
    model.version,
    model.labels.join(', '),
    model.kind,
    model.service,
    String(model.inputs.length),
    String(model.treeCount),
    model.state,
  ]
}

function modelJson(model: Model) {
  return {
    name: model.name,
    version: model.version,
    kind: model.kind,
    labels: model.labels,
    ready: model.ready,
    state: model.state,
    service: model.service,
    objective: model.objective,
    output_count: model.outputCount,
    tree_count: model.treeCount,
    model_bytes: model.modelBytes,
    inputs: model.inputs.map((input) => ({
      name: input.name,
      feature: input.feature,
      type: input.type,
      request_value: input.requestValue,
      categorical: input.categorical,
    })),
    warnings: model.warnings,
  }
}
