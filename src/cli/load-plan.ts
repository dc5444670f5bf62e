/**
 * A view and a file -> the statement that reads one as rows of the other. Pure.
 *
 * Each wanted column becomes two result columns, its status bytes and its values; a third kind tells
 * which value of a row did not convert. Everything that can be wrong with the file as a whole is told
 * here, before a row is sent.
 */
import { didYouMean } from '../closest-name.js'
import type { JoinKey } from '../declared.js'
import { LarderError } from '../errors.js'
import { type FeatureType, parseFeatureType, type ScalarType } from '../feature-type.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { CellStatus } from '../gen/larder/v1/column.js'
import { castSql, fillerSql, quoteText } from './cast-column.js'
import type { SourceFile } from './source-file.js'

/** What is loaded, and when it counts as having happened. */
export interface LoadTarget {
  readonly view: FeatureView
  /** The entity's, in order. */
  readonly keyTypes: readonly JoinKey[]
  readonly eventTime: EventTime
  /** Rows with an older event time are left out. */
  readonly oldestUs: bigint
  /** The daemon refuses rows with a newer one. */
  readonly newestUs: bigint
}

/** A column of the file, or one instant for all rows. */
export type EventTime =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'instant'; readonly atUs: bigint }

export interface PlannedColumn {
  readonly name: string
  readonly type: FeatureType
  /** Join keys and the event time: a row without one is bad. */
  readonly required: boolean
}

/**
 * A file's statement. Result columns: whether the row is bad (UTINYINT), why (VARCHAR), then for each
 * planned column its status (UTINYINT) and its values.
 */
export interface FilePlan {
  readonly file: SourceFile
  readonly columns: readonly PlannedColumn[]
  readonly sql: string
  /** The same of about one in `share` rows: the same ones on every run. */
  readonly sampleSql: (share: number) => string
  /**
   * For each row with keys, and an event time that the daemon takes: the time (BIGINT) and a hash of
   * both, which tells rows of one entity at one time.
   */
  readonly versionsSql: string
}

/** The event time travels as the first planned column, where the file has one. */
export function planFile(target: LoadTarget, file: SourceFile): FilePlan {
  const columns = plannedColumns(target)
  const problems: string[] = []
  const casts = columns.map((column) => planCast(column, file, problems))
  if (problems.length > 0) {
    const known = `the file has ${[...file.columns.keys()].join(', ')}`
    throw new LarderError(
      'bad_file',
      `${file.path} cannot be loaded into view "${target.view.name}":\n${[...problems, known].join('\n')}`,
    )
  }
  const badness = casts.map(({ isBad, reason }) => `WHEN ${isBad} THEN ${reason}`).join(' ')
  const inner = casts.map(({ value }, index) => `${value} AS v${index}`)
  const outer = columns.map((column, index) => {
    const filler = fillerSql(column.type)
    const value = filler === undefined ? `v${index}` : `coalesce(v${index}, ${filler})`
    return `${statusSql(`v${index}`)} AS s${index}, ${value} AS c${index}`
  })
  // Only names of ours get past this point: the file's own might be the same.
  const rows = `SELECT CASE ${badness} END AS bad, ${inner.join(', ')}`
  const statement = (from: string) =>
    `SELECT (bad IS NOT NULL)::UTINYINT, bad, ${outer.join(', ')} FROM (${rows} FROM ${from})`
  const required = casts.flatMap(({ value }, index) => (columns[index]?.required ? [value] : []))
  return {
    file,
    columns,
    sql: statement(file.from),
    sampleSql: (share) => statement(sampledFrom(file, share)),
    versionsSql: versionsSql(target, file, required),
  }
}

/** Rows are chosen by a hash of their place: a file may repeat itself with any period. */
function sampledFrom(file: SourceFile, share: number): string {
  const known = new Set(Array.from(file.columns.keys(), (name) => name.toLowerCase()))
  let place = 'place'
  while (known.has(place)) place += '_'
  const placed = `SELECT *, row_number() OVER () AS ${place} FROM ${file.from}`
  return `(${placed}) WHERE hash(${place}) % ${share} = 0`
}

/** `required` are the event time, where the file has one, and the join keys. */
function versionsSql(target: LoadTarget, file: SourceFile, required: readonly string[]): string {
  const { eventTime, oldestUs, newestUs } = target
  const isInstant = eventTime.kind === 'instant'
  const values = isInstant ? [`${eventTime.atUs}::BIGINT`, ...required] : required
  const named = values.map((value, index) => `${value} AS r${index}`)
  const names = values.map((_, index) => `r${index}`)
  const given = names.map((name) => `${name} IS NOT NULL`)
  return `SELECT r0 AS time, hash(${names.join(', ')}) AS version
    FROM (SELECT ${named.join(', ')} FROM ${file.from})
    WHERE r0 BETWEEN ${oldestUs} AND ${newestUs} AND ${given.join(' AND ')}`
}

function statusSql(value: string): string {
  const { CELL_STATUS_NULL_VALUE, CELL_STATUS_PRESENT } = CellStatus
  return `CASE WHEN ${value} IS NULL THEN ${CELL_STATUS_NULL_VALUE} ELSE ${CELL_STATUS_PRESENT} END::UTINYINT`
}

function plannedColumns({ view, keyTypes, eventTime }: LoadTarget): PlannedColumn[] {
  const times =
    eventTime.kind === 'column' ? [{ name: eventTime.name, type: 'timestamp', required: true }] : []
  const keys = keyTypes.map(({ name, type }) => ({ name, type, required: true }))
  const features = view.features.map(({ name, type }) => ({ name, type, required: false }))
  return [...times, ...keys, ...features].map((column) => {
    const type = parseFeatureType(column.type)
    if (type === undefined) {
      throw new LarderError('internal', `"${column.name}" has the unknown type "${column.type}"`)
    }
    return { ...column, type }
  })
}

interface PlannedCast {
  readonly value: string
  readonly isBad: string
  readonly reason: string
}

function planCast(column: PlannedColumn, file: SourceFile, problems: string[]): PlannedCast {
  const { name, required } = column
  const typeText = describeType(column)
  const source = file.columns.get(name)
  if (source === undefined) {
    problems.push(`column "${name}" is missing${didYouMean(name, file.columns.keys())}`)
    return noCast
  }
  const value = castSql(column.type, source.type, source.sql)
  if (value === undefined) {
    problems.push(`column "${name}" is ${source.type}, which cannot be ${typeText}`)
    return noCast
  }
  const excerpt = `left(CAST(${source.sql} AS VARCHAR), 60)`
  const isBad = required ? `(${value}) IS NULL` : `(${value}) IS NULL AND ${source.sql} IS NOT NULL`
  const prefix = quoteText(`column "${name}": `)
  const suffix = quoteText(` is not ${wantedText(column)}`)
  const whenNull = quoteText('null, but join keys and event times must be given')
  return { value, isBad, reason: `${prefix} || coalesce(${excerpt} || ${suffix}, ${whenNull})` }
}

const noCast: PlannedCast = { value: 'NULL', isBad: 'false', reason: 'NULL' }

/** What a value must be, where the type's name alone does not say how a file writes it. */
function wantedText(column: PlannedColumn): string {
  const { type } = column
  const form = type.kind === 'scalar' ? formTexts[type.scalar] : undefined
  return form === undefined ? describeType(column) : `${describeType(column)}: ${form}`
}

const formTexts: Readonly<Partial<Record<ScalarType, string>>> = {
  bool: 'write true or false',
  bytes: 'as text it is written in base64',
  timestamp: 'write 2001-06-15T18:00:00Z, or microseconds since 1970',
}

function describeType({ type }: PlannedColumn): string {
  switch (type.kind) {
    case 'scalar':
      return `of type ${type.scalar}`
    case 'list':
      return `of type list<${type.element}>, without nulls`
    case 'embedding':
      return `a list of ${type.dim} numbers`
  }
}
