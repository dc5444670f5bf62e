/**
 * What a load goes into: the view as the daemon knows it, and when the rows count as having happened.
 */
import type { LarderClient } from '../client/index.js'
import type { JoinKey } from '../declared.js'
import { LarderError } from '../errors.js'
import { parseFeatureType } from '../feature-type.js'
import type { Entity, FeatureView, GetRegistryResponse } from '../gen/larder/v1/admin.js'
import { futureBoundMs } from '../limits.js'
import type { CliIo } from './cli-io.js'
import type { EventTime, LoadTarget } from './load-plan.js'
import { knownNames } from './service.js'

/** How the command line says what event times are. */
export interface EventTimeOptions {
  readonly eventTime?: string
  readonly now?: boolean
}

export interface FoundTarget {
  readonly target: LoadTarget
  readonly bucketSeed: bigint
}

/** Errors: `not_found` for the view, `invalid_argument` where nothing says what event times are. */
export async function findTarget(
  client: LarderClient,
  viewName: string,
  options: EventTimeOptions,
  io: CliIo,
): Promise<FoundTarget> {
  const [registry, status] = await Promise.all([client.registry(io.stop), client.status(io.stop)])
  const { view, entity } = findView(registry, viewName)
  // Only the daemon's clock judges, and it may stand still.
  const nowUs = status.frozenClockUs === 0n ? io.clock.nowUs() : status.frozenClockUs
  const target = {
    view,
    keyTypes: keyTypesOf(entity),
    eventTime: eventTimeOf(view.sourceEventTime, nowUs, options),
    oldestUs: nowUs - view.retentionUs,
    newestUs: nowUs + BigInt(futureBoundMs) * 1000n,
  }
  return { target, bucketSeed: registry.bucketSeed }
}

/** Error `not_found`, with the views that there are. */
export function findView(
  registry: GetRegistryResponse,
  viewName: string,
): { readonly view: FeatureView; readonly entity: Entity } {
  const view = registry.views.find((candidate) => candidate.name === viewName)
  const entity = registry.entities.find((candidate) => candidate.name === view?.entity)
  if (view !== undefined && entity !== undefined) return { view, entity }
  const names = registry.views.map((candidate) => candidate.name)
  throw new LarderError('not_found', `there is no view "${viewName}"; ${knownNames(names)}`)
}

function keyTypesOf({ keys }: Entity): JoinKey[] {
  return keys.map(({ name, type: typeText }) => {
    const type = parseFeatureType(typeText)
    if (type?.kind === 'scalar') return { name, type: type.scalar }
    throw new LarderError('internal', `join key "${name}" has the unknown type "${typeText}"`)
  })
}

function eventTimeOf(sourceColumn: string, nowUs: bigint, options: EventTimeOptions): EventTime {
  if (options.now && options.eventTime !== undefined) {
    throw new LarderError('invalid_argument', '--now and --event-time exclude each other')
  }
  if (options.now) return { kind: 'instant', atUs: nowUs }
  const name = options.eventTime ?? sourceColumn
  if (name !== '') return { kind: 'column', name }
  throw new LarderError(
    'invalid_argument',
    'the view declares no source.event_time: name the column with --event-time, or use --now',
  )
}
