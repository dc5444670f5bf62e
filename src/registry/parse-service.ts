/**
 * The views of a feature service: roles, key columns and features, each checked against its view.
 */
import { didYouMean, didYouMeanOrKnown } from '../closest-name.js'
import type { JoinKey } from '../declared.js'
import { featuresPerServiceMax, featuresPerViewMax, viewsPerServiceMax } from '../limits.js'
import { formatPosition, type Position, type ProblemList } from '../problems.js'
import { quoteText } from '../quoted-text.js'
import type { YamlNode } from '../yaml-document.js'
import { entriesOf, type Field, itemsOf, readFields, readValue } from '../yaml-fields.js'
import { nameSchema, serviceViewShape } from './definition-schemas.js'
import type { EntityDefinition, ServiceViewDefinition, ViewDefinition } from './definitions.js'
import { checkCount, type Known } from './known-names.js'

export interface ServiceContext {
  readonly entities: Known<EntityDefinition>
  readonly views: Known<ViewDefinition>
  readonly problems: ProblemList
}

/** Where a role or a key column was first named. */
interface FirstUses {
  readonly roles: Map<string, Position>
  readonly columns: Map<string, { readonly key: JoinKey; readonly at: Position }>
}

/** Reads the field `views` of a service. */
export function readServiceViews(
  list: Field<unknown>,
  context: ServiceContext,
): readonly ServiceViewDefinition[] {
  const nodes = itemsOf(list.node)
  const firstUses: FirstUses = { roles: new Map(), columns: new Map() }
  const views: ServiceViewDefinition[] = []
  for (const node of nodes) {
    const view = readServiceView(node, firstUses, context)
    if (view !== undefined) views.push(view)
  }
  checkCount(list, { count: nodes.length, countMax: viewsPerServiceMax }, context.problems)
  const featureCount = views.reduce((sum, { features }) => sum + features.length, 0)
  if (featureCount > featuresPerServiceMax) {
    const most = `at most ${featuresPerServiceMax} are allowed`
    context.problems.add(list.at, `the service has ${featureCount} features: ${most}`)
  }
  return Object.freeze(views)
}

function readServiceView(
  node: YamlNode,
  firstUses: FirstUses,
  context: ServiceContext,
): ServiceViewDefinition | undefined {
  const { problems } = context
  const fields = readFields(node, serviceViewShape, problems)
  checkRole(fields.as.node === undefined ? fields.view : fields.as, firstUses, problems)
  const view = context.views.find(fields.view)
  const entity = view && context.entities.find({ ...fields.view, value: view.entity })
  if (view === undefined || entity === undefined) return undefined
  return Object.freeze({
    role: fields.as.value ?? view.name,
    view: view.name,
    keyColumns: readKeyColumns(fields, { entity, firstUses, problems }),
    features: readFeatureNames(fields.features, view, problems),
  })
}

function checkRole(
  role: Field<string | undefined>,
  { roles }: FirstUses,
  problems: ProblemList,
): void {
  if (role.value === undefined) return
  const first = roles.get(role.value)
  if (first === undefined) {
    roles.set(role.value, role.at)
    return
  }
  const where = formatPosition(first)
  problems.add(role.at, `role "${role.value}" is already used at ${where}: give another with "as"`)
}

function readKeyColumns(
  fields: { readonly keys: Field<unknown>; readonly view: Field<string> },
  context: {
    readonly entity: EntityDefinition
    readonly firstUses: FirstUses
    readonly problems: ProblemList
  },
): readonly string[] {
  const { entity, firstUses, problems } = context
  const entries = entriesOf(fields.keys.node)
  const joinKeyNames = entity.keys.map((key) => key.name)
  for (const [name, { keyAt }] of entries) {
    if (joinKeyNames.includes(name)) continue
    const hint = didYouMeanOrKnown(name, joinKeyNames)
    problems.add(keyAt, `entity "${entity.name}" has no join key ${quoteText(name)}${hint}`)
  }
  const columns: string[] = []
  for (const key of entity.keys) {
    const entry = entries.get(key.name)
    if (entry === undefined && fields.keys.value !== undefined) {
      const what = `join key "${key.name}" of entity "${entity.name}"`
      problems.add(fields.keys.at, `${what} is not mapped to a key column`)
    }
    const column = entry === undefined ? key.name : readValue(entry.node, nameSchema, problems)
    if (column === undefined) continue
    columns.push(column)
    checkColumnType({ column, key, at: entry?.node.at ?? fields.view.at }, firstUses, problems)
  }
  return Object.freeze(columns)
}

/** A request carries each key column once, with one type. */
function checkColumnType(
  use: { readonly column: string; readonly key: JoinKey; readonly at: Position },
  { columns }: FirstUses,
  problems: ProblemList,
): void {
  const { column, key, at } = use
  const first = columns.get(column)
  if (first === undefined) {
    columns.set(column, { key, at })
  } else if (first.key.type !== key.type) {
    const where = formatPosition(first.at)
    problems.add(
      at,
      `key column "${column}" is ${key.type} here, but ${first.key.type} at ${where}`,
    )
  }
}

/** The features named, or all of the view's where none are. */
function readFeatureNames(
  list: Field<unknown>,
  view: ViewDefinition,
  problems: ProblemList,
): readonly string[] {
  const known = new Set(view.features.map((feature) => feature.name))
  if (list.node === undefined) return Object.freeze([...known])
  const firstAt = new Map<string, Position>()
  for (const item of itemsOf(list.node)) {
    const name = readValue(item, nameSchema, problems)
    if (name === undefined) continue
    const first = firstAt.get(name)
    if (first !== undefined) {
      problems.add(item.at, `feature "${name}" is already listed at ${formatPosition(first)}`)
    } else if (!known.has(name)) {
      const what = `feature view "${view.name}" has no feature "${name}"`
      problems.add(item.at, () => `${what}${didYouMean(name, known)}`)
    } else {
      firstAt.set(name, item.at)
    }
  }
  checkCount(list, { count: itemsOf(list.node).length, countMax: featuresPerViewMax }, problems)
  return Object.freeze([...firstAt.keys()])
}
