/**
 * `larder predict MODEL[@VERSION]… --key k=v …`: scores, and on request where each value came from and
 * what it added to the score.
 */
import type { Command } from 'commander'
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import type { FeatureService, Model } from '../gen/larder/v1/admin.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { collect, withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import {
  createColumns,
  type DeclaredColumn,
  type KeyOptions,
  readKeys,
  rowCountOf,
  type TextColumns,
} from './key-columns.js'
import { parseAssignments } from './parse-value.js'
import { predictionJson } from './prediction-json.js'
import { printJson } from './print.js'
import { type Predicted, printPrediction } from './print-prediction.js'
import { knownNames } from './service.js'

interface PredictCommandOptions extends DaemonOptions, KeyOptions {
  readonly set: readonly string[]
  readonly raw?: boolean
  readonly explain?: boolean
  readonly contributions?: boolean
  readonly keepGoing?: boolean
}

export function addPredictCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('predict'))
    .description('Score some entities with one or several models')
    .argument('<models...>', 'NAME, NAME@VERSION or NAME@LABEL')
    .option('--key <name=value>', 'a join key; repeat a name for several rows', collect, [])
    .option('--keys-file <csv>', 'a CSV of join keys, their names in the first line')
    .option('--set <name=value>', 'a feature or request value to use as given', collect, [])
    .option('--raw', "raw scores, without the objective's transform")
    .option('--explain', 'show each value the model saw, and where it came from')
    .option('--contributions', 'show what each input adds to the raw scores, the largest first')
    .option('--keep-going', 'a model that cannot answer leaves the others to')
    .action((models: string[], options: PredictCommandOptions) => predict(models, options, context))
}

async function predict(
  models: readonly string[],
  options: PredictCommandOptions,
  { io }: CommandContext,
): Promise<void> {
  const keys = await readKeys(options, io.cwd)
  const given = parseAssignments('--set', options.set)
  rowCountOf(new Map([...keys, ...given]))
  const predicted = await withClient(options, io, (client) =>
    fetchPredictions({ client, models, options, keys, given }, io.stop),
  )
  if (options.json) {
    const documents = predicted.map((each) => predictionJson(keys, each))
    await printJson(io, models.length === 1 ? documents[0] : documents)
  } else {
    for (const each of predicted) await printPrediction(io, keys, each)
  }
  const failures = predicted.filter(({ prediction }) => prediction.error !== undefined)
  if (failures.length === 0) return
  throw new LarderError('refused', `${failures.length} of ${models.length} models did not answer`)
}

interface Fetch {
  readonly client: LarderClient
  readonly models: readonly string[]
  readonly options: PredictCommandOptions
  readonly keys: TextColumns
  readonly given: TextColumns
}

async function fetchPredictions(fetch: Fetch, signal: AbortSignal): Promise<Predicted[]> {
  const { client, options } = fetch
  const [{ models: known }, { services }] = await Promise.all([
    client.models(signal),
    client.registry(signal),
  ])
  const keepGoing = options.keepGoing ?? false
  const models = fetch.models.flatMap((text) => {
    const model = findModel(known, text)
    if (model?.ready) return [model]
    if (keepGoing) return []
    throw model === undefined ? noModel(known, text) : new LarderError('bad_model', model.state)
  })
  const used = services.filter(({ name }) => models.some(({ service }) => service === name))
  const declared = declaredInputs(models, used)
  const { predictions } = await client.predict(
    {
      models: fetch.models,
      keys: createColumns(
        fetch.keys,
        used.flatMap(({ keys }) => keys),
        'join key',
      ),
      features: createColumns(fetch.given, declared, 'input'),
      raw: options.raw ?? false,
      explain: options.explain ?? false,
      contributions: options.contributions ?? false,
      keepGoing,
    },
    signal,
  )
  const types = new Map(declared.map(({ name, type }) => [name, type]))
  return predictions.map((prediction) => ({ prediction, types }))
}

/** A model by name, version or label: any version will do to learn the types of its inputs. */
function findModel(models: readonly Model[], text: string): Model | undefined {
  const [name, selector] = text.split('@')
  const versions = models.filter((model) => model.name === name)
  return selector === undefined
    ? (versions.find((model) => model.labels.includes('stable')) ?? versions.at(-1))
    : versions.find((model) => model.version === selector || model.labels.includes(selector))
}

function noModel(models: readonly Model[], text: string): LarderError {
  const names = models.map((model) => `${model.name}@${model.version}`)
  return new LarderError('not_found', `there is no model "${text}"; ${knownNames(names)}`)
}

/** What `--set` may name: the services' features, and the models' request values. */
function declaredInputs(
  models: readonly Model[],
  services: readonly FeatureService[],
): DeclaredColumn[] {
  const requestValues = models
    .flatMap(({ inputs }) => inputs)
    .filter((input) => input.requestValue)
    .map((input) => ({ name: input.feature, type: input.type }))
  return [...requestValues, ...services.flatMap(({ features }) => features)]
}
