/**
 * A snapshot as messages.
 */

import { formatFeatureType } from '../feature-type.js'
import type {
  CompactVersion as CompactVersionMessage,
  GetRegistryResponse,
  Layout as LayoutMessage,
  FeatureService as ServiceMessage,
  FeatureView as ViewMessage,
} from '../gen/larder/v1/admin.js'
import type { HashSeeds } from '../hash-seeds.js'
import { encodeProfile } from '../profile-json.js'
import { encodeDefault } from '../registry/default-value.js'
import {
  type FeatureService,
  type FeatureView,
  type Layout,
  newestProfile,
  type Snapshot,
} from '../registry/snapshot.js'
import type { VersionFormat } from '../version-format.js'

export function formatRegistry(snapshot: Snapshot, seeds: HashSeeds): GetRegistryResponse {
  return {
    registryVersion: BigInt(snapshot.version),
    entities: [...snapshot.entities.values()].map(({ name, keys }) => ({ name, keys: [...keys] })),
    views: [...snapshot.views.values()].map(formatView),
    services: [...snapshot.services.values()].map(formatService),
    bucketSeed: seeds.hotKey,
  }
}

function formatView(view: FeatureView): ViewMessage {
  const profile = newestProfile(view)
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
    packing: view.packing.kind,
    bucketCount: view.packing.kind === 'bucket' ? view.packing.bucketCount : 0,
    hotGeneration: BigInt(view.hotGeneration),
    profileJson: profile === undefined ? '' : JSON.stringify(encodeProfile(profile)),
    layouts: view.layouts.map(formatLayout),
  }
}

function formatLayout({ id, schemaVersion, profile, versionFormat }: Layout): LayoutMessage {
  const version = formatVersion(versionFormat)
  return { id, schemaVersion, profileId: profile?.id ?? 0, version }
}

function formatVersion(versionFormat: VersionFormat): CompactVersionMessage | undefined {
  if (versionFormat === 'full') return undefined
  const { eventBaseUs, eventUnitUs, eventBytes } = versionFormat
  return { eventBaseUs, eventUnitUs, eventBytes }
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
