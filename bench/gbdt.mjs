/**
 * `gbdt`: what a row costs in the tree engine, in every kernel that this machine can run, beside
 * lib_lightgbm and lleaves on the same models, rows and machine.
 *
 * Ours is the call that the addon exports, in line, on one thread; theirs are told in
 * `peers/gbdt.py`. Rounds alternate between all of them, so that a slow spell falls on each, and the best of
 * each counts. On the way every kernel's raw scores are compared with LightGBM's, bit by bit.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as limits from '../dist/limits.js'
import { loadAddon } from '../dist/native.js'
import { runModes } from '../dist/native-trees.js'
import { treeKernels } from '../dist/predict/tree-kernel.js'
import { createSeededPrng } from '../dist/prng.js'
import { modelsFolder, startPeers } from './gbdt-peers.mjs'
import { makeLightgbmText } from './lightgbm-text.mjs'
import { rounded, timeSteps } from './measure.mjs'
import { drawValue, seed } from './workload.mjs'

const shapes = {
  t100_l31_f23: { trees: 100, leaves: 31, features: 23 },
  t500_l31_f100: { trees: 500, leaves: 31, features: 100 },
  t500_l63_f100: { trees: 500, leaves: 63, features: 100 },
}
/** Of these 2 and 4 tell from how many rows on the bitmask kernel is worth it. */
const rowCounts = [1, 2, 4, 200, 1000]
/** As `kWalkRowsMax` in native/trees/bitmask_kernels.h. */
const walkRowsMax = 2
/** Columns of floats, whose keys say nothing, and of doubles. */
const widths = {
  f32: { keyPart: '', Column: Float32Array, raw: 'raw32' },
  f64: { keyPart: '_f64', Column: Float64Array, raw: 'raw64' },
}
const peerNames = ['lightgbm', 'lleaves']
/** Distinct rows, a multiple of all row counts. */
const distinctRowCount = 2000
/** The distribution of the values where the peers do not draw them. */
const valueKind = 'mean'

export const cases = {
  t100_l31_f23: measureShape,
  t500_l31_f100: measureShape,
  t500_l63_f100: measureShape,
  pool: measurePool,
}

export const efforts = {
  quick: { roundMs: 20, roundCount: 3 },
  full: { roundMs: 150, roundCount: 10 },
}

const avx512Targets = { t100_l31_f23: 1 / 12, t500_l31_f100: 1 / 12, t500_l63_f100: 1 / 8 }

/** What ratios are to be at most; that of the kernel chosen is AVX-512's. */
export const targets = Object.freeze(
  Object.assign({}, ...Object.entries(avx512Targets).map(([name, most]) => targetsOf(name, most))),
)

function targetsOf(name, avx512Most) {
  const batches = [200, 1000]
  const ofRows = (rowCount) => ({
    [`${name}_rows${rowCount}_vs_lightgbm`]: avx512Most,
    [`${name}_rows${rowCount}_bitmask_avx2_vs_lightgbm`]: 1 / 6,
    [`${name}_rows${rowCount}_bitmask_portable_vs_lightgbm`]: 1 / 4,
    [`${name}_rows${rowCount}_vs_lleaves`]: 1 / 3,
    [`${name}_f64_rows${rowCount}_vs_lightgbm`]: 1 / 4,
  })
  return Object.assign({ [`${name}_rows1_vs_lightgbm`]: 1 / 2 }, ...batches.map(ofRows))
}

/** Trains and compiles all models, so that a run after it finds them. */
export async function preparePeers() {
  const peers = startPeers()
  if (peers === undefined) throw new Error('there are no peers to prepare')
  for (const name of Object.keys(shapes)) {
    await peers.ask(openCommand(name))
    console.log(`${name}: ready`)
  }
  peers.close()
}

function openCommand(name) {
  return { do: 'open', name, rows: distinctRowCount, ...shapes[name] }
}

async function measureShape(name, effort) {
  const peers = startPeers()
  try {
    const given = peers === undefined ? makeGiven(shapes[name]) : await openGiven(peers, name)
    const models = loadModels(given.text)
    const report = { figures: {}, ratios: {}, notes: {} }
    for (const width of Object.keys(widths)) {
      assertExact(models, given, width, shapes[name])
      for (const rowCount of rowCounts) {
        const nsPerRow = await measureRows({ models, given, peers, name, width, rowCount, effort })
        const key = `${name}${widths[width].keyPart}_rows${rowCount}`
        addToReport(report, { key, nsPerRow, kernel: models.auto.kernel, rowCount })
      }
    }
    return report
  } finally {
    peers?.close()
  }
}

/** Model and rows of the peers, and the raw scores of LightGBM. */
async function openGiven(peers, name) {
  await peers.ask(openCommand(name))
  const read = (suffix) => readFileSync(join(modelsFolder, `${name}.${suffix}`))
  const valuesOf = (suffix, Column) => new Column(Uint8Array.from(read(suffix)).buffer)
  const rows = { f32: valuesOf('f32', Float32Array), f64: valuesOf('f64', Float64Array) }
  const raw = { f32: valuesOf('raw32', Float64Array), f64: valuesOf('raw64', Float64Array) }
  return { text: read('txt'), rows, raw }
}

/** Without peers: a model of that shape, and rows that reach all its leaves. */
function makeGiven({ trees, leaves, features }) {
  const inputs = Array.from({ length: features }, (_, i) => ({ name: `f${i}`, kind: valueKind }))
  const text = makeLightgbmText({ inputs, treeCount: trees, leafCount: leaves, seed })
  const prng = createSeededPrng(seed)
  const cellCount = distinctRowCount * features
  const f64 = Float64Array.from({ length: cellCount }, () => drawValue(valueKind, prng))
  return { text: Buffer.from(text), rows: { f32: Float32Array.from(f64), f64 }, raw: {} }
}

/** The model once for each kernel that the machine has, and once as it would be served. */
function loadModels(text) {
  const native = loadAddon()
  const models = {}
  for (const kernel of treeKernels) {
    const { handle } = native.lightgbmParse(text, {
      modelBytesMax: limits.modelFileBytesMax,
      treesMax: limits.modelTreesMax,
      nodesMax: limits.modelNodesMax,
      featuresMax: limits.modelFeaturesMax,
    })
    const chosen = native.treesChooseKernel(handle, kernel)
    if (chosen.ok) models[kernel] = { native, handle, kernel: chosen.kernel }
    else console.error(`skipped: ${kernel}: ${chosen.message}`)
  }
  return models
}

/** One call per chunk of rows: together all of them, once. */
function makeChunks({ rows, width, rowCount, featureCount }) {
  const { Column } = widths[width]
  return Array.from({ length: distinctRowCount / rowCount }, (_, chunk) =>
    Array.from({ length: featureCount }, (_, feature) =>
      Column.from({ length: rowCount }, (_, row) => {
        return rows[width][(chunk * rowCount + row) * featureCount + feature]
      }),
    ),
  )
}

/**
 * The columns of call `index`. A single row is copied into the same columns every time, as its values lie
 * together for the peers too; arrays of one number each would be more to read than the row.
 */
function columnSource({ rows, width, rowCount, featureCount }) {
  const { Column } = widths[width]
  if (rowCount > 1) {
    const chunks = makeChunks({ rows, width, rowCount, featureCount })
    return (index) => chunks[index]
  }
  const columns = Array.from({ length: featureCount }, () => new Column(1))
  const values = rows[width]
  return (index) => {
    const begin = index * featureCount
    for (let feature = 0; feature < featureCount; feature++) {
      columns[feature][0] = values[begin + feature]
    }
    return columns
  }
}

/** Every kernel gives LightGBM's bits; without LightGBM, those of the walk. */
function assertExact(models, given, width, { features }) {
  const chunks = makeChunks({ rows: given.rows, width, rowCount: 1000, featureCount: features })
  const scoresOf = (model) => {
    const scores = chunks.flatMap((columns) => [...runOnce(model, columns, 1000)])
    return new BigUint64Array(Float64Array.from(scores).buffer)
  }
  const raw = given.raw[width]
  const expected = raw === undefined ? scoresOf(models.walk) : new BigUint64Array(raw.buffer)
  for (const [name, model] of Object.entries(models)) {
    if (!scoresOf(model).every((bits, row) => bits === expected[row])) {
      throw new Error(`the raw scores of kernel ${name} on ${width} columns have other bits`)
    }
  }
}

function runOnce({ native, handle }, columns, rowCount, output = new Float64Array(rowCount)) {
  native.treesRun(handle, columns, rowCount, 0, rowCount, output, runModes.raw)
  return output
}

/** CPU nanoseconds of a row by kernel and by peer: the best of the rounds. */
async function measureRows({ models, given, peers, name, width, rowCount, effort }) {
  const featureCount = shapes[name].features
  const columnsOf = columnSource({ rows: given.rows, width, rowCount, featureCount })
  const output = new Float64Array(rowCount)
  const best = {}
  const keep = (who, nsPerRow) => {
    best[who] = Math.min(best[who] ?? Infinity, nsPerRow)
  }
  for (let round = 0; round < effort.roundCount; round++) {
    for (const [kernel, model] of Object.entries(models)) {
      const step = (index) => runOnce(model, columnsOf(index), rowCount, output)
      const sizes = {
        stepCount: distinctRowCount / rowCount,
        roundMs: effort.roundMs,
        roundCount: 1,
      }
      keep(kernel, timeSteps(step, sizes) / rowCount)
    }
    for (const peer of peers === undefined ? [] : peerNames) {
      const command = { do: 'time', peer, width, rows: rowCount, ms: effort.roundMs }
      keep(peer, (await peers.ask(command)).nsPerRow)
    }
  }
  return best
}

/** `auto`, the kernel that serves, has no name in the keys; notes say which one it is. */
function addToReport({ figures, ratios, notes }, { key, nsPerRow, kernel, rowCount }) {
  const keyOf = (who) => (who === 'auto' ? key : `${key}_${who.replaceAll('-', '_')}`)
  const note = rowCount <= walkRowsMax ? `${kernel}, but so few rows are walked` : kernel
  for (const [who, ns] of Object.entries(nsPerRow)) {
    figures[`${keyOf(who)}_ns_per_row`] = rounded(ns)
    if (who === 'auto') notes[`${key}_ns_per_row`] = note
    if (peerNames.includes(who)) continue
    for (const peer of peerNames.filter((each) => each in nsPerRow)) {
      ratios[`${keyOf(who)}_vs_${peer}`] = rounded(ns / nsPerRow[peer])
      if (who === 'auto') notes[`${key}_vs_${peer}`] = note
    }
  }
}

/** What handing a run to the pool and waiting for it costs, by the clock: no work is done. */
async function measurePool(_, { roundMs, roundCount }) {
  const { trees, leaves, features } = { trees: 1, leaves: 2, features: 1 }
  const model = loadModels(makeGiven({ trees, leaves, features }).text).auto
  const columns = [Float64Array.of(1)]
  const output = new Float64Array(1)
  const cancel = new Int32Array(1)
  const handOver = () =>
    model.native.treesRunAsync(
      ...[model.handle, columns, 1, 0, 1, output, runModes.raw, 64, cancel],
    )
  let bestUs = Infinity
  for (let round = 0; round < roundCount; round++) {
    const startMs = performance.now()
    let count = 0
    for (; performance.now() - startMs < roundMs; count++) await handOver()
    bestUs = Math.min(bestUs, ((performance.now() - startMs) * 1000) / count)
  }
  return { figures: { pool_over_in_line_us: rounded(bestUs) }, ratios: {} }
}
