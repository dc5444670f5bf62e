/**
 * Rows of text -> the columns a model reads.
 *
 * Cells are numbers, `nan`, `inf`, `-inf`, or empty, which is missing. In a column of pandas categories
 * a cell is a category, which becomes the model's own code; a category that the model never saw is
 * missing, as it was in training; where all categories are words, a number is taken as a code. Anything
 * else is an error with file, line and column.
 */
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import type { Category } from '../predict/model.js'
import type { TreeModel } from '../predict/tree-model.js'
import type { CsvRow } from './csv-rows.js'
import { parseNumber } from './parse-value.js'

export interface ModelCells {
  /** What is worth knowing about the file, such as columns that are not read. */
  readonly notes: readonly string[]
  /** Time to `take`. */
  readonly isFull: boolean
  append(row: CsvRow): void
  /** The rows so far, one column per model input; it starts anew. */
  take(): { readonly columns: readonly Float64Array[]; readonly rowCount: number }
}

export interface CsvFile {
  readonly path: string
  readonly hasHeader: boolean
}

/** Rows of a block, and the bytes it may take: a model may have very many inputs. */
const blockRowsMax = 4096
const blockBytesMax = 64 * 1024 * 1024

/**
 * Matches the file's columns to the model's inputs, by the names in `first` or by position. Errors:
 * `bad_file` naming every input without a column, and every column that is there twice.
 */
export function bindModelColumns(model: TreeModel, first: CsvRow, file: CsvFile): ModelCells {
  const { featureNames } = model
  const places = file.hasHeader
    ? placesByName(featureNames, first, file.path)
    : placesByPosition(featureNames, first, file.path)
  const readers = createReaders(model)
  const blockRows = blockRowsOf(featureNames.length)
  let columns = newColumns(featureNames.length, blockRows)
  let rowCount = 0
  return {
    notes: file.hasHeader ? notesOf(featureNames, first) : [],
    get isFull() {
      return rowCount === blockRows
    },
    append(row) {
      for (const [index, column] of columns.entries()) {
        const cell = row.cells[places[index] ?? -1] ?? ''
        const value = readers[index]?.(cell.trim())
        if (value === undefined) {
          const where = `${file.path}:${row.lineNumber}: column "${featureNames[index]}"`
          throw new LarderError('bad_file', `${where}: ${JSON.stringify(cell)} is not a number`)
        }
        column[rowCount] = value
      }
      rowCount += 1
    },
    take() {
      const taken = { columns: columns.map((column) => column.slice(0, rowCount)), rowCount }
      columns = newColumns(featureNames.length, blockRows)
      rowCount = 0
      return taken
    },
  }
}

function newColumns(columnCount: number, blockRows: number): Float64Array[] {
  return Array.from({ length: columnCount }, () => new Float64Array(blockRows))
}

function blockRowsOf(columnCount: number): number {
  const rowBytes = Float64Array.BYTES_PER_ELEMENT * Math.max(1, columnCount)
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

function createReaders(model: TreeModel): CellReader[] {
  const lists = categoryListsOf(model)
  return model.featureNames.map((_, index) => {
    const list = lists.get(index)
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
