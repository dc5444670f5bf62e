/**
 * Rows of text -> the columns a model reads.
 *
 * Cells are numbers, `nan`, `inf`, `-inf`, or empty, which is missing. In a column of pandas categories
 * a cell is a category, which becomes the model's own code; a category that the model never saw is
 * missing, as it was in training; where all categories are words, a number is taken as a code. Lists and
 * embeddings are JSON arrays. Anything else is an error with file, line and column.
 */
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { isTreeModel } from '../predict/load-model.js'
import type { Category, Model, ModelColumn, ModelInput } from '../predict/model.js'
import type { TreeModel } from '../predict/tree-model.js'
import type { CsvRow } from './csv-rows.js'
import { createListCells, type InputCells } from './list-cells.js'
import { parseNumber } from './parse-value.js'

export interface ModelCells {
  /** What is worth knowing about the file, such as columns that are not read. */
  readonly notes: readonly string[]
  /** Time to `take`. */
  readonly isFull: boolean
  append(row: CsvRow): void
  /** The rows so far, one column per model input; it starts anew. */
  take(): { readonly columns: readonly ModelColumn[]; readonly rowCount: number }
}

export interface CsvFile {
  readonly path: string
  readonly hasHeader: boolean
}

/** Rows of a block, and the bytes it may take: a model may have very many inputs. */
const blockRowsMax = 4096
const blockBytesMax = 64 * 1024 * 1024
/** Numbers of a list that a block has room for; longer ones take more. */
const listRoomMax = 64

/**
 * Matches the file's columns to the model's inputs, by the names in `first` or by position. Errors:
 * `bad_file` naming every input without a column, and every column that is there twice.
 */
export function bindModelColumns(model: Model, first: CsvRow, file: CsvFile): ModelCells {
  const names = model.inputs.map(({ name }) => name)
  const places = file.hasHeader
    ? placesByName(names, first, file.path)
    : placesByPosition(names, first, file.path)
  const blockRows = blockRowsOf(model.inputs)
  const readers = createReaders(model)
  const inputs = model.inputs.map((input, index) => createCells(input, readers[index], blockRows))
  let rowCount = 0
  return {
    notes: file.hasHeader ? notesOf(names, first) : [],
    get isFull() {
      return rowCount === blockRows
    },
    append(row) {
      for (const [index, cells] of inputs.entries()) {
        const cell = row.cells[places[index] ?? -1] ?? ''
        if (cells.append(cell.trim())) continue
        const where = `${file.path}:${row.lineNumber}: column "${names[index]}"`
        throw new LarderError(
          'bad_file',
          `${where}: ${JSON.stringify(cell)} is not ${cells.expected}`,
        )
      }
      rowCount += 1
    },
    take() {
      const taken = { columns: inputs.map((cells) => cells.take()), rowCount }
      rowCount = 0
      return taken
    },
  }
}

function createCells(
  input: ModelInput,
  read: CellReader = readNumber,
  blockRows: number,
): InputCells {
  const { form } = input
  if (form.kind === 'embedding' || form.kind === 'list') return createListCells(form)
  return createNumberCells(read, blockRows)
}

function createNumberCells(read: CellReader, blockRows: number): InputCells {
  let values = new Float64Array(blockRows)
  let count = 0
  return {
    expected: 'a number',
    append(cell) {
      const value = read(cell)
      if (value === undefined) return false
      values[count++] = value
      return true
    },
    take() {
      const taken = values.subarray(0, count)
      values = new Float64Array(blockRows)
      count = 0
      return taken
    },
  }
}

function blockRowsOf(inputs: readonly ModelInput[]): number {
  const cellCounts = inputs.map(({ form }) => {
    if (form.kind === 'embedding') return form.dim
    return form.kind === 'list' ? Math.min(form.itemsMax, listRoomMax) : 1
  })
  const cellCount = cellCounts.reduce((sum, count) => sum + count, 0)
  const rowBytes = Float64Array.BYTES_PER_ELEMENT * Math.max(1, cellCount)
  return Math.max(1, Math.min(blockRowsMax, Math.floor(blockBytesMax / rowBytes)))
}

function placesByName(featureNames: readonly string[], head: CsvRow, path: string): number[] {
  const names = head.cells.map((name) => name.trim())
  const problems: string[] = []
  const places = featureNames.map((name) => {
    const place = names.indexOf(name)
    if (place < 0) problems.push(`column "${name}" is missing${didYouMean(name, names)}`)
    if (names.lastIndexOf(name) !== place) problems.push(`column "${name}" is there twice`)
    return place
  })
  if (problems.length === 0) return places
  throw new LarderError(
    'bad_file',
    `${path}: its columns do not fit the model:\n${problems.join('\n')}`,
  )
}

function placesByPosition(featureNames: readonly string[], first: CsvRow, path: string): number[] {
  if (first.cells.length !== featureNames.length) {
    throw new LarderError(
      'bad_file',
      `${path} has ${first.cells.length} columns, the model ${featureNames.length} inputs: ` +
        'without a header they must be the same',
    )
  }
  return featureNames.map((_, index) => index)
}

function notesOf(featureNames: readonly string[], head: CsvRow): string[] {
  const extra = head.cells.map((name) => name.trim()).filter((name) => !featureNames.includes(name))
  return extra.length === 0 ? [] : [`columns that the model does not read: ${extra.join(', ')}`]
}

/** A cell's value; undefined where it is none. */
type CellReader = (cell: string) => number | undefined

function readNumber(cell: string): number | undefined {
  return cell === '' ? Number.NaN : parseNumber(cell)
}

/** One per input; what lists and embeddings have is not used. */
function createReaders(model: Model): CellReader[] {
  const lists = isTreeModel(model) ? categoryListsOf(model) : new Map<number, never>()
  return model.inputs.map(({ form }, index) => {
    const list = lists.get(index) ?? (form.kind === 'category' ? form.categories : undefined)
    return list === undefined ? readNumber : createCategoryReader(list)
  })
}

/**
 * The category list of each input that has one. The file lists them in input order, without names; an
 * input that no tree uses may have one too, but is no longer marked as categorical. Where that leaves
 * more than one way to read it, no list is used, and only codes are taken.
 */
function categoryListsOf({
  featureNames,
  categoricalFeatures,
  usedFeatures,
  pandasCategorical = [],
}: TreeModel): ReadonlyMap<number, readonly Category[]> {
  const indexes = featureNames.map((_, index) => index)
  const categorical = indexes.filter((index) => categoricalFeatures[index])
  const possible = indexes.filter((index) => categoricalFeatures[index] || !usedFeatures[index])
  const owners = [categorical, possible].find((some) => some.length === pandasCategorical.length)
  return new Map(owners?.map((index, place) => [index, pandasCategorical[place] ?? []]))
}

function createCategoryReader(categories: readonly Category[]): CellReader {
  const codes = new Map(categories.map((category, code) => [categoryText(String(category)), code]))
  const areWords = categories.every((category) => typeof category === 'string')
  return (cell) => {
    const code = codes.get(categoryText(cell))
    if (code !== undefined) return code
    return (areWords ? readNumber(cell) : undefined) ?? Number.NaN
  }
}

/** 3 and 3.0 are one category, as they are for pandas; so are True and true. */
function categoryText(text: string): string {
  const number = parseNumber(text)
  if (number !== undefined) return String(number)
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text
}
