/**
 * Part of a floor: a bare grpc-js server that answers every request with the same number of bytes, or,
 * on a stream, every message. Messages are never looked at: what it costs is gRPC alone.
 *
 * Started by `startPart`; its options are `path`, `replyBytes` and `isStream`, its answer the address.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js'

process.once('message', ({ path, replyBytes, isStream }) => {
  const reply = Buffer.alloc(replyBytes, 1)
  const asIs = (bytes) => bytes
  const server = new Server({ 'grpc.max_receive_message_length': 32 * 1024 * 1024 })
  const method = {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  }
  const echo = isStream ? echoStream(reply) : (_call, done) => done(null, reply)
  server.addService({ echo: method }, { echo })
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error
    process.send(`127.0.0.1:${port}`)
  })
  process.once('disconnect', () => server.forceShutdown())
})

function echoStream(reply) {
  return (call) => {
    call.on('data', () => call.write(reply))
    call.on('end', () => call.end())
  }
}
