/**
 * A prediction for people: scores, what stood in for missing values, and on request what the model saw
 * and what each input added. Long lists are cut, with their count.
 */
import type { ContributionsResult, PredictionResult } from '../client/index.js'
import type { CliIo } from './cli-io.js'
import { type ExplainedCell, explainCell } from './explained-input.js'
import { type TextColumns, textAt } from './key-columns.js'
import { formatCount, printLine, printTable } from './print.js'

/** A prediction, and the declared types of what its inputs read. */
export interface Predicted {
  readonly prediction: PredictionResult
  readonly types: ReadonlyMap<string, string>
}

export async function printPrediction(
  io: CliIo,
  keys: TextColumns,
  predicted: Predicted,
): Promise<void> {
  const { prediction } = predicted
  const { model, version, error } = prediction
  await printLine(io, version === '' ? model : `${model}@${version}`)
  if (error !== undefined) return await printLine(io, `no answer (${error.code}): ${error.message}`)
  await printScores(io, keys, prediction)
  await printStandIns(io, prediction)
  if (prediction.inputs.length > 0) await printInputs(io, predicted)
  if (prediction.contributions !== undefined) {
    await printContributions(io, prediction, prediction.contributions)
  }
}

/** The rows that were scored. */
export function rowIndexesOf({ scores, outputCount }: PredictionResult): number[] {
  return Array.from({ length: scores.length / outputCount }, (_, rowIndex) => rowIndex)
}

function printScores(io: CliIo, keys: TextColumns, prediction: PredictionResult): Promise<void> {
  const keyNames = [...keys.keys()]
  return printTable(io, {
    head: [...keyNames, ...scoreNamesOf(prediction)],
    rows: rowIndexesOf(prediction).map((rowIndex) => [
      ...keyNames.map((name) => textAt(keys, name, rowIndex)),
      ...Array.from(prediction.scoresAt(rowIndex), String),
    ]),
  })
}

function scoreNamesOf({ outputCount }: PredictionResult): string[] {
  if (outputCount === 1) return ['score']
  return Array.from({ length: outputCount }, (_, index) => `class ${index}`)
}

async function printStandIns(io: CliIo, { defaults }: PredictionResult): Promise<void> {
  const standIns = [
    [defaults.modelDefaultCount, "the model's default"],
    [defaults.viewDefaultCount, "the view's default"],
    [defaults.missingCount, 'missing'],
    [defaults.unavailableCount, 'because UNAVAILABLE'],
  ] as const
  for (const [count, what] of standIns) {
    if (count > 0) await printLine(io, `${formatCount(count, 'input cell')}: ${what}`)
  }
}

function printInputs(io: CliIo, { prediction, types }: Predicted): Promise<void> {
  return printTable(io, {
    head: ['row', 'input', 'value', 'from', 'status', 'tier', 'event time'],
    rows: rowIndexesOf(prediction).flatMap((rowIndex) =>
      prediction.inputs.map((input) => {
        const cell = explainCell(input, rowIndex, types)
        return [
          String(rowIndex),
          input.input === input.feature ? input.input : `${input.input} = ${input.feature}`,
          formatValue(cell.value),
          cell.from,
          cell.status ?? '-',
          cell.tier ?? '-',
          cell.event_time ?? '-',
        ]
      }),
    ),
  })
}

/** Elements of a list that a table shows. */
const elementsShownMax = 8

function formatValue(value: ExplainedCell['value']): string {
  if (typeof value === 'number') return String(value)
  const shown = value
    .slice(0, elementsShownMax)
    .map((element) => (typeof element === 'string' ? JSON.stringify(element) : String(element)))
  if (value.length > shown.length) shown.push(`… ${value.length} in all`)
  return `[${shown.join(', ')}]`
}

/** Inputs that are shown for each score; the others are added up. */
const contributionsShownMax = 10

function printContributions(
  io: CliIo,
  prediction: PredictionResult,
  contributions: ContributionsResult,
): Promise<void> {
  const names = scoreNamesOf(prediction)
  return printTable(io, {
    head: ['row', 'of', 'input', 'adds'],
    rows: rowIndexesOf(prediction).flatMap((rowIndex) =>
      names.flatMap((name, outputIndex) =>
        contributionLines(contributions.inputs, contributions.at(rowIndex, outputIndex)).map(
          ([what, adds]) => [String(rowIndex), `raw ${name}`, what, String(adds)],
        ),
      ),
    ),
  })
}

function contributionLines(inputs: readonly string[], values: Float64Array): [string, number][] {
  const lines = inputs
    .map((input, index): [string, number] => [input, values[index] ?? 0])
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
  const others = lines.splice(contributionsShownMax)
  if (others.length > 0) {
    const rest = others.reduce((sum, [, adds]) => sum + adds, 0)
    lines.push([`(${formatCount(others.length, 'other')})`, rest])
  }
  return [...lines, ['(expected without inputs)', values.at(-1) ?? 0]]
}
