/**
 * How numbers of a feature type stand in rows: whole numbers within bounds, or IEEE bits.
 */
import type { EmbeddingStorage, FeatureType, ScalarType } from '../feature-type.js'

export type NumberForm =
  | {
      readonly kind: 'integer'
      readonly valueBits: number
      readonly least: bigint
      readonly greatest: bigint
    }
  | { readonly kind: 'float'; readonly valueBits: 16 | 32 | 64 }

/** Undefined for texts and bytes. `valueBits` is what a value takes in plain rows. */
export function numberFormOf(type: FeatureType): NumberForm | undefined {
  switch (type.kind) {
    case 'scalar':
      return scalarForms[type.scalar]
    case 'list':
      return scalarForms[type.element]
    case 'embedding':
      return embeddingForms[type.storage]
  }
}

function signed(valueBits: number): NumberForm {
  const half = 1n << BigInt(valueBits - 1)
  return { kind: 'integer', valueBits, least: -half, greatest: half - 1n }
}

const scalarForms: Readonly<Record<ScalarType, NumberForm | undefined>> = {
  bool: { kind: 'integer', valueBits: 8, least: 0n, greatest: 1n },
  int8: signed(8),
  int16: signed(16),
  int32: signed(32),
  int64: signed(64),
  timestamp: signed(64),
  float32: { kind: 'float', valueBits: 32 },
  float64: { kind: 'float', valueBits: 64 },
  string: undefined,
  bytes: undefined,
  categorical: undefined,
}

const embeddingForms: Readonly<Record<EmbeddingStorage, NumberForm>> = {
  f32: { kind: 'float', valueBits: 32 },
  f16: { kind: 'float', valueBits: 16 },
  int8: signed(8),
}
