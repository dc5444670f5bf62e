/**
 * `larder model score MODEL_FILE --input ROWS.csv`: scores a file of rows without a daemon.
 *
 * Rows stream through in blocks, so memory does not grow with the file. Inputs are float64; one output
 * line per row, classes separated by commas, in the shortest form that reads back as the same number.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { LarderError } from '../errors.js'
import { modelFileBytesMax } from '../limits.js'
import { parseLightgbmModel } from '../predict/lightgbm-model.js'
import type { TreeModel } from '../predict/tree-model.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext } from './command-context.js'
import { parseCsv } from './csv-rows.js'
import { bindModelColumns, type ModelCells } from './model-cells.js'

interface ScoreOptions {
  readonly input: string
  readonly header: boolean
  readonly raw?: boolean
  readonly leaf?: boolean
  readonly output: string
  readonly json?: boolean
}

export function addModelCommand(program: Command, context: CommandContext): void {
  const model = program.command('model').description('Work with model files, without a daemon')
  model
    .command('score')
    .description('Score the rows of a CSV file with a LightGBM text model')
    .argument('<model-file>', 'a LightGBM text model, such as models/NAME/1/model.txt')
    .requiredOption('--input <csv>', 'the rows; columns are matched to the inputs by name')
    .option('--no-header', "the columns are the model's inputs in order, without names")
    .option('--raw', "raw scores, without the objective's transform")
    .option('--leaf', 'the leaf of each tree that a row falls into')
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
  const model = await readModel(resolve(io.cwd, modelFile))
  try {
    for (const warning of model.warnings) await io.stderr.write(`note: ${warning}\n`)
    const inputPath = resolve(io.cwd, options.input)
    const lines = scoreRows(model, { inputPath, options, io })
    await writeOutput(lines, options, io)
  } finally {
    model.close()
  }
}

async function readModel(path: string): Promise<TreeModel> {
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
  return parseLightgbmModel(await readFile(path))
}

interface Scoring {
  readonly inputPath: string
  readonly options: ScoreOptions
  readonly io: CliIo
}

/** One array of numbers per row: scores, or leaves. */
type ScoredRow = Float64Array | Int32Array

async function* scoreRows(
  model: TreeModel,
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
  model: TreeModel,
  cells: ModelCells,
  options: ScoreOptions,
  signal: AbortSignal,
): AsyncGenerator<ScoredRow> {
  const { columns, rowCount } = cells.take()
  const width = options.leaf ? model.treeCount : model.outputCount
  const output = options.leaf
    ? new Int32Array(rowCount * width)
    : new Float64Array(rowCount * width)
  if (output instanceof Int32Array) await model.predictLeaves(columns, rowCount, output, signal)
  else await model.predict(columns, rowCount, output, { raw: options.raw ?? false }, signal)
  for (let row = 0; row < rowCount; row += 1) yield output.subarray(row * width, (row + 1) * width)
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
