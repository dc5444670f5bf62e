/**
 * From a stored document to the snapshot that requests use: references become objects, once.
 *
 * Layouts are the same objects from snapshot to snapshot, so that what was compiled of one is kept.
 */
import { assert } from '../assert.js'
import type { JoinKey } from '../declared.js'
import type { EncodingProfile } from '../encoding-profile.js'
import type { ServiceDefinition } from './definitions.js'
import type { RegistryDocument, ViewRecord } from './document.js'
import type { LayoutRecord } from './layout-json.js'
import { plainProfileId } from './plan-layout.js'
import type {
  Entity,
  FeatureService,
  FeatureView,
  Layout,
  ServiceFeature,
  ServiceView,
  Snapshot,
} from './snapshot.js'

/**
 * The frozen snapshot of `document`, whose references were checked when it was planned. `before` is an
 * earlier one of the same registry, or an empty one.
 */
export function buildSnapshot(document: RegistryDocument, before: Snapshot): Snapshot {
  const entities = byName(document.entities)
  const views = byName(
    document.views.map((view) => buildView(view, entities, before.views.get(view.name))),
  )
  const services = byName(document.services.map((service) => buildService(service, views)))
  return Object.freeze({ version: document.version, entities, views, services })
}

function byName<Item extends { readonly name: string }>(
  items: readonly Item[],
): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]))
}

function buildView(
  record: ViewRecord,
  entities: ReadonlyMap<string, Entity>,
  before: FeatureView | undefined,
): FeatureView {
  const { nextFeatureId: _id, profiles, ...view } = record
  // Under one generation a layout's id means one thing for ever.
  const known = before?.generation === record.generation ? before.layouts : []
  const layouts = record.layouts.map(
    (layout, index) => known[index] ?? buildLayout(layout, profiles),
  )
  return Object.freeze({
    ...view,
    entity: get(entities, record.entity),
    layouts: Object.freeze(layouts),
  })
}

function buildLayout(
  { profileId, ...layout }: LayoutRecord,
  profiles: readonly EncodingProfile[],
): Layout {
  const profile = profileId === plainProfileId ? undefined : profiles[profileId - 1]
  assert(profileId === plainProfileId || profile !== undefined, 'a layout has a stored profile')
  return Object.freeze({ ...layout, profile })
}

function buildService(
  service: ServiceDefinition,
  views: ReadonlyMap<string, FeatureView>,
): FeatureService {
  const serviceViews: ServiceView[] = []
  const features: ServiceFeature[] = []
  const keys = new Map<string, JoinKey>()
  for (const { role, view: viewName, keyColumns, features: featureNames } of service.views) {
    const view = get(views, viewName)
    serviceViews.push(Object.freeze({ role, view, keyColumns }))
    for (const [index, { type }] of view.entity.keys.entries()) {
      const name = keyColumns[index]
      assert(name !== undefined, `service ${service.name} maps every join key of ${viewName}`)
      if (!keys.has(name)) keys.set(name, Object.freeze({ name, type }))
    }
    const viewFeatures = byName(view.features)
    for (const featureName of featureNames) {
      const feature = get(viewFeatures, featureName)
      features.push(Object.freeze({ name: `${role}.${featureName}`, role, view, feature }))
    }
  }
  return Object.freeze({
    name: service.name,
    views: Object.freeze(serviceViews),
    keys: Object.freeze([...keys.values()]),
    features: Object.freeze(features),
  })
}

function get<Item>(items: ReadonlyMap<string, Item>, name: string): Item {
  const item = items.get(name)
  assert(item !== undefined, `a stored document refers only to what it holds, not to ${name}`)
  return item
}
