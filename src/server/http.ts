/**
 * The HTTP side port: metrics, liveness and readiness.
 */
import fastify, { type FastifyInstance } from 'fastify'
import type { DaemonMetrics } from './daemon-metrics.js'
import type { Health } from './health.js'

/** A server with its routes, not yet listening. */
export function createHttpServer(metrics: DaemonMetrics, health: Health): FastifyInstance {
  const server = fastify({ logger: false })
  server.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType)
    return await metrics.registry.metrics()
  })
  server.get('/healthz', async () => ({ status: 'alive' }))
  server.get('/readyz', async (_request, reply) => {
    const reason = health.notReadyReason
    if (reason === undefined) return { status: 'ready' }
    reply.code(503)
    return { status: 'not ready', reason }
  })
  return server
}
