/**
 * Wires a daemon by hand, listens, and drains. Nothing else.
 *
 * It listens at once and is not ready until its tiers are open; a tier that is down is tried again
 * until it is there or the daemon is stopped.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { FastifyInstance } from 'fastify'
import { type Clock, systemClock } from '../clock.js'
import { LarderError } from '../errors.js'
import { AdminServiceService } from '../gen/larder/v1/admin.js'
import { IngestServiceService } from '../gen/larder/v1/ingest.js'
import { ServingServiceService } from '../gen/larder/v1/serving.js'
import {
  adminTimeoutMsDefault,
  callsUnderWayMax,
  drainMsMax,
  messageBytesMax,
  reconnectDelayMs,
} from '../limits.js'
import { writeAddressFile } from './address-file.js'
import { createAdminService } from './admin-service.js'
import { createAdmission } from './admission.js'
import type { Config } from './config.js'
import { createDaemonMetrics, type DaemonMetrics } from './daemon-metrics.js'
import { type DaemonState, openDaemonState } from './daemon-state.js'
import { createHealth, type Health } from './health.js'
import { createHttpServer } from './http.js'
import { createIngestService } from './ingest-service.js'
import { createLog, type DaemonLog } from './log.js'
import { createReflection } from './reflection.js'
import { createServingService } from './serving-service.js'
import { describeTiers } from './tier-status.js'

export interface RunningDaemon {
  /** `host:port`, with the port that was really taken. */
  readonly grpcAddress: string
  readonly httpAddress: string
  /** Resolves when requests are served; rejects where that can never be. */
  readonly ready: Promise<void>
  /** Drains: turns not ready, finishes what was accepted, closes everything. */
  stop(): Promise<void>
}

/** What one daemon's parts share. */
interface Daemon {
  readonly config: Config
  readonly clock: Clock
  readonly log: DaemonLog
  readonly metrics: DaemonMetrics
  readonly health: Health
  readonly draining: AbortController
  readonly startedAtMs: number
  /** `host:port` with the ports really taken; empty until it listens. */
  listenAddresses: readonly string[]
  /** Undefined until its tiers are open. */
  state: DaemonState | undefined
}

/** Starts a daemon. Throws `bad_config` where it cannot listen. */
export async function serve(config: Config): Promise<RunningDaemon> {
  const daemon = createDaemon(config)
  const grpcServer = createGrpcServer(daemon)
  const httpServer = createHttpServer(
    daemon.metrics,
    daemon.health,
    () => daemon.state?.modelReports.findings() ?? [],
  )
  const grpcAddress = await listenGrpc(grpcServer, config.listen.grpc)
  const httpAddress = await listenHttp(httpServer, config.listen.http)
  daemon.listenAddresses = [grpcAddress, httpAddress]
  const ready = becomeReady(daemon, { grpcAddress, httpAddress })
  // Whoever waits for `ready` sees why it failed; nobody has to.
  ready.catch((thrown: unknown) => daemon.health.setNotReady(LarderError.from(thrown).message))
  let stopped: Promise<void> | undefined
  return {
    grpcAddress,
    httpAddress,
    ready: ready.then(() => undefined),
    stop() {
      stopped ??= drain(daemon, { grpcServer, httpServer, ready })
      return stopped
    },
  }
}

function createDaemon(config: Config): Daemon {
  const clock = systemClock
  const log = createLog(config.log.level)
  const onTierFailure = (tier: string, error: Error) => {
    log.warn({ tier, error }, `the ${tier} tier failed: ${error.message}`)
  }
  const metrics = createDaemonMetrics(onTierFailure)
  const health = createHealth((isReady) => metrics.setReady(isReady))
  const draining = new AbortController()
  const startedAtMs = clock.monotonicMs()
  return {
    config,
    clock,
    log,
    metrics,
    health,
    draining,
    startedAtMs,
    listenAddresses: [],
    state: undefined,
  }
}

function createGrpcServer(daemon: Daemon): Server {
  const { config, clock, log, metrics, health } = daemon
  const server = new Server({
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
  })
  const state = () => {
    if (daemon.state !== undefined && health.notReadyReason === undefined) return daemon.state
    throw new LarderError('unavailable', `the daemon is not ready: ${health.notReadyReason}`)
  }
  const frame = { clock, metrics, log, admit: createAdmission(callsUnderWayMax) }
  const { limits } = config
  server.addService(
    ServingServiceService,
    createServingService({
      ...frame,
      timeoutMs: limits.readTimeoutMs,
      state,
      requestRowsMax: limits.requestRows,
      readObserver: {
        corruptRow(view, key, reason) {
          metrics.corruptRow(view)
          log.error({ view, key }, `a stored row cannot be read: ${reason}`)
        },
      },
    }),
  )
  const slowFrame = { ...frame, timeoutMs: adminTimeoutMsDefault, state }
  server.addService(
    IngestServiceService,
    createIngestService({
      ...slowFrame,
      batchRowsMax: limits.batchRows,
      draining: daemon.draining.signal,
    }),
  )
  server.addService(
    AdminServiceService,
    createAdminService({
      ...slowFrame,
      openedState: () => daemon.state,
      health,
      config,
      startedAtMs: daemon.startedAtMs,
      listenAddresses: () => daemon.listenAddresses,
    }),
  )
  health.implementation.addToServer(server)
  createReflection().addToServer(server)
  return server
}

async function becomeReady(
  daemon: Daemon,
  addresses: { readonly grpcAddress: string; readonly httpAddress: string },
): Promise<() => Promise<void>> {
  const { config, draining, health, log } = daemon
  const address = { grpc: addresses.grpcAddress, http: addresses.httpAddress, pid: process.pid }
  let removeAddress: (() => Promise<void>) | undefined
  const announce = async () => {
    removeAddress ??= await writeAddressFile(config.dataFolder, address)
    return removeAddress
  }
  try {
    daemon.state = await openUntilDone(daemon, announce)
    const remove = await announce()
    await warnOfFindings(daemon.state, log, draining.signal)
    // It may have been told to stop meanwhile.
    if (!draining.signal.aborted) health.setReady()
    const registryVersion = daemon.state.registry.current().version
    log.info({ ...addresses, registryVersion }, 'ready')
    return remove
  } catch (thrown) {
    await removeAddress?.()
    throw thrown
  }
}

/** Tells what is wrong with the tiers as they are set up; `larder doctor` tells it again. */
async function warnOfFindings(
  state: DaemonState,
  log: DaemonLog,
  signal: AbortSignal,
): Promise<void> {
  for (const { role, url, findings } of await describeTiers(state, signal)) {
    for (const finding of findings) log.warn({ tier: role, url }, `the ${role} tier: ${finding}`)
  }
}

/**
 * Opens the state, again and again while a tier is not there; then `larder doctor` must find the daemon,
 * which tells why it is not ready.
 */
async function openUntilDone(
  daemon: Daemon,
  announce: () => Promise<unknown>,
): Promise<DaemonState> {
  const { config, clock, log, metrics, health, draining } = daemon
  for (;;) {
    try {
      return await openDaemonState({ config, clock, log, metrics }, draining.signal)
    } catch (thrown) {
      const error = LarderError.from(thrown)
      if (error.code !== 'unavailable' || draining.signal.aborted) throw error
      health.setNotReady(error.message)
      await announce()
      log.error({}, `not ready: ${error.message}; trying again in ${reconnectDelayMs} ms`)
      await clock.sleep(reconnectDelayMs, draining.signal)
    }
  }
}

async function drain(
  daemon: Daemon,
  running: {
    readonly grpcServer: Server
    readonly httpServer: FastifyInstance
    readonly ready: Promise<() => Promise<void>>
  },
): Promise<void> {
  const { health, draining, clock, log } = daemon
  health.setNotReady('shutting down')
  draining.abort(new LarderError('unavailable', 'the daemon is shutting down'))
  const removeAddress = await running.ready.catch(() => undefined)
  await removeAddress?.()
  await shutDownGrpc(running.grpcServer, clock, log)
  await running.httpServer.close()
  await daemon.state?.close()
}

/** Lets calls under way finish, for a bounded time. */
async function shutDownGrpc(server: Server, clock: Clock, log: DaemonLog): Promise<void> {
  const finished = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
  const isLate = await Promise.race([
    finished.then(() => false),
    clock.sleep(drainMsMax).then(() => true),
  ])
  if (!isLate) return
  log.warn({}, `calls were still under way after ${drainMsMax} ms of drain: they are cut off`)
  server.forceShutdown()
}

function listenGrpc(server: Server, address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(withPort(address, port))
      else reject(cannotListen('gRPC', address, error))
    })
  })
}

async function listenHttp(server: FastifyInstance, address: string): Promise<string> {
  const { host, port } = splitAddress(address)
  try {
    await server.listen({ host, port })
  } catch (thrown) {
    throw cannotListen('HTTP', address, thrown)
  }
  const bound = server.server.address()
  return withPort(address, typeof bound === 'object' && bound !== null ? bound.port : port)
}

function cannotListen(what: string, address: string, cause: unknown): LarderError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LarderError(
    'bad_config',
    `cannot listen for ${what} on ${address}: ${reason}; another process may have the port: ` +
      `choose another, or 0 for any free one`,
    { cause },
  )
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  return { host, port: Number(address.slice(colon + 1)) }
}

function withPort(address: string, port: number): string {
  return `${address.slice(0, address.lastIndexOf(':'))}:${port}`
}
