/**
 * Scores the models of a planned prediction on what was given and read.
 *
 * A few models run at once, because a large batch leaves this thread; between models the event loop
 * gets its turn when resolving their inputs took long. A score is never half there: a model answers
 * whole, or its error stands instead.
 */
import { nextTurn } from '../clock.js'
import { cellStatus, type FeatureColumn } from '../column.js'
import { LarderError } from '../errors.js'
import { cellsPerTurnMax, modelsAtOnceMax } from '../limits.js'
import type { BoundInput } from '../predict/bind-input.js'
import { type ResolvedInput, valueOrigin } from '../predict/input-sources.js'
import { scoresPerRow } from '../predict/model.js'
import { resolveInput } from '../predict/resolve-input.js'
import { createTextNumbers } from '../predict/text-numbers.js'
import { type ModelInUse, type PredictPlan, rolePrefix, servicesOf } from './predict-path.js'
import type { ReadResult, RoleRows } from './read-path.js'

/** How many inputs had no value of their own, over all rows. */
export interface DefaultCounts {
  modelDefault: number
  viewDefault: number
  missing: number
  unavailable: number
}

export interface InputResult {
  readonly input: BoundInput
  readonly resolved: ResolvedInput
  /** The rows the stored values came from; undefined where nothing was read. */
  readonly rows: RoleRows | undefined
}

export interface ModelResult {
  readonly model: ModelInUse
  /** Scores a row. */
  readonly outputCount: number
  readonly scores: Float64Array
  readonly defaults: DefaultCounts
  /** Undefined where it was not asked for. */
  readonly contributions: Float64Array | undefined
  /** Empty where it was not asked for. */
  readonly inputs: readonly InputResult[]
  /** The texts that stand behind the numbers of `inputs`; empty where it was not asked for. */
  readonly texts: readonly string[]
}

/** What a model answered, or why it did not. */
export type ModelOutcome = ModelResult | { readonly model: ModelInUse; readonly error: LarderError }

export interface ScoreOptions {
  readonly raw: boolean
  readonly explain: boolean
  readonly contributions: boolean
  readonly keepsGoing: boolean
  readonly signal: AbortSignal
}

/**
 * The outcome of each of the plan's models, in its order. Throws a model's error unless it is to keep
 * going, and the signal's reason when it fires first.
 */
export async function scoreModels(
  plan: PredictPlan,
  read: ReadResult | undefined,
  options: ScoreOptions,
): Promise<readonly ModelOutcome[]> {
  const { signal, keepsGoing } = options
  const scoring = openScoring(plan, read, options)
  const outcomes: ModelOutcome[] = []
  const failures: unknown[] = []
  const waiting = plan.models.entries()
  const scoreWaiting = async () => {
    for (const [index, model] of waiting) {
      try {
        outcomes[index] = await scoreModel(scoring, model)
      } catch (thrown) {
        if (!keepsGoing || signal.aborted) failures.push(thrown)
        else outcomes[index] = { model, error: LarderError.from(thrown) }
      }
      if (failures.length > 0) return
    }
  }
  const laneCount = Math.min(plan.models.length, modelsAtOnceMax)
  await Promise.all(Array.from({ length: laneCount }, scoreWaiting))
  if (failures.length > 0) throw failures[0]
  return outcomes
}

interface Scoring {
  readonly plan: PredictPlan
  readonly options: ScoreOptions
  readonly stored: ReadonlyMap<string, FeatureColumn>
  readonly rows: ReadonlyMap<string, RoleRows>
  readonly serviceCount: number
  /** What was resolved since the event loop had its last turn. */
  readonly turn: { cellCount: number; next: Promise<void> | undefined }
}

function openScoring(
  plan: PredictPlan,
  read: ReadResult | undefined,
  options: ScoreOptions,
): Scoring {
  return {
    plan,
    options,
    stored: new Map(read?.columns.map((column) => [column.name, column])),
    rows: new Map(read?.roles.map((role) => [role.role, role])),
    serviceCount: servicesOf(plan.models).size,
    turn: { cellCount: 0, next: undefined },
  }
}

async function scoreModel(scoring: Scoring, model: ModelInUse): Promise<ModelResult> {
  const { rowCount } = scoring.plan
  const { raw, explain, contributions: isTold, signal } = scoring.options
  await takeTurn(scoring, model)
  const texts = createTextNumbers()
  const inputs = model.inputs.map((input): InputResult => {
    const prefix =
      model.service === undefined ? '' : rolePrefix(model.service, scoring.serviceCount)
    const sources = {
      given: scoring.plan.given.get(input.name),
      stored: input.feature === undefined ? undefined : scoring.stored.get(prefix + input.name),
      servesStale: input.feature?.view.onStale === 'serve',
    }
    const resolved = resolveInput(input, sources, { rowCount, texts })
    const rows =
      sources.stored === undefined ? undefined : scoring.rows.get(prefix + input.feature?.role)
    return { input, resolved, rows }
  })
  const columns = inputs.map(({ resolved }) => resolved.column)
  const defaults = countDefaults(inputs)
  const { contributions: contribute } = model.model
  const outputCount = scoresPerRow(model.model, { raw })
  const scores = new Float64Array(rowCount * outputCount)
  await model.model.predict(columns, rowCount, scores, { raw }, signal)
  let contributions: Float64Array | undefined
  if (isTold && contribute !== undefined) {
    contributions = new Float64Array(rowCount * outputCount * (inputs.length + 1))
    await contribute(columns, rowCount, contributions, signal)
  }
  const told = explain ? { inputs, texts: texts.list() } : { inputs: [], texts: [] }
  return { model, outputCount, scores, defaults, contributions, ...told }
}

/** Lets the event loop go on before a model whose inputs would hold it up together with others'. */
async function takeTurn({ plan, turn }: Scoring, model: ModelInUse): Promise<void> {
  const cellCount = plan.rowCount * model.inputs.length
  while (turn.cellCount > 0 && turn.cellCount + cellCount > cellsPerTurnMax) {
    // One turn for all who wait, and one of them goes on after it.
    turn.next ??= nextTurn().then(() => {
      turn.cellCount = 0
      turn.next = undefined
    })
    await turn.next
  }
  turn.cellCount += cellCount
}

function countDefaults(inputs: readonly InputResult[]): DefaultCounts {
  const counts = { modelDefault: 0, viewDefault: 0, missing: 0, unavailable: 0 }
  for (const { resolved } of inputs) {
    // Not by `entries()`, which makes a pair per row: measured, 60 us a request against 5.
    for (let row = 0; row < resolved.origins.length; row++) {
      const origin = resolved.origins[row]
      if (origin === valueOrigin.given || origin === valueOrigin.stored) continue
      if (origin === valueOrigin.modelDefault) counts.modelDefault++
      else if (origin === valueOrigin.viewDefault) counts.viewDefault++
      else counts.missing++
      if (resolved.statuses[row] === cellStatus.unavailable) counts.unavailable++
    }
  }
  return counts
}
