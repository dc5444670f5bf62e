/**
 * Row layouts and decoders of a snapshot, compiled once each and kept as long as the snapshot is.
 */
import { createRowDecoder, type RowDecoder } from '../codec/row-decode.js'
import { createRowLayout, type RowLayout } from '../codec/row-layout.js'
import { LarderError } from '../errors.js'
import { decodersPerViewMax } from '../limits.js'
import type { FeatureView, Schema } from '../registry/snapshot.js'
import type { WantedFeature } from './plan-read.js'

export interface CompiledView {
  readonly layouts: readonly RowLayout[]
  readonly decoders: Map<string, RowDecoder>
}

/** Views are frozen values: what is compiled of one is kept exactly as long as the view itself. */
const compiledViews = new WeakMap<FeatureView, CompiledView>()

function compiled(view: FeatureView): CompiledView {
  const known = compiledViews.get(view)
  if (known !== undefined) return known
  const layouts = view.layouts.map(({ id, schemaVersion }) => {
    const schema = view.schemas.find((candidate) => candidate.version === schemaVersion)
    if (schema === undefined) {
      throw new LarderError('internal', `layout ${id} of '${view.name}' has no schema`)
    }
    return createRowLayout({ layoutId: id, features: schema.features })
  })
  const fresh = { layouts, decoders: new Map<string, RowDecoder>() }
  compiledViews.set(view, fresh)
  return fresh
}

/** The layout in which rows of a schema version are written: the newest one registered for it. */
export function writeLayoutOf(view: FeatureView, schema: Schema): RowLayout {
  const index = view.layouts.findLastIndex((layout) => layout.schemaVersion === schema.version)
  const layout = compiled(view).layouts[index]
  if (layout === undefined) {
    throw new LarderError('internal', `schema ${schema.version} of '${view.name}' has no layout`)
  }
  return layout
}

/** The decoder of a view's rows, whatever their layout, into `features` in their order. */
export function decoderOf(view: FeatureView, features: readonly WantedFeature[]): RowDecoder {
  const { layouts, decoders } = compiled(view)
  const id = features.map(({ name, feature }) => `${feature.id}=${name}`).join(' ')
  const known = decoders.get(id)
  if (known !== undefined) return known
  const wanted = features.map(({ name, feature }) => ({
    id: feature.id,
    name,
    type: feature.type,
  }))
  const fresh = createRowDecoder(layouts, wanted)
  if (decoders.size >= decodersPerViewMax) decoders.clear()
  decoders.set(id, fresh)
  return fresh
}
