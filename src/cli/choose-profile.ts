/**
 * Which encoding profile the rows of a view are worth writing with: the one it has, or a new one. Pure.
 *
 * Profiles and layouts are kept for ever, so a new one must save something worth having.
 */
import { learnProfile } from '../codec/learn-profile.js'
import { lz4Bytes } from '../codec/lz4-bytes.js'
import { bodyBytesOf, costProfile, plainBodyBytesOf } from '../codec/profile-cost.js'
import type { LearnedFeatureType, LearnOptions } from '../codec/profile-sample.js'
import type { EncodingProfile } from '../encoding-profile.js'
import { LarderError } from '../errors.js'
import { parseFeatureType } from '../feature-type.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { learnSavingShareMin } from '../limits.js'
import { parseProfileText } from '../profile-json.js'
import type { SampledRows } from './load-sample.js'

/** Every feature plain. */
const plainProfile: EncodingProfile = Object.freeze({
  id: 0,
  encodings: new Map(),
  sampleRowCount: 0,
})

/** A profile, and the bytes of a sample's rows under it, without layout ids and versions. */
export interface JudgedProfile {
  readonly profile: EncodingProfile
  readonly bodyBytes: number
}

export interface JudgedProfiles {
  readonly plain: JudgedProfile
  /** The view's newest; the plain one where none was learned. */
  readonly current: JudgedProfile
  /** What the sample teaches; its id is 0. */
  readonly learned: JudgedProfile
  /** Is the learned one better than the current one by enough to be registered? */
  readonly isWorthwhile: boolean
}

/** Long texts and lists are compressed where that is measured to save. */
export const learnOptions: LearnOptions = Object.freeze({ compressedBytes: lz4Bytes })

export function judgeProfiles(view: FeatureView, sample: SampledRows): JudgedProfiles {
  const features = typedFeatures(view)
  const judge = (profile: EncodingProfile): JudgedProfile => ({
    profile,
    bodyBytes: bodyBytesOf(costProfile(profile, sample, features, learnOptions)),
  })
  const plain = {
    profile: plainProfile,
    bodyBytes: plainBodyBytesOf(costProfile(plainProfile, sample, features), features.length),
  }
  const current = view.profileJson === '' ? plain : judge(parseProfileText(view.profileJson))
  const learned = judge(learnProfile(sample, features, learnOptions))
  const isWorthwhile = learned.bodyBytes <= current.bodyBytes * (1 - learnSavingShareMin)
  return { plain, current, learned, isWorthwhile }
}

/** The profile that rows are better written with. */
export function betterOf({ current, learned, isWorthwhile }: JudgedProfiles): JudgedProfile {
  return isWorthwhile ? learned : current
}

/** The features of the view's current schema version. */
export function typedFeatures(view: FeatureView): LearnedFeatureType[] {
  return view.features.map(({ id, name, type: typeText }) => {
    const type = parseFeatureType(typeText)
    if (type !== undefined) return { id, name, type }
    throw new LarderError('internal', `feature "${name}" has the unknown type "${typeText}"`)
  })
}
