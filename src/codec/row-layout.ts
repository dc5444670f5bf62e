/**
 * Row layouts: which features stand in a row, in which order, compiled once for the native codec.
 *
 * `docs/formats/row-v1.md` draws the row. Layouts are immutable, and their ids belong to a view:
 * the same id in another view is another layout.
 */
import { assert } from '../assert.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { LarderError } from '../errors.js'
import { embeddingStorages, type FeatureType, scalarTypes } from '../feature-type.js'
import { loadAddon, type NativeRowLayout } from '../native.js'
import type { VersionFormat } from '../version-format.js'
import { profileWords } from './profile-words.js'
import { firstLayoutId } from './row-version.js'

/** A feature as rows know it: by its permanent id. */
export interface RowFeature {
  readonly id: number
  readonly type: FeatureType
}

export interface RowLayout {
  readonly layoutId: number
  /** In the order in which their values stand in a row. */
  readonly features: readonly RowFeature[]
  /** Whether it takes every row of its schema: plain values, versions in full. */
  readonly isPlain: boolean
  readonly native: NativeRowLayout
}

export interface RowLayoutDefinition {
  readonly layoutId: number
  readonly features: readonly RowFeature[]
  /** Full unless given. */
  readonly versionFormat?: VersionFormat | undefined
  /** Rows are plain without one. */
  readonly profile?: EncodingProfile | undefined
}

const layoutIdMax = 0xffff_ffff
const eventBytesMax = 6
const fullVersion = new BigInt64Array(0)

/**
 * The layout of rows that start with `layoutId`. Throws `internal` where the version format or the
 * profile breaks the rules of `docs/formats/row-v1.md`: what was registered has been checked.
 */
export function createRowLayout(definition: RowLayoutDefinition): RowLayout {
  const { layoutId, profile, versionFormat = 'full' } = definition
  assert(Number.isInteger(layoutId) && layoutId <= layoutIdMax, 'a layout id is a u32')
  assert(layoutId >= firstLayoutId, 'the first layout ids have a meaning of their own')
  const features = definition.features.map(({ id, type }) => Object.freeze({ id, type }))
  const numbers = featureNumbers(features)
  const like = profile === undefined ? undefined : compiledOnce(profile, numbers)
  const learned =
    profile === undefined || like?.native !== undefined
      ? undefined
      : profileWords(profile, features)
  const native = loadAddon().createRowLayout(
    layoutId,
    numbers,
    versionWords(versionFormat),
    learned?.words,
    learned?.dictionaryBytes,
    like?.native,
  )
  if (typeof native === 'string') throw new LarderError('internal', `layout ${layoutId}: ${native}`)
  if (like !== undefined) like.native ??= native
  const isPlain = profile === undefined && versionFormat === 'full'
  return Object.freeze({ layoutId, features: Object.freeze(features), isPlain, native })
}

/** By profile and features a layout that has them: its tables, which are large, serve all others too. */
const compiledProfiles = new WeakMap<EncodingProfile, Map<string, { native?: NativeRowLayout }>>()

function compiledOnce(
  profile: EncodingProfile,
  features: Uint32Array,
): { native?: NativeRowLayout } {
  const byFeatures =
    compiledProfiles.get(profile) ?? new Map<string, { native?: NativeRowLayout }>()
  compiledProfiles.set(profile, byFeatures)
  const key = features.join(' ')
  const known = byFeatures.get(key) ?? {}
  byFeatures.set(key, known)
  return known
}

/** The version format as the addon takes it: base, unit, bytes, sequence; nothing of a full one. */
function versionWords(format: VersionFormat): BigInt64Array {
  if (format === 'full') return fullVersion
  const { eventBaseUs, eventUnitUs, eventBytes, sequence } = format
  const isExact = [eventBaseUs, eventUnitUs].every((us) => BigInt.asIntN(64, us) === us)
  assert(isExact && BigInt.asUintN(64, sequence) === sequence, 'versions have 64 bits each')
  assert(eventBytes >= 0 && eventBytes <= eventBytesMax, 'a compact event time has 0 to 6 bytes')
  return BigInt64Array.of(eventBaseUs, eventUnitUs, BigInt(eventBytes), sequence)
}

const shapeCodes = { scalar: 0, list: 1, embedding: 2 } as const satisfies Record<
  FeatureType['kind'],
  number
>

/** Features as the addon takes them: id, shape, scalar, embedding storage, dim. */
export function featureNumbers(features: readonly RowFeature[]): Uint32Array {
  const ids = new Set(features.map((feature) => feature.id))
  assert(ids.size === features.length, 'a feature stands in a row once')
  return Uint32Array.from(features.flatMap(({ id, type }) => [id, ...typeNumbers(type)]))
}

function typeNumbers(type: FeatureType): number[] {
  const shape = shapeCodes[type.kind]
  switch (type.kind) {
    case 'scalar':
      return [shape, scalarTypes.indexOf(type.scalar), 0, 0]
    case 'list':
      return [shape, scalarTypes.indexOf(type.element), 0, 0]
    case 'embedding':
      return [
        shape,
        scalarTypes.indexOf('float32'),
        embeddingStorages.indexOf(type.storage),
        type.dim,
      ]
  }
}
