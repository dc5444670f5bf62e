/**
 * Row layouts: which features stand in a row, in which order, compiled once for the native codec.
 *
 * `docs/formats/row-v1.md` draws the row. Layouts are immutable, and their ids belong to a view:
 * the same id in another view is another layout.
 */
import { assert } from '../assert.js'
import { embeddingStorages, type FeatureType, scalarTypes } from '../feature-type.js'
import { loadAddon, type NativeRowLayout } from '../native.js'
import { firstLayoutId } from './row-version.js'

/** A feature as rows know it: by its permanent id. */
export interface RowFeature {
  readonly id: number
  readonly type: FeatureType
}

export interface RowLayout {
  readonly layoutId: number
  /** In the order in which their values stand in a row. */
  readonly features: readonly RowFeature[]
  readonly native: NativeRowLayout
}

const layoutIdMax = 0xffff_ffff

/** The layout of rows that start with `layoutId`. */
export function createRowLayout(definition: {
  readonly layoutId: number
  readonly features: readonly RowFeature[]
}): RowLayout {
  const { layoutId } = definition
  assert(Number.isInteger(layoutId) && layoutId <= layoutIdMax, 'a layout id is a u32')
  assert(layoutId >= firstLayoutId, 'the first layout ids have a meaning of their own')
  const features = definition.features.map(({ id, type }) => Object.freeze({ id, type }))
  const native = loadAddon().createRowLayout(layoutId, featureNumbers(features))
  return Object.freeze({ layoutId, features: Object.freeze(features), native })
}

const shapeCodes = { scalar: 0, list: 1, embedding: 2 } as const satisfies Record<
  FeatureType['kind'],
  number
>

/** Features as the addon takes them: id, shape, scalar, embedding storage, dim. */
export function featureNumbers(features: readonly RowFeature[]): Uint32Array {
  const ids = new Set(features.map((feature) => feature.id))
  assert(ids.size === features.length, 'a feature stands in a row once')
  return Uint32Array.from(features.flatMap(({ id, type }) => [id, ...typeNumbers(type)]))
}

function typeNumbers(type: FeatureType): number[] {
  const shape = shapeCodes[type.kind]
  switch (type.kind) {
    case 'scalar':
      return [shape, scalarTypes.indexOf(type.scalar), 0, 0]
    case 'list':
      return [shape, scalarTypes.indexOf(type.element), 0, 0]
    case 'embedding':
      return [
        shape,
        scalarTypes.indexOf('float32'),
        embeddingStorages.indexOf(type.storage),
        type.dim,
      ]
  }
}
