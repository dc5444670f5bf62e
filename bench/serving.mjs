/**
 * A daemon's unary RPC under load, beside the floor of its parts.
 *
 * Rounds alternate: the daemon, the echo of the same sizes, then each further part, so that a slow spell
 * of the machine falls on all of them. Each round sends other bodies. CPU is that of the one process
 * that is measured; what the load generator and Redis take is told apart or not at all.
 */
import { Client, credentials } from '@grpc/grpc-js'
import { callRaw, hasH2load, loadRpc } from './load.mjs'
import { cpuOfUs, median, quantile, rounded } from './measure.mjs'
import { startPart } from './started.mjs'

export const connectionCount = 10
const warmUpRequests = 1500
const warmUpRoundsMax = 8

const service = '/larder.v1.ServingService'

/**
 * Measures `rpc` of `daemon` with `bodies`, `connectionCount` of them a round. `parts` are started
 * floor parts by name. Figures per request, and the ratio of CPU to the floor.
 */
export async function measureServing(started, { daemon, rpc, bodies, parts, beside, roundMs }) {
  const path = `${service}/${rpc}`
  const replyBytes = (await replyTo(daemon.grpc, path, bodies[0])).byteLength
  const echo = await startPart(started, 'floor-echo', { path, replyBytes, isStream: false })
  const targets = {
    daemon: { address: daemon.grpc, pid: daemon.pid, path, folder: started.folder },
    echo: { address: echo.ready, pid: echo.pid, path, folder: started.folder },
  }
  const first = { bodies: bodies.slice(0, connectionCount), roundMs }
  for (const target of Object.values(targets)) await warmUp(target, first)
  const rounds = []
  for (let begin = 0; begin < bodies.length; begin += connectionCount) {
    const roundBodies = bodies.slice(begin, begin + connectionCount)
    rounds.push(await runRound(targets, { bodies: roundBodies, parts, beside, roundMs }))
  }
  await assertServed(daemon.http, rpc)
  const requestBytes = bodies[0].byteLength
  return {
    ...summarize(rounds),
    sizes: { request_bytes: requestBytes, reply_bytes: replyBytes },
    halfLoad: await measureHalfLoad(targets.daemon, rounds, { ...first, roundMs: 2 * roundMs }),
  }
}

/** Until V8 has compiled what is hot, or it would take too long. */
async function warmUp(target, load) {
  let requestCount = 0
  for (let round = 0; round < warmUpRoundsMax && requestCount < warmUpRequests; round++) {
    requestCount += (await loadRpc(target, load)).requestCount
  }
}

async function runRound(targets, { bodies, parts, beside, roundMs }) {
  const besideUs = () => Object.entries(beside).map(([name, pid]) => [name, cpuOfUs(pid)])
  const before = Object.fromEntries(besideUs())
  const daemon = await loadTarget(targets.daemon, { bodies, roundMs })
  const besideCpuUs = Object.fromEntries(
    besideUs().map(([name, cpuUs]) => [name, (cpuUs - before[name]) / daemon.requestCount]),
  )
  const echo = await loadTarget(targets.echo, { bodies, roundMs: Math.round(roundMs / 2) })
  const floorCpuUs = { echo: echo.cpuUs }
  for (const [name, part] of Object.entries(parts)) {
    const { cpuUs, stepCount } = await part.ask({ roundMs: roundMs / 2 })
    floorCpuUs[name] = cpuUs / stepCount
  }
  return { daemon, besideCpuUs, floorCpuUs }
}

async function loadTarget(target, round) {
  const beforeUs = cpuOfUs(target.pid)
  const { latenciesUs, requestCount, wallMs } = await loadRpc(target, round)
  if (requestCount === 0) throw new Error(`no request to ${target.address} was answered`)
  const cpuUs = (cpuOfUs(target.pid) - beforeUs) / requestCount
  return { cpuUs, requestCount, latenciesUs, perSecond: (1000 * requestCount) / wallMs }
}

function summarize(rounds) {
  const medianOf = (pick) => median(rounds.map(pick))
  const medians = (pick) =>
    Object.fromEntries(
      Object.keys(pick(rounds[0])).map((name) => [name, medianOf((round) => pick(round)[name])]),
    )
  const latenciesUs = rounds.flatMap(({ daemon }) => daemon.latenciesUs)
  return {
    cpuUs: medianOf(({ daemon }) => daemon.cpuUs),
    perSecond: medianOf(({ daemon }) => daemon.perSecond),
    p50Ms: quantile(latenciesUs, 0.5) / 1000,
    p99Ms: quantile(latenciesUs, 0.99) / 1000,
    besideCpuUs: medians((round) => round.besideCpuUs),
    floorCpuUs: medians((round) => round.floorCpuUs),
  }
}

/** Latency at half the rate that the rounds reached; undefined where the client cannot hold a rate. */
async function measureHalfLoad(target, rounds, load) {
  if (!hasH2load) return undefined
  const requestsPerSecond = median(rounds.map(({ daemon }) => daemon.perSecond)) / 2
  const { latenciesUs } = await loadRpc(target, { ...load, requestsPerSecond })
  return { p50Ms: quantile(latenciesUs, 0.5) / 1000, p99Ms: quantile(latenciesUs, 0.99) / 1000 }
}

/** The figures and ratios of `measured` under `prefix`. */
export function servingReport(prefix, measured) {
  const { cpuUs, floorCpuUs, besideCpuUs, halfLoad, sizes } = measured
  const floorUs = Object.values(floorCpuUs).reduce((sum, partUs) => sum + partUs, 0)
  const figures = {
    daemon_cpu_us_per_request: cpuUs,
    floor_cpu_us_per_request: floorUs,
    ...prefixed('floor', floorCpuUs, '_cpu_us_per_request'),
    ...prefixed('beside', besideCpuUs, '_cpu_us_per_request'),
    requests_per_second: measured.perSecond,
    p50_ms: measured.p50Ms,
    p99_ms: measured.p99Ms,
    ...(halfLoad === undefined
      ? {}
      : { half_load_p50_ms: halfLoad.p50Ms, half_load_p99_ms: halfLoad.p99Ms }),
    ...sizes,
  }
  return {
    figures: prefixed(prefix, figures, ''),
    ratios: { [`${prefix}_cpu_over_floor`]: rounded(cpuUs / floorUs) },
  }
}

/** `prefix_NAME_suffix` for each figure, rounded. */
export function prefixed(prefix, values, suffix) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}_${name}${suffix}`, rounded(value)]),
  )
}

async function replyTo(address, path, body) {
  const client = new Client(address, credentials.createInsecure())
  try {
    return await callRaw(client, path, body)
  } finally {
    client.close()
  }
}

/** h2load cuts off what is under way at the end of a round: those calls may be cancelled, none else fail. */
async function assertServed(httpAddress, rpc) {
  const text = await (await fetch(`http://${httpAddress}/metrics`)).text()
  const counts = text.matchAll(/^larder_call_seconds_count\{rpc="(\w+)",code="(\w+)"\} (\d+)/gm)
  for (const [, name, code, count] of counts) {
    if (name !== rpc || ['OK', 'CANCELLED'].includes(code)) continue
    throw new Error(`${count} calls of ${rpc} ended with ${code}`)
  }
}
