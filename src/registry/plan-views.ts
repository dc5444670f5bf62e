/**
 * What changes in feature views, and what is given to them: feature ids, schema versions, layouts,
 * generations.
 *
 * A schema version names a set of (feature id, type): it rises when that set changes, and with it a
 * plain layout is registered and, where the view has learned, one of its newest profile. Order, defaults,
 * class, ttl and retention are no part of rows, so that a change of them rewrites nothing; a packing
 * decides where rows lie in hot, and a new one gives them a new name there.
 */
import { assert } from '../assert.js'
import { formatDuration } from '../duration.js'
import { type Change, describeChange } from './change.js'
import type { ViewDefinition } from './definitions.js'
import type { RegistryDocument, ViewRecord } from './document.js'
import { planFeatures } from './plan-features.js'
import { withSchemaLayouts } from './plan-layout.js'
import type { LatencyClass, Schema } from './snapshot.js'

export interface PlannedViews {
  readonly records: readonly ViewRecord[]
  readonly nextGeneration: number
  readonly changes: readonly Change[]
}

const kind = 'feature view'

/** Plans the views `next` over those of `current`. */
export function planViews(
  current: RegistryDocument,
  next: readonly ViewDefinition[],
): PlannedViews {
  const changes: Change[] = []
  const records: ViewRecord[] = []
  const known = new Map(current.views.map((view) => [view.name, view]))
  let { nextGeneration } = current
  for (const view of next) {
    const before = known.get(view.name)
    known.delete(view.name)
    if (before === undefined) {
      records.push(addView(view, nextGeneration++))
      const effect = 'takes effect at the next snapshot; it has no rows until they are written'
      const after = viewText(view)
      changes.push(describeChange({ action: 'add', kind, name: view.name, after, effect }))
      continue
    }
    const features = planFeatures(before, view.features)
    const staleHot = before.latencyClass === 'relaxed' && view.latencyClass !== 'relaxed'
    const repacked = packingText(before) !== packingText(view)
    const hotGeneration = staleHot || repacked ? nextGeneration++ : before.hotGeneration
    records.push(changeView(before, view, { ...features, hotGeneration }))
    changes.push(...settingChanges(before, view), ...features.changes)
  }
  for (const view of known.values()) {
    const effect =
      'all its rows become unreadable at the next snapshot; added again, it starts empty'
    const before = viewText(view)
    changes.push(describeChange({ action: 'drop', kind, name: view.name, before, effect }))
  }
  return { records: Object.freeze(records), nextGeneration, changes }
}

function addView(view: ViewDefinition, generation: number): ViewRecord {
  const features = view.features.map((feature, index) => ({ id: index + 1, ...feature }))
  const schema = createSchema(1, features)
  return Object.freeze({
    ...view,
    features: Object.freeze(features),
    nextFeatureId: features.length + 1,
    schemas: Object.freeze([schema]),
    profiles: Object.freeze([]),
    layouts: withSchemaLayouts({ profiles: [], layouts: [] }, schema),
    generation,
    hotGeneration: generation,
  })
}

function changeView(
  before: ViewRecord,
  view: ViewDefinition,
  given: Pick<ViewRecord, 'features' | 'nextFeatureId' | 'hotGeneration'>,
): ViewRecord {
  const { features, nextFeatureId, hotGeneration } = given
  const ids = new Set(before.features.map(({ id }) => id))
  const sameSet = ids.size === features.length && features.every(({ id }) => ids.has(id))
  const lastSchema = before.schemas.at(-1)
  assert(lastSchema !== undefined, 'a view has a schema')
  const schema = createSchema(lastSchema.version + 1, features)
  return Object.freeze({
    ...view,
    features,
    nextFeatureId,
    schemas: sameSet ? before.schemas : Object.freeze([...before.schemas, schema]),
    profiles: before.profiles,
    layouts: sameSet ? before.layouts : withSchemaLayouts(before, schema),
    generation: before.generation,
    hotGeneration,
  })
}

function createSchema(version: number, features: ViewRecord['features']): Schema {
  const stored = features.map(({ id, name, type }) => Object.freeze({ id, name, type }))
  return Object.freeze({ version, features: Object.freeze(stored) })
}

/** A view's settings as a plan shows them. */
interface SettingTexts {
  readonly entity: string
  readonly latency_class: string
  readonly ttl: string
  readonly retention: string
  readonly on_stale: string
  readonly packing: string
  readonly expected_entities: string
  readonly source: string
}

function settingTexts(view: ViewDefinition): SettingTexts {
  const { source, expectedEntityCount } = view
  return {
    entity: view.entity,
    latency_class: view.latencyClass,
    ttl: formatDuration(view.ttlUs),
    retention: formatDuration(view.retentionUs),
    on_stale: view.onStale,
    packing: packingText(view),
    expected_entities: expectedEntityCount === undefined ? 'none' : String(expectedEntityCount),
    source: source === undefined ? 'none' : `${source.path} by ${source.eventTime}`,
  }
}

function packingText({ packing }: Pick<ViewDefinition, 'packing'>): string {
  return packing.kind === 'string' ? 'string' : `bucket (${packing.bucketCount} buckets)`
}

function settingChanges(before: ViewDefinition, after: ViewDefinition): Change[] {
  const [from, to] = [settingTexts(before), settingTexts(after)]
  const shorter = after.retentionUs < before.retentionUs
  const isBackInHot = before.latencyClass === 'relaxed' && after.latencyClass !== 'relaxed'
  const effects = {
    entity: "stored rows have the old entity's keys: add a new view instead",
    latency_class: classEffects[after.latencyClass] + (isBackInHot ? `; ${pauseWrites}` : ''),
    ttl: 'takes effect at the next snapshot, on stored rows too; nothing to rewrite',
    retention: shorter
      ? `rows older than ${to.retention} become unreadable at the next snapshot`
      : `rows written from now on are kept for ${to.retention}; older ones may go at ${from.retention}`,
    on_stale: 'takes effect at the next snapshot, on stored rows too; nothing to rewrite',
    packing: `hot is filled anew from reads and loads; rows under the old packing expire there; ${pauseWrites}`,
    expected_entities:
      'advice and the number of buckets follow it; nothing to rewrite for it alone',
    source: 'later loads read there; stored rows are not touched',
  } as const satisfies Record<keyof SettingTexts, string>
  return settingNames
    .filter((setting) => from[setting] !== to[setting])
    .map((setting) =>
      describeChange({
        action: setting === 'entity' ? 'refused' : 'change',
        kind,
        name: after.name,
        before: `${setting} ${from[setting]}`,
        after: `${setting} ${to[setting]}`,
        effect: effects[setting],
      }),
    )
}

const settingNames = [
  'entity',
  'latency_class',
  'ttl',
  'retention',
  'on_stale',
  'packing',
  'expected_entities',
  'source',
] as const

/** Why: docs/decisions/0002-hot-generation.md. */
const pauseWrites =
  'pause writes for a second meanwhile: daemons take it up one by one, and hot may keep an older row ' +
  'than warm'

const classEffects = {
  realtime:
    'hot keeps every row from the next snapshot on, and is filled from warm as rows are read',
  standard: 'hot keeps rows that are written or read, from the next snapshot on',
  relaxed: 'served from warm alone from the next snapshot on; copies in hot expire',
} as const satisfies Record<LatencyClass, string>

function viewText(view: ViewDefinition): string {
  const { entity, latency_class, ttl, retention, packing } = settingTexts(view)
  const packed = view.packing.kind === 'string' ? '' : `, packing ${packing}`
  const settings = `entity ${entity}, ${latency_class}, ttl ${ttl}, retention ${retention}${packed}`
  return `${settings}, features ${view.features.map(({ name }) => name).join(', ')}`
}
