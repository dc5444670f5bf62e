/**
 * Just enough of protobuf's wire format for the peers' layouts: varints, fixed numbers and counted bytes.
 *
 * Numbers of up to 64 bits are bigint here: int64 needs them, and one way is enough.
 */

/** `value` as a varint; negative numbers take ten bytes, as protobuf has it. */
export function encodeVarint(value) {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** A field of counted bytes. */
export function encodeCounted(field, bytes) {
  return Buffer.concat([encodeVarint((field << 3) | 2), encodeVarint(bytes.byteLength), bytes])
}

export function encodeVarintField(field, value) {
  return Buffer.concat([encodeVarint(field << 3), encodeVarint(value)])
}

export function encodeFixed32Field(field, bytes) {
  return Buffer.concat([encodeVarint((field << 3) | 5), bytes])
}

export function encodeFixed64Field(field, bytes) {
  return Buffer.concat([encodeVarint((field << 3) | 1), bytes])
}

/** The fields of a message in their order: `{ field, value }`, a bigint for varints, else the bytes. */
export function decodeFields(bytes) {
  const fields = []
  for (let at = 0; at < bytes.byteLength; ) {
    const tag = readVarint(bytes, at)
    const field = Number(tag.value >> 3n)
    const read = fieldReaders[Number(tag.value & 7n)]
    if (read === undefined) throw new Error(`field ${field} has a wire type that no peer uses`)
    const { value, end } = read(bytes, tag.end)
    fields.push({ field, value })
    at = end
  }
  return fields
}

/** Varints, one behind the other: signed, as int64. */
export function decodeVarints(bytes) {
  const values = []
  for (let at = 0; at < bytes.byteLength; ) {
    const { value, end } = readVarint(bytes, at)
    values.push(BigInt.asIntN(64, value))
    at = end
  }
  return values
}

/** By wire type. */
const fieldReaders = {
  0: readVarint,
  1: (bytes, at) => readBytes(bytes, at, 8),
  2: (bytes, at) => {
    const { value, end } = readVarint(bytes, at)
    return readBytes(bytes, end, Number(value))
  },
  5: (bytes, at) => readBytes(bytes, at, 4),
}

function readBytes(bytes, at, byteCount) {
  return { value: bytes.subarray(at, at + byteCount), end: at + byteCount }
}

function readVarint(bytes, at) {
  let value = 0n
  let end = at
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[end++]
    if (byte === undefined) throw new Error('a varint ends within')
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return { value, end }
  }
}
