/**
 * Random batches of learned layouts, for property tests and fuzzing of the codec.
 */
import fc from 'fast-check'
import type { EncodingProfile } from '../../src/encoding-profile.js'
import { createSeededPrng, type Prng } from '../../src/prng.js'
import type { VersionFormat } from '../../src/version-format.js'
import { sequence } from './codec-batches.js'
import { type LearnedBatch, plainLayout } from './learned-batches.js'
import { edgeCell, randomProfile } from './random-profile.js'
import { cellArbitrary, typeArbitrary } from './random-row.js'
import type { LearnedReferenceLayout } from './reference-learned-row.js'
import type { ReferenceCell, ReferenceFeature } from './reference-row.js'

const plainLayoutId = 300

/** Of one schema, in any mix of profiles and version formats; of rows that fit and that do not. */
export const batchArbitrary = fc
  .array(typeArbitrary, { minLength: 1, maxLength: 12 })
  .chain((types) =>
    fc.tuple(
      fc.constant(types),
      fc.array(fc.tuple(...types.map(cellArbitrary)), { minLength: 1, maxLength: 6 }),
      fc.nat(),
    ),
  )
  .map(([types, rows, batchSeed]) => {
    const features = types.map((type, index) => ({ id: index + 10, type }))
    return drawBatch(features, rows, createSeededPrng(batchSeed))
  })

function drawBatch(
  features: readonly ReferenceFeature[],
  rows: readonly (readonly ReferenceCell[])[],
  prng: Prng,
): LearnedBatch {
  const layoutIds = [2, 127, 128, 0xffff_ffff].slice(prng.below(4))
  const learned = layoutIds.map((layoutId): LearnedReferenceLayout => {
    const profile = prng.below(6) === 0 ? undefined : randomProfile(features, prng)
    return { layoutId, features, versionFormat: drawVersionFormat(prng), profile }
  })
  return {
    layouts: [...learned, plainLayout(features, plainLayoutId)],
    rows: rows.map((cells) => withEdges(cells, learned[0]?.profile, features, prng)),
    eventTimesUs: rows.map(() => drawEventTime(learned, prng)),
    sequence: prng.below(5) === 0 ? sequence + 1n : sequence,
  }
}

function drawVersionFormat(prng: Prng): VersionFormat {
  if (prng.below(3) === 0) return 'full'
  const eventBytes = prng.below(7)
  // The greatest event time stays below 2^53.
  const eventUnitUs = eventBytes === 6 ? BigInt(1 + prng.below(16)) : BigInt(1 + prng.below(4000))
  const eventBaseUs = BigInt(prng.below(2 ** 32)) - 2n ** 31n
  return { eventBaseUs, eventUnitUs, eventBytes, sequence }
}

/** At the bounds of a layout's version format, just beyond, or anywhere. */
function drawEventTime(layouts: readonly LearnedReferenceLayout[], prng: Prng): bigint {
  const format = layouts[prng.below(layouts.length)]?.versionFormat ?? 'full'
  if (format === 'full') return BigInt(prng.below(2 ** 32)) * -(2n ** 29n) * BigInt(prng.below(3))
  const { eventBaseUs, eventUnitUs, eventBytes } = format
  const end = 256n ** BigInt(eventBytes)
  const steps = [0n, end - 1n, end / 2n, end, -1n][prng.below(5)] ?? 0n
  return eventBaseUs + eventUnitUs * steps + BigInt(prng.below(8) === 0 ? 1 : 0)
}

/** `cells`, some of them at the edges of what their encodings hold. */
function withEdges(
  cells: readonly ReferenceCell[],
  profile: EncodingProfile | undefined,
  features: readonly ReferenceFeature[],
  prng: Prng,
): ReferenceCell[] {
  return cells.map((cell, index) => {
    const feature = features[index]
    const encoding = feature && profile?.encodings.get(feature.id)
    if (feature === undefined || encoding === undefined || prng.below(3) === 0) return cell
    return edgeCell(feature.type, encoding, prng) ?? cell
  })
}
