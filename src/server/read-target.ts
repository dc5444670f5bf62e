/**
 * What a GetFeatures request is about: a service or a view, found in a snapshot, cut to the features
 * that were asked for. Pure.
 */

import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import type { FeatureService, FeatureView, Snapshot } from '../registry/snapshot.js'
import type { ReadTarget, WantedFeature, WantedView } from './plan-read.js'

/** The named service. Throws `not_found`. */
export function findService(snapshot: Snapshot, name: string): FeatureService {
  const service = snapshot.services.get(name)
  if (service === undefined) throw unknown('feature service', name, snapshot.services.keys())
  return service
}

/** The named view. Throws `not_found`. */
export function findView(snapshot: Snapshot, name: string): FeatureView {
  const view = snapshot.views.get(name)
  if (view === undefined) throw unknown('feature view', name, snapshot.views.keys())
  return view
}

/** All features of a service in its order, or those named in `only`, in that order. */
export function targetOfService(service: FeatureService, only: readonly string[]): ReadTarget {
  return cut(
    { views: service.views, features: service.features },
    only,
    `service '${service.name}'`,
  )
}

/** All features of a view, named `view.feature`, or those named in `only`. */
export function targetOfView(view: FeatureView, only: readonly string[]): ReadTarget {
  const role = view.name
  const keyColumns = view.entity.keys.map((key) => key.name)
  const features = view.features.map((feature) => ({
    name: `${role}.${feature.name}`,
    role,
    feature,
  }))
  return cut({ views: [{ role, view, keyColumns }], features }, only, `view '${view.name}'`)
}

/** Refuses key columns that no view of the target has: a misspelt key must not go unnoticed. */
export function assertKeysOf(target: ReadTarget, keys: readonly { readonly name: string }[]): void {
  const known = new Set(target.views.flatMap((view) => view.keyColumns))
  for (const { name } of keys) {
    if (known.has(name)) continue
    throw new LarderError(
      'invalid_argument',
      `there is no key column '${name}' (it has ${[...known].join(', ')})${didYouMean(name, known)}`,
    )
  }
}

function cut(all: ReadTarget, only: readonly string[], owner: string): ReadTarget {
  if (only.length === 0) return all
  const byName = new Map(all.features.map((feature) => [feature.name, feature]))
  const seen = new Set<string>()
  const features = only.map((name): WantedFeature => {
    const feature = byName.get(name)
    if (feature === undefined) {
      throw new LarderError(
        'invalid_argument',
        `${owner} has no feature '${name}'${suggestion(name, [...byName.keys()])}`,
      )
    }
    if (seen.has(name))
      throw new LarderError('invalid_argument', `feature '${name}' is asked twice`)
    seen.add(name)
    return feature
  })
  const roles = new Set(features.map((feature) => feature.role))
  return { views: all.views.filter((view: WantedView) => roles.has(view.role)), features }
}

/** A feature is often asked for without its role. */
function suggestion(name: string, known: readonly string[]): string {
  const sameFeature = known.filter((candidate) => candidate.endsWith(`.${name}`))
  if (sameFeature.length === 0) return didYouMean(name, known)
  return `: did you mean ${sameFeature.map((candidate) => `"${candidate}"`).join(' or ')}?`
}

function unknown(kind: string, name: string, known: Iterable<string>): LarderError {
  return new LarderError('not_found', `no ${kind} '${name}'${didYouMean(name, known)}`)
}
