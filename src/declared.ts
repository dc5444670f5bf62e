/**
 * What definitions declare that bytes and models must know too: join keys, defaults, and what becomes of
 * a stale value.
 */
import type { ScalarType } from './feature-type.js'

/** One of an entity's typed, ordered keys. */
export interface JoinKey {
  readonly name: string
  readonly type: ScalarType
}

/** A default, in the form of its type: integers of 64 bits as bigint, bytes as Uint8Array. */
export type DefaultScalar = number | bigint | boolean | string | Uint8Array
export type DefaultValue = DefaultScalar | readonly DefaultScalar[]

/** What a value older than its view's ttl becomes. */
export type OnStale = 'serve' | 'default'
