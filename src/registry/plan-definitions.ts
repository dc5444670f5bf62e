/**
 * What a set of definitions would change: pure, from the current document and the new definitions to
 * the next document and a list of changes in words.
 *
 * Ids are given here and never again: feature ids within a view's life, generations for ever. What is
 * renamed is dropped and added. What would need rows to be rewritten is refused, since no row is ever
 * read by another type or key than it was written with.
 */
import { type Change, describeChange } from './change.js'
import type { DefinitionFile, Definitions, EntityDefinition } from './definitions.js'
import type { RegistryDocument } from './document.js'
import { planServices } from './plan-services.js'
import { planViews } from './plan-views.js'

export interface PlannedDefinitions {
  /** The next version; the current one where nothing changes; undefined where a change is refused. */
  readonly document: RegistryDocument | undefined
  readonly changes: readonly Change[]
}

/** Plans `next`, read from `files`, over `current`. */
export function planDefinitions(
  current: RegistryDocument,
  next: Definitions,
  files: readonly DefinitionFile[],
): PlannedDefinitions {
  const views = planViews(current, next.views)
  const changes = Object.freeze([
    ...planEntities(current, next),
    ...views.changes,
    ...planServices(current.services, next.services),
  ])
  if (changes.length === 0) return { document: current, changes }
  if (changes.some(({ action }) => action === 'refused')) return { document: undefined, changes }
  const document: RegistryDocument = Object.freeze({
    version: current.version + 1,
    files,
    nextGeneration: views.nextGeneration,
    entities: next.entities,
    views: views.records,
    services: next.services,
  })
  return { document, changes }
}

function planEntities(current: RegistryDocument, next: Definitions): Change[] {
  const kind = 'entity'
  const changes: Change[] = []
  const known = new Map(current.entities.map((entity) => [entity.name, entity]))
  for (const entity of next.entities) {
    const before = known.get(entity.name)
    known.delete(entity.name)
    const after = keysText(entity)
    const { name } = entity
    if (before === undefined) {
      const effect = 'takes effect at the next snapshot'
      changes.push(describeChange({ action: 'add', kind, name, after, effect }))
    } else if (keysText(before) !== after) {
      const views = viewsThatStay(name, current, next)
      const refused = `stored rows of ${views.join(', ')} have the old keys: add a new entity with new views`
      const [action, effect] =
        views.length > 0
          ? (['refused', refused] as const)
          : (['change', 'no rows are stored under it'] as const)
      changes.push(describeChange({ action, kind, name, before: keysText(before), after, effect }))
    }
  }
  for (const entity of known.values()) {
    const effect = 'is gone at the next snapshot'
    const before = keysText(entity)
    changes.push(describeChange({ action: 'drop', kind, name: entity.name, before, effect }))
  }
  return changes
}

/** The views of an entity that have rows now and will still be there. */
function viewsThatStay(
  entityName: string,
  current: RegistryDocument,
  next: Definitions,
): readonly string[] {
  const names = new Set(next.views.map((view) => view.name))
  return current.views
    .filter((view) => view.entity === entityName && names.has(view.name))
    .map((view) => view.name)
}

function keysText({ keys }: EntityDefinition): string {
  return keys.map(({ name, type }) => `${name} ${type}`).join(', ')
}
