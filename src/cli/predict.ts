/**
 * `larder predict MODEL[@VERSION] --key k=v …`: scores, and on request where each value came from.
 */
import type { Command } from 'commander'
import type { InputResult, LarderClient, PredictionResult } from '../client/index.js'
import { cellStatusText } from '../column.js'
import { LarderError } from '../errors.js'
import { shortenFloat32 } from '../float32-digits.js'
import type { FeatureService, Model } from '../gen/larder/v1/admin.js'
import { formatInstant } from '../instant.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { collect, withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import type { JsonInput } from './json-text.js'
import {
  createColumns,
  type DeclaredColumn,
  type KeyOptions,
  readKeys,
  rowCountOf,
  type TextColumns,
  textAt,
} from './key-columns.js'
import { parseAssignments } from './parse-value.js'
import { formatCount, printJson, printLine, printTable } from './print.js'
import { knownNames } from './service.js'

interface PredictCommandOptions extends DaemonOptions, KeyOptions {
  readonly set: readonly string[]
  readonly raw?: boolean
  readonly explain?: boolean
}

export function addPredictCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('predict'))
    .description('Score some entities with a model')
    .argument('<model>', 'NAME, NAME@VERSION or NAME@LABEL')
    .option('--key <name=value>', 'a join key; repeat a name for several rows', collect, [])
    .option('--keys-file <csv>', 'a CSV of join keys, their names in the first line')
    .option('--set <name=value>', 'a feature or request value to use as given', collect, [])
    .option('--raw', "raw scores, without the objective's transform")
    .option('--explain', 'show each value the model saw, and where it came from')
    .action((model: string, options: PredictCommandOptions) => predict(model, options, context))
}

async function predict(
  model: string,
  options: PredictCommandOptions,
  { io }: CommandContext,
): Promise<void> {
  const keys = await readKeys(options, io.cwd)
  const given = parseAssignments('--set', options.set)
  rowCountOf(new Map([...keys, ...given]))
  const fetched = await withClient(options, io, (client) =>
    fetchPrediction({ client, model, options, keys, given }, io.stop),
  )
  if (options.json) await printJson(io, predictionJson(keys, fetched))
  else await printPrediction(io, keys, fetched)
}

interface Fetch {
  readonly client: LarderClient
  readonly model: string
  readonly options: PredictCommandOptions
  readonly keys: TextColumns
  readonly given: TextColumns
}

/** A prediction, and the declared types of what its inputs read. */
interface Fetched {
  readonly prediction: PredictionResult
  readonly types: ReadonlyMap<string, string>
}

async function fetchPrediction(fetch: Fetch, signal: AbortSignal): Promise<Fetched> {
  const { client, options } = fetch
  const [{ models }, { services }] = await Promise.all([
    client.models(signal),
    client.registry(signal),
  ])
  const model = findModel(models, fetch.model)
  if (!model.ready) throw new LarderError('bad_model', model.state)
  const service = services.find((candidate) => candidate.name === model.service)
  const declared = declaredInputs(model, service)
  const result = await client.predict(
    {
      models: [fetch.model],
      keys: createColumns(fetch.keys, service?.keys ?? [], 'join key'),
      features: createColumns(fetch.given, declared, 'input'),
      raw: options.raw ?? false,
      explain: options.explain ?? false,
    },
    signal,
  )
  const [prediction] = result.predictions
  if (prediction === undefined) {
    throw new LarderError('internal', `the daemon answered without a prediction of ${fetch.model}`)
  }
  return { prediction, types: new Map(declared.map(({ name, type }) => [name, type])) }
}

/** A model by name, version or label: any version will do to learn the types of its inputs. */
function findModel(models: readonly Model[], text: string): Model {
  const [name, selector] = text.split('@')
  const versions = models.filter((model) => model.name === name)
  const chosen =
    selector === undefined
      ? (versions.find((model) => model.labels.includes('stable')) ?? versions.at(-1))
      : versions.find((model) => model.version === selector || model.labels.includes(selector))
  if (chosen !== undefined) return chosen
  const names = models.map((model) => `${model.name}@${model.version}`)
  throw new LarderError('not_found', `there is no model "${text}"; ${knownNames(names)}`)
}

/** What `--set` may name: the service's features, and the model's request values. */
function declaredInputs(model: Model, service: FeatureService | undefined): DeclaredColumn[] {
  const requestValues = model.inputs
    .filter((input) => input.requestValue)
    .map((input) => ({ name: input.feature, type: input.type }))
  return [...requestValues, ...(service?.features ?? [])]
}

async function printPrediction(io: CliIo, keys: TextColumns, fetched: Fetched): Promise<void> {
  const { prediction } = fetched
  const keyNames = [...keys.keys()]
  const { outputCount, model, version, defaults } = prediction
  const scoreNames =
    outputCount === 1
      ? ['score']
      : Array.from({ length: outputCount }, (_, index) => `class ${index}`)
  await printLine(io, `${model}@${version}`)
  await printTable(io, {
    head: [...keyNames, ...scoreNames],
    rows: rowIndexesOf(prediction).map((rowIndex) => [
      ...keyNames.map((name) => textAt(keys, name, rowIndex)),
      ...Array.from(prediction.scoresAt(rowIndex), String),
    ]),
  })
  const standIns = [
    [defaults.modelDefaultCount, "the model's default"],
    [defaults.viewDefaultCount, "the view's default"],
    [defaults.missingCount, 'missing'],
    [defaults.unavailableCount, 'because UNAVAILABLE'],
  ] as const
  for (const [count, what] of standIns) {
    if (count > 0) await printLine(io, `${formatCount(count, 'input cell')}: ${what}`)
  }
  if (prediction.inputs.length > 0) await printInputs(io, fetched)
}

function printInputs(io: CliIo, { prediction, types }: Fetched): Promise<void> {
  return printTable(io, {
    head: ['row', 'input', 'value', 'from', 'status', 'tier', 'event time'],
    rows: rowIndexesOf(prediction).flatMap((rowIndex) =>
      prediction.inputs.map((input) => {
        const origin = inputOrigin(input, rowIndex, types)
        return [
          String(rowIndex),
          input.input === input.feature ? input.input : `${input.input} = ${input.feature}`,
          String(origin.value),
          origin.from,
          origin.status ?? '-',
          origin.tier ?? '-',
          origin.event_time ?? '-',
        ]
      }),
    ),
  })
}

function rowIndexesOf({ scores, outputCount }: PredictionResult): number[] {
  return Array.from({ length: scores.length / outputCount }, (_, rowIndex) => rowIndex)
}

const sourceTexts = {
  given: 'given',
  stored: 'store',
  modelDefault: "model's default",
  viewDefault: "view's default",
  missing: 'missing',
} as const satisfies Record<ReturnType<InputResult['sourceAt']>, string>

function inputOrigin(input: InputResult, rowIndex: number, types: ReadonlyMap<string, string>) {
  const value = input.values[rowIndex] ?? Number.NaN
  const status = input.statusAt(rowIndex)
  const tier = input.tierAt(rowIndex)
  return {
    value: types.get(input.feature) === 'float32' ? shortenFloat32(value) : value,
    from: sourceTexts[input.sourceAt(rowIndex)],
    status: status === undefined ? null : cellStatusText[status],
    tier: tier ?? null,
    event_time: tier === undefined ? null : formatInstant(input.eventTimesUs[rowIndex] ?? 0n),
  }
}

function predictionJson(keys: TextColumns, { prediction, types }: Fetched): JsonInput {
  const { defaults, inputs } = prediction
  return {
    model: prediction.model,
    version: prediction.version,
    rows: rowIndexesOf(prediction).map((rowIndex) => ({
      keys: Object.fromEntries(
        [...keys.keys()].map((name) => [name, textAt(keys, name, rowIndex)] as const),
      ),
      scores: Array.from(prediction.scoresAt(rowIndex)),
      ...(inputs.length > 0 && {
        inputs: inputs.map((input) => ({
          input: input.input,
          feature: input.feature,
          ...inputOrigin(input, rowIndex, types),
        })),
      }),
    })),
    defaults: {
      model_default_count: defaults.modelDefaultCount,
      view_default_count: defaults.viewDefaultCount,
      missing_count: defaults.missingCount,
      unavailable_count: defaults.unavailableCount,
    },
  }
}
