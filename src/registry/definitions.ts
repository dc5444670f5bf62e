/**
 * Definitions: what the files of a folder say, as plain values, every reference checked.
 *
 * They carry no ids, versions or generations: those are given by `plan-definitions.ts`.
 */
import type { Entity, Feature, FeatureView, ViewSource } from './snapshot.js'

/** A file as it was written. */
export interface DefinitionFile {
  readonly path: string
  readonly text: string
}

export type EntityDefinition = Entity
export type FeatureDefinition = Omit<Feature, 'id'>

export interface ViewDefinition
  extends Pick<
    FeatureView,
    | 'name'
    | 'latencyClass'
    | 'ttlUs'
    | 'retentionUs'
    | 'onStale'
    | 'packing'
    | 'expectedEntityCount'
  > {
  readonly entity: string
  readonly features: readonly FeatureDefinition[]
  readonly source: ViewSource | undefined
}

/** A view in a service. */
export interface ServiceViewDefinition {
  readonly role: string
  readonly view: string
  /** For each of the entity's join keys, in order, the request's key column. */
  readonly keyColumns: readonly string[]
  readonly features: readonly string[]
}

export interface ServiceDefinition {
  readonly name: string
  readonly views: readonly ServiceViewDefinition[]
}

export interface Definitions {
  readonly entities: readonly EntityDefinition[]
  readonly views: readonly ViewDefinition[]
  readonly services: readonly ServiceDefinition[]
}
