/**
 * Whether the daemon is ready, and why not: told to gRPC health, `/readyz` and metrics alike.
 */
import { HealthImplementation } from 'grpc-health-check'
import { AdminServiceService } from '../gen/larder/v1/admin.js'
import { IngestServiceService } from '../gen/larder/v1/ingest.js'
import { ServingServiceService } from '../gen/larder/v1/serving.js'

export interface Health {
  readonly implementation: HealthImplementation
  /** Undefined while ready. */
  readonly notReadyReason: string | undefined
  setReady(): void
  setNotReady(reason: string): void
}

const serviceNames = [
  '',
  serviceNameOf(ServingServiceService.getFeatures.path),
  serviceNameOf(IngestServiceService.writeFeatures.path),
  serviceNameOf(AdminServiceService.plan.path),
]

/** Not ready, because it is starting. */
export function createHealth(onChange: (isReady: boolean) => void): Health {
  const implementation = new HealthImplementation()
  let notReadyReason: string | undefined
  const set = (reason: string | undefined) => {
    notReadyReason = reason
    for (const name of serviceNames) {
      implementation.setStatus(name, reason === undefined ? 'SERVING' : 'NOT_SERVING')
    }
    onChange(reason === undefined)
  }
  set('starting')
  return {
    implementation,
    get notReadyReason() {
      return notReadyReason
    },
    setReady: () => set(undefined),
    setNotReady: set,
  }
}

/** `larder.v1.ServingService` of `/larder.v1.ServingService/GetFeatures`. */
function serviceNameOf(path: string): string {
  return path.split('/')[1] ?? ''
}
