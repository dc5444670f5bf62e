/**
 * `larder model score MODEL_FILE --input ROWS.csv`: scores a file of rows without a daemon.
 *
 * Rows stream through in blocks, so memory does not grow with the file. Inputs are float64; one output
 * line per row, classes separated by commas, in the shortest form that reads back as the same number.
 */
import { createReadStream, existsSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { LarderError } from '../errors.js'
import { modelFileBytesMax } from '../limits.js'
import { isTreeModel, loadModel } from '../predict/load-model.js'
import { type Model, type ModelColumn, scoresPerRow } from '../predict/model.js'
import { kindOfFile } from '../predict/model-files.js'
import { type ModelKind, modelKinds } from '../predict/model-kind.js'
import { readModelYaml } from '../predict/model-state.js'
import type { ModelYaml } from '../predict/model-yaml.js'
import { type TreeKernel, treeKernels } from '../predict/tree-kernel.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext } from './command-context.js'
import { parseCsv } from './csv-rows.js'
import { bindModelColumns, type ModelCells } from './model-cells.js'

interface ScoreOptions {
  readonly input: string
  readonly header: boolean
  readonly raw?: boolean
  readonly leaf?: boolean
  readonly kind?: ModelKind
  readonly kernel: TreeKernel
  readonly output: string
  readonly json?: boolean
}

export function addModelCommand(program: Command, context: CommandContext): void {
  const model = program.command('model').description('Work with model files, without a daemon')
  model
    .command('score')
    .description('Score the rows of a CSV file with the model of a file')
    .argument('<model-file>', "a model's file, such as models/NAME/1/model.txt")
    .requiredOption('--input <csv>', 'the rows; columns are matched to the inputs by name')
    .option('--no-header', "the columns are the model's inputs in order, without names")
    .option('--raw', "raw scores, without the objective's transform")
    .option('--leaf', 'the leaf of each tree that a row falls into')
    .addOption(
      new Option(
        '--kind <kind>',
        'what the file is (default: as its name says, else lightgbm)',
      ).choices([...modelKinds]),
    )
    .addOption(
      new Option('--kernel <name>', 'the kernel that trees run in')
        .choices([...treeKernels])
        .default('auto'),
    )
    .option('--output <file>', 'where the scores go; - is stdout', '-')
    .option('--json', 'one JSON document instead of lines')
    .action((modelFile: string, options: ScoreOptions) => score(modelFile, options, context))
}

async function score(
  modelFile: string,
  options: ScoreOptions,
  { io }: CommandContext,
): Promise<void> {
  if (options.raw && options.leaf) {
    throw new LarderError('invalid_argument', '--raw and --leaf exclude each other')
  }
  const model = await readModel(resolve(io.cwd, modelFile), options)
  try {
    if (options.leaf && !isTreeModel(model)) {
      throw new LarderError(
        'invalid_argument',
        `--leaf is for trees, not for a ${model.kind} model`,
      )
    }
    for (const warning of model.warnings) await io.stderr.write(`note: ${warning}\n`)
    const inputPath = resolve(io.cwd, options.input)
    const lines = scoreRows(model, { inputPath, options, io })
    await writeOutput(lines, options, io)
  } finally {
    model.close()
  }
}

async function readModel(path: string, options: ScoreOptions): Promise<Model> {
  const file = await stat(path).catch((error: Error) => {
    throw new LarderError('bad_file', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (!file.isFile()) {
    throw new LarderError('bad_file', `${path} is not a file: name a model.txt`)
  }
  const { size: fileBytes } = file
  if (fileBytes > modelFileBytesMax) {
    throw new LarderError(
      'resource_exhausted',
      `${path} has ${fileBytes} bytes; a model file may have ${modelFileBytesMax}`,
    )
  }
  const kind = options.kind ?? kindOfFile(path)
  const yaml = kind === 'onnx' ? await readYamlOf(path) : undefined
  return await loadModel({
    kind,
    path,
    kernel: options.kernel,
    tensors: yaml?.tensors ?? new Map(),
    output: yaml?.output,
  })
}

/** The model.yaml of a file in a repository, which says what an ONNX model's tensors are made of. */
async function readYamlOf(path: string): Promise<ModelYaml | undefined> {
  const yamlPath = join(dirname(dirname(path)), 'model.yaml')
  return existsSync(yamlPath) ? await readModelYaml(yamlPath) : undefined
}

interface Scoring {
  readonly inputPath: string
  readonly options: ScoreOptions
  readonly io: CliIo
}

/** One array of numbers per row: scores, or leaves. */
type ScoredRow = Float64Array | Int32Array

async function* scoreRows(
  model: Model,
  { inputPath, options, io }: Scoring,
): AsyncGenerator<ScoredRow> {
  const rows = parseCsv(inputPath, readText(inputPath))
  const first = await rows.next()
  if (first.done) throw new LarderError('bad_file', `${inputPath} is empty`)
  const cells = bindModelColumns(model, first.value, { path: inputPath, hasHeader: options.header })
  for (const note of cells.notes) await io.stderr.write(`note: ${note}\n`)
  if (!options.header) cells.append(first.value)
  for await (const row of rows) {
    cells.append(row)
    if (cells.isFull) yield* scoreBlock(model, cells, options, io.stop)
  }
  yield* scoreBlock(model, cells, options, io.stop)
}

async function* readText(path: string): AsyncGenerator<string> {
  let isStart = true
  try {
    for await (const piece of createReadStream(path, { encoding: 'utf8' })) {
      const text = String(piece)
      // Spreadsheets put a byte order mark before the first name.
      yield isStart ? text.replace(/^\uFEFF/, '') : text
      isStart = false
    }
  } catch (error) {
    if (error instanceof LarderError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new LarderError('bad_file', `${path} cannot be read: ${reason}`, { cause: error })
  }
}

async function* scoreBlock(
  model: Model,
  cells: ModelCells,
  options: ScoreOptions,
  signal: AbortSignal,
): AsyncGenerator<ScoredRow> {
  const { columns, rowCount } = cells.take()
  const { output, width } = await scoreColumns(model, { columns, rowCount }, options, signal)
  for (let row = 0; row < rowCount; row += 1) yield output.subarray(row * width, (row + 1) * width)
}

async function scoreColumns(
  model: Model,
  { columns, rowCount }: { readonly columns: readonly ModelColumn[]; readonly rowCount: number },
  options: ScoreOptions,
  signal: AbortSignal,
): Promise<{ readonly output: ScoredRow; readonly width: number }> {
  if (options.leaf && isTreeModel(model)) {
    const leaves = new Int32Array(rowCount * model.treeCount)
    // A model of trees has numbers only, which are no lists.
    const numbers = columns.filter((column) => column instanceof Float64Array)
    await model.predictLeaves(numbers, rowCount, leaves, signal)
    return { output: leaves, width: model.treeCount }
  }
  const raw = options.raw ?? false
  const width = scoresPerRow(model, { raw })
  const scores = new Float64Array(rowCount * width)
  await model.predict(columns, rowCount, scores, { raw }, signal)
  return { output: scores, width }
}

/** Text is handed over in pieces of about this many characters: a write per row would be slow. */
const pieceChars = 64 * 1024

async function writeOutput(
  rows: AsyncIterable<ScoredRow>,
  options: ScoreOptions,
  io: CliIo,
): Promise<void> {
  const texts = options.json ? jsonTexts(rows) : lineTexts(rows)
  if (options.output === '-') {
    await writePieces(texts, (text) => io.stdout.write(text))
    return
  }
  const file = await open(resolve(io.cwd, options.output), 'w')
  try {
    await writePieces(texts, async (text) => {
      await file.write(text)
    })
  } finally {
    await file.close()
  }
}

async function writePieces(
  texts: AsyncIterable<string>,
  write: (text: string) => Promise<void>,
): Promise<void> {
  let piece = ''
  for await (const text of texts) {
    piece += text
    if (piece.length < pieceChars) continue
    await write(piece)
    piece = ''
  }
  await write(piece)
}

async function* lineTexts(rows: AsyncIterable<ScoredRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${Array.from(row, formatNumber).join(',')}\n`
}

async function* jsonTexts(rows: AsyncIterable<ScoredRow>): AsyncGenerator<string> {
  let separator = ''
  yield '{ "rows": ['
  for await (const row of rows) {
    const numbers = Array.from(row, (value) =>
      Number.isFinite(value) ? formatNumber(value) : JSON.stringify(String(value)),
    )
    yield `${separator}\n  [${numbers.join(', ')}]`
    separator = ','
  }
  yield '\n] }\n'
}

/** The shortest text that reads back as the same float64. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0' : String(value)
}
