/**
 * Plans a read: a snapshot and a request become one frozen value that says which rows to fetch and
 * which columns to make of them. Pure; nothing here does I/O.
 *
 * Entity keys are encoded once per (view, key columns) and de-duplicated per view over all its roles,
 * so that a view used twice, or a key named a thousand times, is fetched once.
 */

import { dedupeKeys, encodeEntityKeys } from '../codec/entity-key.js'
import { type WireColumn, wireCellCount } from '../column.js'
import type { JoinKey } from '../declared.js'
import { LarderError } from '../errors.js'
import { requestColumnsMax } from '../limits.js'
import type { Feature, FeatureView } from '../registry/snapshot.js'

/** A feature that a request wants: under which name, of which view in which role. */
export interface WantedFeature {
  readonly name: string
  readonly role: string
  readonly feature: Feature
}

/** A view in a role, with the request's key columns for the entity's join keys, in their order. */
export interface WantedView {
  readonly role: string
  readonly view: FeatureView
  readonly keyColumns: readonly string[]
}

/** The distinct entity keys of one view, in slots `start` to `start + count` of the fetch. */
export interface ViewRead {
  readonly view: FeatureView
  readonly start: number
  readonly count: number
  readonly keyBytes: Uint8Array
  /** `count + 1` offsets. */
  readonly keyOffsets: Uint32Array
}

/** One role's rows: for each row of the request, its slot within the view's read. */
export interface RoleRead {
  readonly role: string
  readonly view: FeatureView
  readonly read: ViewRead
  readonly slots: Uint32Array
}

export interface ReadPlan {
  readonly rowCount: number
  readonly reads: readonly ViewRead[]
  readonly roles: readonly RoleRead[]
  readonly features: readonly WantedFeature[]
}

export interface ReadTarget {
  readonly views: readonly WantedView[]
  readonly features: readonly WantedFeature[]
}

/**
 * The plan of reading `target` for the entities that `keys` name. `rowCount` is the request's; key
 * columns hold that many cells or one. Throws `invalid_argument` for whatever is wrong with the keys.
 */
export function planRead(
  target: ReadTarget,
  keys: readonly WireColumn[],
  rowCount: number,
): ReadPlan {
  const byName = indexColumns(keys, 'key column')
  const roles = target.views.map((wanted) => encodeRole(wanted, byName, rowCount))
  const reads: ViewRead[] = []
  const roleReads: RoleRead[] = []
  let start = 0
  for (const sameView of groupByView(roles)) {
    const { read, slotsByRole } = mergeRoles(sameView, start)
    start += read.count
    reads.push(read)
    for (const [index, encoded] of sameView.entries()) {
      const slots = expandSlots(slotsByRole[index] ?? new Uint32Array(0), rowCount)
      roleReads.push({ role: encoded.wanted.role, view: encoded.wanted.view, read, slots })
    }
  }
  return Object.freeze({ rowCount, reads, roles: roleReads, features: target.features })
}

/** The columns by name. Throws where two have one name or there are too many. */
export function indexColumns(
  columns: readonly WireColumn[],
  kind: string,
): ReadonlyMap<string, WireColumn> {
  if (columns.length > requestColumnsMax) {
    throw new LarderError(
      'resource_exhausted',
      `${columns.length} ${kind}s, at most ${requestColumnsMax} are allowed`,
    )
  }
  const byName = new Map<string, WireColumn>()
  for (const column of columns) {
    if (byName.has(column.name)) {
      throw new LarderError('invalid_argument', `${kind} '${column.name}' is there twice`)
    }
    byName.set(column.name, column)
  }
  return byName
}

/**
 * The number of rows that columns of n cells or 1 make together. Throws `invalid_argument` for ragged
 * or empty columns, naming them, and `resource_exhausted` over `rowsMax`.
 */
export function countRows(columns: readonly WireColumn[], rowsMax: number): number {
  let rowCount = 1
  let longest: string | undefined
  for (const column of columns) {
    const cellCount = wireCellCount(column.values)
    if (cellCount === undefined) {
      throw new LarderError(
        'invalid_argument',
        `column '${column.name}' does not hold a whole number of ${column.values.class} cells`,
      )
    }
    if (cellCount === 0) {
      throw new LarderError('invalid_argument', `column '${column.name}' is empty: 0 rows`)
    }
    if (cellCount > rowsMax) {
      throw new LarderError(
        'resource_exhausted',
        `column '${column.name}' has ${cellCount} rows, at most ${rowsMax} are allowed in a request`,
      )
    }
    if (cellCount === 1 || cellCount === rowCount) continue
    if (longest !== undefined) {
      throw new LarderError(
        'invalid_argument',
        `ragged columns: '${longest}' has ${rowCount} rows, '${column.name}' has ${cellCount}; ` +
          'each must have the same number or 1',
      )
    }
    rowCount = cellCount
    longest = column.name
  }
  return rowCount
}

interface EncodedRole {
  readonly wanted: WantedView
  readonly keyCount: number
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
}

function encodeRole(
  wanted: WantedView,
  byName: ReadonlyMap<string, WireColumn>,
  rowCount: number,
): EncodedRole {
  const { entity } = wanted.view
  const columns = entity.keys.map((key, index) => {
    const columnName = wanted.keyColumns[index] ?? key.name
    const column = byName.get(columnName)
    if (column === undefined) throw missingKey(wanted, key, columnName)
    return column
  })
  const single = columns.every((column) => wireCellCount(column.values) === 1)
  const keyCount = single ? 1 : rowCount
  const { bytes, offsets } = encodeKeys(entity.keys, columns, keyCount)
  return { wanted, keyCount, bytes, offsets }
}

/** The entity keys of a request. Throws `invalid_argument` that names the first cell that is wrong. */
export function encodeKeys(
  keyTypes: readonly JoinKey[],
  columns: readonly WireColumn[],
  count: number,
): Keys {
  const encoded = encodeEntityKeys(keyTypes, columns, count)
  if (!('problems' in encoded)) return { count, ...encoded }
  const [first] = encoded.problems
  throw new LarderError(
    'invalid_argument',
    `key column '${first?.column}', row ${first?.rowIndex}: ${first?.reason}`,
  )
}

function missingKey(wanted: WantedView, key: JoinKey, columnName: string): LarderError {
  return new LarderError(
    'invalid_argument',
    `key column '${columnName}' (${key.type}) is missing: ` +
      `it is the join key '${key.name}' of view '${wanted.view.name}' in role '${wanted.role}'`,
  )
}

function groupByView(roles: readonly EncodedRole[]): Iterable<EncodedRole[]> {
  const groups = new Map<FeatureView, EncodedRole[]>()
  for (const role of roles) {
    const group = groups.get(role.wanted.view)
    if (group === undefined) groups.set(role.wanted.view, [role])
    else group.push(role)
  }
  return groups.values()
}

function mergeRoles(
  roles: readonly EncodedRole[],
  start: number,
): { read: ViewRead; slotsByRole: Uint32Array[] } {
  const joined = joinKeys(roles)
  const { uniqueCount, slots, firstRows } = dedupeKeys(joined)
  // Keys are numbered in order of first use, so that distinct ones are as they should be already.
  const areDistinct = uniqueCount === joined.count
  const unique = areDistinct ? wholeKeys(joined) : pickKeys(joined, firstRows, uniqueCount)
  const slotsByRole: Uint32Array[] = []
  let row = 0
  for (const role of roles) {
    slotsByRole.push(slots.subarray(row, row + role.keyCount))
    row += role.keyCount
  }
  const [first] = roles
  if (first === undefined) throw new RangeError('a group of roles is never empty')
  const { view } = first.wanted
  const read = {
    view,
    start,
    count: uniqueCount,
    keyBytes: unique.bytes,
    keyOffsets: unique.offsets,
  }
  return { read, slotsByRole }
}

/** Byte strings in one blob: string i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface Keys {
  readonly count: number
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
}

function joinKeys(roles: readonly EncodedRole[]): Keys {
  const [first] = roles
  if (roles.length === 1 && first !== undefined) {
    return { count: first.keyCount, bytes: first.bytes, offsets: first.offsets }
  }
  const count = roles.reduce((sum, role) => sum + role.keyCount, 0)
  const offsets = new Uint32Array(count + 1)
  let row = 0
  let base = 0
  for (const role of roles) {
    for (let key = 1; key <= role.keyCount; key++) offsets[++row] = base + (role.offsets[key] ?? 0)
    base = offsets[row] ?? 0
  }
  const pieces = roles.map((role) => role.bytes.subarray(0, role.offsets[role.keyCount]))
  return { count, bytes: Buffer.concat(pieces), offsets }
}

/** The keys at `rows`, in that order, as one blob of their own. */
export function pickKeys(keys: Keys, rows: Uint32Array, count: number): Keys {
  const offsets = new Uint32Array(count + 1)
  const pieces: Uint8Array[] = []
  for (let index = 0; index < count; index++) {
    const row = rows[index] ?? 0
    const piece = keys.bytes.subarray(keys.offsets[row], keys.offsets[row + 1])
    pieces.push(piece)
    offsets[index + 1] = (offsets[index] ?? 0) + piece.byteLength
  }
  return { count, bytes: Buffer.concat(pieces), offsets }
}

/** The keys, cut to what their offsets name. */
function wholeKeys({ count, bytes, offsets }: Keys): Keys {
  return { count, bytes: bytes.subarray(0, offsets[count]), offsets }
}

/** A single key holds for every row. */
function expandSlots(slots: Uint32Array, rowCount: number): Uint32Array {
  return slots.length === rowCount ? slots : new Uint32Array(rowCount).fill(slots[0] ?? 0)
}
