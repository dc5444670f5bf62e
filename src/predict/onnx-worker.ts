/**
 * A thread that runs ONNX models: messages in, scores out, one after the other.
 *
 * onnxruntime's `run` holds its thread until it is done, which the daemon's own must never be. Each
 * worker has an instance of each model that it runs, with one thread of computation. It never decides
 * anything: what is wrong goes back as a message.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { assert } from '../assert.js'
import {
  blockBytes,
  blockViews,
  type OnnxTensor,
  type OnnxView,
  ranRowCount,
} from './onnx-block.js'
import type {
  FromOnnxWorker,
  OnnxDescription,
  OnnxProbe,
  OnnxValue,
  OnnxWorkerData,
  ToOnnxWorker,
} from './onnx-messages.js'

type Runtime = typeof import('onnxruntime-node')
type Message<Kind extends ToOnnxWorker['kind']> = Extract<ToOnnxWorker, { kind: Kind }>

/** The package could not be imported. */
class RuntimeMissing extends Error {
  readonly isAbsent: boolean
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.isAbsent =
      cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
  }
}

const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Only what ends the process anyway: failures are told by messages.
  logSeverityLevel: 4,
}

assert(parentPort !== null, 'a worker has a port to who started it')
const port = parentPort
// The pool alone starts workers, and gives them this.
const { packageName } = workerData as OnnxWorkerData
/** A model's instance, or why it could not be made: runs may follow before that is known. */
const sessions = new Map<number, InferenceSession | Error>()
let runtime: Promise<Runtime> | undefined
let last = Promise.resolve()

port.on('message', (message: ToOnnxWorker) => {
  last = last.then(() => answer(message))
})

async function answer(message: ToOnnxWorker): Promise<void> {
  try {
    await handle(message)
  } catch (thrown) {
    if (!('callId' in message)) return
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    const missing = thrown instanceof RuntimeMissing
    const reason = missing ? (thrown.isAbsent ? 'absent' : 'broken') : 'refused'
    send({ kind: 'failed', callId: message.callId, message: text, reason })
  }
}

async function handle(message: ToOnnxWorker): Promise<void> {
  switch (message.kind) {
    case 'open':
      return open(message)
    case 'probe':
      return probe(message)
    case 'run':
      return run(message)
    case 'close':
      return close(message)
    case 'end':
      for (const modelId of sessions.keys()) await close({ kind: 'close', modelId })
      port.close()
  }
}

async function open({ callId, modelId, bytes }: Message<'open'>): Promise<void> {
  const { InferenceSession, env } = await loadRuntime()
  // onnxruntime takes no shared memory.
  const ownBytes = Uint8Array.from(new Uint8Array(bytes))
  const session = await InferenceSession.create(ownBytes, sessionOptions).catch((thrown) => {
    sessions.set(modelId, thrown)
    throw thrown
  })
  sessions.set(modelId, session)
  const description: OnnxDescription = {
    inputs: session.inputMetadata.map(describe),
    outputs: session.outputMetadata.map(describe),
    runtimeVersion: env.versions.node ?? env.versions.common,
  }
  send({ kind: 'opened', callId, description })
}

async function probe(message: Message<'probe'>): Promise<void> {
  const { callId, modelId, inputs, outputName, rowCount } = message
  const output: OnnxTensor = { name: outputName, type: 'float32', width: 0 }
  const plan = { inputs, output, batchRows: undefined }
  const views = blockViews(plan, rowCount, new ArrayBuffer(blockBytes(plan, rowCount)))
  const { Tensor } = await loadRuntime()
  const feeds = feedsOf(Tensor, inputs, views, { begin: 0, end: rowCount })
  const { [outputName]: scores } = await sessionOf(modelId).run(feeds, [outputName])
  assert(scores !== undefined, 'onnxruntime gives the output that was asked for')
  // Only texts have elements that are no numbers, and their type is refused.
  const data = scores.type === 'string' ? [] : (scores.data as ArrayLike<number | bigint>)
  const elements = Array.from(data, Number)
  const found: OnnxProbe = { type: scores.type, shape: scores.dims, scores: elements }
  send({ kind: 'probed', callId, probe: found })
}

async function run({ callId, modelId, plan, rowCount, block }: Message<'run'>): Promise<void> {
  const { Tensor } = await loadRuntime()
  const session = sessionOf(modelId)
  const rows = ranRowCount(plan, rowCount)
  const views = blockViews(plan, rows, block)
  const batchRows = plan.batchRows ?? rows
  for (let begin = 0; begin < rows; begin += batchRows) {
    const range = { begin, end: begin + batchRows }
    const feeds = feedsOf(Tensor, plan.inputs, views, range)
    await session.run(feeds, feedsOf(Tensor, [plan.output], views.slice(-1), range))
  }
  send({ kind: 'ran', callId, block }, [block])
}

async function close({ modelId }: Message<'close'>): Promise<void> {
  const session = sessions.get(modelId)
  sessions.delete(modelId)
  if (session !== undefined && !(session instanceof Error)) await session.release()
}

/** Tensors over the rows of a range of the views, not copied. */
function feedsOf(
  TensorOf: Runtime['Tensor'],
  tensors: readonly OnnxTensor[],
  views: readonly OnnxView[],
  { begin, end }: { readonly begin: number; readonly end: number },
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [index, { name, type, width }] of tensors.entries()) {
    const elements = views[index]?.subarray(begin * (width ?? 1), end * (width ?? 1))
    assert(elements !== undefined, 'there is a view for every tensor')
    const shape = width === undefined ? [end - begin] : [end - begin, width]
    // blockViews makes the array that belongs to the type.
    feeds[name] = new TensorOf(type as 'float32', elements as Float32Array, shape)
  }
  return feeds
}

function sessionOf(modelId: number): InferenceSession {
  const session = sessions.get(modelId)
  assert(session !== undefined, 'a model is opened before it is run')
  if (session instanceof Error) throw session
  return session
}

async function loadRuntime(): Promise<Runtime> {
  runtime ??= import(packageName).then(
    // CommonJS: what it exports is the default. The name is the package's whose types these are.
    (module: { default: unknown }) => module.default as Runtime,
    (thrown: unknown) => {
      throw new RuntimeMissing(thrown)
    },
  )
  return runtime
}

function describe(value: InferenceSession.ValueMetadata): OnnxValue {
  if (!value.isTensor) return { name: value.name, isTensor: false, type: '', shape: [] }
  const { name, type, shape } = value
  return { name, isTensor: true, type, shape }
}

function send(message: FromOnnxWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
