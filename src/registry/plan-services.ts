/**
 * What changes in feature services. No rows depend on them: only requests and models do.
 */
import { type Change, describeChange } from './change.js'
import type { ServiceDefinition } from './definitions.js'

const kind = 'feature service'

/** The changes from the services `current` to `next`. */
export function planServices(
  current: readonly ServiceDefinition[],
  next: readonly ServiceDefinition[],
): Change[] {
  const changes: Change[] = []
  const known = new Map(current.map((service) => [service.name, service]))
  for (const service of next) {
    const { name } = service
    const before = known.get(name)
    known.delete(name)
    const after = serviceText(service)
    if (before === undefined) {
      const effect = 'takes effect at the next snapshot'
      changes.push(describeChange({ action: 'add', kind, name, after, effect }))
    } else if (serviceText(before) !== after) {
      const effect = 'requests follow it from the next snapshot on; models are bound to it again'
      const texts = { before: serviceText(before), after }
      changes.push(describeChange({ action: 'change', kind, name, ...texts, effect }))
    }
  }
  for (const service of known.values()) {
    const effect = 'requests and models that name it fail from the next snapshot on'
    const before = serviceText(service)
    changes.push(describeChange({ action: 'drop', kind, name: service.name, before, effect }))
  }
  return changes
}

/** Everything a service says, so that equal texts mean equal services. */
function serviceText({ views }: ServiceDefinition): string {
  return views
    .map(({ role, view, keyColumns, features }) => {
      const name = role === view ? role : `${role} = ${view}`
      return `${name}(${keyColumns.join(', ')}): ${features.join(', ')}`
    })
    .join('; ')
}
