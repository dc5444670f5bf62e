/**
 * How rows lie in Redis: the `string` packing, one key per row. Pure.
 *
 *   key    as `codec/store-key.ts` says: 01 | generation | entity key, or 02 | generation | hash
 *   value  under a raw key the row; under a hashed key 8 check bytes, then the row
 *
 * The script below knows of a row only what `codec/row-version.ts` says of its header. It compares
 * versions as four 32-bit pieces, because Lua's numbers are doubles and its string order is the locale's.
 */
import { encodeHotKeys, keyCheckBytes } from '../codec/store-key.js'
import type { HashSeeds } from '../hash-seeds.js'
import type { KeyBatch } from './key-batch.js'

/** Where one row lies. */
export interface PackedKey {
  readonly key: Buffer
  /** What stands before the row of a hashed key; undefined under a raw key. */
  readonly check: Uint8Array | undefined
}

/** The places of the entity keys in `slots`, in the order of `slots`. */
export function packKeys(keys: KeyBatch, slots: Uint32Array, seeds: HashSeeds): PackedKey[] {
  const { keys: hotKeys, checks } = encodeHotKeys(keys, slots, seeds)
  return hotKeys.map((key, index) => ({ key, check: checks[index] }))
}

/** A row, where it goes and for how long. */
export interface PackedRow {
  readonly place: PackedKey
  readonly row: Uint8Array
  readonly keepMs: number
}

/**
 * The values of a write, as one argument of the script: a command of a few hundred long arguments costs
 * the client less than half of one with a thousand short ones.
 *
 *   for each row: keep 8 bytes big-endian, milliseconds | value bytes, 4 bytes big-endian | value
 */
export function packRows(rows: readonly PackedRow[]): Buffer {
  const bytes = rows.reduce((sum, packed) => sum + rowHeaderBytes + valueBytes(packed), 0)
  const target = Buffer.allocUnsafe(bytes)
  let offset = 0
  for (const packed of rows) {
    const { place, row, keepMs } = packed
    target.writeBigUInt64BE(BigInt(keepMs), offset)
    target.writeUInt32BE(valueBytes(packed), offset + 8)
    offset += rowHeaderBytes
    if (place.check !== undefined) target.set(place.check, offset)
    target.set(row, offset + (place.check?.byteLength ?? 0))
    offset += valueBytes(packed)
  }
  return target
}

const rowHeaderBytes = 12

function valueBytes({ place, row }: PackedRow): number {
  return (place.check?.byteLength ?? 0) + row.byteLength
}

/** The row in `value`, or undefined where it is another entity's, whose key has the same hash. */
export function unpackValue(place: PackedKey, value: Buffer): Buffer | undefined {
  if (place.check === undefined) return value
  const isOurs = value.subarray(0, keyCheckBytes).equals(place.check)
  return isOurs ? value.subarray(keyCheckBytes) : undefined
}

/**
 * Stores under each KEYS[i] the i-th value of ARGV[1], which `packRows` made, unless an equal or newer
 * version is there; returns how many were stored. A stored value that is no row gives way.
 */
export const writeScript = `
local function version(value, key)
  local at = 1
  if string.byte(key, 1) == 2 then at = ${keyCheckBytes + 1} end
  for _ = 1, 5 do
    local byte = string.byte(value, at)
    if not byte then return nil end
    at = at + 1
    if byte < 128 then
      if #value < at + 15 then return nil end
      return { struct.unpack('>I4I4I4I4', value, at) }
    end
  end
  return nil
end
local function supersedes(new, old)
  for piece = 1, 4 do
    if new[piece] ~= old[piece] then return new[piece] > old[piece] end
  end
  return false
end
local stored = 0
local at = 1
for _, key in ipairs(KEYS) do
  local keep, bytes, start = struct.unpack('>I8I4', ARGV[1], at)
  local value = string.sub(ARGV[1], start, start + bytes - 1)
  at = start + bytes
  local old = version(redis.call('GETRANGE', key, 0, ${keyCheckBytes + 5 + 16 - 1}), key)
  if not old or supersedes(version(value, key), old) then
    redis.call('SET', key, value, 'PX', string.format('%.0f', keep))
    stored = stored + 1
  end
end
return stored
`
