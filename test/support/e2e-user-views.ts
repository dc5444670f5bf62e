/**
 * Two small views of two entities, and the columns that tests of wrong requests are made of.
 */
import { column, type RequestColumn } from '../../src/client/index.js'

export const userDefinitions = `
entities:
  - { name: user, keys: { user: string } }
  - { name: visit, keys: { user: string, page: int32 } }
feature_views:
  - name: profile
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 2d
    features:
      - { name: age, type: int16 }
      - { name: word, type: string }
      - { name: path, type: "list<int32>" }
      - { name: face, type: "embedding<2, f32>" }
  - name: visits
    entity: visit
    latency_class: relaxed
    ttl: 1h
    retention: 2d
    features: [{ name: seconds, type: int16 }]
feature_services:
  - { name: everything, views: [{ view: profile }, { view: visits }] }
`

export const users = (...names: readonly string[]) => column.strings('user', names)
export const pages = (...numbers: readonly number[]) => column.int32('page', numbers)

/** A text column of `data` cut into `lengths`, whether or not that makes sense. */
export function textColumn(
  name: string,
  data: readonly number[],
  lengths: readonly number[],
  status?: Uint8Array,
): RequestColumn {
  const value = {
    data: Buffer.from(data),
    lengths: Buffer.from(Uint32Array.from(lengths).buffer),
  }
  return column.fromWire(name, { $case: 'var', value }, status)
}
