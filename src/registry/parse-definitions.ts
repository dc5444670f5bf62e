/**
 * Definition files to `Definitions`, or every problem in them at once.
 *
 * Two rounds: entities and views first, then services, so that files may refer to each other in any
 * order. What is wrong hides nothing else: a name that was given is known even if its definition is
 * broken, and nothing is said against those who refer to it.
 */

import type { JoinKey } from '../declared.js'
import { formatDuration } from '../duration.js'
import { type FeatureType, formatFeatureType, type ScalarType } from '../feature-type.js'
import {
  definitionFilesMax,
  definitionsBytesMax,
  featuresPerViewMax,
  joinKeysPerEntityMax,
  rowsPerBucketTarget,
  servicesMax,
  viewsMax,
} from '../limits.js'
import { type Packing, stringPacking } from '../packing.js'
import { createProblemList, formatPosition, type Position, type ProblemList } from '../problems.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import {
  entriesOf,
  type Field,
  type Fields,
  itemsOf,
  readFields,
  readValue,
} from '../yaml-fields.js'
import { readDefault } from './default-field.js'
import {
  entityShape,
  featureShape,
  fileShape,
  nameSchema,
  serviceShape,
  sourceShape,
  typeSchema,
  viewShape,
} from './definition-schemas.js'
import type {
  DefinitionFile,
  Definitions,
  EntityDefinition,
  FeatureDefinition,
  ServiceDefinition,
  ViewDefinition,
} from './definitions.js'
import { checkCount, createKnown, type Known, type Named } from './known-names.js'
import { readServiceViews, type ServiceContext } from './parse-service.js'
import type { ViewSource } from './snapshot.js'

/** Reads `files`. Throws `bad_definitions` with a line `file:line:column: message` per problem. */
export function parseDefinitions(files: readonly DefinitionFile[]): Definitions {
  const problems = createProblemList()
  const found = readFiles(files, problems)
  const collect = <Definition>(kind: string, nodes: readonly YamlNode[], countMax: number) =>
    createKnown<Definition>({ kind, complete: found.complete, nodes, countMax, problems })

  const entities = collect<EntityDefinition>('entity', found.entities, viewsMax)
  entities.readAll((node) => readEntity(node, problems))
  const views = collect<ViewDefinition>('feature view', found.views, viewsMax)
  views.readAll((node) => readView(node, entities, problems))
  const services = collect<ServiceDefinition>('feature service', found.services, servicesMax)
  services.readAll((node) => readService(node, { entities, views, problems }))

  problems.throwIfAny('bad_definitions', 'the definitions are wrong:')
  return Object.freeze({
    entities: entities.all(),
    views: views.all(),
    services: services.all(),
  })
}

interface FoundNodes {
  readonly entities: readonly YamlNode[]
  readonly views: readonly YamlNode[]
  readonly services: readonly YamlNode[]
  /** False where a file could not be read: what it defines is not known. */
  readonly complete: boolean
}

function readFiles(files: readonly DefinitionFile[], problems: ProblemList): FoundNodes {
  const entities: YamlNode[] = []
  const views: YamlNode[] = []
  const services: YamlNode[] = []
  const byteCount = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  const whole = { path: 'definitions', line: undefined, column: undefined }
  if (files.length === 0) problems.add(whole, 'there is no definition file')
  if (files.length > definitionFilesMax || byteCount > definitionsBytesMax) {
    const most = `at most ${definitionFilesMax} files of ${definitionsBytesMax} bytes in all`
    problems.add(whole, `${files.length} files of ${byteCount} bytes: ${most} are allowed`)
    return { entities, views, services, complete: false }
  }
  let complete = true
  const paths = new Set<string>()
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
  for (const { path, text } of sorted) {
    if (paths.has(path)) problems.add({ ...whole, path }, 'the file is given twice')
    paths.add(path)
    const root = parseYaml({ path, text, bytesMax: definitionsBytesMax }, problems)
    if (root?.kind === 'scalar' && root.value === null) continue
    if (root?.kind !== 'map') complete = false
    if (root === undefined) continue
    const fields = readFields(root, fileShape, problems)
    // One by one: as arguments of one call, very many items would end the stack.
    for (const node of itemsOf(fields.entities.node)) entities.push(node)
    for (const node of itemsOf(fields.feature_views.node)) views.push(node)
    for (const node of itemsOf(fields.feature_services.node)) services.push(node)
  }
  return { entities, views, services, complete }
}

function readEntity(node: YamlNode, problems: ProblemList): Named<EntityDefinition> {
  const { name, keys } = readFields(node, entityShape, problems)
  const joinKeys: JoinKey[] = []
  for (const [keyName, entry] of entriesOf(keys.node)) {
    const nameNode: YamlNode = { kind: 'scalar', value: keyName, at: entry.keyAt }
    const checkedName = readValue(nameNode, nameSchema, problems)
    const type = readValue(entry.node, typeSchema, problems)
    if (type === undefined || checkedName === undefined) continue
    const scalar = joinKeyType(type)
    if (scalar !== undefined) joinKeys.push(Object.freeze({ name: keyName, type: scalar }))
    else {
      const why = 'join keys compare exactly: floats, lists and embeddings cannot be one'
      problems.add(entry.node.at, `join key "${keyName}" is ${formatFeatureType(type)}: ${why}`)
    }
  }
  checkCount(keys, { count: entriesOf(keys.node).size, countMax: joinKeysPerEntityMax }, problems)
  if (name.value === undefined) return { name, definition: undefined }
  const definition = Object.freeze({ name: name.value, keys: Object.freeze(joinKeys) })
  return { name, definition }
}

function joinKeyType(type: FeatureType): ScalarType | undefined {
  if (type.kind !== 'scalar') return undefined
  return type.scalar === 'float32' || type.scalar === 'float64' ? undefined : type.scalar
}

function readView(
  node: YamlNode,
  entities: Known<EntityDefinition>,
  problems: ProblemList,
): Named<ViewDefinition> {
  const fields = readFields(node, viewShape, problems)
  const { name, entity, latency_class, ttl, retention, on_stale } = fields
  entities.find(entity)
  const features = readFeatures(fields.features, problems)
  const packing = readPacking(fields, problems)
  const source = readSource(fields.source.node, problems)
  if (
    name.value === undefined ||
    entity.value === undefined ||
    latency_class.value === undefined ||
    ttl.value === undefined ||
    retention.value === undefined ||
    on_stale.value === undefined ||
    packing === undefined
  ) {
    return { name, definition: undefined }
  }
  if (retention.value < ttl.value) {
    const [kept, fresh] = [formatDuration(retention.value), formatDuration(ttl.value)]
    problems.add(
      retention.at,
      `retention ${kept} is less than ttl ${fresh}: rows would go while fresh`,
    )
  }
  const definition = Object.freeze({
    name: name.value,
    entity: entity.value,
    latencyClass: latency_class.value,
    ttlUs: ttl.value,
    retentionUs: retention.value,
    onStale: on_stale.value,
    packing,
    expectedEntityCount: fields.expected_entities.value,
    features,
    source,
  })
  return { name, definition }
}

/** Undefined where the number of buckets cannot be told, which is a problem by then. */
function readPacking(
  { packing, expected_entities }: Fields<typeof viewShape>,
  problems: ProblemList,
): Packing | undefined {
  if (packing.value !== 'bucket') return stringPacking
  if (expected_entities.node === undefined) {
    const why = 'the number of buckets follows from it'
    problems.add(packing.at, `packing bucket needs expected_entities: ${why}`)
  }
  if (expected_entities.value === undefined) return undefined
  const bucketCount = Math.ceil(expected_entities.value / rowsPerBucketTarget)
  return Object.freeze({ kind: 'bucket', bucketCount })
}

function readFeatures(list: Field<unknown>, problems: ProblemList): readonly FeatureDefinition[] {
  const nodes = itemsOf(list.node)
  const features: FeatureDefinition[] = []
  const firstAt = new Map<string, Position>()
  for (const node of nodes) {
    const fields = readFields(node, featureShape, problems)
    const [name, type] = [fields.name.value, fields.type.value]
    const first = name === undefined ? undefined : firstAt.get(name)
    if (first !== undefined) {
      problems.add(
        fields.name.at,
        `feature "${name}" is already defined at ${formatPosition(first)}`,
      )
    }
    if (name !== undefined && first === undefined) firstAt.set(name, fields.name.at)
    if (name === undefined || type === undefined) continue
    const defaultValue = readDefault(type, fields.default, problems)
    features.push(Object.freeze({ name, type, defaultValue }))
  }
  checkCount(list, { count: nodes.length, countMax: featuresPerViewMax }, problems)
  return Object.freeze(features)
}

function readSource(node: YamlNode | undefined, problems: ProblemList): ViewSource | undefined {
  if (node?.kind !== 'map') return undefined
  const { path, event_time } = readFields(node, sourceShape, problems)
  if (path.value === undefined || event_time.value === undefined) return undefined
  return Object.freeze({ path: path.value, eventTime: event_time.value })
}

function readService(node: YamlNode, context: ServiceContext): Named<ServiceDefinition> {
  const { name, views } = readFields(node, serviceShape, context.problems)
  const serviceViews = readServiceViews(views, context)
  if (name.value === undefined) return { name, definition: undefined }
  return { name, definition: Object.freeze({ name: name.value, views: serviceViews }) }
}
