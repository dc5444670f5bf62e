/**
 * Feast's layout in Redis, byte for byte (entity_key_serialization_version 3): a hash per entity, a field
 * per feature named by a hash, a serialised `feast.types.Value` in it, and a field with the event time.
 *
 *   key          u32 n | for each join key: u32 2, u32 bytes, its name | for each: u32 type, u32 bytes, its
 *                value | the project's name; all u32 little-endian
 *   field        murmur3_32 of `view:feature`, 4 bytes little-endian
 *   _ts:view     a serialised protobuf Timestamp
 */
import {
  decodeFields,
  decodeVarints,
  encodeCounted,
  encodeFixed32Field,
  encodeFixed64Field,
  encodeVarint,
  encodeVarintField,
} from './protobuf-values.mjs'

const project = 'feature_repo'
const stringCode = 2
const int64Code = 4

/** The key of an entity: its join keys' values by name, strings, or bigint for int64. */
export function feastKey(keyValues) {
  const names = Object.keys(keyValues).sort()
  return Buffer.concat([
    u32(names.length),
    ...names.flatMap((name) => [u32(stringCode), u32(name.length), Buffer.from(name)]),
    ...names.flatMap((name) => {
      const value = keyValues[name]
      const isText = typeof value === 'string'
      const bytes = isText ? Buffer.from(value) : littleEndian64(value)
      return [u32(isText ? stringCode : int64Code), u32(bytes.byteLength), bytes]
    }),
    Buffer.from(project),
  ])
}

/** The name of a feature's field. */
export function feastField(viewName, featureName) {
  return u32(murmur3(Buffer.from(`${viewName}:${featureName}`)))
}

/** A cell as `feast.types.Value`: empty for null. */
export function feastValue(type, value) {
  return value === null ? Buffer.alloc(0) : valueForms[type].encode(value)
}

/** The cell in a `feast.types.Value`. */
export function parseFeastValue(type, bytes) {
  const [only] = decodeFields(bytes)
  return only === undefined ? null : valueForms[type].decode(only.value)
}

/** A protobuf Timestamp. */
export function feastTimestamp(eventTimeUs) {
  const seconds = eventTimeUs / 1_000_000n
  const nanos = (eventTimeUs % 1_000_000n) * 1000n
  return Buffer.concat([
    encodeVarintField(1, seconds),
    ...(nanos === 0n ? [] : [encodeVarintField(2, nanos)]),
  ])
}

export function parseFeastTimestamp(bytes) {
  const fields = new Map(decodeFields(bytes).map(({ field, value }) => [field, value]))
  return (fields.get(1) ?? 0n) * 1_000_000n + (fields.get(2) ?? 0n) / 1000n
}

/** How rows of a view are written, and read back. */
export function feastLayout(view) {
  const fields = view.features.map(({ name }) => feastField(view.name, name))
  const timeField = Buffer.from(`_ts:${view.name}`)
  const { features } = view
  return {
    add(pipeline, { keyValues, eventTimeUs, cells }) {
      const redisKey = feastKey(keyValues)
      const pairs = features.flatMap(({ type }, index) => [
        fields[index],
        feastValue(type, cells[index]),
      ])
      pipeline.hset(redisKey, timeField, feastTimestamp(eventTimeUs), ...pairs)
    },
    async read(client, { keyValues }) {
      const redisKey = feastKey(keyValues)
      const [time, ...values] = await client.hmgetBuffer(redisKey, timeField, ...fields)
      return {
        eventTimeUs: parseFeastTimestamp(time),
        cells: features.map(({ type }, index) => parseFeastValue(type, values[index])),
      }
    },
  }
}

/** MurmurHash3 for x86, 32 bits, seed 0. */
export function murmur3(bytes) {
  const blockCount = bytes.byteLength >> 2
  let hash = 0
  for (let block = 0; block < blockCount; block++) {
    hash ^= mixed(bytes.readInt32LE(4 * block))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.byteLength - 1; at >= 4 * blockCount; at--) tail = (tail << 8) | bytes[at]
  hash ^= mixed(tail) ^ bytes.byteLength
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixed(word) {
  const product = Math.imul(word, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

function varintForm(field, fromBigint) {
  return {
    encode: (value) => encodeVarintField(field, value),
    decode: (value) => fromBigint(BigInt.asIntN(64, value)),
  }
}

function textForm(field) {
  return {
    encode: (value) => encodeCounted(field, Buffer.from(value)),
    decode: (value) => value.toString(),
  }
}

function listForm(field, { encodeElements, decodeElements }) {
  return {
    encode(values) {
      if (values.length === 0) return encodeCounted(field, Buffer.alloc(0))
      return encodeCounted(field, encodeCounted(1, encodeElements(values)))
    },
    decode(value) {
      const [only] = decodeFields(value)
      return only === undefined ? [] : decodeElements(only.value)
    },
  }
}

const floats = {
  encodeElements: (values) => Buffer.concat(values.map(float32)),
  decodeElements: (bytes) =>
    Array.from({ length: bytes.byteLength / 4 }, (_, index) => bytes.readFloatLE(4 * index)),
}
const integers = {
  encodeElements: (values) => Buffer.concat(values.map(encodeVarint)),
  decodeElements: (bytes) => decodeVarints(bytes).map(Number),
}

/** By Larder's type the member of `feast.types.Value` that holds it; Feast has no int16 or int8. */
const valueForms = {
  bool: varintForm(7, (value) => value === 1n),
  int16: varintForm(3, Number),
  int32: varintForm(3, Number),
  int64: varintForm(4, (value) => value),
  // Seconds: a time that is finer would be lost, and no workload here has one.
  timestamp: {
    encode: (value) => encodeVarintField(8, value / 1_000_000n),
    decode: (value) => BigInt.asIntN(64, value) * 1_000_000n,
  },
  float32: {
    encode: (value) => encodeFixed32Field(6, float32(value)),
    decode: (value) => value.readFloatLE(),
  },
  float64: {
    encode: (value) => encodeFixed64Field(5, float64(value)),
    decode: (value) => value.readDoubleLE(),
  },
  string: textForm(2),
  categorical: textForm(2),
  'list<int32>': listForm(13, integers),
  'list<float32>': listForm(16, floats),
  'embedding<64, f32>': listForm(16, floats),
}

function u32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function littleEndian64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}

function float32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

function float64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}
