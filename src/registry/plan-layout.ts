/**
 * Registers layouts: pure, from the current document and a request to the next document.
 *
 * Layouts and profiles belong to their view as ids do: they are added, never changed or given up, and
 * definition files have no part in them. What was registered before is found again, so that the same
 * request twice gives one layout.
 */
import { isDeepStrictEqual } from 'node:util'
import { didYouMean } from '../closest-name.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { LarderError } from '../errors.js'
import { layoutsPerViewMax, profilesPerViewMax } from '../limits.js'
import { checkProfile } from '../profile-check.js'
import type { CompactVersion, VersionFormat } from '../version-format.js'
import type { RegistryDocument, ViewRecord } from './document.js'
import type { LayoutRecord } from './layout-json.js'
import { encodeEncodings } from './layout-json.js'
import type { Schema } from './snapshot.js'

/** Layout ids below it mean tombstone and fence, in every view (`codec/row-version.ts`). */
export const firstLayoutId = 2
/** The profile that plain layouts have: none. */
export const plainProfileId = 0

export interface LayoutRequest {
  readonly view: string
  readonly schemaVersion: number
  /** A profile, whose own id says nothing, or the id of one that the view has; 0 is the plain one. */
  readonly profile: EncodingProfile | number
  readonly versionFormat: VersionFormat
}

export interface PlannedLayout {
  /** The next version; the current one where all of it is registered. */
  readonly document: RegistryDocument
  readonly layoutId: number
  readonly profileId: number
}

/** What of a view its layouts are made of. */
type ViewLayouts = Pick<ViewRecord, 'profiles' | 'layouts'>

/**
 * Plans the layout that `request` asks for. Throws `not_found` for the view; `invalid_argument` for a
 * schema version, a profile or a version that is none of the view's or out of bounds;
 * `resource_exhausted` where the view has as many layouts or profiles as it may have.
 */
export function planLayout(current: RegistryDocument, request: LayoutRequest): PlannedLayout {
  const view = findViewRecord(current, request.view)
  const schema = findSchema(view, request.schemaVersion)
  if (request.versionFormat !== 'full') checkCompactVersion(request.versionFormat)
  const { profiles, profileId } = withProfile(view, schema, request.profile)
  const inFull = withLayout(view.layouts, { schema, profileId, versionFormat: 'full' })
  const { versionFormat } = request
  const { layouts, layoutId } = withLayout(inFull.layouts, { schema, profileId, versionFormat })
  if (layouts === view.layouts) return { document: current, layoutId, profileId }
  if (layouts.length > layoutsPerViewMax) {
    throw new LarderError(
      'resource_exhausted',
      `view '${view.name}' has ${view.layouts.length} layouts, at most ${layoutsPerViewMax} can be ` +
        'registered: rows are written in those that it has',
    )
  }
  const next: ViewRecord = Object.freeze({ ...view, profiles, layouts })
  const views = Object.freeze(current.views.map((known) => (known === view ? next : known)))
  const document = Object.freeze({ ...current, version: current.version + 1, views })
  return { document, layoutId, profileId }
}

/** What a new schema version is given: a plain layout, and one of the newest profile. */
export function withSchemaLayouts(view: ViewLayouts, schema: Schema): readonly LayoutRecord[] {
  const plain = { schema, profileId: plainProfileId, versionFormat: 'full' as const }
  const { layouts } = withLayout(view.layouts, plain)
  return withLayout(layouts, { ...plain, profileId: view.profiles.length }).layouts
}

interface LayoutWish {
  readonly schema: Schema
  readonly profileId: number
  readonly versionFormat: VersionFormat
}

/** `layouts` with the one wished for, at its end where it is new. */
function withLayout(
  layouts: readonly LayoutRecord[],
  { schema, profileId, versionFormat }: LayoutWish,
): { readonly layouts: readonly LayoutRecord[]; readonly layoutId: number } {
  const known = layouts.find(
    (layout) =>
      layout.schemaVersion === schema.version &&
      layout.profileId === profileId &&
      sameVersionFormat(layout.versionFormat, versionFormat),
  )
  if (known !== undefined) return { layouts, layoutId: known.id }
  const layoutId = firstLayoutId + layouts.length
  const fresh = { id: layoutId, schemaVersion: schema.version, profileId, versionFormat }
  return { layouts: Object.freeze([...layouts, Object.freeze(fresh)]), layoutId }
}

function sameVersionFormat(a: VersionFormat, b: VersionFormat): boolean {
  if (a === 'full' || b === 'full') return a === b
  return (
    a.eventBaseUs === b.eventBaseUs &&
    a.eventUnitUs === b.eventUnitUs &&
    a.eventBytes === b.eventBytes &&
    a.sequence === b.sequence
  )
}

function withProfile(
  view: ViewRecord,
  schema: Schema,
  profile: EncodingProfile | number,
): { readonly profiles: readonly EncodingProfile[]; readonly profileId: number } {
  const { profiles } = view
  if (typeof profile === 'number') {
    if (profile === plainProfileId || profiles[profile - 1] !== undefined) {
      return { profiles, profileId: profile }
    }
    const known = profiles.length === 0 ? 'no learned profile' : `profiles 1 to ${profiles.length}`
    throw new LarderError(
      'invalid_argument',
      `view '${view.name}' has no profile ${profile}: it has ${known}`,
    )
  }
  checkProfile(profile, schema.features)
  const { sampleRowCount } = profile
  const profileId = profiles.length + 1
  const encodings = new Map([...profile.encodings].sort(([a], [b]) => a - b))
  const fresh: EncodingProfile = Object.freeze({ id: profileId, encodings, sampleRowCount })
  const known = profiles.find((candidate) => writesAlike(candidate, fresh))
  if (known !== undefined) return { profiles, profileId: known.id }
  if (profiles.length >= profilesPerViewMax) {
    throw new LarderError(
      'resource_exhausted',
      `view '${view.name}' has ${profiles.length} profiles, at most ${profilesPerViewMax} are ` +
        'possible: register a layout of one of them',
    )
  }
  return { profiles: Object.freeze([...profiles, fresh]), profileId }
}

/** Whether two profiles, sorted by feature, are the same, however much they were learned from. */
function writesAlike(a: EncodingProfile, b: EncodingProfile): boolean {
  return isDeepStrictEqual(encodeEncodings(a), encodeEncodings(b))
}

const eventBytesMax = 6
const eventTimeUsMax = 2n ** 53n
const sequenceMax = 2n ** 63n - 1n

/** Throws `invalid_argument` where rows of such a version could not be compared. */
function checkCompactVersion(version: CompactVersion): void {
  const { eventBaseUs, eventUnitUs, eventBytes, sequence } = version
  const refuse = (what: string, bound: string) => {
    throw new LarderError('invalid_argument', `version: ${what}: it must be ${bound}`)
  }
  if (!Number.isInteger(eventBytes) || eventBytes < 0 || eventBytes > eventBytesMax) {
    refuse(`event_bytes is ${eventBytes}`, `0 to ${eventBytesMax}`)
  }
  if (eventUnitUs < 1n) refuse(`event_unit_us is ${eventUnitUs}`, 'at least 1')
  const latestUs = eventBaseUs + eventUnitUs * (256n ** BigInt(eventBytes) - 1n)
  const isExact = (us: bigint) => us > -eventTimeUsMax && us < eventTimeUsMax
  if (!isExact(eventBaseUs)) refuse(`event_base_us is ${eventBaseUs}`, 'below 2^53 in magnitude')
  if (!isExact(latestUs)) {
    refuse(`its latest event time would be ${latestUs} us`, 'below 2^53 in magnitude')
  }
  if (sequence < 1n || sequence > sequenceMax) refuse(`sequence is ${sequence}`, '1 to 2^63 - 1')
}

function findViewRecord({ views }: RegistryDocument, name: string): ViewRecord {
  const view = views.find((candidate) => candidate.name === name)
  if (view !== undefined) return view
  const names = views.map((candidate) => candidate.name)
  throw new LarderError('not_found', `no feature view '${name}'${didYouMean(name, names)}`)
}

function findSchema({ name, schemas }: ViewRecord, version: number): Schema {
  const schema = schemas.find((candidate) => candidate.version === version)
  if (schema !== undefined) return schema
  throw new LarderError(
    'invalid_argument',
    `view '${name}' has no readable schema version ${version}; the current one is ` +
      `${schemas.at(-1)?.version}`,
  )
}
