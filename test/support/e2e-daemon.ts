/**
 * A real daemon for end-to-end tests: in this process, on tiers of its own, with a real gRPC client.
 *
 * The idea: a test names the kind of tiers and gets the same daemon on either, so that one suite runs
 * on both. The judging clock stands still, so that no answer depends on when the test runs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js'
import { createLarderClient, type LarderClient } from '../../src/client/index.js'
import { systemClock } from '../../src/clock.js'
import type { Config } from '../../src/server/config.js'
import { type RunningDaemon, serve } from '../../src/server/serve.js'
import { freshLmdbUrl, freshPostgresUrl, freshRedisUrl } from './test-servers.js'

export const tierKinds = ['embedded', 'servers'] as const
/** `embedded` is memory over LMDB in a folder; `servers` is Redis and PostgreSQL. */
export type TierKind = (typeof tierKinds)[number]

export interface TierUrls {
  readonly hot: string
  readonly warm: string
}

/** Where the judging clock stands unless a test says otherwise: 2024-05-01T12:00:00Z. */
export const nowUs = BigInt(Date.UTC(2024, 4, 1, 12)) * 1000n
export const secondUs = 1_000_000n
export const minuteUs = 60n * secondUs
export const hourUs = 60n * minuteUs
export const dayUs = 24n * hourUs

/** Empty tiers. */
export async function freshTiers(kind: TierKind): Promise<TierUrls> {
  return kind === 'embedded'
    ? { hot: 'memory:', warm: freshLmdbUrl() }
    : { hot: await freshRedisUrl(), warm: await freshPostgresUrl() }
}

/** One YAML text, or one for each definition file. */
export type DefinitionTexts = string | readonly string[]

export interface DaemonOptions {
  readonly tiers: TierUrls
  /** Applied as soon as the daemon is ready; left out, nothing is. */
  readonly definitions?: DefinitionTexts
  readonly clockAtUs?: bigint
  readonly modelsFolder?: string
  readonly limits?: Partial<Config['limits']>
}

/** What of a generated method a bare call needs. */
export type UnaryMethod<Request> = Pick<
  MethodDefinition<Request, unknown>,
  'path' | 'requestSerialize'
>

export interface E2eDaemon {
  readonly running: RunningDaemon
  readonly client: LarderClient
  /** Applies definitions; drops are allowed. */
  apply(definitions: DefinitionTexts): Promise<void>
  /**
   * Makes one unary call and resolves with the bytes of the reply message as they came. An infinite
   * timeout sends no deadline.
   */
  call<Request>(method: UnaryMethod<Request>, request: Request, timeoutMs?: number): Promise<Buffer>
  /** The text at a path of the HTTP side port, with its status. */
  fetchHttp(path: string): Promise<{ readonly status: number; readonly text: string }>
  stop(): Promise<void>
}

/** A configuration with every port free. */
function daemonConfig(options: DaemonOptions, dataFolder: string): Config {
  const limits = { requestRows: 1000, batchRows: 10_000, readTimeoutMs: 10_000 }
  return {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', insecure: false },
    tiers: options.tiers,
    featuresFolder: join(dataFolder, 'features'),
    modelsFolder: options.modelsFolder ?? join(dataFolder, 'models'),
    dataFolder,
    trees: { kernel: 'auto' },
    clockAtUs: options.clockAtUs ?? nowUs,
    limits: { ...limits, ...options.limits },
    log: { level: 'silent' },
  }
}

/** Starts a daemon and waits until it is ready. */
export async function startDaemon(options: DaemonOptions): Promise<E2eDaemon> {
  const daemon = await startUnready(options)
  try {
    await daemon.running.ready
    if (options.definitions !== undefined) await daemon.apply(options.definitions)
  } catch (thrown) {
    await daemon.stop()
    throw thrown
  }
  return daemon
}

/** Starts a daemon that may never become ready. */
export async function startUnready(options: DaemonOptions): Promise<E2eDaemon> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'larder-e2e-'))
  const running = await serve(daemonConfig(options, dataFolder))
  const { grpcAddress, httpAddress } = running
  const client = createLarderClient({ addresses: grpcAddress, deadlineMs: 30_000 })
  const channel = new Client(grpcAddress, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  })
  return {
    running,
    client,
    async apply(definitions) {
      const texts = typeof definitions === 'string' ? [definitions] : definitions
      const files = texts.map((text, index) => ({ path: `${index}.yaml`, text }))
      await client.apply({ files }, { allowDrop: true })
    },
    call: (method, request, timeoutMs = 30_000) => callRaw(channel, method, request, timeoutMs),
    async fetchHttp(path) {
      const response = await fetch(`http://${httpAddress}${path}`)
      return { status: response.status, text: await response.text() }
    },
    async stop() {
      client.close()
      channel.close()
      await running.stop()
      rmSync(dataFolder, { recursive: true, force: true })
    },
  }
}

function callRaw<Request>(
  channel: Client,
  method: UnaryMethod<Request>,
  request: Request,
  timeoutMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    channel.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      (bytes) => Buffer.from(bytes),
      request,
      { deadline: systemClock.nowMs() + timeoutMs },
      (error, bytes) => {
        if (error !== null) reject(error)
        else resolve(bytes ?? Buffer.alloc(0))
      },
    )
  })
}
