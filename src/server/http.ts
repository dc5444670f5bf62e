/**
 * The HTTP side port: metrics, liveness and readiness.
 */
import fastify, { type FastifyInstance } from 'fastify'
import type { DaemonMetrics } from './daemon-metrics.js'
import type { Health } from './health.js'

/**
 * A server with its routes, not yet listening. `findings` are what is wrong without making the daemon
 * unready: `/readyz` tells them.
 */
export function createHttpServer(
  metrics: DaemonMetrics,
  health: Health,
  findings: () => readonly string[],
): FastifyInstance {
  const server = fastify({ logger: false })
  server.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType)
    return await metrics.registry.metrics()
  })
  server.get('/healthz', async () => ({ status: 'alive' }))
  server.get('/readyz', async (_request, reply) => {
    const reason = health.notReadyReason
    const told = findings()
    const more = told.length === 0 ? {} : { findings: told }
    if (reason === undefined) return { status: 'ready', ...more }
    reply.code(503)
    return { status: 'not ready', reason, ...more }
  })
  return server
}
