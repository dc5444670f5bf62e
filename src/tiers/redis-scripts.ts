/**
 * The Lua that runs in Redis: it compares the versions of rows, and does what must be atomic.
 *
 * A script knows of a row only what `codec/row-version.ts` says of its header, and of a view's layouts
 * only the version table that comes with the call (`encodeVersionTable`). Lua's numbers are doubles: a
 * version is four of 32 bits, and an event time of a compact version, below 2^53 in magnitude, is
 * computed so that no step leaves the integers that doubles hold. Text is never compared: Lua's order
 * of strings is the locale's.
 */
import { createHash } from 'node:crypto'
import { rowHeaderBytesMax } from '../codec/row-version.js'
import { keyCheckBytes } from '../codec/store-key.js'
import { redisBucketSweptRowsMax } from '../limits.js'
import type { VersionTable } from '../version-format.js'

/**
 * Bytes of a row's own expiry, which stands first in its bucket: in units of 1,024 s since 2020-01-01
 * of the server's own time, rounded up, big-endian. They last for 544 years.
 */
export const bucketExpiryBytes = 3
const bucketExpiryUnitMs = 1_024_000
const bucketExpiryEpochMs = Date.UTC(2020, 0)
const bucketExpiryUnitsMax = 2 ** (8 * bucketExpiryBytes) - 1

export interface RedisScript {
  readonly text: string
  /** By which a server that has run it knows it. */
  readonly digest: string
}

const versionRecordBytes = 29
const encodedTables = new WeakMap<VersionTable, Buffer>()

/**
 * A version table as the scripts read it, all numbers big-endian: the greatest layout id, 4 bytes; then
 * by rising id for each compact layout id 4, event bytes 1, base 8, unit 8, sequence 8 bytes.
 */
export function encodeVersionTable(table: VersionTable): Buffer {
  const known = encodedTables.get(table)
  if (known !== undefined) return known
  const layouts = [...table.compact].sort(([a], [b]) => a - b)
  const bytes = Buffer.alloc(4 + layouts.length * versionRecordBytes)
  bytes.writeUInt32BE(table.layoutIdMax)
  for (const [index, [layoutId, format]] of layouts.entries()) {
    const start = 4 + index * versionRecordBytes
    bytes.writeUInt32BE(layoutId, start)
    bytes.writeUInt8(format.eventBytes, start + 4)
    bytes.writeBigInt64BE(format.eventBaseUs, start + 5)
    bytes.writeBigInt64BE(format.eventUnitUs, start + 13)
    bytes.writeBigUInt64BE(format.sequence, start + 21)
  }
  encodedTables.set(table, bytes)
  return bytes
}

/**
 * `version(value, at, versions)`: the version of the row that starts at `at`; nothing where there is no
 * row, false and the layout id where the table, as `encodeVersionTable` made it, does not know that.
 * `supersedes(versions, new, newAt, old, oldAt)`: whether a row is newer than the stored one; a stored
 * value that is no row gives way; the second result is the stored row's layout where it is unknown.
 */
const versionText = `
local formats = {}
local function formatOf(versions, id)
  local known = formats[versions]
  if not known then
    known = {}
    formats[versions] = known
  end
  if known[id] ~= nil then return known[id] end
  local found = false
  local low, high = 0, (#versions - 4) / ${versionRecordBytes}
  while low < high do
    local middle = math.floor((low + high) / 2)
    local at = 5 + middle * ${versionRecordBytes}
    local here = struct.unpack('>I4', versions, at)
    if here == id then
      local bytes, base, unit, high4, low4 = struct.unpack('>I1i8i8I4I4', versions, at + 4)
      found = { bytes = bytes, base = base, unit = unit, high4 = high4, low4 = low4 }
      break
    end
    if here < id then low = middle + 1 else high = middle end
  end
  known[id] = found
  return found
end
local function version(value, at, versions)
  local id, scale, byte = 0, 1, nil
  for _ = 1, 5 do
    byte = string.byte(value, at)
    if not byte then return nil end
    at = at + 1
    id = id + byte % 128 * scale
    scale = scale * 128
    if byte < 128 then break end
  end
  if byte >= 128 or id > 4294967295 then return nil end
  if id > struct.unpack('>I4', versions) then return false, id end
  local format = formatOf(versions, id)
  if not format then
    if #value < at + 15 then return nil end
    return struct.unpack('>I4I4I4I4', value, at)
  end
  if #value < at + format.bytes - 1 then return nil end
  local steps = 0
  for offset = at, at + format.bytes - 1 do steps = steps * 256 + string.byte(value, offset) end
  local odd = steps % 2
  local event = format.base + format.unit * (steps - odd) + format.unit * odd
  local high = math.floor(event / 4294967296)
  return high + 2147483648, event - high * 4294967296, format.high4, format.low4
end
local function supersedes(versions, new, newAt, old, oldAt)
  local o1, o2, o3, o4 = version(old, oldAt, versions)
  if o1 == nil then return true end
  if o1 == false then return false, o2 end
  local n1, n2, n3, n4 = version(new, newAt, versions)
  if n1 ~= o1 then return n1 > o1 end
  if n2 ~= o2 then return n2 > o2 end
  if n3 ~= o3 then return n3 > o3 end
  return n4 > o4
end
`

/**
 * Stores under each key its value of ARGV[1], which `packRows` of redis-writes.ts made, unless an equal or newer
 * version is there; ARGV[2] and on are version tables. Returns how many were stored, and the layout id
 * of a stored row that its table does not know, or -1; such a row stays.
 */
export const writeStringsScript = createScript(`${versionText}
local rows, at, stored, unknown = ARGV[1], 3, 0, -1
for _, key in ipairs(KEYS) do
  local keep, form, checkBytes, _, bytes, start = struct.unpack('>I8I2I1I1I4', rows, at)
  at = start + bytes
  local value = string.sub(rows, start, at - 1)
  local old = redis.call('GETRANGE', key, 0, ${keyCheckBytes + rowHeaderBytesMax - 1})
  local wins, layout = supersedes(ARGV[form + 2], value, checkBytes + 1, old, checkBytes + 1)
  if layout then unknown = layout end
  if wins then
    redis.call('SET', key, value, 'PX', string.format('%.0f', keep))
    stored = stored + 1
  end
end
return { stored, unknown }
`)

/**
 * Stores in each bucket of KEYS its rows of ARGV[1], of which are groups: all winners by one
 * HSET, which keeps memory tight. A stored row past its own expiry counts as gone. ARGV[2] is a number
 * below 1, ARGV[3] and on are version tables. Returns what the script for strings does.
 *
 * Rows that nobody writes again must not stay as long as their bucket: a write looks through the whole
 * bucket for expired ones with a chance of (rows written / rows held), so that sweeping costs about as
 * much as one more row read for each written. The bucket expires when its last row does.
 */
export const writeBucketsScript = createScript(`${versionText}
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000) - ${bucketExpiryEpochMs}
local rows, draw, at, stored, unknown = ARGV[1], tonumber(ARGV[2]), 1, 0, -1
local function unitsOf(old)
  local high, low = struct.unpack('>I1I2', old)
  return high * 65536 + low
end
local function isPast(old)
  return #old < ${bucketExpiryBytes} or unitsOf(old) * ${bucketExpiryUnitMs} < nowMs
end
local function readHeld(key, names, count)
  local held, expired = {}, {}
  if count == 0 then return held, expired end
  if count <= ${redisBucketSweptRowsMax} and draw * count < #names then
    local all = redis.call('HGETALL', key)
    for index = 1, #all, 2 do
      if isPast(all[index + 1]) then
        expired[#expired + 1] = all[index]
      else
        held[all[index]] = all[index + 1]
      end
    end
  else
    local values = redis.call('HMGET', key, unpack(names))
    for index, name in ipairs(names) do
      local old = values[index]
      if old and not isPast(old) then held[name] = old end
    end
  end
  return held, expired
end
for _, key in ipairs(KEYS) do
  local names, news, count = {}, {}, nil
  count, at = struct.unpack('>I2', rows, at)
  for index = 1, count do
    local keep, form, checkBytes, nameBytes, bytes, start = struct.unpack('>I8I2I1I1I4', rows, at)
    names[index] = string.sub(rows, start, start + nameBytes - 1)
    start = start + nameBytes
    at = start + bytes
    news[index] = { keep, ARGV[form + 3], checkBytes + 1, string.sub(rows, start, at - 1) }
  end
  local held, expired = readHeld(key, names, redis.call('HLEN', key))
  local fields, latest = {}, 0
  for index, name in ipairs(names) do
    local keep, versions, rowAt, value = unpack(news[index])
    local old = held[name]
    local wins, layout = true, nil
    if old then
      wins, layout = supersedes(versions, value, rowAt, old, rowAt + ${bucketExpiryBytes})
    end
    if layout then unknown = layout end
    if wins then
      local units = math.ceil((nowMs + keep) / ${bucketExpiryUnitMs})
      if units > ${bucketExpiryUnitsMax} then units = ${bucketExpiryUnitsMax} end
      if units > latest then latest = units end
      local high = math.floor(units / 65536)
      fields[#fields + 1] = name
      fields[#fields + 1] = struct.pack('>I1I2', high, units - high * 65536) .. value
      stored = stored + 1
    end
  end
  for first = 1, #expired, 1000 do
    redis.call('HDEL', key, unpack(expired, first, math.min(first + 999, #expired)))
  end
  if #fields > 0 then
    redis.call('HSET', key, unpack(fields))
    local keep = latest * ${bucketExpiryUnitMs} - nowMs
    if redis.call('PTTL', key) < keep then
      redis.call('PEXPIRE', key, string.format('%.0f', keep))
    end
  end
end
return { stored, unknown }
`)

/**
 * The values of the fields of KEYS, one each, that ARGV[1] names (a byte that counts its bytes, then
 * the name), as one reply: for each 4 bytes big-endian, its bytes or all ones where there is none, and
 * the value.
 */
export const readBucketsScript = createScript(`
local names, at, out = ARGV[1], 1, {}
for index, key in ipairs(KEYS) do
  local nameBytes = string.byte(names, at)
  local value = redis.call('HGET', key, string.sub(names, at + 1, at + nameBytes))
  at = at + nameBytes + 1
  if value then
    out[2 * index - 1] = struct.pack('>I4', #value)
    out[2 * index] = value
  else
    out[2 * index - 1] = '\\255\\255\\255\\255'
    out[2 * index] = ''
  end
end
return table.concat(out)
`)

function createScript(text: string): RedisScript {
  return Object.freeze({ text, digest: createHash('sha1').update(text).digest('hex') })
}
