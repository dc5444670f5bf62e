/**
 * The closed set of feature types, and which column class carries each.
 *
 * Written in definitions, in proto and in docs as text: `int32`, `list<string>`, `embedding<64, f16>`.
 * A column class is how values of a type are held in memory and on the wire; `proto/larder/v1/column.proto`
 * has the table.
 */

export const scalarTypes = [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'bytes',
  'timestamp',
  'categorical',
] as const
export type ScalarType = (typeof scalarTypes)[number]

export const embeddingStorages = ['f32', 'f16', 'int8'] as const
/** How an embedding's elements are stored; `f16` and `int8` are lossy by declaration. */
export type EmbeddingStorage = (typeof embeddingStorages)[number]

export type FeatureType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'list'; readonly element: ScalarType }
  | { readonly kind: 'embedding'; readonly dim: number; readonly storage: EmbeddingStorage }

/** How a scalar's values are held: f32, f64 and i64 arrays, or one blob and lengths. */
export type ScalarClass = 'f32' | 'f64' | 'i64' | 'var'
export type ColumnClass = ScalarClass | 'list'

export const scalarClasses = {
  bool: 'f32',
  int8: 'f32',
  int16: 'f32',
  int32: 'f64',
  int64: 'i64',
  float32: 'f32',
  float64: 'f64',
  string: 'var',
  bytes: 'var',
  timestamp: 'i64',
  categorical: 'var',
} as const satisfies Record<ScalarType, ScalarClass>

/** The scalar itself, or what the elements of a list or an embedding are read as. */
export function scalarTypeOf(type: FeatureType): ScalarType {
  switch (type.kind) {
    case 'scalar':
      return type.scalar
    case 'list':
      return type.element
    case 'embedding':
      return 'float32'
  }
}

/** The class of a list's or embedding's elements, or of the scalar itself. */
export function elementClassOf(type: FeatureType): ScalarClass {
  return scalarClasses[scalarTypeOf(type)]
}

export function columnClassOf(type: FeatureType): ColumnClass {
  return type.kind === 'scalar' ? scalarClasses[type.scalar] : 'list'
}

/** The type as definitions write it. */
export function formatFeatureType(type: FeatureType): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar
    case 'list':
      return `list<${type.element}>`
    case 'embedding':
      return `embedding<${type.dim}, ${type.storage}>`
  }
}

const listPattern = /^list<\s*([a-z0-9]+)\s*>$/
const embeddingPattern = /^embedding<\s*(\d{1,6})\s*,\s*([a-z0-9]+)\s*>$/

/**
 * Reads a type as definitions write it; undefined where the text is not a type. The bound on `dim` is
 * the caller's to check.
 */
export function parseFeatureType(text: string): FeatureType | undefined {
  const scalar = asScalarType(text)
  if (scalar !== undefined) return { kind: 'scalar', scalar }
  const element = asScalarType(listPattern.exec(text)?.[1])
  if (element !== undefined) return { kind: 'list', element }
  const embedding = embeddingPattern.exec(text)
  const storage = embeddingStorages.find((known) => known === embedding?.[2])
  if (storage === undefined) return undefined
  return { kind: 'embedding', dim: Number(embedding?.[1]), storage }
}

function asScalarType(text: string | undefined): ScalarType | undefined {
  return scalarTypes.find((known) => known === text)
}
