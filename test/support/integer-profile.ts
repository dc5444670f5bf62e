/**
 * An encoding profile as a learner might make it, for tests of what carries profiles about.
 */
import type { EncodingProfile } from '../../src/encoding-profile.js'

/** Each feature, of an integer type, takes 0 to 255 from `base` on in a byte; all else is an exception. */
export function integerProfile(featureIds: readonly number[], base = 0n): EncodingProfile {
  const code = { kind: 'range', prefixBits: 0, base, width: 8, exponent: 0 } as const
  const coding = { mapping: { kind: 'integer', unit: 1n } as const, classes: [code] }
  const encodings = new Map(featureIds.map((id) => [id, { kind: 'coded', coding } as const]))
  return { id: 0, encodings, sampleRowCount: 1000 }
}
