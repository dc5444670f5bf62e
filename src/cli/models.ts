/**
 * `larder models`: the models a daemon knows, and whether each is ready; with `--reload` after it has
 * looked for newer ones.
 */
import type { Command } from 'commander'
import type { Model, ModelChange } from '../gen/larder/v1/admin.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { colorsOf, printJson, printLine, printTable } from './print.js'

interface ModelsOptions extends DaemonOptions {
  readonly reload?: boolean
}

export function addModelsCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('models'))
    .description('List the models, their versions, labels and state')
    .option('--reload', 'first take up what is new in the folder of models')
    .action((options: ModelsOptions) => listModels(options, context))
}

async function listModels(options: ModelsOptions, { io }: CommandContext): Promise<void> {
  const { models, changes } = await withClient(options, io, async (client) =>
    options.reload
      ? await client.reloadModels(io.stop)
      : { ...(await client.models(io.stop)), changes: undefined },
  )
  if (options.json) {
    const changed = changes === undefined ? {} : { changes: changes.map(changeJson) }
    await printJson(io, { ...changed, models: models.map(modelJson) })
    return
  }
  for (const { what, name, version, problem } of changes ?? []) {
    const why = problem === '' ? '' : `: ${problem}`
    await printLine(io, `${what} ${name}@${version}${why}`)
  }
  if (models.length === 0) {
    await printLine(io, 'no models: put one into models/NAME/VERSION/model.txt')
    return
  }
  await printTable(io, {
    head: [
      'model',
      'version',
      'labels',
      'kind',
      'service',
      'inputs',
      'trees',
      'state',
      'kernel',
      'vectors',
      'bytes',
      'load ms',
    ],
    rows: models.map(modelRow),
  })
  const colors = colorsOf(io, io.stdout)
  for (const model of models) {
    const problem = problemOf(model)
    if (problem !== '') {
      await printLine(io, `${colors.red('problem')} ${model.name}@${model.version}: ${problem}`)
    }
    for (const warning of model.warnings) {
      await printLine(io, `${colors.yellow('warning')} ${model.name}@${model.version}: ${warning}`)
    }
  }
}

function changeJson({ what, name, version, problem }: ModelChange) {
  return { what, name, version, ...(problem === '' ? {} : { problem }) }
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
    stateOf(model),
    model.kernel,
    ...(isLoaded(model)
      ? [String(model.vectorCount), String(model.modelBytes), model.loadMs.toFixed(1)]
      : []),
  ]
}

function isLoaded(model: Model): boolean {
  return model.loadedAtUs !== 0n
}

function stateOf(model: Model): string {
  if (model.pending) return 'being written'
  if (!model.ready) return isLoaded(model) ? 'does not fit' : 'cannot be used'
  return model.problem === '' ? 'ready' : 'ready, newer files broken'
}

/** Why it is not ready, or why its newer files are not served; empty where all is well. */
function problemOf(model: Model): string {
  return model.ready ? model.problem : model.state
}

function modelJson(model: Model) {
  return {
    name: model.name,
    version: model.version,
    kind: model.kind,
    labels: model.labels,
    ready: model.ready,
    state: model.state,
    problem: model.problem,
    pending: model.pending,
    service: model.service,
    objective: model.objective,
    output_count: model.outputCount,
    tree_count: model.treeCount,
    model_bytes: model.modelBytes,
    kernel: model.kernel,
    loaded_at_us: model.loadedAtUs,
    load_ms: model.loadMs,
    vector_count: model.vectorCount,
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
