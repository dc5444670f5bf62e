/**
 * Learning an encoding profile: for each feature, the encoding that writes a sample in the fewest bits.
 *
 * Pure: the same sample teaches the same profile. Every feature is weighed on its own; the profile is
 * lossless whatever comes later, only dearer where the sample was unlike.
 */
import { assert } from '../assert.js'
import type { FeatureColumn } from '../column.js'
import type { EncodingProfile, FeatureEncoding } from '../encoding-profile.js'
import type { FeatureType, ScalarType } from '../feature-type.js'
import { dictionaryBytesMax, profileJsonBytesMax } from '../limits.js'
import type { LearnedCoding } from './learn-coding.js'
import { cellRows, countIntegers, countTexts, integersAt } from './learn-counts.js'
import { type ListType, listEncodings, sampleLists } from './learn-lists.js'
import { numberCodings } from './learn-numbers.js'
import {
  blockEncodings,
  dictionaryCoding,
  type LearnedEncoding,
  literalTextBits,
} from './learn-texts.js'
import { numberFormOf } from './number-form.js'
import { plainLists } from './plain-list-bytes.js'
import { costProfile } from './profile-cost.js'
import type { LearnedFeatureType, LearnOptions, ProfileSample } from './profile-sample.js'

/** What was weighed for one feature. */
export interface LearnedFeature {
  readonly feature: LearnedFeatureType
  /** Cells with a value or null that were looked at. */
  readonly cellCount: number
  /** The cheapest first; at least one, `plain`. */
  readonly candidates: readonly LearnedCandidate[]
}

export interface LearnedCandidate {
  readonly encoding: FeatureEncoding
  readonly bitsPerCell: number
}

/** Of all dictionaries together: the other half of a profile's JSON is for its tables. */
const dictionariesBytesMax = profileJsonBytesMax / 2

/** The profile that `sample` teaches, with the id 0. Features without a sampled cell are left out. */
export function learnProfile(
  sample: ProfileSample,
  features: readonly LearnedFeatureType[],
  options: LearnOptions = {},
): EncodingProfile {
  const weighed = weighFeatures(sample, features, options)
  const encodings = new Map(
    weighed.map((learned) => [learned.feature.id, cheapest(learned, sample, features, options)]),
  )
  return Object.freeze({ id: 0, encodings, sampleRowCount: sample.rowCount })
}

/** Candidates that are estimated so little dearer than the best are tried on the sample. */
const closeRatio = 1.25

/**
 * The candidate that really takes least. What is weighed is estimated for each class by itself; where
 * ranges of several exponents overlap, a writer takes the first that holds a value, wide as it may be.
 */
function cheapest(
  { feature, candidates }: LearnedFeature,
  sample: ProfileSample,
  features: readonly LearnedFeatureType[],
  options: LearnOptions,
): FeatureEncoding {
  const [best] = candidates
  assert(best !== undefined, 'a feature has at least one candidate')
  const close = candidates.filter((at) => at.bitsPerCell <= best.bitsPerCell * closeRatio)
  if (close.length === 1) return best.encoding
  const costs = close.map(({ encoding }) => {
    const profile = { id: 0, sampleRowCount: 0, encodings: new Map([[feature.id, encoding]]) }
    const [cost] = costProfile(profile, sample, [feature], options).features
    assert(cost !== undefined, 'a weighed feature has cells')
    // The marks of the other features stand in front of an exception too.
    const markBits = features.length - 1
    return cost.bitsPerCell + (cost.exceptionCount * markBits) / cost.cellCount
  })
  return close[costs.indexOf(Math.min(...costs))]?.encoding ?? best.encoding
}

/** All that was weighed, feature by feature; those without a sampled cell are left out. */
export function weighFeatures(
  { columns }: ProfileSample,
  features: readonly LearnedFeatureType[],
  options: LearnOptions = {},
): LearnedFeature[] {
  const byName = new Map(columns.map((column) => [column.name, column]))
  // The mark of its row, one bit for each feature, and whether it is set.
  const exceptionBits = features.length + 1
  const dictionaryBytes = Math.min(dictionaryBytesMax, dictionariesBytesMax / features.length)
  return features.flatMap((feature) => {
    const column = byName.get(feature.name)
    if (column === undefined) return []
    const { cellCount, encodings } = weigh(feature.type, column, {
      ...options,
      exceptionBits,
      dictionaryBytes,
    })
    if (cellCount === 0) return []
    const candidates = encodings.map(({ encoding, sampleBits }) => ({
      encoding,
      bitsPerCell: sampleBits / cellCount,
    }))
    // The sort is stable: of equally dear ones the simpler stays first.
    return [{ feature, cellCount, candidates: candidates.sort(byBits) }]
  })
}

function byBits(a: LearnedCandidate, b: LearnedCandidate): number {
  return a.bitsPerCell - b.bitsPerCell
}

interface Weighed {
  readonly cellCount: number
  readonly encodings: readonly LearnedEncoding[]
}

interface WeighOptions extends LearnOptions {
  readonly exceptionBits: number
  readonly dictionaryBytes: number
}

function weigh(type: FeatureType, column: FeatureColumn, options: WeighOptions): Weighed {
  return type.kind === 'scalar'
    ? weighScalars(type.scalar, column, options)
    : weighLists(type, column, options)
}

function weighScalars(scalar: ScalarType, column: FeatureColumn, options: WeighOptions): Weighed {
  const { values } = column
  assert(values.class !== 'list', 'a column of scalars holds no lists')
  const { exceptionBits, dictionaryBytes, compressedBytes } = options
  const { setRows, nullCount } = cellRows(column)
  const cellCount = setRows.length + nullCount
  if (cellCount === 0) return { cellCount, encodings: [] }
  const form = numberFormOf({ kind: 'scalar', scalar })
  if (form !== undefined) {
    const counted = countIntegers(integersAt(scalar, values, setRows))
    const codings = numberCodings({ form, counted, nullCount, exceptionBits })
    const plain = plainEncoding(cellCount, form.valueBits * setRows.length)
    return { cellCount, encodings: [plain, ...codings.map(coded)] }
  }
  const texts = countTexts(values, setRows)
  const dictionaryTask = { texts, nullCount, exceptionBits, dictionaryBytes }
  const dictionary = coded(dictionaryCoding(dictionaryTask))
  const blocks = blockEncodings({ blocks: texts, nullCount, exceptionBits, compressedBytes })
  const literalBits = texts.reduce((sum, at) => sum + at.count * literalTextBits(at.bytes), 0)
  return { cellCount, encodings: [plainEncoding(cellCount, literalBits), dictionary, ...blocks] }
}

function weighLists(type: ListType, column: FeatureColumn, options: WeighOptions): Weighed {
  const sampled = sampleLists(type, column)
  const cellCount = sampled.lists.length + sampled.nullCount
  if (cellCount === 0) return { cellCount, encodings: [] }
  const blocks = plainLists(sampled)
  const literalBits = blocks.reduce((sum, bytes) => sum + 8 * bytes.byteLength, 0)
  const encodings = listEncodings(sampled, { ...options, blocks })
  return { cellCount, encodings: [plainEncoding(cellCount, literalBits), ...encodings] }
}

/** A bit for each cell says whether it is set. */
function plainEncoding(cellCount: number, literalBits: number): LearnedEncoding {
  return { encoding: { kind: 'plain' }, sampleBits: cellCount + literalBits }
}

function coded({ coding, sampleBits }: LearnedCoding): LearnedEncoding {
  return { encoding: { kind: 'coded', coding }, sampleBits }
}
