/**
 * Layouts, profiles and packings as a stored registry version has them.
 */
import { z } from 'zod'
import type { EncodingProfile } from '../encoding-profile.js'
import { encodeProfile, parseProfile } from '../profile-json.js'
import type { Layout } from './snapshot.js'

/** A layout as stored. */
export interface LayoutRecord extends Omit<Layout, 'profile'> {
  /** 0 where its rows are plain. */
  readonly profileId: number
}

/** A 64-bit integer as decimal text. */
export const int64Text = z
  .string()
  .regex(/^-?\d{1,19}$/)
  .transform(BigInt)

const count = z.int().min(0)

const versionJson = z.object({
  eventBaseUs: int64Text,
  eventUnitUs: int64Text,
  eventBytes: count,
  sequence: int64Text,
})

export const layoutJson = z
  .object({
    id: count,
    schemaVersion: count,
    profileId: count,
    version: versionJson.optional(),
  })
  .transform(({ version, ...layout }): LayoutRecord => {
    return Object.freeze({ ...layout, versionFormat: version ?? 'full' })
  })

/**
 * The profiles of a view as stored, where a profile's place is its id. Those in `known`, read before, are
 * taken as they are: a profile never changes, and reading very many takes long. Throws as `parseProfile`.
 */
export function readProfiles(
  json: readonly unknown[],
  known: readonly EncodingProfile[],
): readonly EncodingProfile[] {
  return json.map((profile, index) => {
    return known[index] ?? Object.freeze({ ...parseProfile(profile), id: index + 1 })
  })
}

/** Profiles never change, and long ones take 100 ms to write: that is done once for each. */
const encodedProfiles = new WeakMap<EncodingProfile, object>()

/** What `readProfiles` reads, but for what says nothing about the rows: the id and the sample. */
export function encodeEncodings(profile: EncodingProfile): object {
  const known = encodedProfiles.get(profile)
  if (known !== undefined) return known
  const fresh = encodeProfile({ ...profile, id: 0, sampleRowCount: 0 })
  encodedProfiles.set(profile, fresh)
  return fresh
}

export const packingJson = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('string') }),
  z.object({ kind: z.literal('bucket'), bucketCount: count }),
])

/** What `layoutJson` reads. */
export function encodeLayout({ versionFormat, ...layout }: LayoutRecord): object {
  if (versionFormat === 'full') return layout
  const { eventBaseUs, eventUnitUs, eventBytes, sequence } = versionFormat
  const version = {
    eventBaseUs: String(eventBaseUs),
    eventUnitUs: String(eventUnitUs),
    eventBytes,
    sequence: String(sequence),
  }
  return { ...layout, version }
}
