/**
 * Composite models: a graph file -> a model that runs it natively on whole batches.
 *
 * Up to about a millisecond of work is done at once; more in slices of rows, between which others have
 * their turn. Nested models run between the native programs, on the same columns. Never guesses: a
 * wrong graph is `bad_model` with file, line and column, a wrong column `invalid_argument`.
 */
import { assert } from '../../assert.js'
import { nextTurn } from '../../clock.js'
import { LarderError } from '../../errors.js'
import { graphOneHotCellsMax, graphRowStepsMax } from '../../limits.js'
import { loadAddon } from '../../native.js'
import type { GraphNative, GraphPart, GraphProgram } from '../../native-graph.js'
import { createProblemList } from '../../problems.js'
import {
  isNumberColumn,
  type Model,
  type ModelColumn,
  type ModelInput,
  scoresPerRow,
} from '../model.js'
import { requireOutput } from '../model-output.js'
import { createModelUse } from '../model-use.js'
import { compileGraph } from './compile-graph.js'
import type { Graph } from './graph.js'
import { costOf, type GraphCost, longestRowSteps, rowSteps } from './graph-cost.js'
import { parseGraph } from './graph-file.js'
import type { ColumnSource, GraphPlan, NestedStep, ProgramStep } from './graph-plan.js'
import { createSlicer, requireColumns } from './input-columns.js'
import { closeAll, type LoadedNested, loadNestedModels, type NestedLoader } from './load-nested.js'

export interface CompositeSource {
  /** Of the graph file, for messages. */
  readonly path: string
  readonly text: string
  readonly loadNested: NestedLoader
}

/** Steps done at once: about a millisecond. */
const sliceStepsMax = 1_000_000

/**
 * Loads a graph and the models it nests. Throws `bad_model`, with a line `file:line:column: message`
 * per problem, also where a nested model cannot be loaded or does not fit.
 */
export async function loadCompositeModel(source: CompositeSource): Promise<Model> {
  const graph = parseGraph(source)
  requireBounds(graph, source.path)
  const nested = await loadNestedModels(graph, source)
  return createCompositeModel(loadAddon(), graph, nested)
}

function requireBounds(graph: Graph, path: string): void {
  const steps = longestRowSteps(graph)
  if (steps > graphRowStepsMax) {
    const message = `a row may take ${steps} steps: at most ${graphRowStepsMax} are allowed`
    throw new LarderError('bad_model', `${path}: ${message}; shorten length_max of its lists`)
  }
  const problems = createProblemList()
  let cellCount = 0
  for (const node of graph.nodes) {
    if (node.kind !== 'compute' || node.work.op !== 'one_hot') continue
    cellCount += node.work.dim
    if (cellCount <= graphOneHotCellsMax) continue
    const message = `one_hot nodes have more than ${graphOneHotCellsMax} numbers together`
    problems.add(node.at, message)
  }
  problems.throwIfAny('bad_model', `${path} is wrong:`)
}

interface Engine {
  readonly native: GraphNative
  readonly inputs: readonly ModelInput[]
  readonly steps: readonly EngineStep[]
  readonly sharedCount: number
  readonly cost: GraphCost
}

type EngineStep =
  | {
      readonly kind: 'program'
      readonly handle: GraphProgram
      readonly columns: ProgramStep['columns']
    }
  | { readonly kind: 'nested'; readonly step: NestedStep; readonly loaded: LoadedNested }

function createCompositeModel(
  native: GraphNative,
  graph: Graph,
  nested: readonly LoadedNested[],
): Model {
  const plan = compileGraph(graph, codeTablesOf(nested))
  const engine = createEngine(native, graph, plan, nested)
  const models = [...new Set(nested.map(({ model }) => model))]
  const use = createModelUse(() => closeAll(models))
  const categories = engine.inputs.flatMap(({ form }) =>
    form.kind === 'category' ? [form.categories] : [],
  )
  return Object.freeze({
    kind: 'composite',
    inputs: engine.inputs,
    outputCount: 1,
    objective: '',
    treeCount: models.reduce((sum, { treeCount }) => sum + treeCount, 0),
    modelBytes: models.reduce((sum, model) => sum + model.modelBytes, bytesOf(plan)),
    kernel: kernelOf(graph, nested),
    warnings: [
      ...graph.warnings,
      ...nested.flatMap(({ node, model }) =>
        model.warnings.map((warning) => `node "${node.name}": ${warning}`),
      ),
    ],
    pandasCategorical: categories.length === 0 ? undefined : categories,
    contributions: undefined,
    predict: (columns, rowCount, output, _options, signal) =>
      use.during(async () => {
        requireColumns(engine.inputs, columns, rowCount)
        requireOutput(output, rowCount, 1)
        await runSlices(engine, { columns, rowCount, output }, signal)
      }),
    close: () => use.close(),
  } satisfies Model)
}

function codeTablesOf(nested: readonly LoadedNested[]) {
  return new Map(nested.map(({ node, binding }) => [node, binding.codeTables]))
}

function createEngine(
  native: GraphNative,
  graph: Graph,
  plan: GraphPlan,
  nested: readonly LoadedNested[],
): Engine {
  const inputs = graph.nodes.flatMap((node): ModelInput[] =>
    node.kind === 'input'
      ? [Object.freeze({ name: node.name, form: node.form, defaultValue: node.defaultValue })]
      : [],
  )
  const steps = plan.steps.map((step): EngineStep => {
    if (step.kind === 'program') {
      const handle = native.graphCreate(step.program.words, step.program.constants)
      return { kind: 'program', handle, columns: step.columns }
    }
    const loaded = nested.find(({ node }) => node === step.node)
    assert(loaded !== undefined, 'every nested model was loaded')
    return { kind: 'nested', step, loaded }
  })
  const { sharedCount } = plan
  return { native, inputs: Object.freeze(inputs), steps, sharedCount, cost: costOf(graph) }
}

function bytesOf(plan: GraphPlan): number {
  return plan.steps.reduce((sum, step) => {
    if (step.kind === 'nested') return sum
    return sum + step.program.words.byteLength + step.program.constants.byteLength
  }, 0)
}

function kernelOf(graph: Graph, nested: readonly LoadedNested[]): string {
  const parts = nested.map(({ node, model }) => `${node.name}: ${model.kernel}`)
  return [`graph of ${graph.nodes.length} nodes`, ...parts].join('; ')
}

interface Batch {
  readonly columns: readonly ModelColumn[]
  readonly rowCount: number
  readonly output: Float64Array
}

async function runSlices(
  engine: Engine,
  { columns, rowCount, output }: Batch,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  const slice = createSlicer(columns, rowCount)
  const sliceRows = sliceRowsOf(engine, columns, rowCount)
  for (let begin = 0; begin < rowCount; begin += sliceRows) {
    if (begin > 0) {
      await nextTurn()
      signal?.throwIfAborted()
    }
    const end = Math.min(rowCount, begin + sliceRows)
    const batch = {
      columns: slice(begin, end),
      rowCount: end - begin,
      output: end - begin === rowCount ? output : output.subarray(begin, end),
    }
    const running = runBatch(engine, batch, signal)
    if (running !== undefined) await running
  }
}

function sliceRowsOf({ cost }: Engine, columns: readonly ModelColumn[], rowCount: number): number {
  const itemsOf = (place: number): number => {
    const column = columns[place]
    if (column === undefined || isNumberColumn(column)) return 0
    return column.values.length / Math.max(1, column.lengths.length)
  }
  return Math.min(rowCount, Math.max(1, Math.floor(sliceStepsMax / rowSteps(cost, itemsOf))))
}

/** Undefined where it is done: only nested models take their time. */
function runBatch(
  engine: Engine,
  batch: Batch,
  signal: AbortSignal | undefined,
): Promise<void> | undefined {
  const shared = Array.from({ length: engine.sharedCount }, () => new Float64Array(batch.rowCount))
  const columnOf = (source: ColumnSource): ModelColumn => {
    const column = findColumn(source, batch, shared)
    assert(column !== undefined, 'every column of a step is there')
    return column
  }
  const runProgram = (step: EngineStep & { readonly kind: 'program' }) => {
    const parts: GraphPart[] = []
    for (const source of step.columns) addParts(parts, columnOf(source), isList(source, engine))
    engine.native.graphRun(step.handle, parts, batch.rowCount)
  }
  const runFrom = async (first: number): Promise<void> => {
    for (const step of engine.steps.slice(first)) {
      if (step.kind === 'program') runProgram(step)
      else await runNested(step, columnOf, batch.rowCount, signal)
    }
  }
  const [first] = engine.steps
  if (first?.kind !== 'program') return runFrom(0)
  runProgram(first)
  return engine.steps.length > 1 ? runFrom(1) : undefined
}

function findColumn(
  source: ColumnSource,
  { columns, output }: Batch,
  shared: readonly Float64Array[],
): ModelColumn | undefined {
  switch (source.kind) {
    case 'input':
      return columns[source.index]
    case 'shared':
      return shared[source.index]
    case 'constant':
      return Float64Array.of(source.value)
    case 'output':
      return output
  }
}

function isList(source: ColumnSource, { inputs }: Engine): boolean {
  return source.kind === 'input' && inputs[source.index]?.form.kind === 'list'
}

/** A column as a program takes it: of an embedding the values, of a list the lengths too. */
function addParts(parts: GraphPart[], column: ModelColumn, withLengths: boolean): void {
  if (isNumberColumn(column)) {
    parts.push(column)
    return
  }
  parts.push(column.values)
  if (withLengths) parts.push(column.lengths)
}

async function runNested(
  { step, loaded }: EngineStep & { readonly kind: 'nested' },
  columnOf: (source: ColumnSource) => ModelColumn,
  rowCount: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { model, binding } = loaded
  const given = step.columns.map(columnOf)
  const columns = binding.operandOfInput.flatMap((place) => given[place] ?? [])
  const target = columnOf(step.target)
  assert(target instanceof Float64Array, 'scores go into a column of float64')
  const { raw } = step.nested
  const outputCount = scoresPerRow(model, { raw })
  const scores = outputCount === 1 ? target : new Float64Array(rowCount * outputCount)
  try {
    await model.predict(columns, rowCount, scores, { raw }, signal)
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown
    const { code, message, details } = LarderError.from(thrown)
    throw new LarderError(code, `node "${step.node.name}": ${message}`, { cause: thrown, details })
  }
  if (outputCount === 1) return
  for (let row = 0; row < rowCount; row++) {
    target[row] = scores[row * outputCount + binding.outputIndex] ?? Number.NaN
  }
}
