/**
 * `onnx`: batches of 200 rows through `Model.predict` beside bare onnxruntime `run` on the same model
 * and rows, in one thread of computation each.
 *
 * Bare runs get row-major tensors that are ready and hold their thread; ours get columns, as the daemon
 * has them, and leave the event loop free. Rounds of both alternate, the best of each side counts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxruntime from 'onnxruntime-node'
import { systemClock } from '../dist/clock.js'
import { loadOnnxModel } from '../dist/predict/onnx-model.js'
import { createOnnxPool } from '../dist/predict/onnx-pool.js'
import { createSeededPrng } from '../dist/prng.js'
import { ownCpuUs, rounded } from './measure.mjs'
import { makeMlpModel } from './onnx-mlp.mjs'

const rowCount = 200
/** Calls under way where a daemon has more than one: the next lies in the worker's port already. */
const underWayCount = 4

const measured = { mlp_64_128_64: [64, 128, 64, 1], mlp_200_256_128: [200, 256, 128, 1] }

export const cases = Object.fromEntries(Object.keys(measured).map((name) => [name, measureCase]))

export const targets = {
  mlp_64_128_64_rows200_vs_bare: 1.1,
  mlp_200_256_128_rows200_vs_bare: 1.1,
}

export const efforts = {
  quick: { roundMs: 100, roundCount: 12, distinctRowCount: 2000 },
  full: { roundMs: 500, roundCount: 20, distinctRowCount: 10_000 },
}

async function measureCase(caseName, effort) {
  const widths = measured[caseName]
  const file = makeMlpModel(widths, 1)
  const batches = makeBatches(widths[0], effort.distinctRowCount)
  const bare = await openBare(file, widths[0])
  const ours = await openOurs(file, widths[0])
  try {
    await requireSame(bare, ours, batches)
    const [alone, several] = [1, underWayCount]
    const sides = {
      bare: { call: (batch) => bare.run(batch), concurrency: alone },
      alone: { call: (batch) => ours.run(batch), concurrency: alone },
      several: { call: (batch) => ours.run(batch), concurrency: several },
    }
    const best = await bestRounds(sides, batches, effort)
    return report(caseName, best)
  } finally {
    ours.close()
    await bare.close()
  }
}

function report(name, { bare, alone, several }) {
  const figures = {
    [`${name}_rows200_us`]: rounded(several.wallUs),
    [`${name}_rows200_alone_us`]: rounded(alone.wallUs),
    [`${name}_rows200_cpu_us`]: rounded(several.cpuUs),
    [`${name}_rows200_bare_us`]: rounded(bare.wallUs),
    [`${name}_rows200_bare_cpu_us`]: rounded(bare.cpuUs),
  }
  const ratios = {
    [`${name}_rows200_vs_bare`]: rounded(several.wallUs / bare.wallUs),
    [`${name}_rows200_alone_vs_bare`]: rounded(alone.wallUs / bare.wallUs),
    [`${name}_rows200_cpu_vs_bare`]: rounded(several.cpuUs / bare.cpuUs),
  }
  return { figures, ratios }
}

/** Wall and CPU time of a batch, each the least of its rounds; the first round of a side warms it up. */
async function bestRounds(sides, batches, { roundMs, roundCount }) {
  const best = {}
  for (let round = 0; round <= roundCount; round++) {
    for (const [name, { call, concurrency }] of Object.entries(sides)) {
      const took = await timeRound(call, batches, { roundMs, concurrency })
      if (round === 0) best[name] = { wallUs: Infinity, cpuUs: Infinity }
      else best[name].wallUs = Math.min(best[name].wallUs, took.wallUs)
      if (round > 0) best[name].cpuUs = Math.min(best[name].cpuUs, took.cpuUs)
    }
  }
  return best
}

async function timeRound(call, batches, { roundMs, concurrency }) {
  const startMs = performance.now()
  const startUs = ownCpuUs()
  let callCount = 0
  const loop = async () => {
    while (performance.now() - startMs < roundMs) await call(batches[callCount++ % batches.length])
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  const wallUs = (performance.now() - startMs) * 1000
  return { wallUs: wallUs / callCount, cpuUs: (ownCpuUs() - startUs) / callCount }
}

function makeBatches(width, distinctRowCount) {
  const prng = createSeededPrng(2)
  return Array.from({ length: Math.ceil(distinctRowCount / rowCount) }, () => {
    const columns = Array.from({ length: width }, () =>
      Float32Array.from({ length: rowCount }, () => 4 * prng.next() - 2),
    )
    const rows = new Float32Array(rowCount * width)
    for (const [place, column] of columns.entries()) {
      for (const [row, value] of column.entries()) rows[row * width + place] = value
    }
    return { columns, rows }
  })
}

async function openBare(file, width) {
  const { InferenceSession, Tensor } = onnxruntime
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  })
  return {
    run: async ({ rows }) => {
      const { y } = await session.run({ x: new Tensor('float32', rows, [rowCount, width]) })
      return y.data
    },
    close: () => session.release(),
  }
}

async function openOurs(file, width) {
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-onnx-'))
  const path = join(folder, 'model.onnx')
  writeFileSync(path, file)
  const packageName = 'onnxruntime-node'
  const pool = createOnnxPool({ clock: systemClock, workerCountMax: 1, packageName })
  const names = Array.from({ length: width }, (_, place) => `input_${place}`)
  const model = await loadOnnxModel({ path, tensors: new Map([['x', names]]) }, pool)
  rmSync(folder, { recursive: true })
  return {
    run: async ({ columns }) => {
      const output = new Float64Array(rowCount)
      await model.predict(columns, rowCount, output, { raw: false })
      return output
    },
    close: () => model.close(),
  }
}

async function requireSame(bare, ours, batches) {
  for (const batch of batches.slice(0, 3)) {
    const [expected, found] = [await bare.run(batch), await ours.run(batch)]
    if (expected.every((score, row) => score === found[row])) continue
    throw new Error('Model.predict and onnxruntime disagree')
  }
}
