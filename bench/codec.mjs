/**
 * `codec`: what encoding and decoding rows costs, at 1, 200 and 1,000 rows a call, plain rows and rows of
 * a layout learned from the same view.
 *
 * It calls what the write path and the read path call, on batches made beforehand; a pass goes over all
 * batches, so that every call meets other rows.
 */
import { readColumn } from '../dist/client/response-column.js'
import { learnProfile } from '../dist/codec/learn-profile.js'
import { learnVersion, measureEventTimes } from '../dist/codec/learn-version.js'
import { lz4Bytes } from '../dist/codec/lz4-bytes.js'
import { createRowDecoder, decodeRows } from '../dist/codec/row-decode.js'
import { encodeRows } from '../dist/codec/row-encode.js'
import { createRowLayout } from '../dist/codec/row-layout.js'
import { firstLayoutId } from '../dist/codec/row-version.js'
import { parseFeatureType } from '../dist/feature-type.js'
import { rowState } from '../dist/tiers/row-batch.js'
import { rounded, timeSteps } from './measure.mjs'
import { distinctRowsMin, makeRows, toWireColumn, views } from './workload.mjs'

const rowCounts = [1, 200, 1000]
const atUs = 1_000_000_000_000_000n
const sequence = 1n
const sampleRowCount = 10_000
const judge = { nowUs: atUs, ttlUs: 10n ** 12n, retentionUs: 10n ** 13n, onStale: 'serve' }

/** The view that each case measures, the form of its rows, and what its figures' names start with. */
const measured = {
  ranking_22: { view: 'ranking_22', isLearned: true, prefix: '' },
  ranking_22_plain: { view: 'ranking_22', isLearned: false, prefix: 'plain_' },
  numeric_19: { view: 'numeric_19', isLearned: true, prefix: 'numeric_' },
  numeric_19_plain: { view: 'numeric_19', isLearned: false, prefix: 'numeric_plain_' },
}

export const cases = Object.fromEntries(Object.keys(measured).map((name) => [name, measureCase]))

export const efforts = {
  quick: { roundMs: 100, roundCount: 5, distinctRowCount: distinctRowsMin },
  full: { roundMs: 1000, roundCount: 10, distinctRowCount: distinctRowsMin },
}

async function measureCase(caseName, effort) {
  const { view, isLearned, prefix } = measured[caseName]
  const workloadView = views[view]
  const codec = compile(workloadView, isLearned)
  const valueCount = workloadView.features.length
  const figures = {}
  for (const rowCount of rowCounts) {
    const batches = makeBatches(workloadView, rowCount, effort.distinctRowCount)
    const { rowBytes, encodeNs, decodeNs } = measureBatches(codec, batches, effort)
    figures[`${prefix}row_bytes`] = rounded(rowBytes)
    for (const [what, ns] of Object.entries({ encode: encodeNs, decode: decodeNs })) {
      figures[`${prefix}${what}_${rowCount}_rows_us`] = rounded(ns / 1000)
      figures[`${prefix}${what}_ns_per_row_${rowCount}`] = rounded(ns / rowCount)
      figures[`${prefix}${what}_ns_per_value_${rowCount}`] = rounded(ns / rowCount / valueCount)
    }
  }
  figures[`${prefix}values_per_second`] = rounded(1e9 / figures[`${prefix}decode_ns_per_value_200`])
  return { figures, ratios: growth(prefix, figures) }
}

/** What a row costs in larger calls, against smaller ones. */
function growth(prefix, figures) {
  const ratios = {}
  for (const what of ['encode', 'decode']) {
    const perRow = (rowCount) => figures[`${prefix}${what}_ns_per_row_${rowCount}`]
    ratios[`${prefix}${what}_per_row_200_over_1_rows`] = rounded(perRow(200) / perRow(1))
    ratios[`${prefix}${what}_per_row_1000_over_200_rows`] = rounded(perRow(1000) / perRow(200))
  }
  return ratios
}

/** The layouts in which rows are written, in order of preference, and the decoder of all of them. */
function compile(workloadView, isLearned) {
  const features = workloadView.features.map(({ name, type }, index) => ({
    id: index + 1,
    name,
    type: parseFeatureType(type),
  }))
  const plain = createRowLayout({ layoutId: firstLayoutId, features })
  const layouts = isLearned ? [learnLayout(workloadView, features), plain] : [plain]
  return { layouts, decoder: createRowDecoder(layouts, features) }
}

/** What `larder load` learns from a sample: rows that are not those measured. */
function learnLayout(workloadView, features) {
  const rows = makeRows(workloadView, { begin: 1_000_000, rowCount: sampleRowCount, atUs })
  const columns = rows.features.map((wire, index) =>
    readColumn({ ...wire, type: workloadView.features[index].type }, sampleRowCount),
  )
  const sample = { rowCount: sampleRowCount, columns }
  const profile = learnProfile(sample, features, { compressedBytes: lz4Bytes })
  const version = learnVersion(measureEventTimes(rows.eventTimesUs))
  const versionFormat = { ...version, sequence }
  return createRowLayout({ layoutId: firstLayoutId + 1, features, versionFormat, profile })
}

function makeBatches(workloadView, rowCount, distinctRowCount) {
  return Array.from({ length: Math.ceil(distinctRowCount / rowCount) }, (_, index) => {
    const rows = makeRows(workloadView, { begin: index * rowCount, rowCount, atUs })
    return {
      columns: rows.features.map(toWireColumn),
      eventTimesUs: rows.eventTimesUs,
      sequence,
      rowCount,
    }
  })
}

/** Bytes of a row, and nanoseconds of a call. */
function measureBatches({ layouts, decoder }, batches, { roundMs, roundCount }) {
  const { rowCount } = batches[0]
  const encoded = batches.map((batch) => encodeRows(layouts, batch))
  const slots = Uint32Array.from({ length: rowCount }, (_, slot) => slot)
  const read = encoded.map(asRead)
  const steps = { roundMs, roundCount, stepCount: batches.length }
  const totalBytes = encoded.reduce((sum, { rows }) => sum + rows.byteLength, 0)
  return {
    rowBytes: totalBytes / (batches.length * rowCount),
    encodeNs: timeSteps((index) => encodeRows(layouts, batches[index]), steps),
    decodeNs: timeSteps((index) => decodeRows(decoder, read[index], judge, { slots }), steps),
  }
}

/** Encoded rows as a read from a tier would leave them. */
function asRead({ rows, rowOffsets }) {
  const rowCount = rowOffsets.length - 1
  return {
    arena: rows,
    starts: rowOffsets.slice(0, rowCount),
    lengths: Uint32Array.from(
      { length: rowCount },
      (_, row) => rowOffsets[row + 1] - rowOffsets[row],
    ),
    states: new Uint8Array(rowCount).fill(rowState.row),
  }
}
