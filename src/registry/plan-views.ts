/**
 * What changes in feature views, and what is given to them: feature ids, schema versions, layouts,
 * generations.
 *
 * A schema version names a set of (feature id, type): it rises when that set changes, and with it one
 * plain layout is registered. Order, defaults, class, ttl and retention are no part of rows, so that a
 * change of them rewrites nothing.
 */
import { assert } from '../assert.js'
import { formatDuration } from '../duration.js'
import { type Change, describeChange } from './change.js'
import type { ViewDefinition } from './definitions.js'
import type { RegistryDocument, ViewRecord } from './document.js'
import { planFeatures } from './plan-features.js'
import type { LatencyClass, Layout, Schema } from './snapshot.js'

/** Layout ids below it mean tombstone and fence, in every view (`codec/row-version.ts`). */
export const firstLayoutId = 2

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
    const hotGeneration = staleHot ? nextGeneration++ : before.hotGeneration
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
  return Object.freeze({
    ...view,
    features: Object.freeze(features),
    nextFeatureId: features.length + 1,
    schemas: Object.freeze([createSchema(1, features)]),
    layouts: Object.freeze([createLayout(firstLayoutId, 1)]),
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
  const lastLayout = before.layouts.at(-1)
  assert(lastSchema !== undefined && lastLayout !== undefined, 'a view has a schema and a layout')
  const schema = createSchema(lastSchema.version + 1, features)
  const layout = createLayout(lastLayout.id + 1, schema.version)
  return Object.freeze({
    ...view,
    features,
    nextFeatureId,
    schemas: sameSet ? before.schemas : Object.freeze([...before.schemas, schema]),
    layouts: sameSet ? before.layouts : Object.freeze([...before.layouts, layout]),
    generation: before.generation,
    hotGeneration,
  })
}

function createSchema(version: number, features: ViewRecord['features']): Schema {
  const stored = features.map(({ id, name, type }) => Object.freeze({ id, name, type }))
  return Object.freeze({ version, features: Object.freeze(stored) })
}

function createLayout(id: number, schemaVersion: number): Layout {
  return Object.freeze({ id, schemaVersion, profile: 'plain' })
}

/** A view's settings as a plan shows them. */
interface SettingTexts {
  readonly entity: string
  readonly latency_class: string
  readonly ttl: string
  readonly retention: string
  readonly on_stale: string
  readonly source: string
}

function settingTexts(view: ViewDefinition): SettingTexts {
  const { source } = view
  return {
    entity: view.entity,
    latency_class: view.latencyClass,
    ttl: formatDuration(view.ttlUs),
    retention: formatDuration(view.retentionUs),
    on_stale: view.onStale,
    source: source === undefined ? 'none' : `${source.path} by ${source.eventTime}`,
  }
}

function settingChanges(before: ViewDefinition, after: ViewDefinition): Change[] {
  const [from, to] = [settingTexts(before), settingTexts(after)]
  const shorter = after.retentionUs < before.retentionUs
  const effects = {
    entity: "stored rows have the old entity's keys: add a new view instead",
    latency_class: classEffects[after.latencyClass],
    ttl: 'takes effect at the next snapshot, on stored rows too; nothing to rewrite',
    retention: shorter
      ? `rows older than ${to.retention} become unreadable at the next snapshot`
      : `rows written from now on are kept for ${to.retention}; older ones may go at ${from.retention}`,
    on_stale: 'takes effect at the next snapshot, on stored rows too; nothing to rewrite',
    source: 'later loads read there; stored rows are not touched',
  } as const satisfies Record<keyof SettingTexts, string>
  const settings = ['entity', 'latency_class', 'ttl', 'retention', 'on_stale', 'source'] as const
  return settings
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

const classEffects = {
  realtime:
    'hot keeps every row from the next snapshot on, and is filled from warm as rows are read',
  standard: 'hot keeps rows that are written or read, from the next snapshot on',
  relaxed: 'served from warm alone from the next snapshot on; copies in hot expire',
} as const satisfies Record<LatencyClass, string>

function viewText(view: ViewDefinition): string {
  const { entity, latency_class, ttl, retention } = settingTexts(view)
  const settings = `entity ${entity}, ${latency_class}, ttl ${ttl}, retention ${retention}`
  return `${settings}, features ${view.features.map(({ name }) => name).join(', ')}`
}
