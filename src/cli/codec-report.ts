/**
 * What an encoding profile does to each feature of a sample, as a table or as JSON.
 */
import { type ProfileReport, reportProfile } from '../codec/profile-report.js'
import type { EncodingProfile } from '../encoding-profile.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { encodeProfile } from '../profile-json.js'
import { type JudgedProfile, learnOptions, typedFeatures } from './choose-profile.js'
import type { CliIo } from './cli-io.js'
import { nameOf } from './codec-costs.js'
import type { JsonInput } from './json-text.js'
import type { SampledRows } from './load-sample.js'
import { formatCount, printLine, printTable } from './print.js'

export interface CodecReport extends ProfileReport {
  readonly title: string
  readonly profile: EncodingProfile
  readonly sampleRowCount: number
}

export function reportOf(
  view: FeatureView,
  sample: SampledRows,
  judged: JudgedProfile,
): CodecReport {
  const { profile } = judged
  return {
    ...reportProfile(profile, sample, typedFeatures(view), learnOptions),
    title: `${view.name}, ${nameOf(judged)}, on ${formatCount(sample.rowCount, 'row')}:`,
    profile,
    sampleRowCount: sample.rowCount,
  }
}

export async function printReport(io: CliIo, report: CodecReport): Promise<void> {
  const { title, features, bodyBytes, plainBodyBytes, entropyBytes } = report
  await printLine(io, title)
  await printTable(io, {
    head: ['feature', 'type', 'bits', 'entropy', 'encoding', 'why'],
    rows: features.map(({ name, type, bitsPerCell, entropyBits, encoding, why }) => [
      name,
      type,
      bitsPerCell.toFixed(1),
      entropyBits?.toFixed(1) ?? '-',
      encoding,
      why,
    ]),
  })
  const entropy = entropyBytes === undefined ? '' : `, entropy ${entropyBytes.toFixed(1)}`
  await printLine(
    io,
    `values: ${bodyBytes.toFixed(1)} B per row (plain ${plainBodyBytes.toFixed(1)}${entropy})`,
  )
}

export function reportJson(report: CodecReport) {
  const { features, bodyBytes, plainBodyBytes, entropyBytes, profile, sampleRowCount } = report
  // The text, so that nothing but JSON values is left of it.
  const profileJson: JsonInput = JSON.parse(JSON.stringify(encodeProfile(profile)))
  return {
    sample_row_count: sampleRowCount,
    features: features.map((feature) => ({
      name: feature.name,
      type: feature.type,
      bits_per_cell: feature.bitsPerCell,
      entropy_bits: feature.entropyBits ?? null,
      cell_count: feature.cellCount,
      exception_count: feature.exceptionCount,
      encoding: feature.encoding,
      why: feature.why,
    })),
    body_bytes: bodyBytes,
    plain_body_bytes: plainBodyBytes,
    entropy_bytes: entropyBytes ?? null,
    profile: profileJson,
  }
}
