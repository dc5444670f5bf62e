/**
 * What changes in the features of a view that stays: which keep their ids, and which are given new ones.
 */
import { formatFeatureType } from '../feature-type.js'
import { type Change, describeChange } from './change.js'
import { formatDefault } from './default-value.js'
import type { FeatureDefinition } from './definitions.js'
import type { ViewRecord } from './document.js'
import type { Feature } from './snapshot.js'

export interface PlannedFeatures {
  /** In declared order, each with its id. */
  readonly features: readonly Feature[]
  readonly nextFeatureId: number
  readonly changes: readonly Change[]
}

const addEffect = 'rows written before it have no value for it (NOT_FOUND); nothing to rewrite'
const dropEffect =
  'its stored values become unreadable at the next snapshot; added again, it starts empty'
const typeEffect =
  'stored values have the old type, and a new generation is not supported yet: add it by a new name'
const defaultEffect = 'takes effect at the next snapshot, on stored rows too; nothing to rewrite'
const orderEffect = 'changes the order in answers, from the next snapshot on; nothing to rewrite'

/** Plans the features `next` over those of the view `before`. */
export function planFeatures(
  before: ViewRecord,
  next: readonly FeatureDefinition[],
): PlannedFeatures {
  const kind = 'feature'
  const changes: Change[] = []
  const features: Feature[] = []
  const known = new Map(before.features.map((feature) => [feature.name, feature]))
  let { nextFeatureId } = before
  for (const feature of next) {
    const old = known.get(feature.name)
    known.delete(feature.name)
    features.push(Object.freeze({ id: old?.id ?? nextFeatureId++, ...feature }))
    const name = `${before.name}.${feature.name}`
    const after = featureText(feature)
    if (old === undefined) {
      changes.push(describeChange({ action: 'add', kind, name, after, effect: addEffect }))
    } else if (featureText(old) !== after) {
      const sameType = formatFeatureType(old.type) === formatFeatureType(feature.type)
      const action = sameType ? 'change' : 'refused'
      const effect = sameType ? defaultEffect : typeEffect
      const texts = { before: featureText(old), after }
      changes.push(describeChange({ action, kind, name, ...texts, effect }))
    }
  }
  for (const feature of known.values()) {
    const name = `${before.name}.${feature.name}`
    const texts = { before: featureText(feature), effect: dropEffect }
    changes.push(describeChange({ action: 'drop', kind, name, ...texts }))
  }
  changes.push(...orderChange(before, features))
  return { features: Object.freeze(features), nextFeatureId, changes }
}

/** Told only where the features that stay stand in another order. */
function orderChange(before: ViewRecord, features: readonly Feature[]): Change[] {
  const stay = new Set(features.map(({ id }) => id))
  const old = before.features.filter(({ id }) => stay.has(id))
  const oldIds = new Set(old.map(({ id }) => id))
  const kept = features.filter(({ id }) => oldIds.has(id))
  if (old.every(({ id }, index) => kept[index]?.id === id)) return []
  const names = (list: readonly Feature[]) => list.map(({ name }) => name).join(', ')
  return [
    describeChange({
      action: 'change',
      kind: 'feature view',
      name: before.name,
      before: `order ${names(old)}`,
      after: `order ${names(kept)}`,
      effect: orderEffect,
    }),
  ]
}

function featureText({ type, defaultValue }: FeatureDefinition): string {
  const text = formatFeatureType(type)
  if (defaultValue === undefined) return text
  return `${text} default ${formatDefault(type, defaultValue)}`
}
