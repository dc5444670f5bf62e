/**
 * SQL that turns a file's column into the wire form of a declared type, value by value.
 *
 * The cast gives NULL for a value that does not convert; a value that is there but casts to NULL makes
 * its row bad. It must never round, wrap or reinterpret: DuckDB's own casts round 3.7 to 4 and read
 * "0x10" as 16, so whole numbers are tested first. Floats go to the nearest float of their width.
 */
import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api'
import { unreachable } from '../assert.js'
import {
  type FeatureType,
  type ScalarClass,
  type ScalarType,
  scalarClasses,
} from '../feature-type.js'

/** What a file's column holds, as far as casts care. */
type SourceKind = 'text' | 'integer' | 'real' | 'boolean' | 'instant' | 'blob'

/** The cast of `source`, an SQL expression; undefined where the column can never be of that type. */
export function castSql(
  type: FeatureType,
  sourceType: DuckDBType,
  source: string,
): string | undefined {
  if (type.kind === 'scalar') {
    const kind = sourceKindOf(sourceType)
    return kind === undefined ? undefined : castScalar(type.scalar, kind, source)
  }
  return castList(type, sourceType, source)
}

/** The value of a cell that has none, so that columns hold no NULL where memory is read directly. */
export function fillerSql(type: FeatureType): string | undefined {
  if (type.kind !== 'scalar') return '[]'
  const scalarClass = scalarClasses[type.scalar]
  return scalarClass === 'var' ? undefined : `0::${sqlTypeOfClass[scalarClass]}`
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

const sqlTypeOfClass = {
  f32: 'FLOAT',
  f64: 'DOUBLE',
  i64: 'BIGINT',
  var: 'BLOB',
} as const satisfies Record<ScalarClass, string>

const sourceKinds: Readonly<Partial<Record<DuckDBTypeId, SourceKind>>> = {
  [DuckDBTypeId.VARCHAR]: 'text',
  [DuckDBTypeId.ENUM]: 'text',
  [DuckDBTypeId.UUID]: 'text',
  [DuckDBTypeId.TINYINT]: 'integer',
  [DuckDBTypeId.SMALLINT]: 'integer',
  [DuckDBTypeId.INTEGER]: 'integer',
  [DuckDBTypeId.BIGINT]: 'integer',
  [DuckDBTypeId.HUGEINT]: 'integer',
  [DuckDBTypeId.UTINYINT]: 'integer',
  [DuckDBTypeId.USMALLINT]: 'integer',
  [DuckDBTypeId.UINTEGER]: 'integer',
  [DuckDBTypeId.UBIGINT]: 'integer',
  [DuckDBTypeId.UHUGEINT]: 'integer',
  [DuckDBTypeId.FLOAT]: 'real',
  [DuckDBTypeId.DOUBLE]: 'real',
  [DuckDBTypeId.DECIMAL]: 'real',
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.DATE]: 'instant',
  [DuckDBTypeId.TIMESTAMP]: 'instant',
  [DuckDBTypeId.TIMESTAMP_S]: 'instant',
  [DuckDBTypeId.TIMESTAMP_MS]: 'instant',
  [DuckDBTypeId.TIMESTAMP_NS]: 'instant',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'instant',
  [DuckDBTypeId.BLOB]: 'blob',
}

function sourceKindOf(type: DuckDBType): SourceKind | undefined {
  return sourceKinds[type.typeId]
}

const integerSqlTypes = {
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
} as const

function castScalar(type: ScalarType, kind: SourceKind, source: string): string | undefined {
  switch (type) {
    case 'bool':
      return castBool(kind, source)
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64': {
      const integer = castInteger(integerSqlTypes[type], kind, source)
      return integer && `CAST(${integer} AS ${sqlTypeOfClass[scalarClasses[type]]})`
    }
    case 'float32':
    case 'float64':
      return castFloat(sqlTypeOfClass[scalarClasses[type]], kind, source)
    case 'string':
    case 'categorical':
      return kind === 'text' ? `encode(CAST(${source} AS VARCHAR))` : undefined
    case 'bytes':
      if (kind === 'text') return `TRY(from_base64(${source}))`
      return kind === 'blob' ? source : undefined
    case 'timestamp':
      return castTimestamp(kind, source)
    default:
      return unreachable(type)
  }
}

function castBool(kind: SourceKind, source: string): string | undefined {
  switch (kind) {
    case 'boolean':
      return `CAST(${source} AS FLOAT)`
    case 'text':
      return `CASE lower(trim(${source})) WHEN 'true' THEN 1::FLOAT WHEN 'false' THEN 0::FLOAT END`
    case 'integer':
      return `CASE ${source} WHEN 1 THEN 1::FLOAT WHEN 0 THEN 0::FLOAT END`
    default:
      return undefined
  }
}

function castInteger(sqlType: string, kind: SourceKind, source: string): string | undefined {
  switch (kind) {
    case 'integer':
      return `TRY_CAST(${source} AS ${sqlType})`
    case 'real':
      return `CASE WHEN ${source} = trunc(${source}) THEN TRY_CAST(${source} AS ${sqlType}) END`
    case 'text': {
      // "3.0" is how writers of files without a nullable integer put 3.
      const digits = `regexp_extract(trim(${source}), '^([+-]?[0-9]+)(\\.0*)?$', 1)`
      return `TRY_CAST(nullif(${digits}, '') AS ${sqlType})`
    }
    default:
      return undefined
  }
}

function castFloat(sqlType: string, kind: SourceKind, source: string): string | undefined {
  switch (kind) {
    case 'integer':
    case 'real':
      return `TRY_CAST(${source} AS ${sqlType})`
    case 'text': {
      // Text beyond the range would become infinite; only text that says so may.
      const float = `TRY_CAST(${source} AS ${sqlType})`
      return `CASE WHEN NOT isinf(${float}) OR ${source} ILIKE '%inf%' THEN ${float} END`
    }
    default:
      return undefined
  }
}

/** Microseconds since 1970; integers are that already, text without a zone is UTC. */
function castTimestamp(kind: SourceKind, source: string): string | undefined {
  switch (kind) {
    case 'instant':
      return `epoch_us(${source})`
    case 'integer':
      return `TRY_CAST(${source} AS BIGINT)`
    case 'text': {
      // Not AS TIMESTAMP: that drops the offset. The connection's zone is UTC.
      const digits = castInteger('BIGINT', kind, source)
      return `coalesce(${digits}, epoch_us(TRY_CAST(${source} AS TIMESTAMPTZ)))`
    }
    default:
      return undefined
  }
}

/** Lists and embeddings; a list in a text column is a JSON array. */
function castList(
  type: Exclude<FeatureType, { kind: 'scalar' }>,
  sourceType: DuckDBType,
  source: string,
): string | undefined {
  const list = listSourceOf(sourceType, source)
  const element = type.kind === 'list' ? type.element : 'float32'
  const cast = list && castScalar(element, list.elementKind, 'element')
  if (list === undefined || cast === undefined) return undefined
  const values = `list_transform(${list.sql}, element -> ${cast})`
  const isWhole = `len(list_filter(${values}, element -> element IS NULL)) = 0`
  const isLong = type.kind === 'embedding' ? ` AND len(${values}) = ${type.dim}` : ''
  return `CASE WHEN ${isWhole}${isLong} THEN ${values} END`
}

interface ListSource {
  readonly sql: string
  readonly elementKind: SourceKind
}

function listSourceOf(sourceType: DuckDBType, source: string): ListSource | undefined {
  if (sourceKindOf(sourceType) === 'text') {
    return { sql: `TRY_CAST(TRY_CAST(${source} AS JSON) AS VARCHAR[])`, elementKind: 'text' }
  }
  if (sourceType.typeId !== DuckDBTypeId.LIST && sourceType.typeId !== DuckDBTypeId.ARRAY) {
    return undefined
  }
  const elementKind = sourceKindOf(sourceType.valueType)
  if (elementKind === undefined) return undefined
  const isArray = sourceType.typeId === DuckDBTypeId.ARRAY
  return { sql: isArray ? `array_to_list(${source})` : source, elementKind }
}
