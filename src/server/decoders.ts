/**
 * Row layouts and decoders, compiled once each: a decoder is kept as long as its snapshot is, a layout
 * for as long as it is registered, whatever else changes. A view may have very many layouts.
 */
import { createRowDecoder, type RowDecoder } from '../codec/row-decode.js'
import { createRowLayout, type RowLayout } from '../codec/row-layout.js'
import { LarderError } from '../errors.js'
import { decodersPerViewMax } from '../limits.js'
import type { FeatureView, Layout, Schema } from '../registry/snapshot.js'
import type { WantedFeature } from './plan-read.js'

export interface CompiledView {
  readonly layouts: readonly RowLayout[]
  readonly decoders: Map<string, RowDecoder>
}

/** Views and layouts are frozen values: what is compiled of one is kept exactly as long as it is. */
const compiledViews = new WeakMap<FeatureView, CompiledView>()
const compiledLayouts = new WeakMap<Layout, RowLayout>()

function compiled(view: FeatureView): CompiledView {
  const known = compiledViews.get(view)
  if (known !== undefined) return known
  const layouts = view.layouts.map((layout) => compileLayout(view, layout))
  const fresh = { layouts, decoders: new Map<string, RowDecoder>() }
  compiledViews.set(view, fresh)
  return fresh
}

function compileLayout(view: FeatureView, layout: Layout): RowLayout {
  const known = compiledLayouts.get(layout)
  if (known !== undefined) return known
  const { id: layoutId, schemaVersion, versionFormat, profile } = layout
  const schema = view.schemas.find((candidate) => candidate.version === schemaVersion)
  if (schema === undefined) {
    throw new LarderError('internal', `layout ${layoutId} of '${view.name}' has no schema`)
  }
  const { features } = schema
  const fresh = createRowLayout({ layoutId, features, versionFormat, profile })
  compiledLayouts.set(layout, fresh)
  return fresh
}

/**
 * The layouts in which rows of a schema version and a sequence are written, each row in the first that
 * can hold it: those of the load that has the sequence, the newest learned one, the plain one.
 */
export function writeLayoutsOf(
  view: FeatureView,
  schema: Schema,
  sequence: bigint,
): readonly RowLayout[] {
  const ofSchema = view.layouts.filter((layout) => layout.schemaVersion === schema.version)
  const inFull = ofSchema.filter(({ versionFormat }) => versionFormat === 'full')
  const ofLoad = ofSchema.filter(
    ({ versionFormat }) => versionFormat !== 'full' && versionFormat.sequence === sequence,
  )
  const learned = inFull.findLast(({ profile }) => profile !== undefined)
  const plain = inFull.find(({ profile }) => profile === undefined)
  if (plain === undefined) {
    throw new LarderError(
      'internal',
      `schema ${schema.version} of '${view.name}' has no plain layout`,
    )
  }
  const wanted = [...ofLoad.reverse(), ...(learned === undefined ? [] : [learned]), plain]
  return wanted.map((layout) => compileLayout(view, layout))
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
