/**
 * Bit streams of learned rows, a number for each bit: slow, and for tests only.
 *
 * Bit i of a stream is bit (i mod 8) of byte floor(i / 8), the lowest first.
 */

/** Zeros and ones. */
export type Bits = number[]

/** Bytes that are no row: the reference decoder's only complaint. */
export class Corrupt extends Error {}

/** A number of `width` bits, its lowest bit first. */
export function uintBits(value: bigint, width: number): Bits {
  return Array.from({ length: width }, (_, bit) => Number((value >> BigInt(bit)) & 1n))
}

export function bitsOfBytes(bytes: Uint8Array): Bits {
  return Array.from({ length: 8 * bytes.byteLength }, (_, bit) => {
    return ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1
  })
}

/** With zero bits up to the end of the last byte. */
export function packBits(bits: Bits): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [index, bit] of bits.entries()) {
    bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (bit << (index & 7))
  }
  return bytes
}

export class BitReader {
  readonly #bits: Bits
  #next = 0
  #grownBytes = 0

  constructor(bytes: Uint8Array) {
    this.#bits = bitsOfBytes(bytes)
  }

  get leftCount(): number {
    return this.#bits.length - this.#next
  }

  bit(): number {
    const bit = this.#bits[this.#next++]
    if (bit === undefined) throw new Corrupt('truncated')
    return bit
  }

  uint(width: number): bigint {
    if (width > this.leftCount) throw new Corrupt('truncated')
    let value = 0n
    for (let bit = 0; bit < width; bit++) value |= BigInt(this.bit()) << BigInt(bit)
    return value
  }

  bytes(byteCount: number): Buffer {
    if (8 * byteCount > this.leftCount) throw new Corrupt('truncated')
    return Buffer.from(Array.from({ length: byteCount }, () => Number(this.uint(8))))
  }

  /** Counts what texts of dictionaries and blocks come to: a row may have 4 MiB of them. */
  grow(byteCount: number): void {
    this.#grownBytes += byteCount
    if (this.#grownBytes > 4 * 2 ** 20) throw new Corrupt('too long')
  }

  /** What is left must be zero bits within the last byte. */
  end(): void {
    if (this.leftCount >= 8) throw new Corrupt('trailing')
    while (this.leftCount > 0) if (this.bit() === 1) throw new Corrupt('padding')
  }
}
