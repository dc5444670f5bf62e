/**
 * Arrays as parameters of SQL statements, in the protocol's binary form.
 *
 * The driver's own form is text: hexadecimal, escaped, one string per element. Binary arrays are written
 * once into one buffer, and keys and rows travel as they are.
 *
 *   dimensions  int32, 1          has nulls  int32, 0      element type  int32, its object id
 *   count       int32             first index  int32, 1    then per element: length int32, its bytes
 */

const objectIds = { int8: 20, bytea: 17, timestamptz: 1184 } as const
const headerBytes = 20
const lengthBytes = 4
const int8Bytes = 8
/** Where PostgreSQL's time begins: 2000-01-01, in milliseconds since the Unix epoch. */
const epochMs = 946_684_800_000

/** An INT8[] parameter. */
export function encodeInt8Array(values: readonly bigint[]): Buffer {
  return encodeWords(values, objectIds.int8)
}

/** A TIMESTAMPTZ[] parameter from milliseconds since the Unix epoch. */
export function encodeTimestampArray(timesMs: readonly number[]): Buffer {
  const microseconds = timesMs.map((timeMs) => BigInt(Math.ceil(timeMs) - epochMs) * 1000n)
  return encodeWords(microseconds, objectIds.timestamptz)
}

/** A BYTEA[] parameter. */
export function encodeBytesArray(values: readonly Uint8Array[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + lengthBytes + value.byteLength, headerBytes)
  const encoded = Buffer.allocUnsafe(bytes)
  writeHeader(encoded, objectIds.bytea, values.length)
  let offset = headerBytes
  for (const value of values) {
    encoded.writeInt32BE(value.byteLength, offset)
    encoded.set(value, offset + lengthBytes)
    offset += lengthBytes + value.byteLength
  }
  return encoded
}

function encodeWords(values: readonly bigint[], objectId: number): Buffer {
  const encoded = Buffer.allocUnsafe(headerBytes + values.length * (lengthBytes + int8Bytes))
  writeHeader(encoded, objectId, values.length)
  let offset = headerBytes
  for (const value of values) {
    encoded.writeInt32BE(int8Bytes, offset)
    encoded.writeBigInt64BE(value, offset + lengthBytes)
    offset += lengthBytes + int8Bytes
  }
  return encoded
}

function writeHeader(target: Buffer, objectId: number, count: number): void {
  const words = [1, 0, objectId, count, 1]
  words.forEach((word, index) => {
    target.writeInt32BE(word, index * 4)
  })
}
