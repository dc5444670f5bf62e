/**
 * Single values between SQL and TypeScript.
 */
import { assert } from '../assert.js'
import { LarderError } from '../errors.js'

const signBit = 1n << 63n

/** An unsigned 64-bit number as an INT8: less 2^63, which keeps the order. */
export function signedOf(unsigned: bigint): bigint {
  return unsigned - signBit
}

/** The unsigned 64-bit number that the INT8 `text` stands for. */
export function unsignedOf(text: string | undefined): bigint {
  assert(text !== undefined, 'the statement asked for this column')
  return BigInt(text) + signBit
}

/** The bytes of a BYTEA in its text form, `\x` and hexadecimal digits. */
export function bytesOf(text: string | undefined): Buffer {
  if (text?.startsWith('\\x') !== true) {
    throw new LarderError('unavailable', 'the database sent BYTEA in another form than hex')
  }
  return Buffer.from(text.slice(2), 'hex')
}
