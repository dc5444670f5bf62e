/**
 * CSV text in pieces -> rows, each with the number of its line.
 *
 * RFC 4180: commas, double quotes, quoted cells may hold commas, quotes (doubled) and line ends; LF and
 * CRLF both end a row. Rows are handed over as they are complete, so a file of any length needs memory
 * for one row. Ragged rows and broken quotes are errors with file and line, never padded.
 */
import { LarderError } from '../errors.js'

export interface CsvRow {
  readonly cells: readonly string[]
  /** The line in which the row starts, from 1. */
  readonly lineNumber: number
}

type Pieces = Iterable<string> | AsyncIterable<string>

/** All rows of a text that is known to be small. */
export async function readCsvRows(path: string, pieces: Pieces): Promise<CsvRow[]> {
  const rows: CsvRow[] = []
  for await (const row of parseCsv(path, pieces)) rows.push(row)
  return rows
}

/**
 * Yields the rows of `pieces`, all as wide as the first; empty lines are skipped. Errors: `bad_file`
 * naming `path` and the line.
 */
export async function* parseCsv(path: string, pieces: Pieces): AsyncGenerator<CsvRow> {
  const parser = new CsvParser(path)
  for await (const piece of pieces) yield* parser.push(piece)
  yield* parser.end()
}

/** What stands before the next character: nothing of a cell, part of one, a quote in one, or a CR. */
type State = 'start' | 'bare' | 'quoted' | 'quoteInQuoted' | 'return'

const bareReturn = 'a carriage return stands alone, outside quotes'

/** Characters of one row: a quote that never closes must not swallow the file into memory. */
const rowCharsMax = 16 * 1024 * 1024

class CsvParser {
  readonly #path: string
  #state: State = 'start'
  #cell = ''
  #cells: string[] = []
  #rowChars = 0
  #rowStarted = false
  #lineNumber = 1
  #rowLineNumber = 1
  #columnCount: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  *push(text: string): Generator<CsvRow> {
    for (let start = 0; start < text.length; ) {
      const end = this.#plainEnd(text, start)
      if (end > start) {
        this.#take(text.slice(start, end))
        start = end
        continue
      }
      const row = this.#step(text.charAt(start))
      if (row !== undefined) yield row
      start += 1
    }
  }

  *end(): Generator<CsvRow> {
    if (this.#state === 'quoted') throw this.#error('a quoted cell is never closed')
    if (this.#state === 'return') throw this.#error(bareReturn)
    const row = this.#endRow()
    if (row !== undefined) yield row
  }

  /** The end of the run of characters that mean only themselves, from `start`. */
  #plainEnd(text: string, start: number): number {
    if (this.#state === 'quoteInQuoted' || this.#state === 'return') return start
    const special = this.#state === 'quoted' ? /["\n]/g : /[",\r\n]/g
    special.lastIndex = start
    return special.exec(text)?.index ?? text.length
  }

  #take(text: string): void {
    if (this.#state === 'start') this.#state = 'bare'
    this.#rowStarted = true
    this.#cell += text
    this.#rowChars += text.length
    if (this.#rowChars > rowCharsMax) throw this.#error(`a row is over ${rowCharsMax} characters`)
  }

  #step(character: string): CsvRow | undefined {
    if (this.#state === 'quoted') {
      this.#stepQuoted(character)
      return undefined
    }
    if (this.#state === 'return' && character !== '\n') throw this.#error(bareReturn)
    switch (character) {
      case '"':
        this.#stepQuote()
        return undefined
      case ',':
        this.#endCell()
        return undefined
      case '\n':
        return this.#endRow()
      case '\r':
        this.#state = 'return'
        return undefined
      default:
        throw this.#error(`${JSON.stringify(character)} follows a closing quote`)
    }
  }

  #stepQuoted(character: string): void {
    if (character === '"') {
      this.#state = 'quoteInQuoted'
      return
    }
    this.#lineNumber += 1
    this.#take(character)
  }

  #stepQuote(): void {
    if (this.#state === 'bare') throw this.#error('a quote stands inside a bare cell')
    if (this.#state === 'quoteInQuoted') this.#cell += '"'
    this.#state = 'quoted'
    this.#rowStarted = true
  }

  #endCell(): void {
    this.#cells.push(this.#cell)
    this.#cell = ''
    this.#state = 'start'
    this.#rowStarted = true
  }

  #endRow(): CsvRow | undefined {
    const lineNumber = this.#rowLineNumber
    const isEmpty = !this.#rowStarted
    if (!isEmpty) this.#endCell()
    const cells = this.#cells
    if (!isEmpty) this.#checkWidth(cells)
    this.#cells = []
    this.#rowChars = 0
    this.#rowStarted = false
    this.#state = 'start'
    this.#lineNumber += 1
    this.#rowLineNumber = this.#lineNumber
    return isEmpty ? undefined : { cells, lineNumber }
  }

  #checkWidth(cells: readonly string[]): void {
    this.#columnCount ??= cells.length
    if (cells.length !== this.#columnCount) {
      throw this.#error(`the row has ${cells.length} cells, the first row ${this.#columnCount}`)
    }
  }

  #error(problem: string): LarderError {
    return new LarderError('bad_file', `${this.#path}:${this.#rowLineNumber}: ${problem}`)
  }
}
