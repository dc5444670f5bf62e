/**
 * gRPC server reflection: tells tools like grpcurl what the daemon speaks, from the descriptors that
 * the build made of `proto/`.
 */
import { readFileSync } from 'node:fs'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'

/** At the package's root, seen from `src/server` and from `dist/server` alike. */
const descriptorsUrl = new URL('../../src/gen/larder.binpb', import.meta.url)

export function createReflection(): ReflectionService {
  return new ReflectionService(loadFileDescriptorSetFromBuffer(readFileSync(descriptorsUrl)))
}
