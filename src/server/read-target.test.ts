import { beforeAll, describe, expect, test } from 'vitest'
import { serviceOf, snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import { emptySnapshot, type Snapshot } from '../registry/snapshot.js'
import {
  assertKeysOf,
  findService,
  findView,
  targetOfService,
  targetOfView,
} from './read-target.js'

const definitions = `
entities: [{ name: airport, keys: { airport: string } }]
feature_views:
  - name: delays
    entity: airport
    latency_class: realtime
    ttl: 1h
    retention: 1d
    features: [{ name: mean, type: float32 }, { name: count, type: int32 }]
feature_services:
  - name: flights
    views:
      - { view: delays, as: origin, keys: { airport: origin } }
      - { view: delays, as: destination, keys: { airport: destination }, features: [mean] }
`

let snapshot: Snapshot
beforeAll(async () => {
  snapshot = await snapshotOf(definitions)
})

const namesOf = (target: ReturnType<typeof targetOfView>) => ({
  roles: target.views.map(({ role }) => role),
  features: target.features.map(({ name }) => name),
})

test.each([
  [[], ['origin', 'destination'], ['origin.mean', 'origin.count', 'destination.mean']],
  [['destination.mean'], ['destination'], ['destination.mean']],
  [
    ['destination.mean', 'origin.count'],
    ['origin', 'destination'],
    ['destination.mean', 'origin.count'],
  ],
])('a service cut to %j', (only, roles, features) => {
  expect(namesOf(targetOfService(serviceOf(snapshot, 'flights'), only))).toEqual({
    roles,
    features,
  })
})

test.each([
  [[], ['delays.mean', 'delays.count']],
  [['delays.count'], ['delays.count']],
])('a view cut to %j is its own role', (only, features) => {
  const target = targetOfView(viewOf(snapshot, 'delays'), only)
  expect(namesOf(target)).toEqual({ roles: ['delays'], features })
  expect(target.views[0]?.keyColumns).toEqual(['airport'])
})

describe('refused', () => {
  test.each([
    [
      ['origin.men'],
      "service 'flights' has no feature 'origin.men': did you mean \"origin.mean\"?",
    ],
    [['mean'], "service 'flights' has no feature 'mean'"],
    [['destination.count'], "service 'flights' has no feature 'destination.count'"],
    [[''], "service 'flights' has no feature ''"],
    [['origin.mean', 'origin.mean'], "feature 'origin.mean' is asked twice"],
  ])('the features %j', (only, message) => {
    expect(() => targetOfService(serviceOf(snapshot, 'flights'), only)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(message),
      }),
    )
  })

  test.each([
    ['flight', 'no feature service \'flight\': did you mean "flights"?'],
    ['', "no feature service ''"],
    ['__proto__', "no feature service '__proto__'"],
  ])('the service %j', (name, message) => {
    expect(() => findService(snapshot, name)).toThrow(
      expect.objectContaining({ code: 'not_found', message }),
    )
  })

  test('any view before one is defined', () => {
    expect(() => findView(emptySnapshot, 'delays')).toThrow("no feature view 'delays'")
    expect(findView(snapshot, 'delays').name).toBe('delays')
  })

  test('a key column that nothing of the target has', () => {
    const target = targetOfService(serviceOf(snapshot, 'flights'), ['origin.mean'])
    expect(() => assertKeysOf(target, [{ name: 'origin' }])).not.toThrow()
    expect(() => assertKeysOf(target, [{ name: 'orign' }])).toThrow(
      'there is no key column \'orign\' (it has origin): did you mean "origin"?',
    )
  })
})
