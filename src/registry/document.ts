/**
 * A registry version as it is stored: one JSON document, written once and never changed.
 *
 * It holds what the definitions say together with what was given to them: feature ids, schema
 * versions, layouts, generations. The files' own texts are in it, so that an earlier version can be
 * applied again. A fingerprint of the definitions stands beside them and is checked on reading.
 * Integers of 64 bits are decimal text.
 */
import { z } from 'zod'
import type { EncodingProfile } from '../encoding-profile.js'
import { LarderError } from '../errors.js'
import { formatFeatureType, parseFeatureType, scalarTypes } from '../feature-type.js'
import { decodeDefault, encodeDefault } from './default-value.js'
import type { DefinitionFile, ServiceDefinition, ViewDefinition } from './definitions.js'
import {
  encodeEncodings,
  encodeLayout,
  int64Text,
  type LayoutRecord,
  layoutJson,
  packingJson,
  readProfiles,
} from './layout-json.js'
import type { StoredDocument } from './registry-store.js'
import type { Entity, Feature, FeatureView } from './snapshot.js'

/** A view as stored: its definition and what was given to it. */
export interface ViewRecord
  extends Omit<ViewDefinition, 'features'>,
    Pick<FeatureView, 'schemas' | 'generation' | 'hotGeneration'> {
  readonly features: readonly Feature[]
  /** Oldest first; their ids have no gaps from 1. */
  readonly profiles: readonly EncodingProfile[]
  /** Oldest first, as those of the snapshot. */
  readonly layouts: readonly LayoutRecord[]
  /** The id of the next feature added; ids below it are never given again. */
  readonly nextFeatureId: number
}

export interface RegistryDocument {
  /** 0 before anything was applied. */
  readonly version: number
  /** The files that this version was applied from. */
  readonly files: readonly DefinitionFile[]
  /** The next view's generation; those below it are never given again. */
  readonly nextGeneration: number
  readonly entities: readonly Entity[]
  readonly views: readonly ViewRecord[]
  readonly services: readonly ServiceDefinition[]
}

/** XXH3-64, handed in by whoever may load the addon. */
export type Fingerprint = (bytes: Uint8Array) => bigint

export const emptyDocument: RegistryDocument = Object.freeze({
  version: 0,
  files: [],
  nextGeneration: 1,
  entities: [],
  views: [],
  services: [],
})

/** The format that this Larder writes and reads. */
const documentFormat = 2

const count = z.int().min(0)
const typeText = z.string().transform((text, context) => {
  const type = parseFeatureType(text)
  if (type !== undefined) return type
  context.addIssue({ code: 'custom', message: `no type ${text}` })
  return z.NEVER
})
const scalarJson = z.union([z.string(), z.number(), z.boolean()])
const defaultJson = z.union([scalarJson, z.array(scalarJson)])

const entityJson = z.object({
  name: z.string(),
  keys: z.array(z.object({ name: z.string(), type: z.enum(scalarTypes) })),
})
const featureJson = z
  .object({ id: count, name: z.string(), type: typeText, default: defaultJson.optional() })
  .transform(({ id, name, type, default: json }): Feature => {
    return { id, name, type, defaultValue: json === undefined ? json : decodeDefault(type, json) }
  })
const schemaJson = z.object({
  version: count,
  features: z.array(z.object({ id: count, name: z.string(), type: typeText })),
})
const viewJson = z
  .object({
    name: z.string(),
    entity: z.string(),
    latencyClass: z.enum(['realtime', 'standard', 'relaxed']),
    ttlUs: int64Text,
    retentionUs: int64Text,
    onStale: z.enum(['serve', 'default']),
    source: z.object({ path: z.string(), eventTime: z.string() }).optional(),
    features: z.array(featureJson),
    nextFeatureId: count,
    schemas: z.array(schemaJson),
    profiles: z.array(z.unknown()),
    layouts: z.array(layoutJson),
    packing: packingJson,
    expectedEntityCount: count.optional(),
    generation: count,
    hotGeneration: count,
  })
  .transform((view) => ({
    ...view,
    source: view.source,
    expectedEntityCount: view.expectedEntityCount,
  }))
const serviceJson = z.object({
  name: z.string(),
  views: z.array(
    z.object({
      role: z.string(),
      view: z.string(),
      keyColumns: z.array(z.string()),
      features: z.array(z.string()),
    }),
  ),
})
const definitionsJson = z.object({
  entities: z.array(entityJson),
  views: z.array(viewJson),
  services: z.array(serviceJson),
})
const headJson = z.object({ format: z.int() })
const documentJson = z.object({
  fingerprint: z.string(),
  nextGeneration: count,
  definitions: z.unknown(),
  files: z.array(z.object({ path: z.string(), text: z.string() })),
})

/** The text under which `document` is stored. */
export function encodeDocument(document: RegistryDocument, fingerprint: Fingerprint): string {
  const definitions = definitionsAsJson(document)
  return JSON.stringify({
    format: documentFormat,
    fingerprint: fingerprintText(definitions, fingerprint),
    nextGeneration: document.nextGeneration,
    definitions,
    files: document.files,
  })
}

/**
 * Reads a stored document. `before` is an earlier version of the same registry, or an empty one. Throws
 * `refused` where another Larder wrote it in a format not known here, and `internal` where it is damaged.
 */
export function decodeDocument(
  stored: StoredDocument,
  fingerprint: Fingerprint,
  before: RegistryDocument,
): RegistryDocument {
  const { version } = stored
  const json = parseJson(stored)
  const { format } = check(headJson, json, version)
  if (format !== documentFormat) {
    const reads = `this daemon reads format ${documentFormat}: use the Larder that wrote it`
    throw new LarderError('refused', `registry version ${version} has format ${format}: ${reads}`)
  }
  const document = check(documentJson, json, version)
  if (fingerprintText(document.definitions, fingerprint) !== document.fingerprint) {
    throw damaged(version, 'its fingerprint does not match')
  }
  const { files, nextGeneration } = document
  const definitions = check(definitionsJson, document.definitions, version)
  const knownViews = new Map(before.views.map((view) => [view.generation, view]))
  const views = definitions.views.map((view): ViewRecord => {
    const known = knownViews.get(view.generation)?.profiles ?? []
    try {
      return { ...view, profiles: readProfiles(view.profiles, known) }
    } catch (thrown) {
      throw damaged(version, `view ${view.name}: ${LarderError.from(thrown).message}`, thrown)
    }
  })
  return { version, files, nextGeneration, ...definitions, views }
}

/** What stands for the definitions in `document`; equal for equal ones, whatever their version. */
export function fingerprintOf(document: RegistryDocument, fingerprint: Fingerprint): string {
  return fingerprintText(definitionsAsJson(document), fingerprint)
}

function definitionsAsJson({ entities, views, services }: RegistryDocument): object {
  return { entities, views: views.map(viewAsJson), services }
}

function viewAsJson(view: ViewRecord): object {
  return {
    ...view,
    ttlUs: String(view.ttlUs),
    retentionUs: String(view.retentionUs),
    features: view.features.map(({ id, name, type, defaultValue }) => ({
      id,
      name,
      type: formatFeatureType(type),
      ...(defaultValue === undefined ? {} : { default: encodeDefault(defaultValue) }),
    })),
    schemas: view.schemas.map(({ version, features }) => ({
      version,
      features: features.map(({ id, name, type }) => ({ id, name, type: formatFeatureType(type) })),
    })),
    profiles: view.profiles.map((profile) => {
      const { id, sampleRowCount } = profile
      return { ...encodeEncodings(profile), id, sampleRowCount }
    }),
    layouts: view.layouts.map(encodeLayout),
  }
}

function fingerprintText(definitions: unknown, fingerprint: Fingerprint): string {
  const bytes = new TextEncoder().encode(JSON.stringify(definitions))
  return fingerprint(bytes).toString(16).padStart(16, '0')
}

function parseJson({ version, documentJson: text }: StoredDocument): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw damaged(version, 'it is not JSON', thrown)
  }
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  version: number,
): z.output<Schema> {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw damaged(version, `${issue?.path.join('.')}: ${issue?.message}`, result.error)
}

function damaged(version: number, why: string, cause?: unknown): LarderError {
  return new LarderError('internal', `registry version ${version} is damaged: ${why}`, { cause })
}
