import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { exampleModelText } from '../../test/support/lightgbm-example.js'
import { loadAddon } from '../native.js'
import type { TreesNative, TreesParsed } from '../native-trees.js'
import { parseLightgbmModel } from './lightgbm-model.js'
import { createTreeModel } from './tree-model.js'

const limits = { modelBytesMax: 1e6, treesMax: 1000, nodesMax: 1e6, featuresMax: 1000 }
const words = { kind: 'lightgbm', pandasCategorical: undefined, kernel: 'auto' } as const
const addonPath = fileURLToPath(new URL('../../native/build/Release/larder.node', import.meta.url))

/** The addon, with some calls replaced. */
function addonWith(replaced: Partial<TreesNative>): TreesNative {
  const addon = loadAddon()
  return {
    lightgbmParse: addon.lightgbmParse,
    xgboostParse: addon.xgboostParse,
    treesChooseKernel: addon.treesChooseKernel,
    treesRun: addon.treesRun,
    treesRunAsync: addon.treesRunAsync,
    treesFree: addon.treesFree,
    ...replaced,
  }
}

function parsed(): TreesParsed {
  const result = loadAddon().lightgbmParse(Buffer.from(exampleModelText), limits)
  if (!result.ok) throw new Error(result.message)
  return result
}

const columnsOf = (rowCount: number) => [
  Float64Array.from({ length: rowCount }, (_, row) => row % 3),
  Float64Array.of(0),
  Float64Array.of(1),
]

describe('kernels', () => {
  test('trees that a bitmask kernel does not take are walked beside it', () => {
    const plain = exampleModelText.replace(/Tree=0[\s\S]*?(?=Tree=1)/, (tree) =>
      tree
        .replace(/num_leaves=.*/, 'num_leaves=2')
        .replace(/num_cat=.*/, 'num_cat=0')
        .replace(/split_feature=.*/, 'split_feature=0')
        .replace(/threshold=.*/, 'threshold=0.5')
        .replace(/decision_type=.*/, 'decision_type=2')
        .replace(/left_child=.*/, 'left_child=-1')
        .replace(/right_child=.*/, 'right_child=-2')
        .replace(/leaf_value=.*/, 'leaf_value=1 2')
        .replace(/cat_boundaries=.*\n/, '')
        .replace(/cat_threshold=.*\n/, ''),
    )
    const kernelOf = (kernel: 'walk' | 'bitmask-portable') =>
      parseLightgbmModel(Buffer.from(plain), { kernel }).kernel
    expect(kernelOf('walk')).toBe('2 trees in walk')
    expect(kernelOf('bitmask-portable')).toBe('1 tree in bitmask-portable, 1 in walk')
  })

  test('one that the machine cannot run is refused, and the model freed', () => {
    const freed: unknown[] = []
    const native = addonWith({
      treesChooseKernel: () => ({ ok: false, message: 'this machine cannot run it' }),
      treesFree: (handle) => freed.push(handle),
    })
    const model = parsed()
    expect(() => createTreeModel(native, model, { ...words, kernel: 'bitmask-avx512' })).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: expect.stringContaining("kernel 'bitmask-avx512' cannot run the model"),
      }),
    )
    expect(freed).toEqual([model.handle])
  })

  test('the addon refuses a name that it does not know', () => {
    const { handle } = parsed()
    expect(loadAddon().treesChooseKernel(handle, 'bitmask-none')).toMatchObject({ ok: false })
  })
})

describe('threads', () => {
  test('few rows are run at once, many never on the calling thread', async () => {
    const calls: string[] = []
    const addon = loadAddon()
    const native = addonWith({
      treesRun: (...run) => {
        calls.push('in line')
        return addon.treesRun(...run)
      },
      treesRunAsync: async (...run) => {
        calls.push('pool')
        return await addon.treesRunAsync(...run)
      },
    })
    const model = createTreeModel(native, parsed(), words)
    for (const rowCount of [1, 100, 1_000_000]) {
      const output = new Float64Array(rowCount)
      await model.predict(columnsOf(rowCount), rowCount, output, { raw: true })
    }
    expect(calls).toEqual(['in line', 'in line', 'pool'])
  })

  test('a call that is cancelled leaves out the slices that have not begun', async () => {
    const { handle } = parsed()
    const rowCount = 100_000
    const output = new Float64Array(rowCount).fill(42)
    const cancelled = Int32Array.of(1)
    const run = [handle, columnsOf(rowCount), rowCount, 0, rowCount, output, 0] as const
    await loadAddon().treesRunAsync(...run, 64, cancelled)
    expect(output.every((score) => score === 42)).toBe(true)
    await loadAddon().treesRunAsync(...run, 64, Int32Array.of(0))
    expect(output.every((score) => score !== 42)).toBe(true)
  })

  test('many calls at once, closed under way, all get their scores', async () => {
    const model = parseLightgbmModel(Buffer.from(exampleModelText))
    const few = new Float64Array(3)
    await model.predict(columnsOf(3), 3, few, { raw: true })
    const rowCounts = Array.from({ length: 40 }, (_, call) => 20_000 + call * 997)
    const calls = rowCounts.map(async (rowCount) => {
      const output = new Float64Array(rowCount)
      await model.predict(columnsOf(rowCount), rowCount, output, { raw: true })
      return output.every((score, row) => score === few[row % 3])
    })
    model.close()
    expect(await Promise.all(calls)).toEqual(rowCounts.map(() => true))
  })

  test('the first integer that no f64 holds is told, whichever slice finds one first', async () => {
    const model = parseLightgbmModel(Buffer.from(exampleModelText))
    const rowCount = 500_000
    const integers = new BigInt64Array(rowCount).fill(2n ** 53n + 1n, 1000)
    const columns = [integers, Float64Array.of(0), Float64Array.of(1)]
    const output = new Float64Array(rowCount)
    await expect(model.predict(columns, rowCount, output, { raw: true })).rejects.toThrow(
      'in row 1000:',
    )
  })

  test('a worker thread has a pool of its own, and ends by itself once it is idle', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = require(workerData.addonPath)
      const { handle } = addon.lightgbmParse(Buffer.from(workerData.text), workerData.limits)
      const output = new Float64Array(10_000)
      const columns = [0, 0, 1].map((x) => Float64Array.of(x))
      addon
        .treesRunAsync(handle, columns, 10_000, 0, 10_000, output, 0, 64, new Int32Array(1))
        .then(() => parentPort.postMessage(output[9_999]))
    `
    const workerData = { addonPath, text: exampleModelText, limits }
    const worker = new Worker(code, { eval: true, workerData })
    const ended = once(worker, 'exit')
    const [score] = await once(worker, 'message')
    const expected = new Float64Array(1)
    const model = parseLightgbmModel(Buffer.from(exampleModelText))
    await model.predict(
      [0, 0, 1].map((x) => Float64Array.of(x)),
      1,
      expected,
      { raw: true },
    )
    expect(score).toBe(expected[0])
    expect(await ended).toEqual([0])
  })
})
