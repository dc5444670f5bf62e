/**
 * About how many bytes a view's rows and keys take, before anybody counts them. Pure.
 *
 * A learned profile knows what its codes cost on average; a type without one is taken at its width.
 * Nothing is known of texts and lists then: they are assumed to be of a middling length.
 */
import type { CodeClass, EncodingProfile, FeatureEncoding } from '../encoding-profile.js'
import { type FeatureType, type ScalarType, scalarTypeOf } from '../feature-type.js'
import { type FeatureView, type Layout, newestProfile, type Schema } from '../registry/snapshot.js'

const assumedTextBytes = 10
const assumedListElements = 8
const fullVersionBytes = 16
const layoutIdBytes = 1

/** Bytes of a row of the view, written in its newest layout. */
export function estimateRowBytes(view: FeatureView): number {
  const schema = view.schemas.at(-1)
  const bits = bodyBits(schema?.features ?? [], newestProfile(view))
  return layoutIdBytes + versionBytes(view.layouts.at(-1)) + Math.ceil(bits / 8)
}

/** Bytes of one entity's key. */
export function estimateKeyBytes({ entity }: FeatureView): number {
  return entity.keys.reduce((sum, { type }) => sum + scalarBytes[type], 0)
}

function versionBytes(layout: Layout | undefined): number {
  if (layout === undefined || layout.versionFormat === 'full') return fullVersionBytes
  return layout.versionFormat.eventBytes
}

function bodyBits(features: Schema['features'], profile: EncodingProfile | undefined): number {
  // A presence bit each in plain rows, or the bit that says plain rows' values follow.
  const plainBits = (type: FeatureType) => 1 + literalBits(type)
  let bits = profile === undefined ? 0 : 1
  for (const { id, type } of features) {
    const encoding = profile?.encodings.get(id)
    bits += encoding === undefined ? plainBits(type) : encodedBits(type, encoding)
  }
  return bits
}

function encodedBits(type: FeatureType, encoding: FeatureEncoding): number {
  switch (encoding.kind) {
    case 'plain':
      return 1 + literalBits(type)
    case 'coded':
      return meanBits(encoding.coding.classes, literalBits(type))
    case 'packed_list': {
      const { lengths, elements } = encoding
      const scaleBits = type.kind === 'embedding' && type.storage === 'int8' ? 32 : 0
      const elementBits = meanBits(elements.classes, elementBytes(type) * 8)
      return meanBits(lengths, 0) + scaleBits + meanLength(lengths) * elementBits
    }
    case 'block':
      return meanBits(encoding.lengths, 0) + meanLength(encoding.lengths) * 8
  }
}

/** A complete prefix code gives each class the share of values that its prefix stands for. */
function shareOf({ prefixBits }: CodeClass): number {
  return 2 ** -prefixBits
}

function meanBits(classes: readonly CodeClass[], literal: number): number {
  const payloadBits = (code: CodeClass) => {
    if (code.kind === 'range') return code.width
    return code.kind === 'literal' ? literal : 0
  }
  return classes.reduce(
    (sum, code) => sum + shareOf(code) * (code.prefixBits + payloadBits(code)),
    0,
  )
}

function meanLength(lengths: readonly CodeClass[]): number {
  return lengths.reduce((sum, code) => {
    if (code.kind !== 'range') return sum
    return sum + shareOf(code) * (Number(code.base) + (2 ** code.width - 1) / 2)
  }, 0)
}

function literalBits(type: FeatureType): number {
  switch (type.kind) {
    case 'scalar':
      return scalarBytes[type.scalar] * 8
    case 'list':
      return (1 + assumedListElements * scalarBytes[type.element]) * 8
    case 'embedding':
      return ((type.storage === 'int8' ? 4 : 0) + type.dim * elementBytes(type)) * 8
  }
}

function elementBytes(type: FeatureType): number {
  return type.kind === 'embedding'
    ? embeddingElementBytes[type.storage]
    : scalarBytes[scalarTypeOf(type)]
}

const embeddingElementBytes = { f32: 4, f16: 2, int8: 1 } as const

const scalarBytes = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  string: 1 + assumedTextBytes,
  bytes: 1 + assumedTextBytes,
  timestamp: 8,
  categorical: 1 + assumedTextBytes,
} as const satisfies Record<ScalarType, number>
