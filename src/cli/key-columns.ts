/**
 * Entity keys from the command line or a CSV -> request columns of the declared types.
 *
 * `--key name=value` may be repeated: one value of a name holds for every row, several make a row each.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { column, type RequestColumn } from '../client/index.js'
import { LarderError } from '../errors.js'
import { requestRowsMax } from '../limits.js'
import { readCsvRows } from './csv-rows.js'
import { parseAssignments, parseValue } from './parse-value.js'

/** A column that a request may carry. */
export interface DeclaredColumn {
  readonly name: string
  readonly type: string
}

/** Columns as text, one entry per row or a single one for all rows. */
export type TextColumns = ReadonlyMap<string, readonly string[]>

export interface KeyOptions {
  readonly key: readonly string[]
  readonly keysFile?: string
}

/** Reads `--key` and `--keys-file`; a key may come from either, not from both. */
export async function readKeys(options: KeyOptions, cwd: string): Promise<TextColumns> {
  const keys = new Map(parseAssignments('--key', options.key))
  if (options.keysFile === undefined) return keys
  for (const [name, values] of await readKeysFile(resolve(cwd, options.keysFile))) {
    if (keys.has(name)) {
      throw new LarderError('invalid_argument', `key "${name}" is given by --key and --keys-file`)
    }
    keys.set(name, values)
  }
  return keys
}

async function readKeysFile(path: string): Promise<TextColumns> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new LarderError('bad_file', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  const rows = await readCsvRows(path, [text])
  const [head, ...body] = rows
  if (head === undefined || body.length === 0) {
    throw new LarderError('bad_file', `${path} needs a line of key names and at least one row`)
  }
  return new Map(head.cells.map((name, index) => [name, body.map((row) => row.cells[index] ?? '')]))
}

/** Types every column; the error names the column that is unknown or missing. */
export function createColumns(
  texts: TextColumns,
  declared: readonly DeclaredColumn[],
  kind: string,
): RequestColumn[] {
  return [...texts].map(([name, values]) => {
    const type = declared.find((candidate) => candidate.name === name)?.type
    if (type === undefined) {
      const names = declared.map((candidate) => candidate.name).join(', ')
      throw new LarderError('invalid_argument', `there is no ${kind} "${name}"; known: ${names}`)
    }
    return column.fromValues(
      name,
      type,
      values.map((text) => parseValue(`${kind} ${name}`, type, text)),
    )
  })
}

/** The number of rows that columns of n or 1 cells make. Errors: ragged columns, too many rows. */
export function rowCountOf(columns: TextColumns): number {
  let rowCount = 1
  let longest = ''
  for (const [name, values] of columns) {
    if (values.length !== 1 && rowCount !== 1 && values.length !== rowCount) {
      throw new LarderError(
        'invalid_argument',
        `"${name}" has ${values.length} values but "${longest}" has ${rowCount}`,
      )
    }
    if (values.length > rowCount) {
      rowCount = values.length
      longest = name
    }
  }
  if (rowCount > requestRowsMax) {
    throw new LarderError(
      'resource_exhausted',
      `${rowCount} rows were asked for; one request takes at most ${requestRowsMax}`,
    )
  }
  return rowCount
}

/** The value of `name` in a row, with broadcast; an empty text where the name is not there. */
export function textAt(columns: TextColumns, name: string, rowIndex: number): string {
  const values = columns.get(name) ?? []
  return (values.length === 1 ? values[0] : values[rowIndex]) ?? ''
}
