/**
 * The files of a load: found, opened through DuckDB, and named by their content.
 *
 * CSV and JSONL come as text in every column, so that nothing is guessed from a sample: `007` stays a
 * string until the declared type says otherwise. Row order is the file's; the digest is what makes a
 * second load of the same bytes the same batches.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type DuckDBConnection, DuckDBInstance, type DuckDBType } from '@duckdb/node-api'
import { LarderError } from '../errors.js'
import { quoteName, quoteText } from './cast-column.js'

/** A file that can be read, with its columns. */
export interface SourceFile {
  readonly path: string
  /** The table expression that reads it. */
  readonly from: string
  readonly columns: ReadonlyMap<string, SourceColumn>
  readonly fileBytes: number
  /** SHA-256 of the content, in hex. */
  readonly digest: string
  /** Known before reading for Parquet only. */
  readonly rowCount: number | undefined
}

export interface SourceColumn {
  /** An SQL expression of `type`. */
  readonly sql: string
  readonly type: DuckDBType
}

const formats = ['parquet', 'csv', 'jsonl'] as const
type Format = (typeof formats)[number]

const formatOfExtension: Readonly<Record<string, Format>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
}

/** A DuckDB of its own, in memory, in UTC. The caller closes the connection. */
export async function openDuckdb(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

/** The files that `patterns` name, in order and once each. Errors: `bad_file` for one without a match. */
export async function findFiles(
  connection: DuckDBConnection,
  patterns: readonly string[],
  folder: string,
): Promise<string[]> {
  const paths: string[] = []
  for (const pattern of patterns) {
    const absolute = resolve(folder, pattern)
    const matches = await listMatches(connection, absolute)
    if (matches.length === 0) throw new LarderError('bad_file', `there is no file ${absolute}`)
    paths.push(...matches.filter((path) => !paths.includes(path)))
  }
  return paths
}

async function listMatches(connection: DuckDBConnection, pattern: string): Promise<string[]> {
  const sql = `SELECT file FROM glob(${quoteText(pattern)}) ORDER BY file`
  const rows = await connection.runAndReadAll(sql)
  return rows.getRows().map(([file]) => String(file))
}

/** Opens a file: reads its columns and its digest. Errors: `bad_file` with DuckDB's own reason. */
export async function openSourceFile(
  connection: DuckDBConnection,
  path: string,
  signal: AbortSignal,
): Promise<SourceFile> {
  const format = formatOfExtension[extname(path).toLowerCase()]
  if (format === undefined) {
    throw new LarderError('bad_file', `${path} is not a .parquet, .csv, .jsonl or .ndjson file`)
  }
  const from = await tableOf(connection, format, path)
  const columns = await readColumns(connection, { path, format, from })
  const [{ size: fileBytes }, digest] = await Promise.all([stat(path), digestOf(path, signal)])
  const rowCount = format === 'parquet' ? await countRows(connection, path, from) : undefined
  return { path, from, columns, fileBytes, digest, rowCount }
}

async function tableOf(
  connection: DuckDBConnection,
  format: Format,
  path: string,
): Promise<string> {
  const file = quoteText(path)
  switch (format) {
    case 'parquet':
      return `read_parquet(${file})`
    case 'csv':
      return `read_csv(${file}, header = true, all_varchar = true, delim = ',', quote = '"',
        escape = '"', comment = '', allow_quoted_nulls = false, strict_mode = true)`
    case 'jsonl': {
      // Every value of every line, as JSON text: a sample might miss a column.
      const sniffed = `read_json(${file}, format = 'newline_delimited', sample_size = -1)`
      const names = await runSql(connection, path, `SELECT * FROM ${sniffed} LIMIT 0`)
      const columns = names.columnNames().map((name) => `${quoteName(name)}: 'JSON'`)
      return `read_json(${file}, format = 'newline_delimited', columns = {${columns.join(', ')}})`
    }
  }
}

async function readColumns(
  connection: DuckDBConnection,
  source: { readonly path: string; readonly format: Format; readonly from: string },
): Promise<ReadonlyMap<string, SourceColumn>> {
  const isJson = source.format === 'jsonl'
  const head = await runSql(connection, source.path, `SELECT * FROM ${source.from} LIMIT 0`)
  const names = head.columnNames()
  const texts = isJson ? names.map((name) => `${quoteName(name)} ->> '$'`) : names.map(quoteName)
  const typed = await runSql(
    connection,
    source.path,
    `SELECT ${texts.map((sql, index) => `${sql} AS c${index}`).join(', ')} FROM ${source.from} LIMIT 0`,
  )
  return new Map(
    names.map((name, index) => [name, { sql: `(${texts[index]})`, type: typed.columnType(index) }]),
  )
}

/** Runs a statement over a file; whatever DuckDB has against it is the file's fault. */
export async function runSql(connection: DuckDBConnection, path: string, sql: string) {
  try {
    return await connection.run(sql)
  } catch (error) {
    throw unreadable(path, error)
  }
}

export function unreadable(path: string, cause: unknown): LarderError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LarderError('bad_file', `${path} cannot be read: ${reason}`, { cause })
}

async function countRows(
  connection: DuckDBConnection,
  path: string,
  from: string,
): Promise<number> {
  try {
    const rows = await connection.runAndReadAll(`SELECT count(*) FROM ${from}`)
    return Number(rows.getRows()[0]?.[0])
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex')
}
