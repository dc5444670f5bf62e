/**
 * A snapshot as messages.
 */

import { formatFeatureType } from '../feature-type.js'
import type {
  GetRegistryResponse,
  FeatureService as ServiceMessage,
  FeatureView as ViewMessage,
} from '../gen/larder/v1/admin.js'
import { encodeDefault } from '../registry/default-value.js'
import type { FeatureService, FeatureView, Snapshot } from '../registry/snapshot.js'

export function formatRegistry(snapshot: Snapshot): GetRegistryResponse {
  return {
    registryVersion: BigInt(snapshot.version),
    entities: [...snapshot.entities.values()].map(({ name, keys }) => ({ name, keys: [...keys] })),
    views: [...snapshot.views.values()].map(formatView),
    services: [...snapshot.services.values()].map(formatService),
  }
}

function formatView(view: FeatureView): ViewMessage {
  return {
    name: view.name,
    entity: view.entity.name,
    latencyClass: view.latencyClass,
    ttlUs: view.ttlUs,
    retentionUs: view.retentionUs,
    onStale: view.onStale,
    schemaVersion: view.schemas.at(-1)?.version ?? 0,
    features: view.features.map(({ id, name, type, defaultValue }) => ({
      id,
      name,
      type: formatFeatureType(type),
      defaultJson: defaultValue === undefined ? '' : JSON.stringify(encodeDefault(defaultValue)),
    })),
    sourcePath: view.source?.path ?? '',
    sourceEventTime: view.source?.eventTime ?? '',
    generation: BigInt(view.generation),
  }
}

function formatService(service: FeatureService): ServiceMessage {
  return {
    name: service.name,
    keys: [...service.keys],
    features: service.features.map(({ name, role, view, feature }) => ({
      name,
      type: formatFeatureType(feature.type),
      role,
      view: view.name,
    })),
  }
}
