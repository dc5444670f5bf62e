import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { exampleModelText } from '../test/support/lightgbm-example.js'
import { nativeColumns } from './codec/native-columns.js'
import { createRowLayout } from './codec/row-layout.js'
import { loadAddon } from './native.js'
import { runModes } from './native-trees.js'

const addonPath = fileURLToPath(new URL('../native/build/Release/larder.node', import.meta.url))
const modelLimits = { modelBytesMax: 1e6, treesMax: 1000, nodesMax: 1e6, featuresMax: 1000 }

const fourTreesText = [
  'tree\nversion=v4\nnum_class=1\nmax_feature_idx=0\nobjective=regression\nfeature_names=a\n\n',
  ...[0, 1, 2, 3].map((tree) => `Tree=${tree}\nnum_leaves=1\nnum_cat=0\nleaf_value=1\n\n`),
  'end of trees\n',
].join('')

/** A worker that is in the middle of `runCount` asynchronous runs once it has sent a message. */
const busyWorkerCode = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { addonPath, text, limits, rowCount, runCount } = workerData
  const addon = require(addonPath)
  const { handle, featureNames } = addon.lightgbmParse(Buffer.from(text), limits)
  for (let run = 0; run < runCount; run++) {
    const columns = featureNames.map(() => new Float64Array(1))
    addon.treesRunAsync(handle, columns, rowCount, 0, rowCount, new Float64Array(rowCount), 1,
      1_000_000, new Int32Array(1))
  }
  setInterval(() => {}, 1000)
  parentPort.postMessage('busy')
`

describe('the addon', () => {
  test('refuses an external of another kind', () => {
    const addon = loadAddon()
    const { native } = createRowLayout({ layoutId: 2, features: [] })
    const model = addon.lightgbmParse(Buffer.from(exampleModelText), modelLimits)
    const handle = 'handle' in model ? model.handle : undefined
    expect(handle).toBeDefined()
    expect(() => Reflect.apply(addon.treesFree, undefined, [native])).toThrow(TypeError)
    const compile = () =>
      Reflect.apply(addon.createRowDecoder, undefined, [[handle], new Uint32Array()])
    expect(compile).toThrow('a row layout is expected')
  })

  test('refuses columns whose arrays were transferred away', () => {
    const bytes = Float32Array.of(1)
    const { native } = createRowLayout({
      layoutId: 2,
      features: [{ id: 1, type: { kind: 'scalar', scalar: 'float32' } }],
    })
    const values = { class: 'f32', bytes: new Uint8Array(bytes.buffer) } as const
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    const limits = Uint32Array.of(1000, 1000, 1000, 10)
    const columns = nativeColumns([{ name: 'a', values, status: undefined }])
    const encoded = loadAddon().encodeRows([native], columns, BigInt64Array.of(0n), 1n, limits)
    expect(encoded).toMatchObject({
      problems: [{ columnIndex: 0, reason: 'the column has 0 cells, expected 1' }],
    })
  })

  test('throws what fails in C++, and refuses keys that no 32-bit offset can tell', () => {
    const addon = loadAddon()
    const key = new Uint8Array(1024)
    const offsets = Uint32Array.of(0, key.length)
    const slots = new Uint32Array(2 ** 22)
    const generations = Float64Array.of(1)
    expect(() => addon.encodeWarmKeys(generations, key, offsets, slots, 1n)).toThrow(
      'a blob of more than 4 GiB',
    )
    const types = new Uint32Array()
    expect(() =>
      addon.encodeEntityKeys(types, nativeColumns([]), types, 2 ** 22, 1024, 10),
    ).toThrow(TypeError)
  })

  test('a row count whose cells wrap around 64 bits does not fit an empty output', () => {
    const addon = loadAddon()
    const model = addon.lightgbmParse(Buffer.from(fourTreesText), modelLimits)
    const handle = 'handle' in model ? model.handle : undefined
    expect(handle).toBeDefined()
    // 2^62 rows of four leaves are 2^64 cells.
    const columns = [new Float64Array(1)]
    const args = [handle, columns, 2 ** 62, 0, 0, new Int32Array(0), runModes.leaf]
    expect(() => Reflect.apply(addon.treesRun, undefined, args)).toThrow(TypeError)
  })

  test.each([1, 6])('survives a worker thread that ends within %d runs', async (runCount) => {
    const data = { addonPath, text: exampleModelText, limits: modelLimits, runCount }
    const worker = new Worker(busyWorkerCode, {
      eval: true,
      workerData: { ...data, rowCount: 2_000_000 },
    })
    await once(worker, 'message')
    expect(await worker.terminate()).toBe(1)
  })
})
