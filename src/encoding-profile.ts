/**
 * Encoding profiles: what a sample of a view's rows taught about writing them in few bits.
 *
 * A profile says for each feature how its values become bits; `docs/formats/row-v1.md` draws them. It is
 * immutable and lossless whatever the values: what its codes do not cover is written literally.
 */

/**
 * One code of a prefix code. A canonical prefix of `prefixBits` comes first, then for a `range` `width`
 * bits that say how far above `base` the symbol is; for `literal` the value as plain rows have it.
 */
export type CodeClass =
  | { readonly kind: 'null' | 'literal'; readonly prefixBits: number }
  | {
      readonly kind: 'range'
      readonly prefixBits: number
      /** The least symbol. */
      readonly base: bigint
      /** 0 to 64. */
      readonly width: number
      /** Of `decimal` symbols, -22 to 22; else 0. */
      readonly exponent: number
    }

/** How a value becomes a symbol, an integer of 64 bits. */
export type SymbolMapping =
  /** Integers, bools, timestamps and int8 steps: the value divided by `unit`. */
  | { readonly kind: 'integer'; readonly unit: bigint }
  /** Floats: the value is symbol / 10^exponent, correctly rounded, bit for bit. */
  | { readonly kind: 'decimal' }
  /** Floats: their IEEE bits without the lowest `shift`, which are 0. */
  | { readonly kind: 'float_bits'; readonly shift: number }
  /** Texts and bytes: the place in `values`, which are distinct. */
  | { readonly kind: 'dictionary'; readonly values: readonly Uint8Array[] }

export interface SymbolCoding {
  readonly mapping: SymbolMapping
  /** 1 to 32, in the order of canonical codes: `prefixBits` never falls. */
  readonly classes: readonly CodeClass[]
}

export type FeatureEncoding =
  /** One bit, 1 = set, then the value as plain rows have it. */
  | { readonly kind: 'plain' }
  /** A scalar. */
  | { readonly kind: 'coded'; readonly coding: SymbolCoding }
  /** A list or an embedding: its element count, then the elements. Elements have no null class. */
  | {
      readonly kind: 'packed_list'
      readonly lengths: readonly CodeClass[]
      readonly elements: SymbolCoding
    }
  /** A value of varying bytes: their count, then the bytes, by LZ4 where that is less. */
  | {
      readonly kind: 'block'
      readonly lengths: readonly CodeClass[]
      /** Values of at least so many bytes say whether they are compressed; undefined: none is. */
      readonly lz4BytesMin: number | undefined
    }

export interface EncodingProfile {
  /** From 1, per view; 0 where it is not registered. */
  readonly id: number
  /** By feature id. A feature that is not here is written `plain`. */
  readonly encodings: ReadonlyMap<number, FeatureEncoding>
  /** Rows it was learned from. */
  readonly sampleRowCount: number
}

export const codeClassesMax = 32
export const prefixBitsMax = 10
