/**
 * Load on a unary RPC: prepared request bodies, sent again and again over one connection per body, by
 * h2load where it is installed, else by grpc-js in this process.
 *
 * h2load is the lightest client there is here; with grpc-js the client takes more CPU than the server,
 * so that rates fall and only the server's CPU per request stays comparable.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'

/** Requests under way per connection. */
export const streamsPerConnection = 2

export const hasH2load = isInstalled('h2load')

function isInstalled(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

/**
 * Sends each body over its own connection for `roundMs`; `requestsPerSecond` over all connections
 * bounds the rate. Resolves with the latencies of all answered requests, in microseconds, and how long
 * the round took. It sees HTTP statuses only: whether gRPC succeeded is for the server's metrics to say.
 */
export async function loadRpc(target, { bodies, roundMs, requestsPerSecond }) {
  const startMs = performance.now()
  const perConnection = bodies.map((body, index) =>
    hasH2load
      ? runH2load(target, { body, index, roundMs, requestsPerSecond, share: bodies.length })
      : runClient(target, { body, roundMs }),
  )
  const latenciesUs = (await Promise.all(perConnection)).flat()
  return { latenciesUs, requestCount: latenciesUs.length, wallMs: performance.now() - startMs }
}

async function runH2load(
  { address, path, folder },
  { body, index, roundMs, requestsPerSecond, share },
) {
  const bodyPath = join(folder, `body-${index}.grpc`)
  const logPath = join(folder, `h2load-${index}.log`)
  writeFileSync(bodyPath, framed(body))
  writeFileSync(logPath, '')
  const rate =
    requestsPerSecond === undefined ? [] : [`--rps=${Math.ceil(requestsPerSecond / share)}`]
  const child = spawn(
    'h2load',
    [
      ...['-c', '1', '-m', String(streamsPerConnection), '-D', `${roundMs}ms`, ...rate],
      ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      ...['-d', bodyPath, `--log-file=${logPath}`, `http://${address}${path}`],
    ],
    { stdio: 'ignore' },
  )
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) throw new Error(`h2load failed (exit ${code})`)
  return readLatencies(logPath)
}

/** Lines of h2load's log: start in microseconds, HTTP status, microseconds until the end. */
function readLatencies(logPath) {
  const lines = readFileSync(logPath, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const [, httpStatus, latencyUs] = line.split('\t')
    if (httpStatus !== '200') throw new Error(`a request was answered with HTTP ${httpStatus}`)
    return Number(latencyUs)
  })
}

/** A gRPC message on the wire: not compressed, its length, itself. */
function framed(body) {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(body.byteLength, 1)
  return Buffer.concat([header, body])
}

async function runClient(target, { body, roundMs }) {
  const client = new Client(target.address, credentials.createInsecure(), {
    // Else clients of one address share a connection.
    'grpc.use_local_subchannel_pool': 1,
  })
  const endMs = performance.now() + roundMs
  const latenciesUs = []
  const loop = async () => {
    while (performance.now() < endMs) {
      const startMs = performance.now()
      await callRaw(client, target.path, body)
      latenciesUs.push((performance.now() - startMs) * 1000)
    }
  }
  await Promise.all(Array.from({ length: streamsPerConnection }, loop))
  client.close()
  return latenciesUs
}

/** One unary call in bytes. Rejects with the gRPC error. */
export function callRaw(client, path, body) {
  const asIs = (bytes) => bytes
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, body, (error, reply) => {
      if (error === null) resolve(reply)
      else reject(error)
    })
  })
}
