/**
 * The threads that run ONNX models, shared by all of them.
 *
 * Started when there is work, kept while a model is loaded, and ended with the last one; idle threads
 * never keep the process alive. A worker has a run under way and the next already waiting in its port,
 * so that handing over costs it nothing; what more there is waits here, bounded. Calls settle promptly
 * whatever a worker does: one that gives no answer is given up and replaced.
 */
import { Worker } from 'node:worker_threads'
import { assert } from '../assert.js'
import type { Clock, Timer } from '../clock.js'
import { LarderError } from '../errors.js'
import {
  onnxLostWorkersMax,
  onnxOpenMsMax,
  onnxRunMsMax,
  onnxRunsPerWorkerMax,
  onnxWaitingBytesMax,
  onnxWaitingRunsMax,
} from '../limits.js'
import type { OnnxPlan } from './onnx-block.js'
import type {
  FromOnnxWorker,
  OnnxDescription,
  OnnxProbe,
  OnnxWorkerData,
  ToOnnxWorker,
} from './onnx-messages.js'

export interface OnnxPool {
  /** Loads a model; throws `bad_model` where onnxruntime is not there or refuses it. */
  open(bytes: SharedArrayBuffer): Promise<OnnxOpened>
  /** Runs rows of zeros. Throws `bad_model` where the model fails. */
  probe(modelId: number, inputs: OnnxPlan['inputs'], output: ProbedOutput): Promise<OnnxProbe>
  /**
   * Runs the rows that lie in `block`, which is transferred, and gives it back with the scores in it.
   * Throws `invalid_argument` where the model fails on these rows, `resource_exhausted` where too many
   * wait, `unavailable` where the worker is lost, and the signal's reason.
   */
  run(run: OnnxRun, signal?: AbortSignal): Promise<ArrayBuffer>
  /** Frees a model; no call of it is under way, but for those given up. */
  close(modelId: number): void
  /** Threads that are in use or wait for work. */
  readonly workerCount: number
}

export interface OnnxOpened {
  readonly modelId: number
  readonly description: OnnxDescription
}

export interface ProbedOutput {
  readonly outputName: string
  readonly rowCount: number
}

export interface OnnxRun {
  readonly modelId: number
  readonly plan: OnnxPlan
  readonly rowCount: number
  readonly block: ArrayBuffer
}

export interface OnnxPoolOptions {
  /** Of deadlines. */
  readonly clock: Clock
  readonly workerCountMax: number
  /** The package that has onnxruntime. */
  readonly packageName: string
}

/** Made by the build; Node runs no TypeScript. */
const workerUrl = new URL('../../dist/predict/onnx-worker.js', import.meta.url)

type Asked = Exclude<ToOnnxWorker, { kind: 'close' } | { kind: 'end' }>
type Answer = Exclude<FromOnnxWorker, { kind: 'failed' }>

interface Task {
  readonly message: Asked
  readonly transfer: readonly ArrayBuffer[]
  /** Does nothing from the second call on, as does `reject`. */
  resolve(answer: Answer): void
  reject(error: unknown): void
}

interface WorkerState {
  readonly worker: Worker
  /** Models that it has, or has been told to open. */
  readonly modelIds: Set<number>
  /** What it was told and has not answered, in order. */
  readonly pending: Task[]
  /** Whether it has answered anything. */
  isReady: boolean
  deadline: Timer | undefined
  lastError: string | undefined
}

export function createOnnxPool(options: OnnxPoolOptions): OnnxPool {
  return new ThreadPool(options)
}

class ThreadPool implements OnnxPool {
  readonly #options: OnnxPoolOptions
  readonly #models = new Map<number, SharedArrayBuffer>()
  readonly #waiting: Task[] = []
  #workers: readonly WorkerState[] = []
  #waitingBytes = 0
  #lostCount = 0
  #nextId = 1

  constructor(options: OnnxPoolOptions) {
    this.#options = options
  }

  get workerCount(): number {
    return this.#workers.length
  }

  async open(bytes: SharedArrayBuffer): Promise<OnnxOpened> {
    const modelId = this.#nextId++
    this.#models.set(modelId, bytes)
    try {
      const answer = await this.#ask(this.#openMessage(modelId, bytes), [], undefined)
      assert(answer.kind === 'opened', 'open is answered by opened')
      return { modelId, description: answer.description }
    } catch (thrown) {
      this.close(modelId)
      throw asBadModel(thrown)
    }
  }

  async probe(
    modelId: number,
    inputs: OnnxPlan['inputs'],
    { outputName, rowCount }: ProbedOutput,
  ): Promise<OnnxProbe> {
    const callId = this.#nextId++
    const message = { kind: 'probe', callId, modelId, inputs, outputName, rowCount } as const
    const answer = await this.#ask(message, [], undefined).catch((thrown) => {
      throw asBadModel(thrown)
    })
    assert(answer.kind === 'probed', 'probe is answered by probed')
    return answer.probe
  }

  async run(run: OnnxRun, signal?: AbortSignal): Promise<ArrayBuffer> {
    const message = { kind: 'run', callId: this.#nextId++, ...run } as const
    const answer = await this.#ask(message, [run.block], signal)
    assert(answer.kind === 'ran', 'run is answered by ran')
    return answer.block
  }

  close(modelId: number): void {
    this.#models.delete(modelId)
    for (const { worker, modelIds } of this.#workers) {
      if (modelIds.delete(modelId)) post(worker, { kind: 'close', modelId })
    }
    if (this.#models.size > 0) return
    for (const { worker } of this.#workers) post(worker, { kind: 'end' })
    this.#workers = []
  }

  #openMessage(modelId: number, bytes: SharedArrayBuffer): Asked {
    return { kind: 'open', callId: this.#nextId++, modelId, bytes }
  }

  #ask(
    message: Asked,
    transfer: readonly ArrayBuffer[],
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const giveUp = () => {
        this.#forget(task)
        reject(signal?.reason)
      }
      const stopListening = () => signal?.removeEventListener('abort', giveUp)
      const task: Task = {
        message,
        transfer,
        resolve: (answer) => {
          stopListening()
          resolve(answer)
        },
        reject: (error) => {
          stopListening()
          reject(error)
        },
      }
      this.#submit(task)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #submit(task: Task): void {
    const worker = this.#waiting.length === 0 ? this.#pickWorker(task.message.modelId) : undefined
    if (worker !== undefined) {
      this.#give(worker, task)
      return
    }
    const waitingBytes = this.#waitingBytes + bytesOf(task)
    if (this.#waiting.length >= onnxWaitingRunsMax || waitingBytes > onnxWaitingBytesMax) {
      throw new LarderError(
        'resource_exhausted',
        `${this.#waiting.length} runs of ONNX models with ${this.#waitingBytes} bytes wait already: ` +
          `at most ${onnxWaitingRunsMax} and ${onnxWaitingBytesMax} bytes may`,
      )
    }
    this.#waitingBytes = waitingBytes
    this.#waiting.push(task)
  }

  /** What has been given to a worker is run all the same; its answer then goes nowhere. */
  #forget(task: Task): void {
    const index = this.#waiting.indexOf(task)
    if (index < 0) return
    this.#waiting.splice(index, 1)
    this.#waitingBytes -= bytesOf(task)
  }

  /** A worker for one more task; undefined where it must wait for one. */
  #pickWorker(modelId: number): WorkerState | undefined {
    const starting = this.#workers.find(({ isReady }) => !isReady)
    const ready = this.#workers.filter(({ isReady }) => isReady)
    const candidates = ready.length > 0 ? ready : this.#workers
    const free = candidates.filter(({ pending }) => pending.length < onnxRunsPerWorkerMax)
    const best = free.length === 0 ? undefined : free.reduce(lessBusy)
    const isIdle = best !== undefined && best.pending.length === 0
    if (isIdle || starting !== undefined) return best
    if (this.#workers.length >= this.#options.workerCountMax) return best
    if (this.#lostCount < onnxLostWorkersMax) {
      const started = this.#start()
      if (ready.length === 0) return started
      this.#openIn(started, modelId)
      return best
    }
    if (this.#workers.length > 0) return best
    throw new LarderError(
      'unavailable',
      `${this.#lostCount} workers of ONNX models were given up and still run: retry later`,
    )
  }

  #start(): WorkerState {
    const { packageName } = this.#options
    const data: OnnxWorkerData = { packageName }
    // The process's own flags are not for threads: some of them end one.
    const worker = new Worker(workerUrl, { workerData: data, name: 'larder-onnx', execArgv: [] })
    worker.unref()
    const state: WorkerState = {
      worker,
      modelIds: new Set(),
      pending: [],
      isReady: false,
      deadline: undefined,
      lastError: undefined,
    }
    worker.on('message', (message: FromOnnxWorker) => this.#answered(state, message))
    worker.on('error', (error) => {
      state.lastError = LarderError.from(error).message
    })
    worker.on('exit', (code) => {
      this.#lose(state, `ended with code ${code}${state.lastError ? `: ${state.lastError}` : ''}`)
    })
    this.#workers = [...this.#workers, state]
    return state
  }

  #give(state: WorkerState, task: Task): void {
    const { kind, modelId } = task.message
    if (kind === 'open') state.modelIds.add(modelId)
    else if (!state.modelIds.has(modelId)) this.#openIn(state, modelId)
    state.pending.push(task)
    if (state.pending.length === 1) this.#watch(state)
    post(state.worker, task.message, task.transfer)
  }

  /** Runs follow at once: where opening fails they fail with its reason. */
  #openIn(state: WorkerState, modelId: number): void {
    const bytes = this.#models.get(modelId)
    assert(bytes !== undefined, 'a closed model is not used')
    const message = this.#openMessage(modelId, bytes)
    this.#give(state, { message, transfer: [], resolve: () => {}, reject: () => {} })
  }

  #answered(state: WorkerState, answer: FromOnnxWorker): void {
    const task = state.pending.shift()
    // A worker that was given up has none.
    if (task === undefined) return
    assert(task.message.callId === answer.callId, 'a worker answers in order')
    state.isReady = true
    this.#watch(state)
    this.#giveWaiting()
    if (answer.kind === 'failed') task.reject(failureOf(answer, this.#options.packageName))
    else task.resolve(answer)
  }

  /** Watches over the first of the worker's tasks; without any, the worker is idle. */
  #watch(state: WorkerState): void {
    state.deadline?.stop()
    state.deadline = undefined
    const [first] = state.pending
    if (first === undefined) {
      state.worker.unref()
      return
    }
    state.worker.ref()
    const mostMs = first.message.kind === 'run' ? onnxRunMsMax : onnxOpenMsMax
    state.deadline = this.#options.clock.after(mostMs, () => this.#giveUp(state, mostMs))
  }

  /** Native code cannot be interrupted: the thread ends when it comes back, if ever. */
  #giveUp(state: WorkerState, afterMs: number): void {
    this.#lostCount++
    state.worker.once('exit', () => {
      this.#lostCount--
    })
    state.worker.unref()
    this.#lose(state, `gave no answer within ${afterMs} ms and was given up`)
    void state.worker.terminate()
  }

  #lose(state: WorkerState, what: string): void {
    state.deadline?.stop()
    this.#workers = this.#workers.filter((each) => each !== state)
    for (const task of state.pending.splice(0)) {
      task.reject(new LarderError('unavailable', `the worker of ONNX models ${what}`))
    }
    this.#giveWaiting()
  }

  #giveWaiting(): void {
    for (;;) {
      const [task] = this.#waiting
      if (task === undefined) return
      try {
        const worker = this.#pickWorker(task.message.modelId)
        if (worker === undefined) return
        this.#forget(task)
        this.#give(worker, task)
      } catch (thrown) {
        this.#forget(task)
        task.reject(thrown)
      }
    }
  }
}

function post(worker: Worker, message: ToOnnxWorker, transfer: readonly ArrayBuffer[] = []): void {
  worker.postMessage(message, transfer)
}

function lessBusy(one: WorkerState, other: WorkerState): WorkerState {
  return other.pending.length < one.pending.length ? other : one
}

function bytesOf({ message }: Task): number {
  return message.kind === 'run' ? message.block.byteLength : 0
}

function failureOf(
  { reason, message }: Extract<FromOnnxWorker, { kind: 'failed' }>,
  packageName: string,
): LarderError {
  switch (reason) {
    case 'absent':
      return new LarderError(
        'bad_model',
        `ONNX models need the package ${packageName}, which is not installed: ` +
          `npm install ${packageName}@1.30.0 --onnxruntime-node-install=skip`,
      )
    case 'broken':
      return new LarderError(
        'bad_model',
        `the package ${packageName} cannot be loaded (on Linux it needs glibc 2.28): ${message}`,
      )
    case 'refused':
      return new LarderError('invalid_argument', `onnxruntime: ${message.trim()}`)
  }
}

/** What a caller's rows did, no rows did here: the model itself is wrong. */
function asBadModel(thrown: unknown): LarderError {
  const error = LarderError.from(thrown)
  if (error.code !== 'invalid_argument') return error
  return new LarderError('bad_model', error.message, { cause: error })
}
