/**
 * Random cells of every type, adversarial ones often, and damage to rows: for property tests and
 * fuzzing.
 */
import fc from 'fast-check'
import {
  type EmbeddingStorage,
  embeddingStorages,
  type FeatureType,
  type ScalarType,
  scalarTypes,
} from '../../src/feature-type.js'
import type { Prng } from '../../src/prng.js'
import { cellOf, type ReferenceCell } from './reference-row.js'

const integerBits = { int8: 8, int16: 16, int32: 32, int64: 64, timestamp: 64 } as const

const adversarialFloat32 = [
  0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
  0xffc12345, 0x7f7fffff, 0x00800000,
]
const adversarialFloat64 = [
  0x0000000000000000n,
  0x8000000000000000n,
  0x0000000000000001n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0xfff8dead0000beefn,
  0x7fefffffffffffffn,
]

function hexOfBits(bits: bigint, byteCount: 4 | 8): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(bits)
  return bytes.toString('hex', 0, byteCount)
}

const u32 = fc.oneof(fc.constantFrom(...adversarialFloat32), fc.nat(0xffffffff))
const u64 = fc.oneof(fc.constantFrom(...adversarialFloat64), fc.bigInt(0n, 2n ** 64n - 1n))

function integerArbitrary(scalar: keyof typeof integerBits): fc.Arbitrary<bigint> {
  const half = 2n ** BigInt(integerBits[scalar] - 1)
  return fc.oneof(fc.constantFrom(-half, half - 1n, 0n, -1n, 1n), fc.bigInt(-half, half - 1n))
}

function elementArbitrary(scalar: ScalarType): fc.Arbitrary<string> {
  const type = { kind: 'scalar', scalar } as const
  const asHex = (value: number | bigint | boolean | string | Uint8Array) =>
    String(cellOf(type, value))
  switch (scalar) {
    case 'bool':
      return fc.boolean().map(asHex)
    case 'int8':
    case 'int16':
    case 'int32':
      return integerArbitrary(scalar).map((value) => asHex(Number(value)))
    case 'int64':
    case 'timestamp':
      return integerArbitrary(scalar).map(asHex)
    case 'float32':
      return u32.map((bits) => hexOfBits(BigInt(bits), 4))
    case 'float64':
      return u64.map((bits) => hexOfBits(bits, 8))
    case 'string':
    case 'categorical':
      return fc.oneof(fc.constantFrom('', '\0', 'a\0b', 'é', '\u{10ffff}'), text).map(asHex)
    case 'bytes':
      return fc.uint8Array({ maxLength: 200 }).map(asHex)
  }
}

/** Well-formed text: a lone surrogate has no UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 200 })

/** Elements that the storage can take; for f16 any finite float in range, or a special value. */
function embeddingElementArbitrary(storage: EmbeddingStorage): fc.Arbitrary<string> {
  const float = { kind: 'scalar', scalar: 'float32' } as const
  const inRange = fc
    .float({ min: -65504, max: 65504, noNaN: true })
    .map((value) => String(cellOf(float, value)))
  switch (storage) {
    case 'f32':
      return u32.map((bits) => hexOfBits(BigInt(bits), 4))
    case 'f16':
      return fc.oneof(
        inRange,
        fc
          .constantFrom(0x7f800000, 0xff800000, 0x7fc00000, 0xff802000, 0x33000000, 0x33000001)
          .map((bits) => hexOfBits(BigInt(bits), 4)),
      )
    case 'int8':
      return fc.oneof(
        inRange,
        fc
          .float({ noNaN: true, noDefaultInfinity: true })
          .map((value) => String(cellOf(float, value))),
      )
  }
}

/** A cell of `type`, null among them. */
export function cellArbitrary(type: FeatureType): fc.Arbitrary<ReferenceCell> {
  const nothing = fc.constant(null)
  switch (type.kind) {
    case 'scalar':
      return fc.oneof(
        { weight: 1, arbitrary: nothing },
        { weight: 9, arbitrary: elementArbitrary(type.scalar) },
      )
    case 'list':
      return fc.oneof(
        { weight: 1, arbitrary: nothing },
        { weight: 9, arbitrary: fc.array(elementArbitrary(type.element), { maxLength: 140 }) },
      )
    case 'embedding': {
      const element = embeddingElementArbitrary(type.storage)
      const cell = fc.array(element, { minLength: type.dim, maxLength: type.dim })
      return fc.oneof({ weight: 1, arbitrary: nothing }, { weight: 9, arbitrary: cell })
    }
  }
}

export const typeArbitrary: fc.Arbitrary<FeatureType> = fc.oneof(
  fc.constantFrom(...scalarTypes).map((scalar) => ({ kind: 'scalar', scalar }) as const),
  fc.constantFrom(...scalarTypes).map((element) => ({ kind: 'list', element }) as const),
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(...embeddingStorages))
    .map(([dim, storage]) => ({ kind: 'embedding', dim, storage }) as const),
)

/** One feature of every type there is. */
export const everyType: readonly FeatureType[] = [
  ...scalarTypes.map((scalar) => ({ kind: 'scalar', scalar }) as const),
  ...scalarTypes.map((element) => ({ kind: 'list', element }) as const),
  ...embeddingStorages.map((storage) => ({ kind: 'embedding', dim: 3, storage }) as const),
]

/**
 * A row's bytes after some damage: bits, bytes, cuts and insertions, several at once now and then.
 */
export function mutateRow(row: Buffer, prng: Prng): Buffer {
  let mutated: Buffer = Buffer.from(row)
  for (let left = 1 + prng.below(3); left > 0; left--) mutated = mutateOnce(mutated, prng)
  return mutated
}

function mutateOnce(row: Buffer, prng: Prng): Buffer {
  const offset = prng.below(row.byteLength + 1)
  switch (prng.below(5)) {
    case 0:
      return row.subarray(0, offset)
    case 1:
      return Buffer.concat([row.subarray(0, offset), randomBytes(prng), row.subarray(offset)])
    case 2:
      return Buffer.concat([row.subarray(0, offset), row.subarray(offset + 1 + prng.below(4))])
    case 3: {
      const flipped = Buffer.from(row)
      if (offset < row.byteLength) flipped[offset] = (flipped[offset] ?? 0) ^ (1 << prng.below(8))
      return flipped
    }
    default: {
      const overwritten = Buffer.from(row)
      if (offset < row.byteLength)
        overwritten[offset] = [0, 1, 0x7f, 0x80, 0xff][prng.below(5)] ?? 0
      return overwritten
    }
  }
}

function randomBytes(prng: Prng): Buffer {
  return Buffer.from(Array.from({ length: 1 + prng.below(8) }, () => prng.below(256)))
}
