/**
 * A registry snapshot: everything that is defined, as one frozen value.
 *
 * A request takes the current snapshot once and uses it to its end; a daemon swaps to a newer one
 * between requests. All times are microseconds, like event times.
 */
import type { DefaultValue, JoinKey, OnStale } from '../declared.js'
import type { EncodingProfile } from '../encoding-profile.js'
import type { FeatureType } from '../feature-type.js'
import type { Packing } from '../packing.js'
import type { VersionFormat } from '../version-format.js'

export type LatencyClass = 'realtime' | 'standard' | 'relaxed'

export interface Entity {
  readonly name: string
  /** In declared order, which is their order in entity keys. */
  readonly keys: readonly JoinKey[]
}

export interface Feature {
  /** Permanent within its view's life, never given again. */
  readonly id: number
  readonly name: string
  readonly type: FeatureType
  /** Undefined where none is declared. */
  readonly defaultValue: DefaultValue | undefined
}

/** The features of one schema version, in the order in which their values stand in rows. */
export interface Schema {
  readonly version: number
  readonly features: readonly Pick<Feature, 'id' | 'name' | 'type'>[]
}

/** A registered row layout of a view. */
export interface Layout {
  readonly id: number
  readonly schemaVersion: number
  /** Undefined where its rows are plain. */
  readonly profile: EncodingProfile | undefined
  readonly versionFormat: VersionFormat
}

/** The profile that a view learned last; undefined where it has learned none. */
export function newestProfile({ layouts }: FeatureView): EncodingProfile | undefined {
  let newest: EncodingProfile | undefined
  for (const { profile } of layouts) {
    if (profile !== undefined && profile.id > (newest?.id ?? 0)) newest = profile
  }
  return newest
}

export interface ViewSource {
  readonly path: string
  /** The column that holds event times. */
  readonly eventTime: string
}

export interface FeatureView {
  readonly name: string
  readonly entity: Entity
  readonly latencyClass: LatencyClass
  readonly ttlUs: bigint
  readonly retentionUs: bigint
  readonly onStale: OnStale
  /** In declared order. */
  readonly features: readonly Feature[]
  /** Every schema version ever registered and still readable, oldest first; the last is current. */
  readonly schemas: readonly Schema[]
  /** Oldest first, ids without gaps from `firstLayoutId`; each schema version has a plain one. */
  readonly layouts: readonly Layout[]
  /** How its rows lie in a Redis hot tier. */
  readonly packing: Packing
  /** About how many entities it has, as its definition says; undefined where that does not say. */
  readonly expectedEntityCount: number | undefined
  /** Names this view's rows in warm; never given again. */
  readonly generation: number
  /** Names its rows in hot: a new number whenever rows left in hot may be older than those in warm. */
  readonly hotGeneration: number
  readonly source: ViewSource | undefined
}

/** A feature of a service: which view in which role, and its name there, `role.feature`. */
export interface ServiceFeature {
  readonly name: string
  readonly role: string
  readonly view: FeatureView
  readonly feature: Feature
}

/** A view in a service, under a role. */
export interface ServiceView {
  readonly role: string
  readonly view: FeatureView
  /** For each of the entity's join keys, in order, the request's key column. */
  readonly keyColumns: readonly string[]
}

export interface FeatureService {
  readonly name: string
  readonly views: readonly ServiceView[]
  /** The key columns a request carries, in order of first use. */
  readonly keys: readonly JoinKey[]
  readonly features: readonly ServiceFeature[]
}

export interface Snapshot {
  /** The registry version; 0 before anything was applied. */
  readonly version: number
  readonly entities: ReadonlyMap<string, Entity>
  readonly views: ReadonlyMap<string, FeatureView>
  readonly services: ReadonlyMap<string, FeatureService>
}

/** What a daemon serves before anything was applied. */
export const emptySnapshot: Snapshot = Object.freeze({
  version: 0,
  entities: new Map(),
  views: new Map(),
  services: new Map(),
})
