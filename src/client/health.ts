/**
 * The standard health question, `grpc.health.v1.Health/Check`, for the daemon as a whole.
 *
 * An empty request asks for the whole server; the reply is one enum in field 1. That is little enough
 * to read by hand, which spares the client a second set of generated messages.
 */
import type { ServiceError } from '@grpc/grpc-js'
import type { StartCall } from './daemon-channels.js'

export type Health = 'serving' | 'not_serving' | 'unknown'

const checkPath = '/grpc.health.v1.Health/Check'
const servingStatusTag = 0x08
const healthOfStatus: readonly Health[] = ['unknown', 'serving', 'not_serving']

export const startHealthCheck: StartCall<Health> = (daemon, metadata, options, done) =>
  daemon.serving.makeUnaryRequest(
    checkPath,
    () => Buffer.alloc(0),
    parseHealth,
    undefined,
    metadata,
    options,
    (error: ServiceError | null, health?: Health) => done(error, health ?? 'unknown'),
  )

function parseHealth(reply: Buffer): Health {
  const status = reply[0] === servingStatusTag ? reply[1] : undefined
  return healthOfStatus[status ?? 0] ?? 'unknown'
}
