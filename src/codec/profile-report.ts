/**
 * What an encoding profile does for a sample, feature by feature, for people to read.
 *
 * Bits are those of the sample, exceptions included. The entropy beside them is that of the sample's own
 * frequencies: what no code that writes each value on its own can be below. Where more than half of the
 * values are distinct it says nothing about values to come, and is left out.
 */
import type { FeatureColumn } from '../column.js'
import type { EncodingProfile, FeatureEncoding } from '../encoding-profile.js'
import { type FeatureType, formatFeatureType, type ScalarType } from '../feature-type.js'
import { encodingInWords, kindInWords } from './encoding-words.js'
import { cellRows, countIntegers, countTexts, integersAt } from './learn-counts.js'
import { elementIndexes, elementIntegers, type ListType, sampleLists } from './learn-lists.js'
import { type LearnedCandidate, weighFeatures } from './learn-profile.js'
import { bodyBytesOf, costProfile, type FeatureCost, plainBodyBytesOf } from './profile-cost.js'
import type { LearnedFeatureType, LearnOptions, ProfileSample } from './profile-sample.js'

export interface FeatureReport {
  readonly id: number
  readonly name: string
  readonly type: string
  /** Cells with a value or null that were looked at. */
  readonly cellCount: number
  readonly exceptionCount: number
  readonly bitsPerCell: number
  /** Of a cell; of a list's length and elements together. */
  readonly entropyBits: number | undefined
  readonly encoding: string
  /** What the runners-up would take. */
  readonly why: string
}

export interface ProfileReport {
  readonly features: readonly FeatureReport[]
  /** Of an average row without its layout id and version, filled up to whole bytes. */
  readonly bodyBytes: number
  readonly plainBodyBytes: number
  /** Where every feature's entropy is known. */
  readonly entropyBytes: number | undefined
}

/** Of the features that `sample` has cells of. */
export function reportProfile(
  profile: EncodingProfile,
  sample: ProfileSample,
  features: readonly LearnedFeatureType[],
  options: LearnOptions = {},
): ProfileReport {
  const cost = costProfile(profile, sample, features, options)
  const costs = new Map(cost.features.map((each) => [each.featureId, each]))
  const weighed = weighFeatures(sample, features, options)
  const byName = new Map(sample.columns.map((column) => [column.name, column]))
  const reports = weighed.flatMap(({ feature, candidates }): FeatureReport[] => {
    const featureCost = costs.get(feature.id)
    const column = byName.get(feature.name)
    if (featureCost === undefined || column === undefined) return []
    const encoding = profile.encodings.get(feature.id) ?? { kind: 'plain' }
    return [
      {
        id: feature.id,
        name: feature.name,
        type: formatFeatureType(feature.type),
        ...numbersOf(featureCost),
        entropyBits: entropyOf(feature.type, column),
        encoding: encodingInWords(encoding),
        why: whyOf(encoding, featureCost.bitsPerCell, candidates),
      },
    ]
  })
  const entropies = reports.map(({ entropyBits }) => entropyBits)
  return {
    features: reports,
    bodyBytes: bodyBytesOf(cost),
    plainBodyBytes: plainBodyBytesOf(costProfile(plainProfile, sample, features), features.length),
    entropyBytes: entropies.every((bits) => bits !== undefined)
      ? entropies.reduce((sum, bits) => sum + bits, 0) / 8
      : undefined,
  }
}

function numbersOf({ cellCount, exceptionCount, bitsPerCell }: FeatureCost) {
  return { cellCount, exceptionCount, bitsPerCell }
}

const plainProfile: EncodingProfile = { id: 0, encodings: new Map(), sampleRowCount: 0 }

/** What the best of each other kind would take; some less, where a profile was learned from other rows. */
function whyOf(
  encoding: FeatureEncoding,
  bitsOfChosen: number,
  candidates: readonly LearnedCandidate[],
): string {
  const chosen = kindInWords(encoding)
  const others = new Map<string, number>()
  // The cheapest come first.
  for (const candidate of candidates) {
    const kind = kindInWords(candidate.encoding)
    if (kind !== chosen && !others.has(kind)) others.set(kind, candidate.bitsPerCell)
  }
  const bits = Array.from(others, ([kind, bitsPerCell]) => `${kind} ${bitsPerCell.toFixed(1)}`)
  if (bits.length === 0) return 'nothing else fits'
  const isBest = [...others.values()].every((bitsPerCell) => bitsPerCell >= bitsOfChosen)
  return `${isBest ? 'instead of' : 'on these rows'} ${bits.join(', ')} bits`
}

/** In bits per cell; undefined where more than half of the values are distinct. */
function entropyOf(type: FeatureType, column: FeatureColumn): number | undefined {
  return type.kind === 'scalar' ? scalarEntropy(type.scalar, column) : listEntropy(type, column)
}

function scalarEntropy(scalar: ScalarType, column: FeatureColumn): number | undefined {
  const { values } = column
  if (values.class === 'list') return undefined
  const { setRows, nullCount } = cellRows(column)
  const counts =
    values.class === 'var'
      ? countTexts(values, setRows).map(({ count }) => count)
      : Array.from(countIntegers(integersAt(scalar, values, setRows)).counts)
  return entropyOfCounts([...counts, nullCount])
}

function listEntropy(type: ListType, column: FeatureColumn): number | undefined {
  const sampled = sampleLists(type, column)
  const { lists, nullCount, elements } = sampled
  const lengths = countIntegers(
    BigInt64Array.from(lists, ({ elementCount }) => BigInt(elementCount)),
  )
  const indexes = elementIndexes(lists)
  const elementCounts =
    elements.class === 'var'
      ? countTexts(elements, indexes).map(({ count }) => count)
      : Array.from(countIntegers(elementIntegers(sampled)).counts)
  const ofLengths = entropyOfCounts([...lengths.counts, nullCount])
  const ofElements = entropyOfCounts(elementCounts)
  if (ofLengths === undefined || ofElements === undefined) return undefined
  return ofLengths + (ofElements * indexes.length) / (lists.length + nullCount)
}

/** In bits per item; undefined where more than half of the items are distinct. */
function entropyOfCounts(counts: readonly number[]): number | undefined {
  const seen = counts.filter((count) => count > 0)
  const total = seen.reduce((sum, count) => sum + count, 0)
  if (seen.length > 1 && seen.length * 2 > total) return undefined
  return seen.reduce((sum, count) => sum + (count / total) * Math.log2(total / count), 0)
}
