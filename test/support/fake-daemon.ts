/**
 * A gRPC server on loopback that answers as a test says, for tests of the client and the CLI.
 *
 * A call without a handler is answered as UNIMPLEMENTED by grpc-js itself. Handlers are ordinary grpc-js
 * ones, so that a test can be late, wrong, or break a stream.
 */
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'

import { AdminServiceService } from '../../src/gen/larder/v1/admin.js'
import { IngestServiceService } from '../../src/gen/larder/v1/ingest.js'
import { ServingServiceService } from '../../src/gen/larder/v1/serving.js'

/** The handlers of each service, by method. */
export interface FakeHandlers {
  readonly serving?: UntypedServiceImplementation
  readonly ingest?: UntypedServiceImplementation
  readonly admin?: UntypedServiceImplementation
}

export interface FakeDaemon {
  readonly address: string
  /** Cuts every connection and frees the port. */
  stop(): void
}

/** Listens on `address`, by default on any free port of loopback. */
export async function startFakeDaemon(
  handlers: FakeHandlers,
  address = '127.0.0.1:0',
): Promise<FakeDaemon> {
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 })
  server.addService(ServingServiceService, { ...handlers.serving })
  server.addService(IngestServiceService, { ...handlers.ingest })
  server.addService(AdminServiceService, { ...handlers.admin })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) =>
      error === null ? resolve(boundPort) : reject(error),
    )
  })
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() }
}

/** An error as a handler passes it to its callback. */
export function grpcError(code: status, message: string): ServiceError {
  return Object.assign(new Error(message), { code, details: message, metadata: new Metadata() })
}

/** A unary handler that fails with each of `errors` in turn, then answers. */
export function failThenAnswer<Request, Response>(
  errors: readonly ServiceError[],
  answer: (request: Request) => Response,
): (call: { readonly request: Request }, done: sendUnaryData<Response>) => void {
  const remaining = [...errors]
  return (call, done) => {
    const error = remaining.shift()
    if (error === undefined) done(null, answer(call.request))
    else done(error)
  }
}
