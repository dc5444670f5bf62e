import { spawnSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../src/clock.js'
import {
  onnxLostWorkersMax,
  onnxRunMsMax,
  onnxRunsPerWorkerMax,
  onnxWaitingRunsMax,
} from '../src/limits.js'
import { blockBytes, blockViews, type OnnxPlan } from '../src/predict/onnx-block.js'
import { loadOnnxModel } from '../src/predict/onnx-model.js'
import { createOnnxPool, type OnnxPool } from '../src/predict/onnx-pool.js'
import { createManualClock, type ManualClock } from './support/manual-clock.js'
import { onnxPath } from './support/onnx-fixtures.js'

const fake = new URL('./support/fake-onnxruntime.mjs', import.meta.url).href
const tensor = (name: string) => ({ name, type: 'float64', width: undefined }) as const
const plan: OnnxPlan = { inputs: [tensor('x')], output: tensor('y'), batchRows: undefined }

const opened: { pool: OnnxPool; modelId: number }[] = []
afterEach(() => {
  for (const { pool, modelId } of opened.splice(0)) pool.close(modelId)
})

function createFakePool(clock: ManualClock, workerCountMax = 1): OnnxPool {
  return createOnnxPool({ clock, workerCountMax, packageName: fake })
}

async function open(pool: OnnxPool, behaviour: string): Promise<number> {
  const bytes = new SharedArrayBuffer(behaviour.length)
  Buffer.from(bytes).write(behaviour)
  const { modelId } = await pool.open(bytes)
  opened.push({ pool, modelId })
  return modelId
}

async function run(
  pool: OnnxPool,
  modelId: number,
  values: readonly number[],
  signal?: AbortSignal,
): Promise<number[]> {
  const block = new ArrayBuffer(blockBytes(plan, values.length))
  blockViews(plan, values.length, block)[0]?.set(values as number[] & bigint[])
  const ran = await pool.run({ modelId, plan, rowCount: values.length, block }, signal)
  return Array.from(blockViews(plan, values.length, ran)[1] ?? [], Number)
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error) => error.code ?? error.message,
  )

test('many calls at once get each its own answer, on as many workers as allowed', async () => {
  const pool = createFakePool(createManualClock(0), 3)
  const [one, other] = [await open(pool, 'echo'), await open(pool, 'echo')]
  const calls = Array.from({ length: 200 }, (_, call) =>
    run(pool, call % 2 === 0 ? one : other, [call, call + 0.5]),
  )
  expect(await Promise.all(calls)).toEqual(calls.map((_, call) => [call, call + 0.5]))
  expect(pool.workerCount).toBeGreaterThan(1)
  expect(pool.workerCount).toBeLessThanOrEqual(3)
})

test('without a model there is no worker', async () => {
  const pool = createFakePool(createManualClock(0))
  expect(pool.workerCount).toBe(0)
  const modelId = await open(pool, 'echo')
  expect(pool.workerCount).toBe(1)
  pool.close(modelId)
  expect(pool.workerCount).toBe(0)
  expect(await run(pool, await open(pool, 'echo'), [4])).toEqual([4])
})

test('a model that cannot be opened is told, and leaves nothing behind', async () => {
  const pool = createFakePool(createManualClock(0))
  await expect(open(pool, 'refuse')).rejects.toThrow(
    expect.objectContaining({ code: 'bad_model', message: 'onnxruntime: no such operator' }),
  )
  expect(pool.workerCount).toBe(0)
})

test('a run that fails fails alone', async () => {
  const pool = createFakePool(createManualClock(0))
  const [bad, good] = [await open(pool, 'throw'), await open(pool, 'echo')]
  const failing = run(pool, bad, [1])
  await expect(failing).rejects.toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: 'onnxruntime: index out of bounds',
    }),
  )
  expect(await run(pool, good, [2])).toEqual([2])
})

test('a worker that ends takes its calls with it, and is replaced', async () => {
  const pool = createFakePool(createManualClock(0))
  const [deadly, good] = [await open(pool, 'exit'), await open(pool, 'echo')]
  const calls = [run(pool, deadly, [1]), run(pool, good, [2]), run(pool, good, [3])]
  await expect(calls[0]).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: 'the worker of ONNX models ended with code 7',
    }),
  )
  expect(await Promise.all(calls.map(codeOf))).toEqual(['unavailable', 'unavailable', 'answered'])
  expect(await run(pool, good, [4])).toEqual([4])
})

test('a run that never ends is given up with its worker, which is replaced', async () => {
  const clock = createManualClock(0)
  const pool = createFakePool(clock)
  const [stuck, good] = [await open(pool, 'hang'), await open(pool, 'echo')]
  const calls = [run(pool, stuck, [1]), run(pool, good, [2]), run(pool, good, [3])]
  clock.advance(onnxRunMsMax)
  await expect(calls[0]).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: `the worker of ONNX models gave no answer within ${onnxRunMsMax} ms and was given up`,
    }),
  )
  expect(await Promise.all(calls.map(codeOf))).toEqual(['unavailable', 'unavailable', 'answered'])
})

test('workers that were given up and still run are counted', async () => {
  const clock = createManualClock(0)
  const pool = createFakePool(clock)
  const stuck = await open(pool, 'hang')
  const calls: Promise<string>[] = []
  for (let lost = 0; lost < onnxLostWorkersMax; lost++) {
    calls.push(codeOf(run(pool, stuck, [1])))
    clock.advance(60_000)
  }
  await expect(run(pool, stuck, [1])).rejects.toThrow(
    `${onnxLostWorkersMax} workers of ONNX models were given up and still run: retry later`,
  )
  expect(await Promise.all(calls)).toEqual(calls.map(() => 'unavailable'))
})

test('a caller that goes away is let go at once, and its turn with it', async () => {
  const clock = createManualClock(0)
  const pool = createFakePool(clock)
  const [stuck, good] = [await open(pool, 'hang'), await open(pool, 'echo')]
  const gone = new AbortController()
  const underWay = run(pool, stuck, [1], gone.signal)
  const inPort = run(pool, good, [2])
  const waiting = run(pool, good, [3], gone.signal)
  gone.abort(new Error('gone'))
  await expect(underWay).rejects.toThrow('gone')
  await expect(waiting).rejects.toThrow('gone')
  await expect(run(pool, good, [4], gone.signal)).rejects.toThrow('gone')
  clock.advance(onnxRunMsMax)
  expect(await codeOf(inPort)).toBe('unavailable')
  expect(await run(pool, good, [5])).toEqual([5])
})

test('no more runs wait than may', async () => {
  const clock = createManualClock(0)
  const pool = createFakePool(clock)
  const stuck = await open(pool, 'hang')
  const gone = new AbortController()
  const taken = onnxRunsPerWorkerMax + onnxWaitingRunsMax
  const calls = Array.from({ length: taken }, () => codeOf(run(pool, stuck, [1], gone.signal)))
  await expect(run(pool, stuck, [1])).rejects.toThrow(
    expect.objectContaining({
      code: 'resource_exhausted',
      message: expect.stringContaining(`${onnxWaitingRunsMax} runs of ONNX models with `),
    }),
  )
  gone.abort(new Error('gone'))
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['gone']))
  clock.advance(onnxRunMsMax)
})

test('a package that is not there is named, for ONNX models alone', async () => {
  const packageName = 'onnxruntime-that-is-absent'
  const pool = createOnnxPool({ clock: systemClock, workerCountMax: 1, packageName })
  const source = { path: onnxPath('mlp'), tensors: new Map() }
  await expect(loadOnnxModel(source, pool)).rejects.toThrow(
    expect.objectContaining({
      code: 'bad_model',
      message: expect.stringContaining(
        'mlp.onnx: ONNX models need the package onnxruntime-that-is-absent, which is not installed',
      ),
    }),
  )
  expect(pool.workerCount).toBe(0)
})

test('a model that is closed while it runs ends its calls first', async () => {
  const model = await loadOnnxModel({ path: onnxPath('mlp'), tensors: new Map() })
  const column = { values: new Float32Array(6000), lengths: new Uint32Array(1000).fill(6) }
  const output = new Float64Array(1000)
  const call = model.predict([column], 1000, output, { raw: false })
  model.close()
  model.close()
  await call
  expect(output[999]).toBeGreaterThan(0)
  await expect(model.predict([column], 1000, output, { raw: false })).rejects.toThrow('closed')
})

test('the event loop goes on while a model runs, and a signal ends the call', async () => {
  const model = await loadOnnxModel({ path: onnxPath('slow'), tensors: new Map() })
  const gone = new AbortController()
  const columns = [Float64Array.of(10_000), Float64Array.of(1)]
  const calls = [
    model.predict(columns, 1, new Float64Array(1), { raw: false }),
    codeOf(model.predict(columns, 1, new Float64Array(1), { raw: false }, gone.signal)),
  ]
  let turnCount = 0
  let isOver = false
  const over = calls[0]?.then(() => {
    isOver = true
  })
  while (!isOver && turnCount < 1e6) {
    await setImmediate()
    turnCount++
    if (turnCount === 3) gone.abort(new Error('gone'))
  }
  await over
  expect(turnCount).toBeGreaterThan(3)
  expect(await calls[1]).toBe('gone')
  model.close()
})

test('a process ends although a model is loaded and was run', () => {
  const dist = new URL('../dist/predict/onnx-model.js', import.meta.url).href
  const program = `
    import { loadOnnxModel } from ${JSON.stringify(dist)}
    const model = await loadOnnxModel({ path: ${JSON.stringify(onnxPath('mlp'))}, tensors: new Map() })
    const output = new Float64Array(1)
    const column = { values: new Float32Array(6), lengths: Uint32Array.of(6) }
    await model.predict([column], 1, output, { raw: false })
    console.log(output[0] > 0)`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)), timeout: 50_000 },
  )
  expect({ stdout, stderr, status }).toEqual({ stdout: 'true\n', stderr: '', status: 0 })
})
