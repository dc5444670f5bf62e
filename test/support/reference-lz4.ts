/**
 * LZ4 blocks, decoded as plainly as can be: slow, and for tests only.
 *
 * A block is sequences of: a token, whose high half counts literal bytes and whose low half, and 4, those
 * of a match (15 goes on in bytes of up to 255); the literals; the match's offset, 2 bytes little-endian,
 * 1 or more. The last sequence ends after its literals, which are 5 or more unless it is the only one; no
 * match begins in the last 12 bytes.
 */
import { Corrupt } from './reference-bits.js'

/** The `byteCount` bytes that `block` holds; throws `Corrupt` where it does not hold just these. */
export function decodeLz4Block(block: Uint8Array, byteCount: number): Buffer {
  const output: number[] = []
  let at = 0
  const byte = (): number => {
    const next = block[at++]
    if (next === undefined) throw new Corrupt('lz4')
    return next
  }
  const count = (nibble: number): number => {
    let total = nibble
    for (let more = nibble === 15 ? 255 : 0; more === 255; total += more) more = byte()
    return total
  }
  for (let isFirst = true; ; isFirst = false) {
    const token = byte()
    const literalCount = count(token >> 4)
    for (let left = literalCount; left > 0; left--) output.push(byte())
    if (at === block.length) {
      if (!isFirst && literalCount < 5) throw new Corrupt('lz4')
      break
    }
    const offset = byte() + 256 * byte()
    if (offset === 0 || offset > output.length) throw new Corrupt('lz4')
    if (output.length + 12 > byteCount) throw new Corrupt('lz4')
    for (let left = count(token & 15) + 4; left > 0; left--) {
      output.push(output[output.length - offset] ?? 0)
    }
    if (output.length > byteCount) throw new Corrupt('lz4')
  }
  if (output.length !== byteCount) throw new Corrupt('lz4')
  return Buffer.from(output)
}
