/**
 * Entity keys: one entity's join-key values as canonical bytes, typed, in declared order.
 *
 *   bool                        1 byte, 0 or 1
 *   int8, int16, int32, int64   big-endian in the type's width, sign bit flipped
 *   timestamp                   as int64
 *   string, bytes, categorical  the bytes; unless it is the last, every 00 becomes 00 ff, and 00 01
 *                               ends it
 *
 * Two keys are equal exactly where their values are, and comparing them byte by byte is comparing
 * their values in order. Floats and lists are never join keys. Must never be changed: stored rows
 * would be lost to their keys. `docs/formats/row-v1.md` has golden vectors.
 */
import { isUtf8 } from 'node:buffer'
import { assert } from '../assert.js'
import { type WireColumn, wireCellCount } from '../column.js'
import type { DefaultScalar, JoinKey } from '../declared.js'
import { LarderError } from '../errors.js'
import { type ScalarType, scalarTypes } from '../feature-type.js'
import { badRowsToldMax, entityKeyBytesMax } from '../limits.js'
import { loadAddon, type NativeBlob } from '../native.js'
import { nativeColumns } from './native-columns.js'
import { nameRowProblems, type RowProblems } from './row-encode.js'

/**
 * The entity keys of `rowCount` rows, or their problems. `columns` are those of `keyTypes` in
 * order, of `rowCount` cells each or of 1 that holds for every row. Throws `invalid_argument` where
 * a column as a whole is wrong: its class is not one that its type may come in, or it is ragged.
 */
export function encodeEntityKeys(
  keyTypes: readonly JoinKey[],
  columns: readonly WireColumn[],
  rowCount: number,
): NativeBlob | RowProblems {
  assert(columns.length === keyTypes.length, 'an entity key has a column for each join key')
  const encoded = loadAddon().encodeEntityKeys(
    Uint32Array.from(keyTypes, ({ type }) => scalarTypes.indexOf(type)),
    nativeColumns(columns),
    Uint32Array.from(columns, ({ values }) => (wireCellCount(values) === 1 ? 1 : rowCount)),
    rowCount,
    entityKeyBytesMax,
    badRowsToldMax,
  )
  if (!('problems' in encoded)) return encoded
  return nameRowProblems(encoded, columns, columns.map(({ name }) => name).join(', '))
}

/** Which keys are equal. */
export interface DistinctKeys {
  readonly uniqueCount: number
  /** For each row the number of its key, in order of first use. */
  readonly slots: Uint32Array
  /** For each distinct key the first row that has it. */
  readonly firstRows: Uint32Array
}

/** Finds equal keys: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
export function dedupeKeys(keys: {
  readonly count: number
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
}): DistinctKeys {
  assert(keys.offsets.length === keys.count + 1, 'keys have one offset more than there are keys')
  const { slots, firstRows } = loadAddon().dedupeKeys(keys.bytes, keys.offsets)
  return { uniqueCount: firstRows.length, slots, firstRows }
}

/**
 * The join-key values in an entity key: integers of 64 bits as bigint, bytes as Uint8Array. Throws
 * `corrupt_row` where `bytes` is not a key of these types.
 */
export function decodeEntityKey(keyTypes: readonly JoinKey[], bytes: Uint8Array): DefaultScalar[] {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  const values = keyTypes.map(({ name, type }, index) => {
    const isLast = index === keyTypes.length - 1
    const component = componentReaders[type](key, offset, isLast)
    if (component === undefined) throw notAKey(key, `join key '${name}' (${type})`)
    offset = component.endOffset
    return component.value
  })
  if (offset !== key.byteLength) throw notAKey(key, 'the end')
  return values
}

function notAKey(key: Buffer, where: string): LarderError {
  return new LarderError(
    'corrupt_row',
    `entity key ${key.toString('hex')} is not a key of its entity: wrong at ${where}`,
  )
}

interface Component {
  readonly value: DefaultScalar
  readonly endOffset: number
}
/** Reads the component at `offset`; undefined where there is none. */
type ComponentReader = (key: Buffer, offset: number, isLast: boolean) => Component | undefined

const componentReaders = {
  bool: readBool,
  int8: fixedReader(1, (key, offset) => (key[offset] ?? 0) - 0x80),
  int16: fixedReader(2, (key, offset) => key.readUInt16BE(offset) - 0x8000),
  int32: fixedReader(4, (key, offset) => key.readUInt32BE(offset) - 0x8000_0000),
  int64: fixedReader(8, readInt64),
  timestamp: fixedReader(8, readInt64),
  float32: () => undefined,
  float64: () => undefined,
  string: readText,
  bytes: readBytes,
  categorical: readText,
} as const satisfies Record<ScalarType, ComponentReader>

function readBool(key: Buffer, offset: number): Component | undefined {
  const byte = key[offset]
  return byte === 0 || byte === 1 ? { value: byte === 1, endOffset: offset + 1 } : undefined
}

function fixedReader(
  byteCount: number,
  read: (key: Buffer, offset: number) => number | bigint,
): ComponentReader {
  return (key, offset) => {
    const endOffset = offset + byteCount
    return endOffset <= key.byteLength ? { value: read(key, offset), endOffset } : undefined
  }
}

function readInt64(key: Buffer, offset: number): bigint {
  return BigInt.asIntN(64, key.readBigUInt64BE(offset) ^ (1n << 63n))
}

function readText(key: Buffer, offset: number, isLast: boolean): Component | undefined {
  const raw = readRaw(key, offset, isLast)
  if (raw === undefined || !isUtf8(raw.bytes)) return undefined
  return { value: raw.bytes.toString('utf8'), endOffset: raw.endOffset }
}

function readBytes(key: Buffer, offset: number, isLast: boolean): Component | undefined {
  const raw = readRaw(key, offset, isLast)
  return raw && { value: Uint8Array.from(raw.bytes), endOffset: raw.endOffset }
}

function readRaw(
  key: Buffer,
  offset: number,
  isLast: boolean,
): { readonly bytes: Buffer; readonly endOffset: number } | undefined {
  if (isLast) return { bytes: key.subarray(offset), endOffset: key.byteLength }
  const bytes: number[] = []
  for (let at = offset; at < key.byteLength; at++) {
    const byte = key[at] ?? 0
    bytes.push(byte)
    if (byte !== 0) continue
    at++
    if (key[at] === terminator) {
      return { bytes: Buffer.from(bytes.slice(0, -1)), endOffset: at + 1 }
    }
    if (key[at] !== escaped) return undefined
  }
  return undefined
}

const escaped = 0xff
const terminator = 0x01
