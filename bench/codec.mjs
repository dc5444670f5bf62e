/**
 * `codec`: nanoseconds per row and per value of encoding and decoding, at 1, 200 and 1,000 rows a call.
 *
 * It calls what the write path and the read path call, on batches made beforehand; a pass goes over all
 * batches, so that every call meets other rows.
 */
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
const judge = { nowUs: atUs, ttlUs: 10n ** 12n, retentionUs: 10n ** 13n, onStale: 'serve' }

export const cases = { ranking_22: measureView, numeric_19: measureView }

export const efforts = {
  quick: { roundMs: 100, roundCount: 5, distinctRowCount: distinctRowsMin },
  full: { roundMs: 1000, roundCount: 10, distinctRowCount: distinctRowsMin },
}

/** Figures and ratios of the view that the case is named for. */
async function measureView(caseName, effort) {
  const workloadView = views[caseName]
  const codec = compile(workloadView)
  const valueCount = workloadView.features.length
  const figures = {}
  for (const rowCount of rowCounts) {
    const batches = makeBatches(workloadView, rowCount, effort.distinctRowCount)
    const { rowBytes, encodeNs, decodeNs } = measureBatches(codec, batches, effort)
    const key = `${caseName}_${rowCount}_rows`
    figures[`${caseName}_row_bytes`] = rounded(rowBytes)
    figures[`${key}_encode_ns_per_row`] = rounded(encodeNs)
    figures[`${key}_encode_ns_per_value`] = rounded(encodeNs / valueCount)
    figures[`${key}_decode_ns_per_row`] = rounded(decodeNs)
    figures[`${key}_decode_ns_per_value`] = rounded(decodeNs / valueCount)
  }
  return { figures, ratios: growth(caseName, figures) }
}

/** What a row costs in larger calls, against smaller ones. */
function growth(caseName, figures) {
  const ratios = {}
  for (const what of ['encode', 'decode']) {
    const perRow = (rowCount) => figures[`${caseName}_${rowCount}_rows_${what}_ns_per_row`]
    ratios[`${caseName}_${what}_per_row_200_over_1_rows`] = rounded(perRow(200) / perRow(1))
    ratios[`${caseName}_${what}_per_row_1000_over_200_rows`] = rounded(perRow(1000) / perRow(200))
  }
  return ratios
}

function compile(workloadView) {
  const features = workloadView.features.map(({ name, type }, index) => ({
    id: index + 1,
    name,
    type: parseFeatureType(type),
  }))
  const layout = createRowLayout({ layoutId: firstLayoutId, features })
  return { layout, decoder: createRowDecoder([layout], features) }
}

function makeBatches(workloadView, rowCount, distinctRowCount) {
  return Array.from({ length: Math.ceil(distinctRowCount / rowCount) }, (_, index) => {
    const rows = makeRows(workloadView, { begin: index * rowCount, rowCount, atUs })
    return {
      columns: rows.features.map(toWireColumn),
      eventTimesUs: rows.eventTimesUs,
      sequence: 1n,
      rowCount,
    }
  })
}

function measureBatches({ layout, decoder }, batches, { roundMs, roundCount }) {
  const { rowCount } = batches[0]
  const encoded = batches.map((batch) => encodeRows(layout, batch))
  const slots = Uint32Array.from({ length: rowCount }, (_, slot) => slot)
  const read = encoded.map(asRead)
  const steps = { roundMs, roundCount, stepCount: batches.length }
  const encode = (index) => encodeRows(layout, batches[index])
  const decode = (index) => decodeRows(decoder, read[index], judge, { slots })
  const totalBytes = encoded.reduce((sum, { rows }) => sum + rows.byteLength, 0)
  return {
    rowBytes: totalBytes / (batches.length * rowCount),
    encodeNs: timeSteps(encode, steps) / rowCount,
    decodeNs: timeSteps(decode, steps) / rowCount,
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
